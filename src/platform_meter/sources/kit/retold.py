"""Minutes of an SLI that are read again, and told again where something else is true of them than was told.

Data comes late, and may be corrected or deleted: of two tellings that of the later read stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct, field

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page, SourceError
from platform_meter.model.typed import decode
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import MINUTE
from platform_meter.sources.kit.promql import slices
from platform_meter.sources.kit.slis import stream_name
from platform_meter.sources.kit.windows import Windows

T = TypeVar("T")


class State(Struct, Generic[T]):
    """The checkpoint: the end of the last minute that was read, and what was told of those that are read again."""

    end: int
    told: dict[str, T] = field(default_factory=dict)
    """By the end of the minute, in epoch seconds; none of a minute without data."""

    @property
    def read_to(self) -> datetime:
        """Up to when minutes were read."""
        return datetime.fromtimestamp(self.end, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold(Generic[T]):
    """One SLI, and how it is asked for."""

    sli: str
    state: type[State[T]]
    ask: Callable[[range], tuple[Mapping[int, T], bool]]
    """What is true of the minutes that end at these moments, by the end; and whether one that is not there has no data."""
    fact: Callable[[int, T | None, datetime], SliCount]
    """(end, what is true, now); None where there were data and are none any more."""
    most: int
    """Minutes of one call."""
    again: Again
    too_much: tuple[type[SourceError], ...] = ()
    """What a call fails with that may have asked for too many minutes."""

    def read(self, checkpoint: bytes | None, since: datetime, now: datetime, *, delay: timedelta) -> Iterator[Page]:
        """Every minute that ended since the last poll, `delay` ago, and of those before them what is true no longer."""
        state = self.state(end=int(since.timestamp())) if checkpoint is None else decode(checkpoint, self.state)
        told = state.read_to
        begin = told if checkpoint is None else told - self.again.before(told, now - delay)
        left = slices(begin, now - delay, MINUTE)
        if not left or left[-1] <= state.end:
            return
        windows = Windows(left, most=self.most)
        for ends in windows:
            try:
                found, whole = self.ask(ends)
            except self.too_much:
                if not windows.halve():
                    raise
                continue
            windows.whole()
            facts = [self.fact(end, true, now) for end, true in _changed(state, ends, found, whole=whole)]
            state.end = max(state.end, ends[-1])
            settled = state.end - self.again.most.total_seconds()
            state.told = {end: true for end, true in state.told.items() if int(end) > settled}
            done = len(left) - len(windows.left)
            progress = Progress(what=f"minutes of {stream_name(self.sli)}", done=done, of=len(left))
            yield Page(facts=facts, checkpoint=msgspec.json.encode(state), progress=progress if windows.left else None)


def _changed(state: State[T], ends: range, found: Mapping[int, T], *, whole: bool) -> Iterator[tuple[int, T | None]]:
    """Minutes of which something else is true than was told; the state then has what is true.

    Of one without data nothing is told, but where there were some before. Of an answer that is not `whole` a minute may be
    missing that has some.
    """
    for end in ends:
        true, told = found.get(end), state.told.get(str(end))
        if true == told or (true is None and not whole):
            continue
        if true is None:
            del state.told[str(end)]
        else:
            state.told[str(end)] = true
        yield end, true
