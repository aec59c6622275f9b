from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.cases import hold, parts
from tests.support.policies import INLINE, with_condition, with_policies
from tests.support.slos import ALL, ASKED, LATENCY, RATIO, SLICES, STORED, THRESHOLD, planned, replaced

from platform_meter.render.rules import groups
from platform_meter.slo import names
from platform_meter.slo.check import read_slos
from platform_meter.slo.explain import Around, Reading, explain, fires_after
from platform_meter.slo.plan import plan, written_every

HUMAN = "name: shop-latency\n  annotations: {platform-meter.io/alerts: human}"
PROBE = (
    ("Occurrences", "Timeslices"),
    ("{events: pipeline_runs, where: {system: github}}", "{events: probe_checks, where: {target: eu/readyz}}"),
    ("{target: 0.99}", "{target: 0.9995, timeSliceTarget: 0.5, timeSliceWindow: 1m}"),
    ("{platform-meter.io/owner: team-ci}", "{platform-meter.io/no-data: hold}"),
)
CASES = sorted(Path(__file__).with_name("explained").glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.stem)
def test_each_case_is_explained_in_full(case: Path) -> None:
    """The whole text for one SLO: windows, factors, what fires when, and every term of the detection."""
    checked = read_slos([("slo.yaml", parts(case)["slo.yaml"])])
    (spec,) = checked.specs
    hold(case, explain(plan(spec)))


def test_the_case_folder_is_read() -> None:
    """An empty folder of cases would prove nothing."""
    assert {c.stem for c in CASES} == {"counters", "slices", "stored", "quiet", "dropped", "policies"}


def test_detection_adds_up() -> None:
    """52 s of threshold, a scrape, an evaluation and group_wait: 2.36 min (domain section 16)."""
    text = explain(planned(RATIO))
    assert "threshold (page 1h)    51.8 s" in text
    assert "together               2.36 min" in text


READING = Reading(source="logs-eu", every=timedelta(minutes=5), behind=timedelta(minutes=3))


def test_what_a_source_adds_is_told_term_by_term() -> None:
    """A failure waits for the end of its minute, for the delay of the source that counts and for its next poll."""
    text = explain(planned(ASKED), Around(reading=READING))
    assert (
        "  counted by    elasticsearch, by the minute; this exporter adds minutes up exactly, and rules copy its window gauges\n"
        "  read          3 min after the end of each minute, every 5 min, by source logs-eu\n"
    ) in text
    assert (
        "  threshold (page 1h)    51.8 s\n"
        "  end of the minute      60 s\n"
        "  delay of the source    3 min\n"
        "  poll lag               5 min\n"
        "  scrape                 30 s\n"
        "  evaluation             60 s\n"
        "  group wait             30 s\n"
        "  together               11.9 min\n"
    ) in text


def test_a_minute_without_good_events_is_told_later() -> None:
    """They may be on their way: a full outage has none, and waits for them in place of the shorter delay."""
    text = explain(planned(ASKED), Around(reading=replace(READING, good_late=timedelta(minutes=5))))
    assert (
        "every 5 min, by source logs-eu\n"
        "                one without good events 5 min after: they may be on their way\n"
    ) in text
    assert "  delay of the source    5 min\n" in text
    assert "  together               13.9 min\n" in text
    assert "good events" not in explain(
        planned(ASKED), Around(reading=replace(READING, good_late=timedelta(minutes=3)))
    )


def test_a_source_that_nobody_knows_is_told() -> None:
    """Without a configuration the usual poll stands for it, and what more it adds is not known."""
    text = explain(planned(ASKED))
    assert "  read          the configuration (-c) says how long after its end a minute is read\n" in text
    assert "delay of the source" not in text
    assert "  poll lag               60 s\n" in text


def test_slices_of_a_source_end_as_slices_do() -> None:
    """A minute that is a slice waits for its end once."""
    slices = (
        ("Occurrences", "Timeslices"),
        ("{name: logged}", "{name: logged, annotations: {platform-meter.io/no-data: good}}"),
        ("[{target: 0.999}]", "[{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 1m}]"),
    )
    text = explain(planned(ASKED, *slices), Around(reading=READING))
    assert "good when at least 95 % of its events are good; a slice without data is good" in text
    assert "end of the minute" not in text
    assert "  end of a bad slice     63 s\n" in text


def test_slices_of_a_level_of_a_source_are_good_by_its_bound() -> None:
    """Nobody counts events there."""
    start, end = ASKED.index("      ratioMetric:"), ASKED.index("  objectives:")
    level = "      thresholdMetric: {metricSource: {type: cloudwatch, spec: {namespace: A, metric: B}}}\n"
    text = replaced(
        ASKED[:start] + level + ASKED[end:],
        ("Occurrences", "Timeslices"),
        ("{name: logged}", "{name: logged, annotations: {platform-meter.io/no-data: good}}"),
        ("[{target: 0.999}]", "[{target: 0.99, op: lt, value: 3, timeSliceWindow: 5m}]"),
    )
    assert "  slices        5m; good when its level keeps the bound; a slice without data is good\n" in explain(
        planned(text)
    )


def test_low_traffic_slows_the_page() -> None:
    """At one event a minute three failures take three minutes, and half a percent of errors is a matter of hours."""
    text = explain(planned(RATIO), Around(traffic=60, traffic_said="counted by hand"))
    assert "from an error-free start at 60 events an hour (counted by hand):" in text
    assert "   100 % errors: page after 3 min (1h), ticket after 4.32 min (1d)" in text
    assert "    about 60 events expected in 1h: in a full outage it comes after 3 min instead of 51.8 s" in text
    assert "    about 1,440 events expected in 1d\n" in text


@pytest.mark.parametrize(
    ("traffic", "share", "minutes"),
    [
        (120, 1.0, 1.73),  # 14.4 * 0.002 of an hour
        (120, 0.15, 11.52),  # one and a half in 5 minutes
        (120, 0.1, 25),  # the fifth failure, before three times the factor
        (40, 0.11, 47.13),  # three times the factor, since an hour holds fewer than five failures
        (40, 0.08, None),  # neither
        (24, 0.13, 57.69),  # two events in 5 minutes, which tell nothing: the third failure
    ],
)
def test_few_failures_that_lie_apart_are_looked_at_twice(traffic: float, share: float, minutes: float | None) -> None:
    """Where two of them do not lie in the short window, and that is large enough to tell."""
    one = planned(replaced(RATIO, ("target: 0.999", "target: 0.998")))
    found = fires_after(one, one.alerts[0], share, traffic)
    assert (found and found / timedelta(minutes=1)) == (minutes and pytest.approx(minutes, abs=0.02))


@pytest.mark.parametrize("traffic", [1 / 720, 1e-300])
def test_too_little_traffic_for_any_alert(traffic: float) -> None:
    """With one event a month or less the guard is never passed, and the text says so."""
    text = explain(planned(RATIO), Around(traffic=traffic))
    assert "   100 % errors: nothing" in text
    assert "Detection of a full outage: none: there are never enough events for the guard." in text
    assert "expected in 1h: too few, it never fires; send probes, join SLOs, or lower the objective" in text


def test_what_is_asked_for_the_traffic_is_said() -> None:
    """Where nobody knows the traffic, the text says how to have it counted."""
    assert "start at steady traffic (ask):" in explain(planned(RATIO), Around(traffic_said="ask"))


TERMS = re.compile(r"^  (threshold \(.+?\)|poll lag|scrape|end of .+?|evaluation|together) +(\S+ \S+)$", re.MULTILINE)


def terms(text: str) -> dict[str, str]:
    return {name.split(" (")[0]: length for name, length in TERMS.findall(text)}


def test_windows_over_tiles_wait_for_both_groups() -> None:
    """Where the long window sums tiles, its event waits for the tile, which reads a scrape late, for the 2 min of its group, and for the alert's 30 s."""
    found = terms(explain(planned(RATIO, ("30d", "7d"), ("0.999", "0.9"))))
    assert found == {
        "threshold": "50.4 min",
        "scrape": "30 s",
        "end of the tile": "5.5 min",
        "evaluation": "2.5 min",
        "together": "59.4 min",
    }


def test_both_windows_over_tiles_stand_in_one_group() -> None:
    """Profile human: 14 d and 3 d both sum tiles, and the alert stands beside them."""
    text = explain(planned(LATENCY, ("targetPercent: 99", "targetPercent: 75"), ("name: shop-latency", HUMAN)))
    assert terms(text) == {
        "threshold": "3.5 d",
        "scrape": "30 s",
        "end of the tile": "5.5 min",
        "evaluation": "2 min",
        "together": "3.51 d",
    }


def test_a_stored_slice_has_to_end() -> None:
    """An outage that begins late in a slice of target 0.5 leaves it good, and the next one has to end first."""
    text = explain(planned(STORED, *PROBE))
    assert terms(text)["end of a bad slice"] == "90 s"
    assert terms(explain(planned(STORED, *PROBE, ("timeSliceTarget: 0.5", "timeSliceTarget: 1"))))[
        "end of a bad slice"
    ] == "60 s"  # fmt: skip


@pytest.mark.parametrize(
    ("text", "comes"),
    [(RATIO, "14.5 min to 15 min"), (SLICES, "11 min to 12 min"), (THRESHOLD, "10 min to 16 min"), (STORED, "12 min to 13.8 min")],
)  # fmt: skip
def test_no_data_comes_after_what_is_read_ran_empty(text: str, comes: str) -> None:
    """10 min, or the time of a full outage, begin when the window holds no two samples, or the gauge is gone."""
    assert f"No data: SLONoData comes {comes} after the last successful read of the source." in explain(planned(text))


@pytest.mark.parametrize("text", [*ALL.values(), replaced(RATIO, ("30d", "7d"))])
def test_the_terms_are_those_of_the_rules(text: str) -> None:
    """Each window is written as often as explain counts with, and an alert stands in the group of its short window."""
    plan = planned(text)
    every = {
        (rule.alert or rule.record, rule.labels.get("window")): group.interval
        for group in groups(plan)
        for rule in group.rules
    }
    for alert in plan.alerts:
        assert every["SLOBurn", alert.long.label] == written_every(plan, alert.short)
        for window in (alert.long, alert.short):
            at = (names.BURN, None) if (names.BURN, None) in every else (names.BURN, window.label)
            assert every[at] == written_every(plan, window)


def test_what_stands_around_is_in_the_sum() -> None:
    """Poll lag and group wait are the operator's, and are added as given."""
    case = parts(Path(__file__).with_name("explained") / "stored.txt")["slo.yaml"]
    (spec,) = read_slos([("slo.yaml", case)]).specs
    text = explain(plan(spec), Around(poll=timedelta(minutes=5), group_wait=timedelta(minutes=2)))
    assert "poll lag               5 min" in text
    assert "group wait             2 min" in text


def test_what_the_file_leaves_out_is_said() -> None:
    """Which alerts, and that silence will not be told."""
    left = "io/owner: team-shop\n    platform-meter.io/leave-out: no-data, page"
    lines = explain(planned(RATIO, ("io/owner: team-shop", left))).splitlines()
    assert "  left out by the file: no-data, page" in lines
    assert lines[-1] == "No data: nothing says so, since the file leaves SLONoData out."
    assert not any(line.startswith("  page ") for line in lines)


def test_a_row_that_the_file_leaves_out_is_said() -> None:
    """By its word; it has no line of its own, and a full outage is found by the next one."""
    left = "io/owner: team-shop\n    platform-meter.io/leave-out: page-1h"
    lines = explain(planned(RATIO, ("io/owner: team-shop", left))).splitlines()
    assert "  left out by the file: page-1h" in lines
    assert [line.split()[:3] for line in lines if line.startswith("  page    ")] == [["page", "6", "6h"]]
    assert any(line.startswith("  threshold (page 6h) ") for line in lines)


def test_what_is_idle_is_said() -> None:
    """Where something tells that the source is read while it has no series, its PromQL stands there."""
    named = planned(RATIO, ("'http_requests_total'", "'http_requests_total{job=\"shop\"}'"))
    assert explain(named).count('It is read while max(up{job="shop"}) is above 0.') == 1
    assert "It is read while" not in explain(planned(RATIO))


def test_policies_that_are_off_are_said() -> None:
    """Not as if the annotation had turned alerts off."""
    off = INLINE.replace("alertWhenBreaching: true", "alertWhenBreaching: false")
    text = explain(planned(with_policies(RATIO, off)))
    assert "No burn alerts (its alertPolicies are off); only SLONoData and SLOBudgetExhausted.\n" in text


def test_a_wait_is_counted_in_evaluations() -> None:
    """Of 7 min, looked at every 2 min, 8 pass; where events are few the wait comes after they are enough."""
    found = planned(with_condition(SLICES, "threshold: 2, lookbackWindow: 1h, alertAfter: 7m"))
    assert "  alertAfter             7 min\n" in explain(found)
    slow = planned(with_condition(RATIO, "threshold: 2, lookbackWindow: 2d, alertAfter: 7m"))
    assert written_every(slow, slow.alerts[0].short) == timedelta(minutes=2)
    assert "  alertAfter             8 min\n" in explain(slow)
    assert "100 % errors: page after 3.12 h (2d)" in explain(slow, Around(traffic=1.0))
