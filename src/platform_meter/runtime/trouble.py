"""What fails in polls, for the log: said once, then ever more seldom while it stays the same, and once when it is over."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

log = logging.getLogger(__name__)

_FIRST = timedelta(minutes=10)
"""Until the same failure is said again; each further time it is twice as long."""
_LAST = timedelta(hours=6)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]?|\d\d:\d\d:\d\d(\.\d+)?")
_REMEMBERED = 100
"""Different failures of one source."""


@dataclass(slots=True)
class _Failure:
    since: datetime
    next: datetime
    pause: timedelta = _FIRST
    count: int = 0
    streams: set[str] = field(default_factory=set)


class Trouble:
    """What failed in one source and has not worked since. Its streams tell of it from threads of their own."""

    def __init__(self, instance: str, clock: Callable[[], datetime]) -> None:
        self._instance, self._clock = instance, clock
        self._lock = threading.Lock()
        self._failures: dict[str, _Failure] = {}

    def failed(self, stream: str, text: str, *, odd: bool = False) -> None:
        """A poll ended with this; texts that differ in moments alone are the same. `odd`: nothing declares it; its trace is shown once."""
        with self._lock:
            now, key = self._clock(), _MOMENT.sub("", text)
            known = self._failures.get(key)
            mine = known or _Failure(since=now, next=now)
            self._failures[key] = mine
            mine.count += 1
            mine.streams.add(stream)
            if len(self._failures) > _REMEMBERED:
                del self._failures[next(iter(self._failures))]
            if now < mine.next:
                return
            if known is not None:
                mine.pause = min(2 * mine.pause, _LAST)
            mine.next = now + mine.pause
            again = "" if known is None else f" ({mine.count} times since {_minute(mine.since)})"
        level = logging.ERROR if odd else logging.WARNING
        log.log(level, "%s/%s: %s%s", self._instance, stream, text, again, exc_info=True if odd and not again else None)

    def worked(self, stream: str) -> None:
        """A poll of this stream read all."""
        with self._lock:
            over = [one for one in self._failures.values() if one.streams == {stream}]
            for one in self._failures.values():
                one.streams.discard(stream)
            self._failures = {key: one for key, one in self._failures.items() if one.streams}
        if over:
            count, since = sum(one.count for one in over), min(one.since for one in over)
            log.warning(
                "%s/%s: is read again, after %d failure%s since %s",
                self._instance,
                stream,
                count,
                "s" if count > 1 else "",
                _minute(since),
            )


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
