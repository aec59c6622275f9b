"""One traffic that several systems are told of: requests of a service, and how many of each stretch of time failed."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import accumulate

MINUTE = timedelta(minutes=1)
Minutes = Mapping[datetime, tuple[int, int]]
"""How many requests there were, and how many of them failed, by the beginning of the minute."""
Request = tuple[float, bool]
"""When it was, in epoch seconds, and whether it failed."""


def requests_of(begin: datetime, n: int, bad: int) -> list[Request]:
    """The requests of one minute, evenly in it; those that failed evenly among them."""
    first, step = begin.timestamp(), 60 / max(n, 1)
    return [(first + (k + 0.5) * step, k * bad // n != (k + 1) * bad // n) for k in range(n)]


class Truth:
    """Every request, counted one by one."""

    def __init__(self, minutes: Minutes) -> None:
        found = [request for begin in sorted(minutes) for request in requests_of(begin, *minutes[begin])]
        self._at = [at for at, _ in found]
        self._bad = [0, *accumulate(failed for _, failed in found)]

    def counted(self, first: datetime, last: datetime) -> tuple[int, int]:
        """How many there were after `first` until `last`, and how many of them failed."""
        begin, end = (bisect_right(self._at, moment.timestamp()) for moment in (first, last))
        return end - begin, self._bad[end] - self._bad[begin]


def shop_day(midnight: datetime) -> Minutes:
    """A day of a shop: a quiet night, in which most minutes have no request; some errors, few and all day; 40 minutes
    from 9:00 in which 5 % fail; three from 14:10 in which all do.
    """
    chance = random.Random(16)
    found: dict[datetime, tuple[int, int]] = {}
    for number in range(24 * 60):
        n = chance.randint(12, 28) if 5 * 60 <= number < 23 * 60 else int(chance.random() < 0.1)
        bad = int(chance.random() < 0.0002 * n)
        if 9 * 60 <= number < 9 * 60 + 40:
            bad = sum(chance.random() < 0.05 for _ in range(n))
        if 14 * 60 + 10 <= number < 14 * 60 + 13:
            bad = n
        found[midnight + number * MINUTE] = n, bad
    return found
