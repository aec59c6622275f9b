"""Which gaps a source has told: each range once, until it is read after all. Threads may share it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from platform_meter.model.source import Gap

_MOST = 10_000
"""So many are remembered; beyond, all are forgotten and told again as they come."""


class Gaps:
    """The gaps of one way out.

    Args:
        on_gap: called with each range that was not told before.
        on_filled: called with a range that was read after all, and whose it is.
    """

    def __init__(self, on_gap: Callable[[Gap], None], on_filled: Callable[[str, datetime, datetime], None]) -> None:
        self._on_gap, self._on_filled = on_gap, on_filled
        self._lock = threading.Lock()
        self._told: set[Gap] = set()

    def tell(self, gap: Gap) -> None:
        """Say it, unless it was said before in these or other words."""
        key = replace(gap, text="")
        with self._lock:
            if key in self._told:
                return
        # Before it is marked as told: one that could not be kept has to be told again.
        self._on_gap(gap)
        with self._lock:
            if len(self._told) >= _MOST:
                self._told.clear()
            self._told.add(key)

    def fill(self, what: str, start: datetime, end: datetime) -> None:
        """All of this range was read: its gaps are none any more, and would be told anew."""
        with self._lock:
            self._told = {gap for gap in self._told if not gap.lies_in(what, start, end)}
        self._on_filled(what, start, end)
