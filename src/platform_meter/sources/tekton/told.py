"""What is said of runs as they come and change: how many wait and run, and each end once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from platform_meter.model.facts import Event, Fact, Reading
from platform_meter.model.facts.ci import PipelineActive
from platform_meter.model.source import Gap, Outside
from platform_meter.sources.kit.sayers import Over, Said
from platform_meter.sources.tekton.facts import in_pool
from platform_meter.sources.tekton.rows import Run

T = TypeVar("T", bound=Run)


@dataclass(slots=True, kw_only=True)
class Told(Generic[T]):
    """Says of each run that it waits or goes on, until it has ended, and how it ended, each once in a call.

    One that is deleted while it goes on leaves a gap: its end is unknown. `row` gives the end, `stands` whether it waits
    or runs, None for what neither does or is left out.
    """

    row: Callable[[T], Event | None]
    stands: Callable[[T], PipelineActive | None]
    cluster: str
    idle: bool
    """Whether it says of the pool itself that it is there, at 0: then that is not absent while nothing waits or runs."""
    outside: Outside
    since: datetime
    complete: frozenset[type[Reading]] = frozenset({PipelineActive})
    waiting: tuple[str, ...] = ()
    _ended: set[str] = field(default_factory=set)
    _held: dict[str, Fact | Over] = field(default_factory=dict)
    """What was said last of each run that goes on, and of the pool."""

    def listed(self, run: T) -> Said:
        return self.changed(run)

    def changed(self, run: T) -> Said:
        pool = in_pool(self.cluster)
        own = in_pool(self.cluster, run=run.metadata.uid)
        stands: Fact | Over = self.stands(run) or (PipelineActive, own.key)
        there = self._news(pool.key, pool) if self.idle else ()
        return (*there, *self._news(own.key, stands), *self._end(run))

    def deleted(self, run: T) -> Said:
        own = in_pool(self.cluster, run=run.metadata.uid)
        over = self._news(own.key, (PipelineActive, own.key))
        said, start = self._end(run), run.metadata.creation_timestamp
        if run.verdict is None and start is not None:
            end = run.metadata.deletion_timestamp or start
            text = f"{run.metadata.namespace}/{run.metadata.name} was deleted before it ended"
            self.outside.gap(Gap(start=start, end=max(start, end), reason="pruned", text=text))
        return (*over, *said)

    def _news(self, key: str, said: Fact | Over) -> Said:
        if self._held.get(key) == said:
            return ()
        self._held[key] = said
        return (said,)

    def _end(self, run: T) -> Sequence[Event]:
        end = run.status.completion_time
        if run.verdict is None or end is None or end < self.since or run.metadata.uid in self._ended:
            return ()
        fact = self.row(run)
        self._ended.add(run.metadata.uid)
        return () if fact is None else (fact,)
