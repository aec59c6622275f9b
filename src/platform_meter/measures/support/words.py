"""Where the words of a Ticketing file and those of its tool are not the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from platform_meter.measures.support.book import Book
from platform_meter.measures.support.names import NONE
from platform_meter.measures.support.queues import reads
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.measure import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """What one queue's file and tickets do not share, each in order of name."""

    statuses: tuple[str, ...]
    """Of tickets, in no list of the file: they count as running."""
    never_had: tuple[str, ...]
    """Priorities and severities that the file names and no ticket ever had: most likely the tool calls them otherwise."""
    unnamed: tuple[str, ...]
    """Priorities of tickets that no goal names, where goals name any: `default` holds for them."""


def unmatched(scene: Scene) -> Mapping[str, Unmatched]:
    """By queue; of one without tickets nothing can be said."""
    found: dict[str, Unmatched] = {}
    book = scene.kept.of(Book)
    for queue in book.queues(scene):
        sources = [s for s in scene.history.sources(TicketEvent) if reads(queue.definition, s)]
        tickets = [ticket for source in sources for ticket in book.tickets(queue, source)]
        had = {priority for ticket in tickets for priority in ticket.priorities} - {NONE}
        bad = {severity for ticket in tickets for severity in ticket.severities}
        named = queue.rules.priorities
        if tickets:
            found[queue.id] = Unmatched(
                statuses=tuple(sorted({status for ticket in tickets for status in ticket.unlisted})),
                never_had=tuple(sorted((named - had) | (queue.rules.severities - bad))),
                unnamed=tuple(sorted(had - named)) if named else (),
            )
    return found
