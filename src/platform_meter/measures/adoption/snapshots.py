"""Daily adoption snapshots: states, transitions between them, and which snapshots can be taken now (domain section 11).

A snapshot shows each unit at the end of one day of the configured zone. The next one compares with the last,
however many days lie between. Current gauges (`adoption_gauges`) take what a unit *was* from the last snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from platform_meter.measures.adoption.seen import OUTSIDE, State, look, refusal, states, telling, watermark
from platform_meter.measures.adoption.units import Roster, roster
from platform_meter.measures.adoption.use import Reader, Remembered, midnight
from platform_meter.model.catalogue.adoption import ADOPTION_TRANSITIONS
from platform_meter.model.definitions import Capability
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import Increment

KEPT = timedelta(days=400)
"""Retention of snapshots and events (domain section 2): the past is not reconstructed beyond it."""
LOOK_BACK = timedelta(days=91)
"""How far a snapshot looks back at most times; one that looks further reads for itself."""


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
class Snapshot:
    """One capability's units at the end of one day."""

    capability: str
    day: date
    states: tuple[UnitState, ...]
    transitions: tuple[Transition, ...]
    increments: tuple[Increment, ...]
    """The transitions, for the counter; empty where they must not be counted."""


def transitions(before: Mapping[str, UnitState], after: Iterable[UnitState]) -> tuple[Transition, ...]:
    """Transitions between two snapshots, by unit; none when there is no earlier one.

    Always: active(after) = active(before) + new + resurrected - dormant - left_eligibility.
    """
    if not before:
        return ()
    found: list[Transition] = []
    current = {s.unit: s for s in after}
    for unit in sorted(before.keys() | current.keys()):
        was, now = before.get(unit), current.get(unit)
        then = State(was.state) if was else State.NOT_ELIGIBLE
        state = State(now.state) if now else State.NOT_ELIGIBLE
        if state is State.ACTIVE and then is not State.ACTIVE:
            first = was is None or not was.ever_active
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
    remembered: Remembered | None = None,
) -> Snapshot:
    """Take the snapshot of a day that `due` names.

    Args:
        capability: one that `refusal` has nothing against.
        scene: the store's seen; days are those of its zone.
        day: over, and known to its end.
        previous: the last snapshot by unit, however old; None or empty for the first.
        known: the roster, where it was made already.
        remembered: use that was read already.
    """
    end = day + timedelta(days=1)
    moment = midnight(end, scene.zone).astimezone(UTC)
    before = previous or {}
    reader = Reader(scene.history, scene.zone, moment, remembered)
    seen = look(capability, reader, known or roster(scene), moment=moment, end=end, previous=before)
    rows: list[UnitState] = []
    for unit, state in states(seen, before).items():
        was = before.get(unit)
        rows.append(
            UnitState(
                day=day,
                capability=capability.id,
                unit=unit,
                state=state,
                ever_active=state is State.ACTIVE or (was is not None and was.ever_active),
                ever_adopted=unit in seen.adopted or (was is not None and was.ever_adopted),
            )
        )
    changes = transitions(before, rows)
    counts = Counter(t.change for t in changes)
    return Snapshot(
        capability=capability.id,
        day=day,
        states=tuple(rows),
        transitions=changes,
        increments=tuple(
            Increment(metric=ADOPTION_TRANSITIONS, labels=(capability.id, change), amount=float(n))
            for change, n in sorted(counts.items())
        ),
    )


def due(scene: Scene, last: Mapping[str, date]) -> list[Due]:
    """Snapshots that can be taken now, by capability as declared, then by day.

    A day is due once it is over in the configured zone and every source type the capability reads is fresh with all
    watermarks past its end. Capabilities whose `adopted` and `active` both rest on events (`verb`) get every day
    since their last snapshot and, at first, every day since the first stored use: events carry their own time, so
    trends exist from day one. A `count` rests on readings, which say nothing of the time before we looked: its
    series starts with the first day at whose end all of them were known, and days without a look stay out.

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
        taken = last.get(capability.id)
        if taken is not None:
            first = taken + timedelta(days=1) if capability.adopted.verb else max(yesterday, taken + timedelta(days=1))
        elif capability.adopted.verb:
            first = _first_use(scene, capability, yesterday)
        elif _looked(scene, capability, midnight(yesterday + timedelta(days=1), scene.zone)):
            first = yesterday
        else:
            continue
        days = (first + timedelta(days=n) for n in range((yesterday - first).days + 1))
        found += [Due(capability, day) for day in days]
    return found


def next_snapshots(scene: Scene) -> Sequence[Snapshot]:
    """The next snapshots to store, oldest first for each capability; empty when none is due.

    A capability's first ones are its reconstructed past: no counter counts their transitions, and they come alone, so
    that a long past is one batch. All later ones are counted, however late they are taken: after an outage the
    counter jumps (domain section 4). Call again after storing these.
    """
    last = {c.id: day for c in scene.definitions.capabilities if (day := scene.history.last_snapshot(c.id)) is not None}
    waiting = due(scene, last)
    if not waiting:
        return ()
    known = roster(scene)
    remembered = Remembered(
        scene.history, min(d.day for d in waiting) - LOOK_BACK, max(d.day for d in waiting) + timedelta(days=1)
    )
    taken: list[Snapshot] = []
    for capability in {d.capability.id: d.capability for d in waiting}.values():
        previous = last_states(scene, capability.id)
        batch: list[Snapshot] = []
        for one in (d for d in waiting if d.capability.id == capability.id):
            made = snapshot(capability, scene, one.day, previous, known=known, remembered=remembered)
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
    day = scene.history.last_snapshot(capability)
    if day is None:
        return {}
    return {s.unit: s for s in scene.history.snapshots(capability, day, day + timedelta(days=1))}


def _first_use(scene: Scene, capability: Capability, yesterday: date) -> date:
    """The first day with stored use of what the capability reads; yesterday when there is none."""
    start, end = yesterday - KEPT + timedelta(days=1), yesterday + timedelta(days=1)
    reads = {(capability.active.source, v) for v in capability.active.verbs}
    reads.add((capability.adopted.source, capability.adopted.verb or ""))
    days = [row.day for type_, verb in reads for row in scene.history.usage_days((verb,), type_, start, end)]
    return min(days, default=yesterday)


def _looked(scene: Scene, capability: Capability, end: datetime) -> bool:
    """Whether standing objects were known at `end`: all that tells of them had been read whole by then."""
    return all(s.since is not None and s.since <= end for s in telling(scene.history, capability.adopted))
