"""Open tickets that are late or about to be: counted as tickets, and by goal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.support import tickets
from tests.support.history import MemoryHistory, owner, source

from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Scene
from platform_meter.web.late import Lateness, lateness

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DECLARED = Definitions(ticketing=(tickets.ticketing(),))
"""Around the clock; first response 4 h, resolution 24 h."""


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def scene(*facts: Fact, sources: tuple[SourceState, ...] | None = None) -> Scene:
    told = [("jira", owner("platform"), fact) for fact in facts]
    polled = (source("jira", watermark=NOW),) if sources is None else sources
    return Scene(history=MemoryHistory(told, sources=polled), definitions=DECLARED, now=NOW)


def late(*facts: Fact) -> Lateness:
    return lateness(scene(*facts))["help"]


def test_a_ticket_past_two_goals_is_one_late_ticket() -> None:
    """Neither answered nor resolved after 30 h: late once, and in the row of each goal."""
    found = late(tickets.created(ago(30)))
    assert (found.late, found.soon) == (1, 0)
    assert found.late_by_goal == {("first_response", "P3"): 1, ("resolution", "P3"): 1}
    assert not found.soon_by_goal


def test_a_fifth_of_the_goal_left_is_about_to_be_late() -> None:
    """48 of 240 minutes are a fifth, and 49 are more."""
    assert (late(tickets.created(ago(3.2))).soon, late(tickets.created(ago(3.2))).late) == (1, 0)
    assert late(tickets.created(ago(3.18))).soon == 0


def test_late_and_about_to_be_are_apart() -> None:
    """A ticket that is late by one goal and nearly so by another is late; the rows say both."""
    found = late(tickets.created(ago(23)))
    assert (found.late, found.soon) == (1, 0)
    assert found.late_by_goal == {("first_response", "P3"): 1}
    assert found.soon_by_goal == {("resolution", "P3"): 1}


def test_what_stopped_late_is_not_late_any_more() -> None:
    """Answered after 5 h instead of 4: that goal is missed and over; the resolution has time."""
    found = late(tickets.created(ago(6)), tickets.comment(ago(1)))
    assert (found.late, found.soon) == (0, 0)
    assert late(tickets.created(ago(40)), tickets.resolved(ago(1))).late == 0


def test_a_paused_ticket_can_be_late_but_not_about_to_be() -> None:
    """No time passes for it; what it had passed before stays passed."""
    paused = [tickets.created(ago(30)), tickets.comment(ago(29)), tickets.status(ago(3), "Waiting")]
    assert (late(*paused).late, late(*paused).soon) == (1, 0)
    nearly = [tickets.created(ago(30)), tickets.comment(ago(29)), tickets.status(ago(7), "Waiting")]
    assert (late(*nearly).late, late(*nearly).soon) == (0, 0)


def test_a_queue_is_unknown_without_fresh_sources() -> None:
    """Not 0: with a stale source, and without any."""
    fresh = source("jira", watermark=NOW)
    assert lateness(scene(tickets.created(ago(30)), sources=(replace(fresh, fresh=False),))) == {}
    assert lateness(scene(sources=())) == {}
    assert lateness(scene(sources=(fresh,)))["help"].late == 0
