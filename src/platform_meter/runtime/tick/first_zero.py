"""New counter label sets begin at 0: without a scrape of that 0, `increase()` loses the first events (domain section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from platform_meter.store import CounterRow

_NEXT = timedelta(milliseconds=1)
"""The store keeps moments to the millisecond."""


class FirstZero:
    """Shows a new label set at 0 for `zero_for` after it first could be scraped, then with its value.

    Sets are released in the order in which they were first seen, so one moment tells them apart. It has to outlive the
    process: a set that nobody may have scraped at 0 before a crash begins at 0 again, and one that was shown with its
    value never falls back, which would be read as a counter reset.
    """

    def __init__(self, zero_for: timedelta, released: datetime) -> None:
        self._zero_for = zero_for
        self.released = released
        """Every set first seen before it was released."""
        self._since: dict[tuple[str, tuple[str, ...]], datetime | None] = {}
        """Since when sets first seen at `released` or later are scrapable at 0; None until they are."""
        self.waiting = False
        """Whether a set is still shown at 0, so that time alone will change what is shown."""

    def rows(self, rows: Iterable[CounterRow], now: datetime) -> list[CounterRow]:
        """The rows as they are to be exposed from now on; `released` moves along."""
        out: list[CounterRow] = []
        since: dict[tuple[str, tuple[str, ...]], datetime | None] = {}
        held: list[datetime] = []
        newest = self.released - _NEXT
        for row in rows:
            newest = max(newest, row.first_seen)
            if row.first_seen >= self.released:
                key = (row.metric, row.labels)
                since[key] = begun = self._since.get(key)
                if self._zero_for and (begun is None or now < begun + self._zero_for):
                    held.append(row.first_seen)
                    out.append(_at_zero(row))
                    continue
            out.append(row)
        self._since = since if held else {}
        self.waiting = bool(held)
        self.released = min(held) if held else newest + _NEXT
        return out

    def rendered(self, now: datetime) -> None:
        """What `rows` gave last can be scraped since now."""
        self._since = {key: since or now for key, since in self._since.items()}


def _at_zero(row: CounterRow) -> CounterRow:
    buckets = None if row.buckets is None else (0,) * len(row.buckets)
    return replace(row, value=0.0, sum=0.0, buckets=buckets)
