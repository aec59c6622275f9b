"""The store at a moment of the past: nothing of what came since is in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.objectives import run
from tests.support.roadmaps import item

from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.model.history import UnitState
from platform_meter.model.kept import Fold
from platform_meter.web.report.past import Past

AT = datetime(2026, 7, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")


def past(history: MemoryHistory) -> Past:
    return Past(history, AT, UTC_ZONE)


@pytest.mark.parametrize(
    ("read_to", "begun", "fresh"),
    [(AT, AT - 9 * DAY, True), (AT - HOUR, AT - 9 * DAY, False), (AT + DAY, AT + HOUR, False), (None, AT - DAY, False)],
)
def test_a_source_is_fresh_where_it_was_read_past_the_moment(
    read_to: datetime | None, begun: datetime, fresh: bool
) -> None:
    """Also where it is stale now; and not where its first look reached back to a later one."""
    now = source("gh", "github", watermark=read_to, fresh=False, since=begun)
    (then,) = past(MemoryHistory(sources=[now])).sources()
    assert (then.fresh, then.watermark) == (fresh, AT if fresh else read_to)


def test_how_things_stood_before_the_first_look_nobody_knows() -> None:
    """What happened is told later too, so that events are known as far back as they were read."""
    looked = replace(source("jira", watermark=AT + DAY, since=AT + HOUR), read_from=AT - 90 * DAY)
    seen = past(MemoryHistory(sources=[looked]))
    assert [s.fresh for s in seen.sources(PipelineRun)] == [True]
    assert [s.fresh for s in seen.sources(RoadmapItem)] == [False]


def test_events_end_at_the_moment() -> None:
    """However far a measure asks."""
    told = [("gh", owner("shop"), run(Outcome.SUCCESS, at)[1]) for at in (AT - HOUR, AT, AT + HOUR)]
    seen = past(MemoryHistory(told, sources=[source("gh", "github", watermark=AT + DAY)]))
    assert [row.event.at for row in seen.rows(PipelineRun, AT - DAY, AT + DAY)] == [AT - HOUR]
    assert [count.n for count in seen.counts(PipelineRun, "gh", AT - DAY, AT + DAY).values()] == [1]
    assert [told.n for told in seen.daily(PipelineRun, {"gh"}, AT.date() - DAY, AT.date() + DAY)] == [1]


def test_readings_are_those_that_held_then() -> None:
    """One that has ended since had not ended; one that began since was not there."""
    before, since = item("P-1"), item("P-2")
    held = [
        ("jira", owner("plan"), before, AT - 9 * DAY, AT + HOUR),
        ("jira", owner("plan"), since, AT + HOUR, None),
    ]
    seen = past(MemoryHistory(held=held, sources=[source("jira", watermark=AT + DAY)]))
    assert [(h.reading.name, h.until) for h in seen.readings(RoadmapItem)] == [("P-1", None)]
    assert [(h.reading.name, h.until) for h in seen.stood(RoadmapItem, AT - DAY, AT + DAY)] == [("P-1", None)]


def test_days_end_before_the_moment() -> None:
    """The newest day is the last that was over; nothing that was folded since is used."""
    days = [date(2026, 7, 4), date(2026, 7, 5), date(2026, 7, 6)]
    history = MemoryHistory(taken=[UnitState(day=d, what="adoption/x", unit="a", state="active") for d in days])
    history.folds["tickets"] = Fold(made_under="x", body=b"")
    seen = past(history)
    assert seen.last_day("adoption/x") == date(2026, 7, 5)
    assert list(seen.states_by_day("adoption/x", days[0], days[-1] + DAY)) == days[:2]
    assert seen.fold("tickets") is None
