"""First imports: how far each is, and when it ends at its pace so far by our own clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from platform_meter.model.progress import Progress
from platform_meter.store import Round

_SAY_AGAIN = timedelta(minutes=1)
_ENOUGH = 0.02
"""Share that has to be read under our eyes before its pace tells anything."""


def share(progress: Progress, start: datetime, since: datetime) -> float | None:
    """How much is read, 0..1: of the number of things, else of the time from `start` back to `since`; None if unknown."""
    if progress.done is not None and progress.of:
        found = progress.done / progress.of
    elif progress.back_to is not None and start > since:
        found = (start - progress.back_to) / (start - since)
    else:
        return None
    return min(1.0, max(0.0, found))


def words(progress: Progress, ends: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """How far an import is, and until about when it goes on where that is known."""
    if ends is None:
        return str(progress)
    there = ends.astimezone(zone)
    day = "" if there.date() == now.astimezone(zone).date() else f"{there:%Y-%m-%d} "
    return f"{progress}, done at about {day}{there:%H:%M}"


@dataclass(slots=True)
class _Import:
    """One stream's import, from when this process began to watch it."""

    what: str
    """As it was called first."""
    progress: Progress
    at: datetime
    first: float | None
    read: float | None = None
    ends: datetime | None = None
    told: bool = False

    def saw(self, progress: Progress, read: float | None, now: datetime) -> None:
        known = self.first is not None and read is not None and read >= self.first
        if progress.what != self.progress.what or not known:
            self.at, self.first = now, read
        self.progress, self.read, self.ends = progress, read, None
        if self.first is not None and read is not None and self.first + _ENOUGH <= read < 1.0 and now > self.at:
            self.ends = now + (now - self.at) * ((1.0 - read) / (read - self.first))


class Imports:
    """First imports that go on now. Each stream is told of by its own thread.

    Args:
        tell: called with (instance, text) when an import begins, each minute while it goes on, and when it is over.
        quota: share of an instance's API quota left, 0..1; None where unknown.
        zone: of the moments in texts.
    """

    def __init__(
        self, tell: Callable[[str, str], None], *, quota: Callable[[str], float | None], zone: ZoneInfo
    ) -> None:
        self._tell, self._quota, self._zone = tell, quota, zone
        self._running: dict[tuple[str, str], _Import] = {}
        self._told: dict[str, datetime] = {}

    def saw(self, poll: Round, progress: Progress, now: datetime) -> None:
        """A page of this poll said how far it is."""
        if not poll.first:
            return
        key, read = (poll.instance, poll.stream), share(progress, poll.now, poll.since)
        mine = self._running.setdefault(key, _Import(progress.what, progress, now, read))
        mine.saw(progress, read, now)
        last = self._told.get(poll.instance)
        if last is None or now - last >= _SAY_AGAIN:
            self._told[poll.instance], mine.told = now, True
            left = self._quota(poll.instance)
            quota = "" if left is None else f"; {left * 100:.0f} % of the quota left"
            self._tell(poll.instance, f"importing {words(progress, mine.ends, self._zone, now)}{quota}")

    def ended(self, poll: Round) -> None:
        """The poll has read all."""
        mine = self._running.pop((poll.instance, poll.stream), None)
        if mine is not None and mine.told:
            self._tell(poll.instance, f"imported {mine.what}")

    def ends(self, instance: str, stream: str) -> datetime | None:
        """When the stream's import ends at its pace so far; None while that is unknown."""
        mine = self._running.get((instance, stream))
        return mine.ends if mine else None

    def ratio(self, instance: str) -> float | None:
        """How much is read of the import that is the least far, 0..1; None where none goes on or tells how far it is."""
        shares = [one.read for (name, _), one in list(self._running.items()) if name == instance]
        return min((read for read in shares if read is not None), default=None)
