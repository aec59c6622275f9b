"""Values of a capability: each unit on each day on which it used it."""

from __future__ import annotations

from datetime import timedelta

from tests.support.impact import AT, DAY, builds, runs, scene

from platform_meter.measures.impact.yardsticks.adoption import ACTIVE
from platform_meter.model.definitions import Capability
from platform_meter.model.facts.ci import PipelineRun

WHAT = {"capability": "builds"}


def test_units_by_day() -> None:
    """Two runs of one day are one; what came before the first day is not inside."""
    facts = [*runs("a", (0.1, 60), (0.9, 60), (3.5, 60), (-0.1, 60)), *runs("b", (1.5, 60))]
    of = scene(facts, capabilities=[builds()])
    told = ACTIVE.read(of, WHAT, AT, AT + 30 * DAY)
    assert told is not None
    noon = timedelta(hours=12)
    assert sorted((s.team, s.at) for s in told.seen) == [
        ("a", AT + noon),
        ("a", AT + 3 * DAY + noon),
        ("b", AT + DAY + noon),
    ]
    assert (told.since, told.until) == (AT - 200 * DAY, AT + 40 * DAY)
    assert PipelineRun in ACTIVE.kinds(of.definitions, WHAT)


def test_a_unit_is_what_the_capability_says() -> None:
    """A service, with its team."""
    told = ACTIVE.read(scene(runs("a", (0.1, 60)), capabilities=[service()]), WHAT, AT, AT + DAY)
    assert told is not None
    assert [(s.team, s.service) for s in told.seen] == [("a", "a-api")]


def service() -> Capability:
    return builds(unit="service", eligible={"any": [{"service": {}}]})


def test_who_is_not_eligible_does_not_count() -> None:
    """However much it uses it."""
    some = builds(eligible={"any": [{"team": {"id": ["a"]}}]})
    told = ACTIVE.read(scene([*runs("a", (0.1, 60)), *runs("b", (0.2, 60))], capabilities=[some]), WHAT, AT, AT + DAY)
    assert told is not None
    assert [s.team for s in told.seen] == ["a"]


def test_nothing_is_known_of_a_stale_source_or_of_another_capability() -> None:
    """As of one that nobody declared."""
    facts = runs("a", (0.1, 60))
    assert ACTIVE.read(scene(facts, capabilities=[builds()], fresh=False), WHAT, AT, AT + DAY) is None
    assert ACTIVE.read(scene(facts), WHAT, AT, AT + DAY) is None
    assert ACTIVE.kinds(scene(facts).definitions, WHAT) == frozenset()
