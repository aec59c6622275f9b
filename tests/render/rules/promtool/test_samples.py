from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.slos import LATENCY, RATIO, THRESHOLD, planned

from platform_meter.render.rules.promtool.samples import Sample, fed_by
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
    assert fed_by(sli) == (Sample(series=good_series, good=True), Sample(series=bad_series, bad=True))


def test_two_metrics() -> None:
    """A histogram's bucket counts the good ones, its count all of them."""
    sli = planned(LATENCY).sli
    assert isinstance(sli, Counters)
    assert fed_by(sli) == (
        Sample(series="http_seconds_count", good=True, bad=True),
        Sample(series='http_seconds_bucket{le="0.5"}', good=True),
    )


@pytest.mark.parametrize("bad", ['r{c=~"(a|b){2}c?"}', 'r{c=~"x",c=~"y"}'])
def test_what_cannot_be_guessed(bad: str) -> None:
    """A pattern too hard for guesses, and one that nothing matches."""
    sli = planned(RATIO, (BAD, f"'{bad}'"), (ALL, "'r'}")).sli
    assert isinstance(sli, Counters)
    assert fed_by(sli) is None


def test_levels() -> None:
    """A level on each side of the bound."""
    sli = planned(THRESHOLD).sli
    assert isinstance(sli, Slices)
    assert fed_by(sli) == (Sample(series="queue_age_seconds", level=(Decimal(29), Decimal(31))),)
