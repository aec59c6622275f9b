"""What GitHub lets a caller ask: pages with Link headers, ranges of time, search terms; and the quota behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from threading import Lock
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from platform_meter.demo.apis.github.bodies import closed_at
from platform_meter.demo.apis.wsgi import Request
from platform_meter.demo.company.records import Issue, Pull

T = TypeVar("T")
PER_PAGE, MAX_PER_PAGE = 30, 100
CAP = 1000
"""Results that a search, or a list of runs with a filter, gives at most."""
FOREVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOf:
    """Which part of a list was asked for."""

    number: int
    size: int

    @classmethod
    def of(cls, request: Request) -> PageOf:
        return cls(
            number=request.number("page", 1, 1, 1_000_000),
            size=request.number("per_page", PER_PAGE, 1, MAX_PER_PAGE),
        )

    def cut(self, items: Sequence[T]) -> Sequence[T]:
        return items[(self.number - 1) * self.size : self.number * self.size]

    def link(self, url: str, query: str, total: int) -> tuple[tuple[str, str], ...]:
        """The Link header; none where all fits on one page."""
        last = ceil(total / self.size)
        if last <= 1 and self.number == 1:
            return ()
        kept = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key != "page"]
        wanted = []
        if self.number > 1:
            wanted.append(("prev", self.number - 1))
        if self.number < last:
            wanted += [("next", self.number + 1), ("last", last)]
        if self.number > 1:
            wanted.append(("first", 1))
        parts = (f'<{url}?{urlencode([*kept, ("page", n)])}>; rel="{rel}"' for rel, n in wanted)
        return (("Link", ", ".join(parts)),)


def _instant(text: str) -> tuple[datetime, datetime]:
    """The first and last second that a date or date with time means.

    Raises:
        ValueError: it is neither.
    """
    at = datetime.fromisoformat(text.replace(" ", "+"))  # a + in a query arrives as a space
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at, at + timedelta(days=1, seconds=-1)) if len(text) == len("2026-01-31") else (at, at)


def span(text: str) -> tuple[datetime, datetime]:
    """A range as GitHub's search writes it: `>=A`, `>A`, `<=B`, `<B`, `A..B`, `A..*`, `*..B`, `A`; both ends count.

    Raises:
        ValueError: no such range.
    """
    low, high = FOREVER
    second = timedelta(seconds=1)
    if not text:
        return low, high
    if ".." in text:
        first, last = text.split("..", 1)
        return (low if first == "*" else _instant(first)[0]), (high if last == "*" else _instant(last)[1])
    for sign in (">=", "<=", ">", "<"):
        if text.startswith(sign):
            start, end = _instant(text.removeprefix(sign))
            return {
                ">=": (start, high),
                "<=": (low, end),
                ">": (end + second, high),
                "<": (low, start - second),
            }[sign]
    return _instant(text)


def moment(text: str, otherwise: datetime) -> datetime:
    """One moment of a query such as `since`.

    Raises:
        ValueError: it is no moment.
    """
    return _instant(text)[0] if text else otherwise


def meets(
    thing: Pull | Issue,
    terms: list[tuple[str, str]],
    ranges: dict[str, tuple[datetime, datetime]],
    now: datetime,
) -> bool:
    """Whether a pull request or issue is what a search asks for: terms by name, and ranges of its moments."""
    closed = closed_at(thing, now)
    merged = closed if isinstance(thing, Pull) and thing.merged else None
    is_ = {
        "pr": isinstance(thing, Pull),
        "pull-request": isinstance(thing, Pull),
        "issue": isinstance(thing, Issue),
        "open": closed is None,
        "closed": closed is not None,
        "merged": merged is not None,
        "unmerged": merged is None,
    }
    moments = {"created": thing.opened, "updated": thing.updated_at(now), "merged": merged, "closed": closed}
    for key, value in terms:
        if key in {"is", "type", "state"} and not is_.get(value, True):
            return False
        if key == "label" and value not in thing.labels:
            return False
        if key == "author" and value != thing.author:
            return False
    return all((at := moments[name]) is not None and low <= at <= high for name, (low, high) in ranges.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How one token's quota stands after a call."""

    resource: str
    limit: int
    used: int
    reset: datetime
    refused: bool = False

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def headers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(int(self.reset.timestamp()))),
            ("X-RateLimit-Used", str(self.used)),
            ("X-RateLimit-Resource", self.resource),
        )

    def body(self) -> dict[str, int]:
        reset = int(self.reset.timestamp())
        return {"limit": self.limit, "remaining": self.remaining, "reset": reset, "used": self.used}


@dataclass(slots=True, kw_only=True)
class Meter:
    """Counts calls by token and resource in windows that begin with the first call."""

    limits: dict[str, tuple[int, timedelta]]
    _windows: dict[tuple[str, str], tuple[datetime, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def spend(self, token: str, resource: str, now: datetime, amount: int = 1) -> Quota:
        """Take `amount` (0 only looks); refused, and nothing taken, where it is used up."""
        limit, width = self.limits[resource]
        with self._lock:
            reset, used = self._windows.get((token, resource), (now + width, 0))
            if reset <= now:
                reset, used = now + width, 0
            refused = used + amount > limit
            used += 0 if refused else amount
            self._windows[token, resource] = reset, used
        return Quota(resource=resource, limit=limit, used=used, reset=reset, refused=refused)

    def give_back(self, token: str, resource: str) -> None:
        """An answer 304 costs nothing."""
        with self._lock:
            reset, used = self._windows[token, resource]
            self._windows[token, resource] = reset, max(0, used - 1)
