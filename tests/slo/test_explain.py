from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.cases import hold, parts
from tests.support.slos import RATIO, planned

from platform_meter.slo.check import read_slos
from platform_meter.slo.explain import Around, explain
from platform_meter.slo.plan import plan

CASES = sorted(Path(__file__).with_name("explained").glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.stem)
def test_each_case_is_explained_in_full(case: Path) -> None:
    """The whole text for one SLO: windows, factors, what fires when, and every term of the detection."""
    checked = read_slos([("slo.yaml", parts(case)["slo.yaml"])])
    (spec,) = checked.specs
    hold(case, explain(plan(spec)))


def test_the_case_folder_is_read() -> None:
    """An empty folder of cases would prove nothing."""
    assert {c.stem for c in CASES} == {"counters", "slices", "stored", "quiet", "dropped"}


def test_detection_adds_up() -> None:
    """52 s of threshold, a scrape, an evaluation and group_wait: 2.36 min (domain section 16)."""
    text = explain(planned(RATIO))
    assert "threshold (page 1h)    51.8 s" in text
    assert "together               2.36 min" in text


def test_low_traffic_slows_the_page() -> None:
    """At one event a minute three failures take three minutes, and half a percent of errors is a matter of hours."""
    text = explain(planned(RATIO), Around(traffic=60))
    assert "   100 % errors: page after 3 min (1h), ticket after 4.32 min (1d)" in text
    assert "page 1h: about 60 events expected" in text


def test_too_little_traffic_for_any_alert() -> None:
    """With one event a month the guard is never passed, and the text says so."""
    text = explain(planned(RATIO), Around(traffic=1 / 720))
    assert "   100 % errors: nothing" in text
    assert "Detection of a full outage: none: there are never enough events for the guard." in text


def test_what_stands_around_is_in_the_sum() -> None:
    """Poll lag and group wait are the operator's, and are added as given."""
    case = parts(Path(__file__).with_name("explained") / "stored.txt")["slo.yaml"]
    (spec,) = read_slos([("slo.yaml", case)]).specs
    text = explain(plan(spec), Around(poll=timedelta(minutes=5), group_wait=timedelta(minutes=2)))
    assert "poll lag               5 min" in text
    assert "group wait             2 min" in text
