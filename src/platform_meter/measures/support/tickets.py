"""Support: tickets, SLA cycles, backlog and load of the queues that Ticketing files declare (domain section 9).

Everything is said as of the watermark of the queue's source, so that an answer we have not read yet is never taken
for silence. A queue one of whose sources is stale has no gauges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from platform_meter.measures.support.asking import Askers, users
from platform_meter.measures.support.behind import behind, behind_load
from platform_meter.measures.support.book import Book
from platform_meter.measures.support.decided import Written, derive
from platform_meter.measures.support.looks import (
    AGES,
    DELIVERY,
    OLDER,
    Kept,
    Look,
    age_of,
    business_age,
    created,
    kept,
    look,
    of_queue,
    resolved,
)
from platform_meter.measures.support.queues import Queue, category_of, priority_of, reads
from platform_meter.measures.support.selects import queue_keys
from platform_meter.model.catalogue.support import (
    TICKET_AT_RISK,
    TICKET_BACKLOG_AGE,
    TICKET_DISAGREEMENTS,
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
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.tickets import SlaCycle, TicketChange, TicketEvent, ToolClock
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import (
    WINDOWS,
    Counting,
    Deriving,
    Gauging,
    Measure,
    Scene,
    window_label,
)
from platform_meter.model.metric import Increment, Ratio, Sample, Spread


def configured(definitions: Definitions) -> tuple[Measure, ...]:
    """The measures of these definitions. They keep what was written between calls: make them once per load, for one store.

    Raises:
        ValueError: a Ticketing that `check` refuses (a `select` we can't read, `bd` on days of different length).
    """
    written = Written()
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
                TICKET_DISAGREEMENTS,
                TICKET_BACKLOG_AGE,
                TICKET_REOPEN,
            ),
            reads=frozenset({TicketEvent, ToolClock}),
            compute=lambda scene: list(_gauges(scene)),
            behind=behind,
            # All is said as of the watermark, which only a poll moves.
            every=timedelta(minutes=1),
        ),
        Gauging(
            metrics=(TICKETS_PER_ACTIVE_TEAM,),
            reads=frozenset({TicketEvent, Membership, *DELIVERY}),
            # Not anew with every run and ticket: it reads three months of rollups, and moves by the day.
            at_once=False,
            compute=lambda scene: list(_load(scene)),
            behind=behind_load,
            every=timedelta(minutes=5),
        ),
        Deriving(
            reads=frozenset({TicketEvent, ToolClock}),
            gives=SlaCycle,
            derive=lambda scene: list(derive(scene, written)),
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

    def count_created(event: TicketEvent, _owner: Owner, source: SourceState) -> Iterator[Increment]:
        if event.change is not TicketChange.CREATED:
            return
        for ticketing in declared:
            if belongs(ticketing, source, event):
                labels = (ticketing.id, category_of(ticketing, event), priority_of(ticketing, event))
                yield Increment(metric=TICKETS_CREATED, labels=labels)

    return (Counting(event=TicketEvent, metrics=(TICKETS_CREATED,), count=count_created),)


def _count_cycle(event: SlaCycle, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    labels = (event.queue, event.sla, event.priority, str(event.result))
    yield Increment(metric=TICKET_SLA_CYCLES, labels=labels)


def _gauges(scene: Scene) -> Iterator[Sample]:
    for queue in scene.kept.of(Book).queues(scene):
        told = of_queue(scene, queue)
        if told is None:
            continue
        seen = look(told)
        yield from _open(queue, seen)
        yield from _backlog(scene, queue, seen)
        yield from _reopened(scene, queue, seen)
        for (sla, priority), made in sorted(kept(seen).items(), key=lambda item: item[0]):
            yield from _sla(scene, (queue.id, sla, priority), made)


def _open(queue: Queue, seen: Look) -> Iterator[Sample]:
    """Open tickets by age class; a class without any is 0 for every priority the queue has had."""
    counts = Counter((s.ticket.priority, age_of(s)) for s in seen.waiting)
    for priority in sorted(seen.priorities):
        for age in (*(name for name, _ in AGES), OLDER):
            yield Sample(metric=TICKETS_OPEN, labels=(queue.id, priority, age), value=float(counts[priority, age]))


def _backlog(scene: Scene, queue: Queue, seen: Look) -> Iterator[Sample]:
    """Business time since creation of open tickets. The oldest one is a fact even when it is the only one."""
    ages = tuple(business_age(queue, s) for s in seen.waiting)
    for q, minimum in ((0.5, scene.minimum), (0.9, scene.minimum), (1.0, 1)):
        value = Spread(values=ages, q=q, minimum=minimum)
        yield Sample(metric=TICKET_BACKLOG_AGE, labels=(queue.id, str(q)), value=value)


def _reopened(scene: Scene, queue: Queue, seen: Look) -> Iterator[Sample]:
    """Tickets resolved in the window and reopened since / resolved in the window; each ticket once."""
    for window in WINDOWS:
        found = resolved(seen, window)
        ratio = Ratio(part=sum(again for _, again in found), whole=len(found), minimum=scene.minimum)
        yield Sample(metric=TICKET_REOPEN, labels=(queue.id, window_label(window)), value=ratio)


def _sla(scene: Scene, labels: tuple[str, str, str], made: Kept) -> Iterator[Sample]:
    for window in WINDOWS:
        # No minimum: a promise is judged like an SLO window, every cycle counts (domain section 1).
        decided = made.decided[window]
        met = Ratio(part=sum(one.cycle.met for one in decided), whole=len(decided))
        yield Sample(metric=TICKET_SLA_MET, labels=(*labels, window_label(window)), value=met)
    for q in (0.5, 0.9):
        spread = Spread(values=tuple(one.cycle.elapsed for one in made.stopped), q=q, minimum=scene.minimum)
        yield Sample(metric=TICKET_SLA_SECONDS, labels=(*labels, str(q)), value=spread)
    yield Sample(metric=TICKET_AT_RISK, labels=labels, value=float(len(made.at_risk)))
    breaches = made.breaches()
    if breaches is not None:
        yield Sample(metric=TICKET_EXPECTED_BREACHES, labels=labels, value=float(sum(breaches)))
    if made.compared:
        yield Sample(metric=TICKET_DISAGREEMENTS, labels=labels, value=float(len(made.disagreed)))


def _load(scene: Scene) -> Iterator[Sample]:
    """Tickets created / teams that delivered anything or, as far as is known who asks, asked; each in the window."""
    askers = Askers(scene)
    active = {window: users(scene, window, askers=askers) for window in WINDOWS}
    for queue in scene.kept.of(Book).queues(scene):
        told = of_queue(scene, queue)
        for window, teams in active.items():
            if told is not None and teams is not None:
                ratio = Ratio(part=sum(1 for _ in created(told, window)), whole=len(teams))
                yield Sample(metric=TICKETS_PER_ACTIVE_TEAM, labels=(queue.id, window_label(window)), value=ratio)
