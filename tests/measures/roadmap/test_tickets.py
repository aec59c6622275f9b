"""Tickets in a few words, read bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.measures.roadmap.test_voices import ticket
from tests.support.history import NOBODY, MemoryHistory
from tests.support.roadmaps import day, read
from tests.support.tickets import comment, reopened, resolved, status, step

from platform_meter.measures.roadmap.tickets import Ticket, Tickets
from platform_meter.model.facts.tickets import GONE, Role, TicketChange, TicketEvent, Today

NOW = day("2026-08-20")


def history(facts: Sequence[TicketEvent | None], **more: object) -> MemoryHistory:
    told = [("jira", NOBODY, fact) for fact in facts]
    return MemoryHistory(told, sources=[read(NOW)], **more)  # type: ignore[arg-type]  # `before` alone is given


def held(kept: Tickets, facts: Sequence[TicketEvent | None], **more: object) -> list[tuple[str, str]]:
    found = kept.of(history(facts, **more), "jira")
    return sorted((one.born.ticket if one.born else "", key) for one in found for key in (*one.steps, *one.said))


def one(*facts: TicketEvent) -> Ticket:
    (found,) = Tickets().of(history(facts), "jira")
    return found


def test_what_is_read_bit_by_bit_is_what_is_read_at_once() -> None:
    """A correction takes the place of what it corrects, in another ticket too; a prune begins anew."""
    first, other = ticket("1"), ticket("2")
    asked = comment(day("2026-07-01"), ticket="1", key="c")
    moved = comment(day("2026-07-01"), ticket="2", key="c", updated=day("2026-07-02"))
    kept = Tickets()
    for facts in ([first, asked], [first, asked, other], [first, asked, other, moved]):
        assert held(kept, facts) == held(Tickets(), facts)
    assert held(kept, facts) == [("1", first.key), ("2", other.key), ("2", "c")]
    left = [None, None, other, moved]
    assert held(kept, left, before=day("2026-05-30")) == [("2", other.key), ("2", "c")]


def test_an_answer_that_is_no_more_public_is_none() -> None:
    """Nor one that its ticket does not list any more; of a list as long as it may be later ones count too."""
    said = comment(day("2026-07-01"), ticket="1", key="c")
    hidden = replace(said, public=False, updated=day("2026-07-02"))
    kept = Tickets()
    (found,) = kept.of(history([ticket("1"), said]), "jira")
    assert found.answers == (day("2026-07-01"),)
    (found,) = kept.of(history([ticket("1"), said, hidden]), "jira")
    assert found.answers == ()
    assert one(ticket("1", answers=()), said).answers == ()
    assert one(ticket("1", answers=tuple(map(str, range(20)))), said).answers == (day("2026-07-01"),)
    assert one(ticket("1"), comment(day("2026-07-01"), Role.REPORTER, ticket="1")).answers == ()


def test_a_ticket_is_gone_until_it_is_told_of_again() -> None:
    """By any step, or a newer version of one."""
    away = resolved(day("2026-07-01"), GONE, ticket="1")
    assert one(ticket("1"), away).gone
    assert not one(ticket("1"), away, status(day("2026-07-02"), "Open", ticket="1")).gone
    assert not one(ticket("1", updated=day("2026-07-02")), away).gone
    assert not one(ticket("1")).gone


def test_it_is_closed_as_its_tool_says_today() -> None:
    """Where its history ends elsewhere that is what counts; one may be born resolved, and reopened."""
    end, again = resolved(day("2026-07-01"), ticket="1"), reopened(day("2026-07-02"), ticket="1")
    assert one(ticket("1"), end).closed([])
    assert not one(ticket("1"), end, again).closed([])
    assert one(ticket("1"), end, again, status(day("2026-07-03"), "Closed", ticket="1")).closed(["Closed"])
    assert one(ticket("1", resolution="Fixed")).closed([])
    assert not one(ticket("1", resolution="Fixed"), again).closed([])
    assert one(ticket("1", today=Today("Open", "Done"))).closed([])
    assert not one(ticket("1", today=Today("Open", "")), end).closed([])


def test_labels_are_those_that_it_has_now() -> None:
    """The last step that tells of them says all; a step that tells of something else is not kept."""
    labelled = step(day("2026-07-01"), TicketChange.LABELED, ticket="1", labels=("b",))
    handed = step(day("2026-07-02"), TicketChange.ASSIGNED, ticket="1")
    found = one(ticket("1", "a"), labelled, handed)
    assert (found.labels, len(found.steps)) == (("b",), 2)
