"""Which tickets belong to a Ticketing definition, and the words of their labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from platform_meter.measures.support.names import NONE, Names
from platform_meter.measures.support.rules import Rules
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Scene

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)
"""Past every event, so that one with a date in the future is read when it comes, and not missed when its time does."""


def reads(definition: Ticketing, source: SourceState) -> bool:
    """Whether tickets of this source instance may belong to the definition's queue."""
    wanted = definition.source
    return wanted.type == source.type and wanted.instance in (None, source.instance)


def priority_of(definition: Ticketing, created: TicketEvent) -> str:
    """The `priority` label of a ticket by the one it was born with, in the file's word for it; `none` without one."""
    return Names(created.aliases).of("priority", created.priority or "", definition.priorities) or NONE


def category_of(definition: Ticketing, created: TicketEvent) -> str:
    """The `category` label of a ticket by the values it was born with; `none` where it has none.

    Of several labels that the definition chooses among it is the first by name.
    """
    chosen = definition.category
    if chosen is None or chosen.from_ == "component":
        found = created.category
    elif chosen.from_ == "issue_type":
        found = created.issue_type
    elif chosen.from_ == "request_type":
        found = created.request_type
    else:
        found = min((label for label in created.labels or () if label in chosen.among), default=None)
    return found or NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A Ticketing definition ready for use; its id is the `queue` label."""

    definition: Ticketing
    rules: Rules

    @property
    def id(self) -> str:
        return self.definition.id


def queues(definitions: Definitions) -> tuple[Queue, ...]:
    """The queues declared.

    Raises:
        ValueError: a goal in `bd` where open days differ in length, or a `select` that says more than queues.
    """
    return tuple(Queue(definition=t, rules=Rules.of(t)) for t in definitions.ticketing)


def sources(scene: Scene, queue: Queue) -> list[SourceState]:
    """The source instances that give the queue's tickets."""
    return [s for s in scene.history.sources(TicketEvent) if reads(queue.definition, s)]
