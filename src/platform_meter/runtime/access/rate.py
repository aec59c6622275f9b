"""A bound on requests: a token bucket, as `rate_limit` of the web configuration says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Bucket:
    """Holds `burst` requests when full, and gets one more in each interval.

    Args:
        interval: seconds, more than 0.
        burst: requests at once.
        clock: seconds that only go forward.
    """

    def __init__(self, interval: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval, self._burst, self._clock = interval, float(burst), clock
        self._left, self._at = self._burst, clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether there is room for one more request; if so, it is taken."""
        with self._lock:
            now = self._clock()
            self._left = min(self._burst, self._left + (now - self._at) / self._interval)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
