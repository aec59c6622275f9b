"""Values of journeys: of whose time is over, by when they entered."""

from __future__ import annotations

from tests.support.journeys import COMPANY, DAY, NOW, READ, scene

from platform_meter.measures.impact.yardsticks.journeys import TIME_TO_STAGE

CREATED, LIVE = ({"journey": "gateway", "milestone": stage} for stage in ("created", "live"))


def test_entrants_whose_time_is_over() -> None:
    """Who has time left is not among them, who came too late or never neither."""
    told = TIME_TO_STAGE.read(scene(), CREATED, READ, NOW)
    assert told is not None
    assert sorted((s.team, s.value / 86_400) for s in told.seen) == [("a", 1), ("b", 10), ("c", 1)]
    assert (told.since, told.until) == (READ + 28 * DAY, NOW - 14 * DAY)
    live = TIME_TO_STAGE.read(scene(), LIVE, READ, NOW)
    assert live is not None
    assert [(s.team, s.value / 86_400) for s in live.seen] == [("a", 2)]
    later = TIME_TO_STAGE.read(scene(), CREATED, NOW - 35 * DAY, NOW)
    assert later is not None
    assert [s.team for s in later.seen] == ["c"]


def test_nothing_is_known_of_a_stale_source_or_of_another_journey() -> None:
    """And kinds of fact are those of the journey."""
    assert TIME_TO_STAGE.read(scene(fresh=False), CREATED, READ, NOW) is None
    assert TIME_TO_STAGE.read(scene(), {"journey": "mesh", "milestone": "live"}, READ, NOW) is None
    assert TIME_TO_STAGE.kinds(scene().definitions, CREATED)
    assert TIME_TO_STAGE.kinds(scene().definitions, {"journey": "gateway", "milestone": "x"}) == frozenset()
    assert len(COMPANY) > 0
