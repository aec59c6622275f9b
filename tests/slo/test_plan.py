from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.slos import LATENCY, RATIO, SLICES, STORED, THRESHOLD, planned

from platform_meter.model.objective import NoData
from platform_meter.slo.burnrate import parse_window
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import Counters, Slices, tolerance, written_every
from platform_meter.slo.stored import stored_objective


def test_the_worked_example() -> None:
    """0.999 over 30 d: the four rows of the table, their guards and budgets, 5 minutes of reference, no float noise."""
    found = planned(RATIO)
    assert [
        (a.level, a.factor, a.long.label, a.short.label, a.min_bad, round(a.budget_used, 4)) for a in found.alerts
    ] == [
        ("page", "14.4", "1h", "5m", 3, 0.02),
        ("page", "6", "6h", "30m", 3, 0.05),
        ("ticket", "3", "1d", "2h", 2, 0.1),
        ("ticket", "1", "3d", "6h", 2, 0.1),
    ]
    assert [w.label for w in found.windows] == ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
    assert [w.label for w in found.bad_counts] == ["1h", "6h", "1d", "3d", "30d"]
    assert (found.objective_text, found.allowed_text, found.period_text) == ("0.999", "0.001", "30-day")
    assert (found.no_data_after, found.reference) == (timedelta(minutes=10), timedelta(minutes=5))


def test_defaults() -> None:
    """Without a time window P is 28 d, for people 91 d; the period is called as it was written."""
    assert planned(STORED).period_label == "28d"
    assert (
        planned(STORED, ("{platform-meter.io/owner: team-ci}", "{platform-meter.io/alerts: human}")).period_label
        == "91d"
    )
    weeks = planned(RATIO, ("30d", "4w"))
    assert (weeks.period_label, weeks.period, weeks.period_text) == ("4w", timedelta(days=28), "28-day")
    assert round(weeks.alerts[0].budget_used, 4) == 0.0214


def test_rows_that_can_never_fire_are_dropped() -> None:
    """T=0.9 drops F=14.4; silence then takes as long as the next row: 6 * 0.1 * 6 h (domain section 5)."""
    found = planned(RATIO, ("0.999", "0.9"))
    assert [r.factor for r in found.dropped] == [14.4]
    assert [w.label for w in found.windows] == ["30m", "2h", "6h", "1d", "3d"]
    assert found.no_data_after == timedelta(hours=3.6)
    assert found.reference == timedelta(minutes=5)


def test_silence_is_told_by_the_fastest_row_that_is_left() -> None:
    """Without the row over 1 h a full outage at 99.5 % pages after 6 * 0.005 * 6 h, so silence waits for as long."""
    left = "io/owner: team-shop\n    platform-meter.io/leave-out: page-1h"
    found = planned(RATIO, ("io/owner: team-shop", left), ("0.999", "0.995"))
    assert found.left_out == {"page-1h"}
    assert found.dropped == ()
    assert [w.label for w in found.windows] == ["30m", "2h", "6h", "1d", "3d"]
    assert found.no_data_after == timedelta(minutes=11)
    assert planned(RATIO, ("0.999", "0.995")).no_data_after == timedelta(minutes=10)


def test_short_periods_scale() -> None:
    """P=7d shrinks every window by 7/30, up to whole minutes; the reference shrinks with them."""
    found = planned(RATIO, ("30d", "7d"))
    assert [(a.long.label, a.short.label) for a in found.alerts] == [
        ("14m", "2m"),
        ("84m", "7m"),
        ("336m", "28m"),
        ("1008m", "84m"),
    ]
    assert found.reference == timedelta(minutes=2)


def test_slices_are_never_shorter_than_two_in_a_short_period() -> None:
    """With 5-minute slices the shortest window of a week holds two of them."""
    found = planned(THRESHOLD, ("  indicator:", "  timeWindow: [{duration: 7d, isRolling: true}]\n  indicator:"))
    assert min(w.length for w in found.windows) == timedelta(minutes=10)


def test_no_alerts() -> None:
    """`alerts: none` leaves the budget and the data alert, at any period from a day on."""
    found = planned(RATIO, ("io/owner: team-shop", "io/alerts: none"), ("30d", "1d"))
    assert (found.alerts, found.windows) == ((), ())
    assert [w.label for w in found.bad_counts] == ["1d"]


def test_min_bad_is_for_every_row() -> None:
    """The annotation replaces 3 and 2."""
    found = planned(RATIO, ("io/owner: team-shop", 'io/min-bad: "5"'))
    assert {a.min_bad for a in found.alerts} == {5}


def test_counters_read_rates_as_counts() -> None:
    """Good over total, written as rates, gives counts."""
    sli = planned(LATENCY).sli
    assert isinstance(sli, Counters)
    assert sli.part.over(timedelta(minutes=5)) == '(sum(rate(http_seconds_bucket{le="0.5"}[5m])) * 300)'


BAD, ALL = (
    f"sum((increase({x}[1m30s]) * 60 / 90 and resets({x}[1m]) > 0"
    f" or last_over_time({x}[1m]) - last_over_time({x}[1h] offset 1m) >= 0"
    f" or last_over_time({x}[1m]) < last_over_time({x}[1h] offset 1m)"
    f" or last_over_time({x}[1m]) - min_over_time({x}[1m])))"
    for x in ('http_requests_total{code=~"5.."}', "http_requests_total")
)
JUDGED = f"({BAD} or 0 * {ALL}) / ({ALL} > 0) <= 2 > bool 0.05"
BAD_SEEN = 'sum(increase(http_requests_total{code=~"5.."}[1m30s]))'
ALL_SEEN = "sum(increase(http_requests_total[1m30s]))"
SEEN = f"({BAD_SEEN} or 0 * {ALL_SEEN}) / ({ALL_SEEN} > 0) <= 2 > bool 0.05"


@pytest.mark.parametrize(
    ("no_data", "meant"),
    [
        ("exclude", JUDGED),
        ("bad", f"{JUDGED} or vector(1)"),
        ("good", f"{JUDGED} or vector(0)"),
        ("hold", f"{JUDGED}\nor last_over_time(({SEEN})[3m:1m])"),
    ],
)
def test_slices_without_data(no_data: str, meant: str) -> None:
    """What a slice without data is, in PromQL; hold looks back three slices at most. What came across a gap in scrapes
    belongs to the slice that ends it."""
    sli = planned(SLICES, ("exclude", no_data)).sli
    assert isinstance(sli, Slices)
    assert sli.bad == meant


@pytest.mark.parametrize(
    ("operator", "meant"),
    [
        ("lte", "(max(queue_age_seconds) >= -Inf) > bool 30"),
        ("lt", "(max(queue_age_seconds) >= -Inf) >= bool 30"),
        ("gte", "(min(queue_age_seconds) >= -Inf) < bool 30"),
        ("gt", "(min(queue_age_seconds) >= -Inf) <= bool 30"),
    ],
)
def test_thresholds(operator: str, meant: str) -> None:
    """Good is `value op bound`; the worst of several series decides; NaN is no data."""
    sli = planned(THRESHOLD, ("op: lte", f"op: {operator}")).sli
    assert isinstance(sli, Slices)
    assert sli.bad == meant


RAW = (
    "thresholdMetric: {metricSource: {type: prometheus, spec: {query: queue_age_seconds}}}",
    "ratioMetric: {rawType: success, raw: {metricSource: {type: prometheus, spec: {query: ok}}}}",
)


@pytest.mark.parametrize(
    ("kind", "meant"), [("success", "(min(ok) >= -Inf) < bool 0.95"), ("failure", "(max(ok) >= -Inf) > bool 0.05")]
)
def test_raw_ratios(kind: str, meant: str) -> None:
    """A ratio of success is bad below the slice target, one of failure above what is left."""
    sli = planned(THRESHOLD, RAW, ("success", kind), ("op: lte, value: 30", "timeSliceTarget: 0.95")).sli
    assert isinstance(sli, Slices)
    assert sli.bad == meant


def test_stored_slices() -> None:
    """A probe is judged minute by minute, and says what a minute without data is."""
    found = stored_objective(
        planned(
            STORED,
            ("Occurrences", "Timeslices"),
            ("{events: pipeline_runs, where: {system: github}}", "{events: probe_checks, where: {target: eu/readyz}}"),
            ("{target: 0.99}", "{target: 0.9995, timeSliceTarget: 0.5, timeSliceWindow: 1m}"),
            ("{platform-meter.io/owner: team-ci}", "{platform-meter.io/no-data: hold}"),
        )
    )
    assert found is not None
    assert (found.counts, found.slice, found.slice_target, found.no_data) == (
        "slices",
        timedelta(minutes=1),
        Decimal("0.5"),
        NoData.HOLD,
    )
    assert found.allowed == Decimal("0.0005")


def test_several_objectives_are_several_slos() -> None:
    """Each adds its displayName, or its number, to the document's name."""
    text = RATIO.replace("[{target: 0.999}]", "[{displayName: Very fast, target: 0.99}, {target: 0.999}]")
    assert [s.slo for s in read_slos([("a.yaml", text)]).specs] == ["shop-requests-2", "shop-requests-very-fast"]


@pytest.mark.parametrize(
    ("display", "name"),
    [("Größe", "grosse"), ("Déjà vu!", "deja-vu"), ("9 of 10", "9-of-10"), ("速い", "1"), ("!", "1"), ("x" * 49, "x" * 49)],
)  # fmt: skip
def test_a_display_name_becomes_letters_of_a_name(display: str, name: str) -> None:
    """Accents go, their letters stay; where a letter cannot be written, the number stands for all."""
    text = RATIO.replace("[{target: 0.999}]", f"[{{displayName: '{display}', target: 0.99}}, {{target: 0.999}}]")
    checked = read_slos([("a.yaml", text)])
    assert checked.problems == ()
    assert {s.slo for s in checked.specs} == {f"shop-requests-{name}", "shop-requests-2"}


def test_a_source_type_in_any_case() -> None:
    """OpenSLO's own examples write `type: Prometheus`."""
    assert planned(RATIO, ("type: prometheus", "type: Prometheus")) == planned(RATIO)
    assert planned(STORED, ("type: stored", "type: Stored")) == planned(STORED)


def test_how_often_windows_are_written() -> None:
    """Raw counters every 30 s, sums of tiles every 2 min; what the exporter counts is copied every minute, however long."""
    counters, stored = planned(RATIO), planned(STORED)
    assert [written_every(counters, w).total_seconds() for w in counters.windows] == [30, 30, 30, 120, 120, 120, 120]
    assert {written_every(stored, w).total_seconds() for w in stored.windows} == {60}
    slices = planned(SLICES)
    assert {w.label: written_every(slices, w).total_seconds() for w in slices.windows}["1h"] == 60


@pytest.mark.parametrize(
    ("window", "scrape", "share"),
    [("5m", 30, 0.2), ("5m", 60, 0.4), ("10m", 30, 0.1), ("1h", 30, 0.1), ("28d", 60, 0.1), ("1m", 30, 1.0)],
)
def test_counts_contradict_beyond_two_scrapes_or_a_tenth(window: str, scrape: int, share: float) -> None:
    """What one of two metrics saw and the other not yet is two scrapes at most; less than a tenth is never told."""
    assert tolerance(parse_window(window), timedelta(seconds=scrape)) == share
