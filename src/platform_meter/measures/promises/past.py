"""Periods that are over, as they were counted: read once, kept over restarts, counted anew where something of one changes.

Of what is counted event by event all periods are read when they are first asked for, from sums of days. What is cut in
slices is read slice by slice: one period more each time, so that no tick has to read a year of minutes. Cycles of a queue
are all in memory, and are counted anew at each look, since a reopening takes an old one back.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec import Struct

from platform_meter import __version__
from platform_meter.measures.objectives.slices import Counts
from platform_meter.measures.promises.ledger import HELD, Found, Ledger, stretch
from platform_meter.model.definitions import Promise
from platform_meter.model.facts import Event
from platform_meter.model.kept import Fold, Folding
from platform_meter.model.measure import Scene
from platform_meter.model.objective import StoredObjective
from platform_meter.model.typed import unpack

PERIODS = 13
"""Periods before the running one that are told."""
_LEAST = timedelta(microseconds=1)


class Period(NamedTuple):
    """One period of a promise."""

    start: datetime
    end: datetime
    found: Found | None
    """None where nothing of it is known."""

    @property
    def whole(self) -> bool:
        """Whether all of it is known."""
        return self.found is not None and self.found.since <= self.start


class Told(NamedTuple):
    """A promise as it was last counted."""

    running: Period
    over: Sequence[Period]
    """The newest first: as far back as anything is known."""
    waits: bool
    """Whether earlier ones are counted at the next looks."""


class _One(Struct, array_like=True):
    """A period that was counted."""

    good: float
    bad: float
    since: datetime
    changed: bool = False
    """Something of it came or was corrected since."""

    @property
    def found(self) -> Found:
        return Found(Counts(self.good, self.bad), self.since)


class _Promise(Struct, array_like=True):
    """All of one promise that was counted."""

    counted: str
    """What counted it: under another SLI its numbers are those of something else."""
    seq: int = 0
    """Up to which events its periods were looked at."""
    over: dict[datetime, _One] = {}
    """By start of the period."""


class Past(Folding):
    """What promises came to. For any number of threads and one store; `bring_up` is for one of them alone."""

    name = "promises"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._promises: dict[str, _Promise] = {}
        self._told: dict[str, Told] = {}
        self._stored: bytes | None = None
        self._loaded = False

    def told(self, promise: Promise) -> Told | None:
        """As of the last tick that counted; None before, and where nothing could be told then."""
        with self._lock:
            return self._told.get(promise.id)

    def bring_up(self, scene: Scene, promise: Promise, ledger: Ledger) -> Mapping[int, Found]:
        """Count what is not counted yet. By how many periods ago it was: the running period and the last one, if known."""
        objective = ledger.objectives.get(promise.id)
        if objective is None:
            return {}
        self._load(scene)
        kept = self._of(scene, promise, objective)
        starts = {back: stretch(promise, scene.now, back).start for back in range(PERIODS + 1)}
        lacking = [back for back in range(HELD, PERIODS + 1) if _lacks(kept.over.get(starts[back]))]
        asked = lacking if objective.slice is None else lacking[:1]
        found = ledger.found(scene, promise, {*range(HELD), *asked})
        with self._lock:
            if found is None:
                self._told.pop(promise.id, None)
                return {}
            for back in (1, *asked):
                _keep(kept, starts[back], found.get(back))
            kept.over = {start: one for start, one in kept.over.items() if start >= starts[PERIODS]}
            running = Period(*stretch(promise, scene.now, 0), found.get(0))
            waits = len(asked) < len(lacking) and asked[0] in found
            self._told[promise.id] = Told(running, _over(scene, promise, kept), waits)
        return {back: found[back] for back in range(HELD) if back in found}

    def _of(self, scene: Scene, promise: Promise, objective: StoredObjective) -> _Promise:
        """What was counted of it before, with a mark on what changed since."""
        counted, kind = _counted(promise, objective), objective.sli.events
        latest = scene.history.latest(kind.read)
        kept = self._promises.get(promise.id)
        if kept is None or kept.counted != counted or kept.seq > latest:
            kept = self._promises[promise.id] = _Promise(counted=counted, seq=latest)
        if kind.folded is not None:
            kept.over = {}
        elif kept.seq < latest and kept.over:
            _mark(scene, promise, kind.event, kept)
        kept.seq = latest
        return kept

    def dump(self) -> Fold | None:
        with self._lock:
            body = msgspec.msgpack.encode(self._promises)
            if body == self._stored:
                return None
            self._stored = body
            return Fold(made_under=__version__, body=body)

    def _load(self, scene: Scene) -> None:
        if self._loaded:
            return
        self._loaded = True
        fold = scene.history.fold(self.name)
        if fold is not None and fold.made_under == __version__:
            try:
                self._promises = unpack(fold.body, dict[str, _Promise])
            except msgspec.DecodeError:
                return  # written by a version that says it is this one: all is counted anew, as without it
            self._stored = fold.body


def _lacks(one: _One | None) -> bool:
    return one is None or one.changed


def _keep(kept: _Promise, start: datetime, one: Found | None) -> None:
    """Of a period whose beginning is stored no more the count stands that was made while it was."""
    last = kept.over.get(start)
    if one is not None and (last is None or one.since <= last.since):
        kept.over[start] = _One(one.counts.good, one.counts.bad, one.since)
    elif last is not None:
        last.changed = False


def _over(scene: Scene, promise: Promise, kept: _Promise) -> Sequence[Period]:
    """From the last one back to the oldest of which anything is known."""
    periods = []
    for back in range(1, PERIODS + 1):
        start, end = stretch(promise, scene.now, back)
        one = kept.over.get(start)
        periods.append(Period(start, end, None if one is None else one.found))
    known = max((n for n, period in enumerate(periods, 1) if period.found is not None), default=0)
    return periods[:known]


def _mark(scene: Scene, promise: Promise, kind: type[Event], kept: _Promise) -> None:
    """What counts up to a moment belongs to the period that ends there, so both are marked."""
    oldest, running = min(kept.over), stretch(promise, scene.now, 0).start
    for row in scene.history.rows(kind, oldest, running + _LEAST, after=kept.seq):
        for moment in (row.event.at, row.event.at - _LEAST):
            start, _ = promise.period.around(moment)
            if start in kept.over:
                kept.over[start].changed = True


def _counted(promise: Promise, objective: StoredObjective) -> str:
    """A fingerprint of all that its counts depend on but the events."""
    sli = objective.sli
    said = (
        promise.period.calendar,
        promise.period.zone,
        sli.events.word,
        *(f"{word}={value}" for word, value in sorted(sli.where.items())),
        str((sli.threshold, str(sli.unknown), objective.slice, objective.slice_target, objective.no_data)),
    )
    return hashlib.sha256("\0".join(said).encode()).hexdigest()
