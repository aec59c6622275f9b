"""Daily adoption snapshots: states, transitions between them, and which snapshots can be taken now (domain section 11).

A snapshot shows each unit at the end of one day of the configured zone. The next one compares with the last,
however many days lie between. Current gauges (`adoption_gauges`) take what a unit *was* from the last snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from enum import StrEnum
from typing import NamedTuple

from platform_meter.measures.adoption.book import Book, midnight
from platform_meter.measures.adoption.seen import (
    EVER_ACTIVE,
    EVER_ADOPTED,
    OUTSIDE,
    State,
    begins,
    days_back,
    look,
    refusal,
    states,
    wanted,
    watermark,
    what,
)
from platform_meter.measures.adoption.units import Roster, roster
from platform_meter.measures.adoption.use import Reader
from platform_meter.model.catalogue.adoption import ADOPTION_TRANSITIONS
from platform_meter.model.definitions import Capability
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Scene, StateDay, Stating
from platform_meter.model.metric import Increment

KEPT = timedelta(days=400)
"""Retention of snapshots and events (domain section 2): the past is not reconstructed beyond it."""


ADOPTED = "adopted"
"""Of how many eligible units the predicate was true, active or not: no state tells."""


class TransitionKind(StrEnum):
    NEW = "new"
    RESURRECTED = "resurrected"
    DORMANT = "dormant"
    CHURNED = "churned"
    LEFT = "left_eligibility"


class Transition(NamedTuple):
    unit: str
    change: TransitionKind


class Due(NamedTuple):
    capability: Capability
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(StateDay):
    """One capability's units at the end of one day; no increments where its transitions must not be counted."""

    transitions: tuple[Transition, ...]


def transitions(before: Mapping[str, UnitState], after: Iterable[UnitState]) -> tuple[Transition, ...]:
    """Transitions between two snapshots, by unit; none when there is no earlier one.

    Always: active(after) = active(before) + new + resurrected - dormant - left_eligibility.
    """
    return changes(before, after) if before else ()


def changes(before: Mapping[str, UnitState], after: Iterable[UnitState]) -> tuple[Transition, ...]:
    """As `transitions`, where it is known that there was an earlier snapshot: of some units, or of all."""
    found: list[Transition] = []
    current = {s.unit: s for s in after}
    for unit in sorted(before.keys() | current.keys()):
        was, now = before.get(unit), current.get(unit)
        then = State(was.state) if was else State.NOT_ELIGIBLE
        state = State(now.state) if now else State.NOT_ELIGIBLE
        if state is State.ACTIVE and then is not State.ACTIVE:
            first = was is None or EVER_ACTIVE not in was.ever
            found.append(Transition(unit, TransitionKind.NEW if first else TransitionKind.RESURRECTED))
        if then is State.ACTIVE and state is not State.ACTIVE:
            found.append(Transition(unit, TransitionKind.LEFT if state in OUTSIDE else TransitionKind.DORMANT))
        if state is State.CHURNED and then is not State.CHURNED:
            found.append(Transition(unit, TransitionKind.CHURNED))
    return tuple(found)


def snapshot(
    capability: Capability,
    scene: Scene,
    day: date,
    previous: Mapping[str, UnitState] | None,
    *,
    known: Roster | None = None,
    book: Book | None = None,
) -> Snapshot:
    """Take the snapshot of a day that `due` names.

    Args:
        capability: one that `refusal` has nothing against.
        scene: the store's seen; days are those of its zone.
        day: over, and known to its end.
        previous: the last snapshot by unit, however old; None or empty for the first.
        known: the roster, where it was made already.
        book: use that was read already.
    """
    end = day + timedelta(days=1)
    moment = midnight(end, scene.zone).astimezone(UTC)
    before = previous or {}
    if book is None:
        book = wanted([capability], scene.zone)
        book.read(scene.history, end - timedelta(days=days_back(capability)), end)
    reader = Reader(scene.history, book, moment)
    seen = look(capability, reader, known or roster(scene), moment=moment, end=end, previous=before)
    rows: list[UnitState] = []
    for unit, state in states(seen, before).items():
        ever = set(before[unit].ever) if unit in before else set()
        if state is State.ACTIVE:
            ever.add(EVER_ACTIVE)
        if unit in seen.held:
            ever.add(EVER_ADOPTED)
        rows.append(UnitState(day=day, what=what(capability.id), unit=unit, state=state, ever=frozenset(ever)))
    happened = transitions(before, rows)
    counts = Counter(t.change for t in happened)
    return Snapshot(
        what=what(capability.id),
        day=day,
        states=tuple(rows),
        counted={ADOPTED: len(seen.adopted & seen.eligible)},
        transitions=happened,
        increments=tuple(
            Increment(metric=ADOPTION_TRANSITIONS, labels=(capability.id, change), amount=float(n))
            for change, n in sorted(counts.items())
        ),
    )


def due(scene: Scene, last: Mapping[str, date]) -> list[Due]:
    """Snapshots that can be taken now, by capability as declared, then by day.

    A day is due once it is over in the configured zone and every source type the capability reads is fresh with all
    watermarks past its end. The first is the first that is known whole (`begins`): before it nobody knows who was
    active. Capabilities whose `adopted` and `active` both rest on events (`verb`) get every day since, as events carry
    their own time. A `count` rests on readings, which say nothing of the time before we looked: days without a look
    stay out.

    Args:
        scene: the store's seen.
        last: day of the last snapshot by capability id, where there is one.
    """
    found: list[Due] = []
    for capability in scene.definitions.capabilities:
        known_to = watermark(scene, capability)
        if refusal(capability) or known_to is None:
            continue
        yesterday = known_to.astimezone(scene.zone).date() - timedelta(days=1)
        start, taken = begins(scene.history, capability, scene.zone), last.get(capability.id)
        if start is None:
            continue
        # Events before retention are gone, so that what was kept is known from a window later on.
        kept = yesterday - KEPT + capability.active.window
        first = max(start, kept) if taken is None else taken + timedelta(days=1)
        if capability.adopted.count or capability.active.count:
            first = max(first, yesterday)
        days = (first + timedelta(days=n) for n in range((yesterday - first).days + 1))
        found += [Due(capability, day) for day in days]
    return found


def next_snapshots(scene: Scene) -> Sequence[Snapshot]:
    """The next snapshots to store, oldest first for each capability; empty when none is due.

    A capability's first ones are its reconstructed past: no counter counts their transitions, and they come alone, so
    that a long past is one batch. All later ones are counted, however late they are taken: after an outage the
    counter jumps (domain section 4). Call again after storing these.
    """
    found = ((c.id, scene.history.last_day(what(c.id))) for c in scene.definitions.capabilities)
    last = {id_: day for id_, day in found if day is not None}
    waiting = due(scene, last)
    if not waiting:
        return ()
    known = roster(scene)
    book = wanted(scene.definitions.capabilities, scene.zone)
    start = min(d.day - timedelta(days=days_back(d.capability) - 1) for d in waiting)
    book.read(scene.history, start, max(d.day for d in waiting) + timedelta(days=1))
    taken: list[Snapshot] = []
    for capability in {d.capability.id: d.capability for d in waiting}.values():
        previous = last_states(scene, capability.id)
        batch: list[Snapshot] = []
        for one in (d for d in waiting if d.capability.id == capability.id):
            made = snapshot(capability, scene, one.day, previous, known=known, book=book)
            previous = {s.unit: s for s in made.states}
            # Without any unit there is nothing to store, and the day would be due again for ever.
            if made.states:
                batch.append(made if capability.id in last else replace(made, increments=()))
        if batch and capability.id not in last:
            return batch
        taken += batch
    return taken


def last_states(scene: Scene, capability: str) -> dict[str, UnitState]:
    """The last snapshot by unit; empty before the first."""
    day = scene.history.last_day(what(capability))
    if day is None:
        return {}
    return {s.unit: s for s in scene.history.states(what(capability), day, day + timedelta(days=1))}


STATES = Stating(name="adoption", metrics=(ADOPTION_TRANSITIONS,), take=next_snapshots)
