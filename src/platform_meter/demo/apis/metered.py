"""Limits on calls in a window of time, as several systems have them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock


@dataclass(slots=True, kw_only=True)
class Allowance:
    """Calls of one kind: `limit` of them in each `window`, which begins with the first call after the last one ended."""

    limit: int
    window: timedelta
    _begun: datetime = datetime(1, 1, 1, tzinfo=UTC)
    _used: int = 0
    _lock: Lock = field(default_factory=Lock)

    def spend(self, now: datetime) -> tuple[int, int]:
        """Calls that are left after this one, below 0 where it is too many; seconds until there are all again."""
        with self._lock:
            if now >= self._begun + self.window:
                self._begun, self._used = now, 0
            self._used += 1
            return self.limit - self._used, int((self._begun + self.window - now).total_seconds())
