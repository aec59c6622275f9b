"""New counter label sets begin at 0: without a scrape of that 0, `increase()` loses the first events (domain section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from platform_meter.store import CounterRow

_NEXT = timedelta(milliseconds=1)
"""The store keeps moments to the millisecond."""


@dataclass(slots=True)
class _New:
    """A label set that no scrape may have seen with its value yet."""

    first_seen: datetime
    since: datetime | None = None
    """Since when it is scrapable at 0; None until it is."""
    shown: bool = False
    """Whether it is scrapable with its value; it is kept while an older one still stands at 0."""


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
        self._newest = released - _NEXT
        self._new: dict[tuple[str, tuple[str, ...]], _New] = {}
        """Sets first seen at `released` or later."""

    def due(self, now: datetime) -> set[str]:
        """Families of which a set has stood at 0 for long enough, so that time alone changes what is shown."""
        return {family for (family, _), one in self._new.items() if not one.shown and not self._holds(one, now)}

    def rows(self, rows: Iterable[CounterRow], now: datetime) -> list[CounterRow]:
        """The rows as they are to be exposed from now on; `released` moves along.

        Args:
            rows: all of the families that have other rows than last time, and of those that are due.
            now: the same moment that `due` was asked for.
        """
        out: list[CounterRow] = []
        for row in rows:
            self._newest = max(self._newest, row.first_seen)
            if row.first_seen >= self.released:
                one = self._new.setdefault((row.metric, row.labels), _New(row.first_seen))
                if self._holds(one, now):
                    out.append(_at_zero(row))
                    continue
            out.append(row)
        self.released = min(
            (n.first_seen for n in self._new.values() if self._holds(n, now)), default=self._newest + _NEXT
        )
        return out

    def rendered(self, began: datetime, now: datetime) -> None:
        """What `rows` gave when asked at `began` can be scraped since `now`."""
        self._new = {key: one for key, one in self._new.items() if one.first_seen >= self.released}
        for one in self._new.values():
            one.shown = not self._holds(one, began)
            one.since = one.since or now

    def _holds(self, one: _New, now: datetime) -> bool:
        return bool(self._zero_for) and (one.since is None or now < one.since + self._zero_for)


def _at_zero(row: CounterRow) -> CounterRow:
    buckets = None if row.buckets is None else (0,) * len(row.buckets)
    return replace(row, value=0.0, sum=0.0, buckets=buckets)
