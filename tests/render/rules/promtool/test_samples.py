from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.slos import LATENCY, RATIO, THRESHOLD, planned

from platform_meter.render.rules.promtool.reads import Unknown
from platform_meter.render.rules.promtool.samples import Sample, fed_by, standing, unfed
from platform_meter.slo.plan import Counters, Slices

BAD = "'http_requests_total{code=~\"5..\"}'"
ALL = "'http_requests_total'}"


@pytest.mark.parametrize(
    ("bad", "total", "good_series", "bad_series"),
    [
        ('r{code=~"5.."}', "r", 'r{code="200"}', 'r{code="500"}'),
        ('r{a="x",code!~"2.."}', 'r{a="x"}', 'r{a="x",code="200"}', 'r{a="x",code="ok"}'),
        ('r{code=~"5..|429",f!~"DC"}', 'r{f!~"DC"}', 'r{code="200",f="200"}', 'r{code="500",f="200"}'),
        ('r{why!=""}', "r", "r", 'r{why="200"}'),
        ('r{c=~".+-err"}', 'r{c=~".+"}', 'r{c="a"}', 'r{c="a-err"}'),
        ('r{p=~"/api/.*",c="5"}', 'r{p=~"/api/.*"}', 'r{c="200",p="/api/a"}', 'r{c="5",p="/api/a"}'),
        ('r{c=~"[45]\\\\d+"}', 'r{c=~"\\\\d+"}', 'r{c="0"}', 'r{c="40"}'),
    ],
)
def test_labels_are_found(bad: str, total: str, good_series: str, bad_series: str) -> None:
    """One series that counts as good, and one that counts as bad."""
    sli = planned(RATIO, (BAD, f"'{bad}'"), (ALL, f"'{total}'}}")).sli
    assert isinstance(sli, Counters)
    assert fed_by(sli).samples == (Sample(series=good_series, good=1), Sample(series=bad_series, bad=1))


def test_what_contradicts() -> None:
    """A series that the part counts and the total does not grows three times as fast; bad out of the total's own metric cannot."""
    apart, within = planned(RATIO, (BAD, "e")).sli, planned(RATIO).sli
    assert isinstance(apart, Counters)
    assert isinstance(within, Counters)
    assert fed_by(apart).beyond == (Sample(series="http_requests_total", good=1, bad=1), Sample(series="e", bad=3))
    assert fed_by(within).beyond == ()


def test_what_stands_while_a_source_is_read() -> None:
    """Series at 1 that say so; nothing of what is not above 0 then."""
    assert standing('max(up{job=~"a|b"})') == (Sample(series='up{job="a"}', levels=(1.0, 1.0, 1.0)),)
    assert standing("max(up) - 1") == ()
    assert standing("max(min_over_time({__name__=~'up'}[5m]))") == ()


def test_two_metrics() -> None:
    """A histogram's bucket counts the good ones, its count all of them."""
    sli = planned(LATENCY).sli
    assert isinstance(sli, Counters)
    assert fed_by(sli).samples == (
        Sample(series="http_seconds_count", good=1, bad=1),
        Sample(series='http_seconds_bucket{le="0.5"}', good=1),
    )


@pytest.mark.parametrize(
    ("total", "bad", "why"),
    [
        ("r", 'r{c=~"(a|b){2}c?"}', "no labels are known that r takes"),
        ("r", 'r{c=~"x",c=~"y"}', "no labels are known that r takes"),
        ("r", "sum(changes(x[{{window}}]))", "changes"),
        ("sum(histogram_count(increase(h[{{window}}])))", "r", "histogram_count"),
        ("r", "sum(increase(r[{{window}}] offset 5m))", "r is read in two ways, or at two offsets"),
        ("r", "sum(increase(x[{{window}}] offset 2d))", "an offset of more than a day"),
        ("r", "sum(sum_over_time((up == bool 0)[{{window}}:1m]))", "counters beside samples"),
        ("r", "sum(increase(x[{{window}}])) * 0.3", "no series are known that make a good event, and others that make a bad one"),
        (
            "sum(count_over_time(up[{{window}}:1m]))",
            "sum(count_over_time((rate(x[10m]) > 0)[{{window}}:1m]))",
            "a subquery that sees what happens later than 6 minutes after",
        ),
        (
            "sum(count_over_time(up[{{window}}:1m]))",
            "sum(count_over_time(up[{{window}}:2m]))",
            "no levels are known that make a sample good, and others that make it bad",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_guessed_is_named(total: str, bad: str, why: str) -> None:
    """Nothing is claimed then."""
    sli = planned(RATIO, (BAD, f"'{bad}'"), (ALL, f"'{total}'}}")).sli
    assert isinstance(sli, Counters)
    assert unfed(sli) == why


def test_what_is_joined_stands_at_one() -> None:
    """And has the labels that it is joined by."""
    total = 'sum(increase(a[{{window}}] offset 90s) * on(pod) group_left(team) owner{team=~"x|y"})'
    sli = planned(RATIO, (BAD, "e"), (ALL, f"'{total}'}}")).sli
    assert isinstance(sli, Counters)
    fed = fed_by(sli)
    assert fed.samples == (
        Sample(series='a{pod="a"}', good=1, bad=1, offset=timedelta(seconds=90)),
        Sample(series='owner{pod="a",team="x"}', levels=(1.0, 1.0, 1.0)),
        Sample(series='e{pod="a"}', bad=1),
    )
    assert (fed.delay, fed.idles, fed.sampled) == (timedelta(minutes=5), True, False)


def test_samples_are_bad_or_good_by_their_level() -> None:
    """Such as make every look count, once as good and once as bad; looks are half as often as steps here."""
    total, bad = "count_over_time(up[{{window}}:1m])", "sum_over_time((up == bool 0 unless on() quiet)[{{window}}:1m])"
    sli = planned(RATIO, (BAD, f"'{bad}'"), (ALL, f"'{total}'}}")).sli
    assert isinstance(sli, Counters)
    fed = fed_by(sli)
    assert fed.samples == (Sample(series="up", levels=(1.0, 0.0, None)),)
    assert (fed.event, fed.lag, fed.idles, fed.sampled) == (0.5, timedelta(minutes=1), False, True)


@pytest.mark.parametrize(
    ("query", "sample"),
    [
        ("queue_age_seconds", Sample(series="queue_age_seconds", levels=(29.0, 31.0, None))),
        ("max(q) / 2 + 5", Sample(series="q", levels=(48.0, 52.0, None))),
        ("sum(rate(q[5m]))", Sample(series="q", levels=(29.0, 31.0, None), grows=True)),
    ],
)
def test_levels(query: str, sample: Sample) -> None:
    """A level on each side of the bound."""
    sli = planned(THRESHOLD, ("query: queue_age_seconds", f"query: '{query}'")).sli
    assert isinstance(sli, Slices)
    assert fed_by(sli).samples == (sample,)


@pytest.mark.parametrize("query", ["histogram_quantile(0.9, q)", "q / q", "2 / q"])
def test_levels_of_other_forms(query: str) -> None:
    """A quantile, and what is no straight line."""
    sli = planned(THRESHOLD, ("query: queue_age_seconds", f"query: '{query}'")).sli
    assert isinstance(sli, Slices)
    with pytest.raises(Unknown):
        fed_by(sli)
