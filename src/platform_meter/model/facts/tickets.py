"""Facts of support: the steps of tickets, and what became of their SLA clocks (domain section 9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Tallied, Tally, UseWord
from platform_meter.model.objective import Countable, StoredSli

MOST_ANSWERS = 20
"""Of one ticket that its source tells: only the first one counts, the others are there in case that it is taken back."""


class TicketChange(StrEnum):
    CREATED = "created"
    STATUS = "status"
    COMMENT = "comment"
    PRIORITY = "priority"
    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    """Somebody said that they look at it, which is no answer yet unless the file takes it for one."""
    MOVED = "moved"
    """It is in another queue from then on: `queue`."""
    LABELED = "labeled"
    """Its labels or its type changed, and nothing that another word says."""
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Role(StrEnum):
    """Who acted on a ticket. An agent is neither its reporter nor a bot."""

    REPORTER = "reporter"
    AGENT = "agent"
    BOT = "bot"


class SlaResult(StrEnum):
    MET = "met"
    BREACHED = "breached"


class TicketDim(NamedTuple):
    """What the steps of tickets are tallied by."""

    change: TicketChange


class Alias(NamedTuple):
    """Another name that the tool has, or had, for one value of a ticket: before a rename, in another language."""

    field: str
    """status, priority or resolution."""
    name: str
    """As events call it."""
    other: str


class Today(NamedTuple):
    """How a ticket stands where its history ends elsewhere: nobody recorded when that came about."""

    status: str
    resolution: str
    """Empty while it has none."""
    untold: bool = False
    """Of its history nothing is told at all: no clock of it can be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent(Tallied[TicketDim]):
    """One step in a ticket's history. The values are those that hold after it; None means unchanged by it.

    Every ticket starts with CREATED, which carries status, priority, category, type and labels. A change of status
    into a resolved one is STATUS too; RESOLVED and REOPENED come from the tool's own resolution field, in addition.
    """

    verb: ClassVar[str] = "ticket"
    use_only: ClassVar = ("change", "created")
    use_more: ClassVar = ("ticket",)
    who: ClassVar = ("requester", "actor")
    use_words: ClassVar = {
        "actor": UseWord(
            of="role",
            values={"reporter": "person", "agent": "person", "bot": "bot"},
            unusual=frozenset({"bot"}),
        ),
        "queue": UseWord(of="queue"),
    }
    """Asking is use; that an agent answers, or a bot closes it days later, is not."""

    queue: str
    """The tool's queue; of CREATED the one that the ticket was created in, wherever it is now; of MOVED the new one."""
    ticket: str
    """What its steps are joined by: the tool's id for it, which stays when it is moved and its name changes."""
    change: TicketChange
    name: str = ""
    """What people call it now (`PLAT-1`); CREATED says it."""
    role: Role = Role.AGENT
    public: bool = True
    status: str | None = None
    priority: str | None = None
    category: str | None = None
    """Its component, else its type or one of its labels."""
    resolution: str | None = None
    """Of CREATED: it was born with one, or got it at a moment that nobody recorded."""
    issue_type: str | None = None
    request_type: str | None = None
    """Of CREATED: what its form is called, where its tool has forms for requests."""
    labels: tuple[str, ...] | None = None
    """As `ticket_labels` bounds them."""
    answers: tuple[str, ...] | None = None
    """Of CREATED: the keys of all public comments by agents that its tool shows now. What is said of comments one by
    one holds only where this is None: one may be deleted, or made internal, after it was told."""
    whole: bool = True
    """Of CREATED: False where not all of its comments could be read: nobody knows when it was answered first."""
    today: Today | None = None
    """Of CREATED."""
    aliases: tuple[Alias, ...] = ()
    """Other names of the values that this event carries."""
    severity: str | None = None
    """How bad it is in the tool's word, where it tells that beside the priority."""
    into: str = ""
    """Of a ticket that was merged into another one: that one's `ticket`."""
    requester: str = ""
    """Of CREATED: who asks, as a salted hash."""
    actor: str = ""
    """Who acted, as a salted hash."""
    assigned: bool = False
    """Of CREATED: somebody had it from the start."""
    asking: str = ""
    """Of CREATED: the group that asks, as the tool has it, in the name that Ownership rules match: `zendesk:organizations/42`."""

    def tallies(self) -> tuple[Tally[TicketDim], ...]:
        return (Tally(dim=TicketDim(self.change)),)


GONE = "gone"
"""The resolution of a ticket that its tool no longer shows: deleted, transferred, or moved to where we don't look."""


MOST_LABELS = 20


def ticket_labels(names: Iterable[str]) -> tuple[str, ...]:
    """A ticket's labels as events carry them: each once, sorted, at most `MOST_LABELS`."""
    return tuple(sorted({name for name in names if name})[:MOST_LABELS])


class CycleDim(NamedTuple):
    """What SLA cycles are tallied by."""

    sla: str
    priority: str
    result: SlaResult


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaCycle(Tallied[CycleDim]):
    """One run of one SLA clock, decided: stopped in time (met) or past its goal (breached). `at` is that moment.

    Written by the tick from TicketEvents, because time alone can breach a goal. `elapsed` is business seconds at
    the decision. Key: queue, SLA, id of the ticket and number of the cycle.
    """

    queue: str
    sla: str
    ticket: str
    """What people called it then."""
    priority: str
    result: SlaResult
    elapsed: float
    goal: float

    def tallies(self) -> tuple[Tally[CycleDim], ...]:
        return (Tally(dim=CycleDim(self.sla, self.priority, self.result), amount=self.elapsed),)


class ClockDim(NamedTuple):
    """What the clocks of tools are tallied by."""

    clock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolClock(Tallied[ClockDim]):
    """One cycle of an SLA clock that the tool itself runs. `at` is its start: it is told while it runs, and its end comes
    as a newer version. Key: the ticket's id, the clock's and the number of the cycle. `updated` is the moment for which
    `elapsed` is told.
    """

    queue: str
    """The tool's queue that the ticket is in."""
    ticket: str
    """As of `TicketEvent`."""
    clock: str
    """What the tool calls it: `Time to first response`."""
    stopped: datetime | None = None
    """None while it runs."""
    breached: bool = False
    breached_at: datetime | None = None
    """When its goal passed, or will pass if nothing changes, where the tool tells."""
    elapsed: timedelta | None = None
    """As the tool counts it, within its own calendar; None where it does not tell."""
    goal: timedelta | None = None
    paused: bool = False
    valid: bool = True
    """False where the tool took it back: cancelled, or not for this ticket any more."""

    def tallies(self) -> tuple[Tally[ClockDim], ...]:
        return (Tally(dim=ClockDim(self.clock)),)


def _met(sli: StoredSli, dim: CycleDim) -> bool | None:
    return dim.result is SlaResult.MET if sli.takes("sla", dim.sla) else None


def _told(cycle: SlaCycle) -> tuple[str, str]:
    return cycle.ticket, f"{cycle.priority}, goal {cycle.goal / 3600:,.1f} h passed"


SLA_CYCLES = Countable(
    word="sla_cycles",
    event=SlaCycle,
    folded=TicketEvent,
    where=("queue", "sla"),
    required=("queue", "sla"),
    slow=True,
    called="SLA cycles",
    belongs=lambda sli, cycle: sli.takes("queue", cycle.queue),
    good=_met,
    told=_told,
)

FACTS = Facts(events=(TicketEvent, ToolClock, SlaCycle))
