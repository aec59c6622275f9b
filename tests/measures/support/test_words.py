"""Where a Ticketing file and its tool use other words."""

from __future__ import annotations

from tests.measures.support.test_support import scene
from tests.support.tickets import created, hours, priority, status, step, ticketing

from platform_meter.measures.support.words import Unmatched, unmatched
from platform_meter.model.facts.tickets import TicketChange


def test_statuses_in_no_list_and_priorities_of_one_side_alone_are_told() -> None:
    """The goals name P1; tickets have been High and Low, and went through Triage."""
    facts = [created(priority="High"), status(hours(1), "Triage"), priority(hours(2), "Low")]
    assert unmatched(scene(facts, hours(3))) == {
        "help": Unmatched(statuses=("Triage",), never_had=("P1",), unnamed=("High", "Low"))
    }


def test_what_a_ticket_had_once_is_no_mistake_of_the_file() -> None:
    """Born P1, it is another one now; a ticket without any priority has none that a goal could name."""
    facts = [created(priority="P1"), priority(hours(1), "P3"), created(ticket="PLAT-2", priority="")]
    assert unmatched(scene(facts, hours(3))) == {"help": Unmatched(statuses=(), never_had=(), unnamed=("P3",))}


def test_severities_are_held_against_those_of_tickets() -> None:
    """SEV1 was one once; the tool never says SEV9."""
    slas = [{"id": "resolution", "by": "severity", "goal": {"SEV1": "1h", "SEV9": "2h", "default": "8h"}}]
    facts = [created(severity="SEV1"), step(hours(1), TicketChange.PRIORITY, severity="SEV2")]
    assert unmatched(scene(facts, hours(3), ticketing(slas=slas))) == {
        "help": Unmatched(statuses=(), never_had=("SEV9",), unnamed=())
    }


def test_goals_that_part_no_priorities_miss_none() -> None:
    """Who writes a default alone means it."""
    alone = ticketing(slas=[{"id": "resolution", "goal": {"default": "8h"}}])
    assert unmatched(scene([created()], hours(3), alone)) == {"help": Unmatched(statuses=(), never_had=(), unnamed=())}


def test_of_a_queue_without_tickets_nothing_is_said() -> None:
    """Whether a tool has a priority is known by its tickets."""
    assert unmatched(scene([], hours(3))) == {}
