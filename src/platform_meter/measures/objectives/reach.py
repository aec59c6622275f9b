"""How far an SLO over stored events reaches: the time that is counted, and the sources that may give its events."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from platform_meter.measures.objectives.slices import Line
from platform_meter.measures.support.queues import reads
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Scene, window_label
from platform_meter.model.objective import StoredObjective

ID = "id"
"""The word of `where` that names an SLI, which a stream may count alone."""
SYSTEM = "system"
"""The word of `where` that a source's configuration answers; the others only the events themselves can."""


class Span(Protocol):
    """A time that is counted, as far as its source was read: up to the watermark."""

    def moments(self, watermark: datetime) -> tuple[datetime, datetime]:
        """Start and end, of what is counted event by event."""
        ...

    def slices(self, line: Line, watermark: datetime) -> tuple[int, int]:
        """The first whole slice and the one after the last."""
        ...


class Window(NamedTuple):
    """So much time before the watermark."""

    length: timedelta

    def moments(self, watermark: datetime) -> tuple[datetime, datetime]:
        return watermark - self.length, watermark

    def slices(self, line: Line, watermark: datetime) -> tuple[int, int]:
        end = line.index(watermark)
        return end - math.ceil(self.length / line.length), end


class Stretch(NamedTuple):
    """From one moment to another, or to the watermark where that is earlier."""

    start: datetime
    end: datetime

    def moments(self, watermark: datetime) -> tuple[datetime, datetime]:
        return self.start, min(self.end, watermark)

    def slices(self, line: Line, watermark: datetime) -> tuple[int, int]:
        return line.index(self.start), line.index(min(self.end, watermark))


def labels(objective: StoredObjective) -> dict[str, timedelta]:
    """Length by `window` label: the windows that rules read, and last the period as it is written."""
    return {**{window_label(w): w for w in objective.windows}, objective.period_label: objective.period}


def some_only(objective: StoredObjective) -> bool:
    """Whether a candidate may give events of other SLOs alone, so that only its events tell."""
    kind = objective.sli.events
    return kind.folded is None and bool(kind.elsewhere or objective.sli.where.keys() - {SYSTEM})


def candidate_sources(scene: Scene, objective: StoredObjective) -> tuple[SourceState, ...]:
    """Configured instances that may give the objective's events, by what the file says alone."""
    kind, where = objective.sli.events, objective.sli.where
    sources = scene.history.sources(kind.read, where.get(ID, "") if kind.event is SliCount else "")
    if kind.folded is not None:
        queue = next((t for t in scene.definitions.ticketing if t.id == where.get("queue")), None)
        return tuple(s for s in sources if queue is not None and reads(queue, s))
    return tuple(s for s in sources if objective.sli.takes(SYSTEM, s.type))
