"""Tickets by the team that asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import created, reopened, resolved, ticketing
from tests.support.views import view

from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.web.pages.team.tickets import Asked, by_team

NOW = datetime.fromisoformat("2026-06-29T00:00:00+00:00")


def days(n: float) -> datetime:
    return NOW - timedelta(days=n)


def member(person: str, *teams: str) -> Membership:
    return Membership(about=Ref(system="ldap", kind="person", id=person), people=(person,), teams=teams)


def asked_by(person: str, id_: str, at: float, **more: Any) -> TicketEvent:
    return created(days(at), ticket=id_, requester=person, **more)


def found(*events: TicketEvent, fresh: bool = True) -> Any:
    facts = [("jira", owner("help"), event) for event in events]
    people = [("ldap", owner("people"), one) for one in (member("ann", "pay"), member("bob", "pay", "web"))]
    sources = [source("jira", watermark=NOW, fresh=fresh), source("ldap", watermark=NOW)]
    gives: Any = {"jira": frozenset({TicketEvent}), "ldap": frozenset({Membership})}
    history = MemoryHistory([*facts, *people], sources=sources, gives=gives)
    return by_team(view(NOW, history, definitions=Definitions(ticketing=(ticketing(),))))


def test_a_team_has_its_open_and_late_tickets_and_the_cycles_that_were_decided() -> None:
    """Resolution within a day and an answer within four hours: A-1 met both, A-2 is late in both, A-3 is of the window before."""
    told = found(
        asked_by("ann", "A-1", 5),
        resolved(days(4.9), ticket="A-1"),
        asked_by("ann", "A-2", 3),
        asked_by("ann", "A-3", 40),
        resolved(days(38), ticket="A-3"),
        asked_by("ann", "A-4", 70),
        resolved(days(69.99), ticket="A-4"),
        asked_by("ann", "A-5", 2),
        resolved(days(1), "Duplicate", ticket="A-5"),
    )
    assert dict(told) == {
        "pay": Asked(
            open=1,
            late=1,
            created=2,
            created_before=1,
            met=2,
            decided=4,
            met_before=0,
            decided_before=2,
        )
    }


def test_somebody_in_two_teams_counts_for_each() -> None:
    """And a ticket of somebody that no directory knows for none."""
    told = found(asked_by("bob", "A-1", 0.1), asked_by("eve", "A-2", 0.1))
    assert {team: one.open for team, one in told.items()} == {"pay": 1, "web": 1}
    assert {one.late for one in told.values()} == {0}


def test_what_was_met_and_reopened_is_not_met() -> None:
    """Its cycle is undecided again, and late."""
    told = found(asked_by("ann", "A-1", 5), resolved(days(4.9), ticket="A-1"), reopened(days(4.8), ticket="A-1"))
    assert (told["pay"].open, told["pay"].late, told["pay"].met) == (1, 1, 1)


def test_where_nobody_tells_who_asked_there_is_no_number() -> None:
    """Not 0: the tickets are somebody's."""
    assert found(asked_by("eve", "A-1", 0.1)) is None


def test_a_stale_source_leaves_nothing_known() -> None:
    """And so does none."""
    assert found(asked_by("ann", "A-1", 5), fresh=False) is None
    assert by_team(view(NOW)) is None
