"""Open tickets kept by when they were seen last: who is looked for, and who is gone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent
from platform_meter.sources.kit import open_things
from platform_meter.sources.kit.open_tickets import OpenTickets, Sight, Sightings, gone_event

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))


def test_those_not_seen_today_are_due_the_longest_unseen_first() -> None:
    """What was seen today, or looked for in vain, is left alone until tomorrow."""
    tickets = OpenTickets()
    for id_ in ("1", "2", "3", "4"):
        tickets.saw(id_, MONDAY, "PLAT")
    assert tickets.due(MONDAY, 9) == {}
    tickets.saw("1", TUESDAY, "OPS")
    tickets.closed("2")
    tickets.closed("unknown")
    assert list(tickets.due(TUESDAY, 9)) == ["3", "4"]
    assert list(tickets.due(TUESDAY, 1)) == ["3"]
    assert not tickets.gone("3", TUESDAY)
    assert list(tickets.due(TUESDAY, 9)) == ["4"]
    assert list(tickets.due(WEDNESDAY, 9)) == ["4", "1", "3"]


def test_a_ticket_missed_on_two_days_is_gone_and_forgotten() -> None:
    """Seen in between, it has to be missed twice again."""
    tickets = OpenTickets()
    tickets.saw("1", MONDAY, "PLAT")
    assert not tickets.gone("1", TUESDAY)
    tickets.saw("1", TUESDAY, "PLAT")
    assert not tickets.gone("1", TUESDAY)
    assert tickets.gone("1", WEDNESDAY)
    assert tickets.sights == {}


def test_a_missed_ticket_keeps_its_place_over_a_checkpoint() -> None:
    """Where to look for it, and that it was missed, is written with the day."""
    tickets = OpenTickets()
    tickets.saw("1", MONDAY, "acme/help#1", (("topic:support", "true"),))
    tickets.gone("1", TUESDAY)
    written = msgspec.json.encode(tickets)
    assert written == b'{"sights":{"1":["2026-03-03","acme/help#1",[["topic:support","true"]],true]}}'
    assert msgspec.json.decode(written, type=OpenTickets).sights == {
        "1": Sight(day=TUESDAY, place="acme/help#1", labels=(("topic:support", "true"),), missed=True)
    }


def test_the_longest_unseen_make_room() -> None:
    """The checkpoint stays small, however many tickets are open."""
    tickets = OpenTickets()
    for n in range(open_things.MOST + 2):
        tickets.saw(str(n), MONDAY, "PLAT")
    tickets.saw("2", MONDAY, "PLAT")
    assert len(tickets.sights) == 5_000
    assert next(iter(tickets.sights)) == "3"


def test_being_gone_is_a_closing_by_no_person() -> None:
    """Its resolution is none that a tool gives."""
    at, about = datetime(2026, 3, 2, 9, tzinfo=UTC), Ref(system="jira", kind="project", id="PLAT")
    assert gone_event("1/gone", "1", "PLAT", about, at + timedelta(hours=1)) == TicketEvent(
        key="1/gone",
        at=datetime(2026, 3, 2, 10, tzinfo=UTC),
        updated=datetime(2026, 3, 2, 10, tzinfo=UTC),
        about=about,
        queue="PLAT",
        ticket="1",
        change=TicketChange.RESOLVED,
        role=Role.BOT,
        resolution="gone",
    )


def test_what_a_visit_saw_is_written_down_when_it_is_told() -> None:
    """Not before, in its order, and once; what was dropped is not written at all."""
    tickets = OpenTickets()
    tickets.saw("1", MONDAY, "PLAT")
    visit = Sightings(tickets)
    visit.closed("1")
    visit.saw("2", MONDAY, "PLAT")
    write = visit.take()
    visit.saw("3", TUESDAY, "PLAT")
    visit.take()
    assert list(tickets.sights) == ["1"]
    write()
    visit.take()()
    assert list(tickets.sights) == ["2"]


def test_that_a_ticket_is_an_incident_is_remembered_until_it_is_closed_or_gone() -> None:
    """Also where it is seen again by somebody who does not know."""
    tickets = OpenTickets()
    made = datetime(2026, 3, 1, tzinfo=UTC)
    tickets.saw("1", MONDAY, "PLAT", incident=made)
    tickets.saw("2", MONDAY, "PLAT", incident=made)
    tickets.saw("1", TUESDAY, "PLAT")
    assert tickets.incidents == {"1": made, "2": made}
    tickets.closed("2")
    assert not tickets.gone("1", TUESDAY)
    assert tickets.incidents == {"1": made}
    assert tickets.gone("1", TUESDAY + timedelta(days=1))
    assert tickets.incidents == {}
