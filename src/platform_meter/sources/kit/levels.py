"""Minutes in which a level kept its bound, where a system gives the level of each minute in one call.

A minute is one event, good or bad. Its level may be another one later, as data comes late: of two tellings that of the
later read stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct, field

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.objective import Bound
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page
from platform_meter.model.typed import decode
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import WIDTH, Ask, stream_name
from platform_meter.sources.kit.promql import slices
from platform_meter.sources.kit.slis import slice_of
from platform_meter.sources.kit.windows import Windows

_MINUTE = timedelta(seconds=WIDTH)


class State(Struct):
    """The checkpoint: the end of the last minute that was read, and what was told of those that are read again."""

    end: int
    told: dict[str, bool] = field(default_factory=dict)
    """By the end of the minute, in epoch seconds; none of a minute without a level."""


def read_to(checkpoint: bytes | None, since: datetime) -> datetime:
    """Up to when minutes were read."""
    return since if checkpoint is None else datetime.fromtimestamp(decode(checkpoint, State).end, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """One SLI over a level, and how that is asked for."""

    system: str
    id: str
    level: Ask
    bound: Bound
    most: int
    """Minutes of one call."""
    again: Again

    def read(self, checkpoint: bytes | None, since: datetime, now: datetime, *, delay: timedelta) -> Iterator[Page]:
        """Every minute that ended since the last poll, `delay` ago, and of those before them what is true no longer."""
        state = State(end=int(since.timestamp())) if checkpoint is None else decode(checkpoint, State)
        told = read_to(checkpoint, since)
        begin = told if checkpoint is None else told - self.again.before(told, now - delay)
        left = slices(begin, now - delay, _MINUTE)
        if not left or left[-1] <= state.end:
            return
        windows = Windows(left, most=self.most)
        for ends in windows:
            levels = self.level(ends)
            windows.whole()
            facts = [self._fact(end, good=good, now=now) for end, good in self._changed(state, ends, levels)]
            state.end = max(state.end, ends[-1])
            settled = state.end - self.again.most.total_seconds()
            state.told = {end: good for end, good in state.told.items() if int(end) > settled}
            done = len(left) - len(windows.left)
            progress = Progress(what=f"minutes of {stream_name(self.id)}", done=done, of=len(left))
            yield Page(facts=facts, checkpoint=msgspec.json.encode(state), progress=progress if windows.left else None)

    def _changed(self, state: State, ends: range, levels: Mapping[int, float]) -> Iterator[tuple[int, bool]]:
        """Minutes with a level of which something else is true than was told; the state then has what is true."""
        for end in ends:
            level = levels.get(end)
            if level is None:
                continue
            good = self.bound.holds(level)
            if state.told.get(str(end)) is not good:
                state.told[str(end)] = good
                yield end, good

    def _fact(self, end: int, *, good: bool, now: datetime) -> SliCount:
        return slice_of(
            self.system,
            self.id,
            stream_name(self.id),
            end,
            total=1.0,
            part=float(good),
            part_is_good=True,
            width=_MINUTE,
            updated=now,
        )
