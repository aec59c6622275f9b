"""The names of one thing, put in the file's word for it."""

from __future__ import annotations

from tests.support.tickets import created, hours, priority, resolved, ticketing

from platform_meter.measures.support.folding import fold
from platform_meter.measures.support.names import Names
from platform_meter.measures.support.rules import Rules
from platform_meter.model.facts.tickets import Alias

HOCH = Alias("priority", "Hoch", "High")


def test_the_files_word_holds_whichever_name_it_is() -> None:
    """The tool says Hoch and knows it as High too."""
    names = Names([HOCH])
    assert names.of("priority", "Hoch", {"High", "Low"}) == "High"
    assert names.of("priority", "Hoch", {"Hoch", "High"}) == "Hoch"


def test_a_name_that_the_file_does_not_write_stays() -> None:
    """Another field's names are none of it."""
    names = Names([HOCH])
    assert names.of("priority", "Hoch", {"Low"}) == "Hoch"
    assert names.of("status", "Hoch", {"High"}) == "Hoch"


def test_what_was_told_before_a_rename_is_the_same_thing() -> None:
    """Tickets that were closed as Erledigt are Fertig; who bears a name now is not who bore it before."""
    names = Names([Alias("status", "Fertig", "Erledigt"), Alias("status", "Open", "Backlog")])
    assert names.of("status", "Erledigt", {"Fertig"}) == "Fertig"
    names.learn([Alias("status", "Todo", "Open")])
    assert names.of("status", "Open", {"Todo"}) == "Open"


def test_it_tells_what_is_new() -> None:
    """What is known already folds no ticket anew."""
    names = Names()
    assert names.learn([HOCH])
    assert not names.learn([HOCH])


def test_a_ticket_is_read_in_the_files_words() -> None:
    """The goal of P1 is that of `Hoch`; a ticket closed as `Duplikat` is no valid one."""
    rules = Rules.of(ticketing())
    names = Names([Alias("priority", "Hoch", "P1"), Alias("resolution", "Duplikat", "Duplicate")])
    events = [created(), priority(hours(1), "Hoch"), resolved(hours(9), "Duplikat")]
    ticket = fold(events, rules, hours(10), names)
    assert ticket is not None
    assert (ticket.priority, ticket.valid, ticket.priorities) == ("P1", False, frozenset({"P1", "P3"}))
    assert [c.goal for c in ticket.cycles] == [3600.0, 28_800.0]


def test_what_was_learned_can_be_learned_again() -> None:
    """In order, whatever came first."""
    told = (Alias("priority", "P1", "Hoch"), Alias("status", "Open", "Neu"), Alias("status", "Open", "Offen"))
    assert Names(reversed(told)).aliases() == told
    assert Names().aliases() == ()
