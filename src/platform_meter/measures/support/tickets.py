"""Support: tickets, SLA cycles, backlog and load of the queues that Ticketing files declare (domain section 9).

Everything is said as of the watermark of the queue's source, so that an answer we have not read yet is never taken
for silence. A queue one of whose sources is stale has no gauges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from platform_meter.measures.support.cycles import Cycle, Decision, Ticket
from platform_meter.measures.support.queues import (
    BEGINNING,
    END,
    Book,
    Queue,
    category_of,
    priority_of,
    queue_keys,
    reads,
)
from platform_meter.measures.support.survival import kaplan_meier
from platform_meter.model.catalogue.support import (
    TICKET_AT_RISK,
    TICKET_BACKLOG_AGE,
    TICKET_EXPECTED_BREACHES,
    TICKET_REOPEN,
    TICKET_SLA_CYCLES,
    TICKET_SLA_MET,
    TICKET_SLA_SECONDS,
    TICKETS_CREATED,
    TICKETS_OPEN,
    TICKETS_PER_ACTIVE_TEAM,
)
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Tallied
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.tickets import SlaCycle, SlaResult, TicketChange, TicketEvent
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import (
    WINDOWS,
    Counting,
    Derived,
    Deriving,
    Gauging,
    Measure,
    Scene,
    window_label,
)
from platform_meter.model.metric import UNOWNED, Increment, Ratio, Sample, Spread

DAY = timedelta(days=1)
AGES = (("1d", DAY), ("3d", 3 * DAY), ("7d", 7 * DAY), ("30d", 30 * DAY))
"""Age classes by calendar days: under the bound and not under the one before."""
OLDER = "older"
STOPPED_WINDOW, SURVIVAL_WINDOW = WINDOWS
CURVE_MINIMUM = 30
"""Cycles behind a Kaplan-Meier curve below which only at-risk is published."""
DELIVERY: tuple[type[Tallied[Dim]], ...] = (PipelineRun, Deployment, Change)
"""What a team that uses the platform leaves: any of these makes it active."""


def configured(definitions: Definitions) -> tuple[Measure, ...]:
    """The measures of these definitions. They keep folded tickets between calls: make them once per load, for one store.

    Raises:
        ValueError: a Ticketing that `check` refuses (a `select` we can't read, `bd` on days of different length).
    """
    book, written = Book(), _Written()
    return (
        *countings(definitions),
        Counting(event=SlaCycle, metrics=(TICKET_SLA_CYCLES,), count=_count_cycle),
        Gauging(
            metrics=(
                TICKETS_OPEN,
                TICKET_SLA_MET,
                TICKET_SLA_SECONDS,
                TICKET_AT_RISK,
                TICKET_EXPECTED_BREACHES,
                TICKET_BACKLOG_AGE,
                TICKET_REOPEN,
            ),
            reads=frozenset({TicketEvent}),
            compute=lambda scene: list(_gauges(scene, book)),
            # All is said as of the watermark, which only a poll moves.
            every=timedelta(minutes=1),
        ),
        Gauging(
            metrics=(TICKETS_PER_ACTIVE_TEAM,),
            # Not anew with every run and ticket: it reads three months of rollups, and moves by the day.
            reads=frozenset(),
            compute=lambda scene: list(_load(scene, book)),
            every=timedelta(minutes=5),
        ),
        Deriving(
            reads=frozenset({TicketEvent}),
            gives=SlaCycle,
            derive=lambda scene: list(_derive(scene, book, written)),
        ),
    )


def belongs(ticketing: Ticketing, source: SourceState, event: TicketEvent) -> bool:
    """Whether a ticket that this event created is one of the definition's queue.

    Raises:
        ValueError: a `select` that `queue_keys` can't read.
    """
    keys = queue_keys(ticketing.source.select)
    return reads(ticketing, source) and (not keys or event.queue in keys)


def countings(definitions: Definitions) -> tuple[Counting[TicketEvent], ...]:
    """Tickets created, by the queues these definitions declare; a ticket of no declared queue is in no counter.

    Raises:
        ValueError: as `configured`.
    """
    declared = definitions.ticketing
    for ticketing in declared:
        queue_keys(ticketing.source.select)

    def created(event: TicketEvent, _owner: Owner, source: SourceState) -> Iterator[Increment]:
        if event.change is not TicketChange.CREATED:
            return
        for ticketing in declared:
            if belongs(ticketing, source, event):
                labels = (ticketing.id, category_of(ticketing, event), priority_of(ticketing, event))
                yield Increment(metric=TICKETS_CREATED, labels=labels)

    return (Counting(event=TicketEvent, metrics=(TICKETS_CREATED,), count=created),)


def _count_cycle(event: SlaCycle, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    labels = (event.queue, event.sla, event.priority, str(event.result))
    yield Increment(metric=TICKET_SLA_CYCLES, labels=labels)


class _Seen(NamedTuple):
    """A ticket and the moment it is seen at: its source's watermark."""

    until: datetime
    ticket: Ticket

    def within(self, at: datetime, window: timedelta) -> bool:
        return self.until - window <= at < self.until


def _sources(scene: Scene, queue: Queue) -> list[SourceState]:
    return [s for s in scene.history.sources(TicketEvent) if reads(queue.definition, s)]


def _tickets(scene: Scene, book: Book, queue: Queue) -> list[_Seen] | None:
    """The queue's tickets; None when no source gives them or one of those is stale."""
    sources = _sources(scene, queue)
    if not sources or not all(s.fresh for s in sources):
        return None
    return [
        _Seen(source.watermark, ticket)
        for source in sources
        if source.watermark is not None
        for ticket in book.tickets(queue, source)
    ]


def _gauges(scene: Scene, book: Book) -> Iterator[Sample]:
    for queue in book.queues(scene):
        seen = _tickets(scene, book, queue)
        if seen is None:
            continue
        valid = [s for s in seen if s.ticket.valid]
        waiting = [s for s in valid if s.ticket.open]
        # No window reaches further back than to what a ticket last did.
        recent = [s for s in valid if s.ticket.open or s.within(s.ticket.last, SURVIVAL_WINDOW)]
        yield from _open(queue, waiting, {s.ticket.priority for s in valid})
        yield from _backlog(scene, queue, waiting)
        yield from _reopened(scene, queue, recent)
        yield from _slas(scene, queue, recent, {(c.sla, c.priority) for s in valid for c in s.ticket.cycles})


def _open(queue: Queue, waiting: Sequence[_Seen], priorities: Iterable[str]) -> Iterator[Sample]:
    """Open tickets by age class; a class without any is 0 for every priority the queue has had."""
    counts = Counter((s.ticket.priority, _age(s.until - s.ticket.created)) for s in waiting)
    for priority in sorted(priorities):
        for age in (*(name for name, _ in AGES), OLDER):
            yield Sample(metric=TICKETS_OPEN, labels=(queue.id, priority, age), value=float(counts[priority, age]))


def _age(age: timedelta) -> str:
    return next((name for name, bound in AGES if age < bound), OLDER)


def _backlog(scene: Scene, queue: Queue, waiting: Sequence[_Seen]) -> Iterator[Sample]:
    """Business time since creation of open tickets. The oldest one is a fact even when it is the only one."""
    ages = tuple(queue.rules.clock.elapsed(s.ticket.created, s.until).total_seconds() for s in waiting)
    for q, minimum in ((0.5, scene.minimum), (0.9, scene.minimum), (1.0, 1)):
        yield Sample(
            metric=TICKET_BACKLOG_AGE,
            labels=(queue.id, str(q)),
            value=Spread(values=ages, q=q, minimum=minimum),
        )


def _reopened(scene: Scene, queue: Queue, seen: Sequence[_Seen]) -> Iterator[Sample]:
    """Tickets resolved in the window and reopened since / resolved in the window; each ticket once."""
    for window in WINDOWS:
        resolved = reopened = 0
        for s in seen:
            first = next((at for at in s.ticket.closings if s.within(at, window)), None)
            if first is not None:
                resolved += 1
                reopened += any(at >= first for at in s.ticket.reopenings)
        yield Sample(
            metric=TICKET_REOPEN,
            labels=(queue.id, window_label(window)),
            value=Ratio(part=reopened, whole=resolved, minimum=scene.minimum),
        )


class _Kept:
    """What the SLA gauges of one (SLA, priority) are made of."""

    def __init__(self) -> None:
        self.met = Counter[timedelta]()
        self.decided = Counter[timedelta]()
        self.stopped: list[float] = []
        self.lived: list[tuple[float, bool]] = []
        self.waiting: list[Cycle] = []
        self.at_risk = 0


def _slas(scene: Scene, queue: Queue, recent: Iterable[_Seen], known: Iterable[tuple[str, str]]) -> Iterator[Sample]:
    """The gauges of every (SLA, priority) that the queue has had."""
    kept = defaultdict(_Kept, {pair: _Kept() for pair in known})
    for s in recent:
        for cycle in s.ticket.cycles:
            _keep(kept[cycle.sla, cycle.priority], s, cycle)
            _judge(kept, s, cycle)
    for (sla, priority), made in sorted(kept.items(), key=lambda item: item[0]):
        yield from _sla(scene, (queue.id, sla, priority), made)


def _judge(kept: Mapping[tuple[str, str], _Kept], seen: _Seen, cycle: Cycle) -> None:
    """A decided cycle counts at the moment and under the priority of its decision."""
    decision = cycle.decision
    if decision is None:
        return
    then = kept[cycle.sla, decision.priority]
    for window in WINDOWS:
        if seen.within(decision.at, window):
            then.decided[window] += 1
            then.met[window] += decision.result is SlaResult.MET


def _keep(now: _Kept, seen: _Seen, cycle: Cycle) -> None:
    if cycle.whole and not cycle.open and seen.within(cycle.known, STOPPED_WINDOW):
        now.stopped.append(cycle.elapsed)
    if cycle.whole and seen.within(cycle.started, SURVIVAL_WINDOW):
        now.lived.append((cycle.elapsed, not cycle.open))
    if cycle.open and not cycle.breached:
        now.waiting.append(cycle)
    # A breached one that still runs stays, else the alert would end as things get worse.
    if cycle.at_risk:
        now.at_risk += 1


def _sla(scene: Scene, labels: tuple[str, str, str], kept: _Kept) -> Iterator[Sample]:
    for window in WINDOWS:
        # No minimum: a promise is judged like an SLO window, every cycle counts (domain section 1).
        met = Ratio(part=kept.met[window], whole=kept.decided[window])
        yield Sample(metric=TICKET_SLA_MET, labels=(*labels, window_label(window)), value=met)
    for q in (0.5, 0.9):
        spread = Spread(values=tuple(kept.stopped), q=q, minimum=scene.minimum)
        yield Sample(metric=TICKET_SLA_SECONDS, labels=(*labels, str(q)), value=spread)
    yield Sample(metric=TICKET_AT_RISK, labels=labels, value=float(kept.at_risk))
    if len(kept.lived) >= CURVE_MINIMUM:
        curve = kaplan_meier(kept.lived)
        expected = sum(curve.beyond(c.goal, reached=c.elapsed) for c in kept.waiting)
        yield Sample(metric=TICKET_EXPECTED_BREACHES, labels=labels, value=float(expected))


def _load(scene: Scene, book: Book) -> Iterator[Sample]:
    """Tickets created / teams with any pipeline run, deployment or merged change, each in the window."""
    active = {window: _active_teams(scene, window) for window in WINDOWS}
    for queue in book.queues(scene):
        seen = _tickets(scene, book, queue)
        for window, teams in active.items():
            if seen is not None and teams is not None:
                created = sum(s.within(s.ticket.created, window) for s in seen)
                yield Sample(
                    metric=TICKETS_PER_ACTIVE_TEAM,
                    labels=(queue.id, window_label(window)),
                    value=Ratio(part=created, whole=len(teams)),
                )


def _active_teams(scene: Scene, window: timedelta) -> frozenset[str] | None:
    """Owners now of what was delivered in the window; None when a source of deliveries is stale."""
    objects: set[int] = set()
    for kind in DELIVERY:
        for source in scene.history.sources(kind):
            if not source.fresh or source.watermark is None:
                return None
            counts = scene.history.counts(kind, source.instance, source.watermark - window, source.watermark)
            objects.update(object_ for object_, _ in counts)
    return frozenset(scene.history.owner(o).team for o in objects) - {UNOWNED}


class _Written:
    """The SLA cycles that the store already holds, read on from where the last look ended.

    `settled` holds, by queue and source, the tickets whose every decision was found written: the next look passes
    over them until they are folded anew.
    """

    def __init__(self) -> None:
        self._seq = 0
        self._day: date | None = None
        self._cycles: dict[tuple[str, str], tuple[datetime, tuple[object, ...]]] = {}
        self.settled: defaultdict[tuple[str, str], dict[str, Ticket]] = defaultdict(dict)

    def read(self, scene: Scene) -> None:
        latest = scene.history.latest(SlaCycle)
        if latest < self._seq or scene.now.date() != self._day:
            self._seq, self._day, self._cycles = 0, scene.now.date(), {}
            self.settled.clear()
        if latest > self._seq:
            for row in scene.history.rows(SlaCycle, BEGINNING, END, after=self._seq):
                self._cycles[row.source, row.event.key] = (_version(row.event), _content(row.event))
            self._seq = latest

    def lacks(self, source: str, cycle: SlaCycle) -> bool:
        """Whether the cycle is new, or decided anew since it was written."""
        known = self._cycles.get((source, cycle.key))
        return known is None or (known[1] != _content(cycle) and known[0] < _version(cycle))


def _version(cycle: SlaCycle) -> datetime:
    return cycle.updated or cycle.at


def _content(cycle: SlaCycle) -> tuple[object, ...]:
    return (cycle.at, cycle.result, cycle.elapsed, cycle.goal, cycle.priority)


def _derive(scene: Scene, book: Book, written: _Written) -> Iterator[Derived]:
    """Decided cycles that the store does not hold as they are: new ones, and those decided anew after a reopening.

    The key of a cycle stays the same then, so the store corrects its event and no counter moves.
    """
    written.read(scene)
    for queue in book.queues(scene):
        for source in _sources(scene, queue):
            settled = written.settled[queue.id, source.instance]
            for ticket in book.tickets(queue, source):
                if settled.get(ticket.id) is ticket:
                    continue
                decided = [_event(queue, ticket, c, c.decision) for c in ticket.cycles if c.decision and ticket.valid]
                lacking = [event for event in decided if written.lacks(source.instance, event)]
                yield from (Derived(source=source.instance, event=event) for event in lacking)
                if not lacking:
                    settled[ticket.id] = ticket


def _event(queue: Queue, ticket: Ticket, cycle: Cycle, decision: Decision) -> SlaCycle:
    return SlaCycle(
        key=f"{queue.id}/{cycle.sla}/{ticket.id}/{cycle.n}",
        at=decision.at,
        about=ticket.about,
        updated=max(decision.at, ticket.changed),
        queue=queue.id,
        sla=cycle.sla,
        ticket=ticket.name,
        priority=decision.priority,
        result=decision.result,
        elapsed=decision.elapsed,
        goal=decision.goal,
    )
