"""Quota and breaker of each credential. Instances that use the same secret on the same host share both."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from platform_meter.model.access import Pace
from platform_meter.model.source import Forbidden, Limited, Refused

RESERVE = 0.10
"""Below this share of the limit calls are spread evenly over the time to the reset."""
LONGEST_PAUSE = 5.0
"""Seconds between two calls at most, however little is left and whoever makes them."""
BURST = 0.10
"""Share of a pace's points that may be spent at once; the others are spread evenly, so that no span of time has more."""
_WOBBLE = timedelta(seconds=2)
"""Calls that left so far apart may arrive together."""
_FIRST_LIMIT = timedelta(seconds=60)
"""Wait after a limit that named no time; each further one doubles it."""
_LAST_LIMIT = timedelta(hours=1)
_LONGEST_LIMIT = timedelta(days=1)
"""No moment that a server names lies further ahead: more is a mistake, and would silence a source for good."""
_FIRST_RETRY = timedelta(minutes=5)
_LAST_RETRY = timedelta(hours=1)
_SAME_RESET = timedelta(seconds=2)
"""Resets told as seconds from now wander by as much."""
_EPOCHS_FROM = 100_000_000
"""A reset below this many is meant as seconds from now."""
_REMEMBERED = 1000
"""Refused paths kept per credential."""
_NAMES = ("x-ratelimit-resource", "x-ratelimit-name")
"""Headers that name the quota of a credential that has several: GitHub's, Datadog's."""
_VERSION = re.compile(r"(?:api/)?(?:v\d+/)?")


def moment(text: str, now: datetime) -> datetime | None:
    """The time a header names: epoch seconds, seconds from now, an HTTP date or ISO 8601. None if it is none of them.

    At most a day from now.
    """
    found = _named(text.strip(), now)
    return None if found is None else min(found, now + _LONGEST_LIMIT)


def _named(text: str, now: datetime) -> datetime | None:
    try:
        number = float(text)
    except ValueError:
        return _date(text)
    if not math.isfinite(number):
        return None
    try:
        return (
            datetime.fromtimestamp(number, UTC) if number >= _EPOCHS_FROM else now + timedelta(seconds=max(0.0, number))
        )
    except (OverflowError, ValueError, OSError):
        return None


def _date(text: str) -> datetime | None:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = parse(text)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            continue
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What an API told of one of its quotas."""

    name: str
    """As the API calls it; empty where there is one alone."""
    limit: int
    remaining: int
    reset: datetime
    at: datetime
    """When it told that."""


@dataclass(slots=True)
class _Window:
    """One quota of a credential (GitHub has several: core, search; Datadog one for each kind of call)."""

    limit: float = 0.0
    remaining: float = 0.0
    reset: datetime | None = None
    told: datetime | None = None
    next_call: datetime | None = None
    blocked: datetime | None = None


class Budget:
    """What is left of one credential's quota, and how fast its calls may come."""

    def __init__(self, clock: Callable[[], datetime], sleep: Callable[[float], object]) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Condition()
        self._away = 0
        """Calls with a pace that are on their way."""
        self._spent: datetime | None = None
        """When all points spent so far would be earned again."""
        self._windows: dict[str, _Window] = {}
        self._names: dict[str, str] = {}
        self._untimed = _FIRST_LIMIT

    def admit(self, path: str) -> None:
        """Let one call go, after a pause where the quota runs low.

        Raises:
            Limited: nothing is left, or the server told us to wait.
        """
        with self._lock:
            now, window = self._clock(), self._window(path)
            if window.blocked is not None and now < window.blocked:
                raise Limited(f"the server asked us to wait until {window.blocked:%H:%M:%S} UTC", window.blocked)
            if window.reset is None or now >= window.reset:
                return
            if window.remaining <= self._away:  # each of those may take one more
                raise Limited(
                    f"the quota of {window.limit:g} calls is used up until {window.reset:%H:%M:%S} UTC", window.reset
                )
            if window.remaining >= RESERVE * window.limit:
                return
            interval = min((window.reset - now) / max(window.remaining, 1.0), timedelta(seconds=LONGEST_PAUSE))
            start = max(now, window.next_call or now)
            window.next_call = start + interval
            pause = (start - now).total_seconds()
        if pause > 0:
            self._sleep(pause)

    @contextmanager
    def turn(self, pace: Pace | None, method: str) -> Iterator[None]:
        """One request on its way, once `pace` allows it: as many at once, and as many points in a span of time."""
        if pace is None:
            yield
            return
        with self._lock:
            self._lock.wait_for(lambda: self._away < pace.at_once)
            self._away += 1
        try:
            if (pause := self._pause(pace, pace.post if method == "POST" else pace.get)) > 0:
                self._sleep(pause)
            yield
        finally:
            with self._lock:
                self._away -= 1
                self._lock.notify()

    def _pause(self, pace: Pace, points: int) -> float:
        """Seconds until so many points may be spent, which they are.

        The generic cell rate algorithm: points are earned at an even rate, and a burst of them may be spent before.
        Rate times span plus burst is what the span allows.
        """
        if not pace.points:
            return 0.0
        burst = max(BURST * pace.points, float(points))
        each = (pace.per + _WOBBLE) / max(pace.points - burst, 1.0)
        with self._lock:
            now = self._clock()
            self._spent = max(self._spent or now, now) + points * each
            return (self._spent - burst * each - now).total_seconds()

    def learn(self, path: str, headers: Mapping[str, str], names: tuple[str, str, str] | None) -> None:
        """Take over what an answer's headers (limit, remaining, reset) say."""
        if names is None:
            return
        limit, remaining = (_number(headers.get(name, "")) for name in names[:2])
        reset = moment(headers.get(names[2], ""), self._clock())
        if limit is None or remaining is None or reset is None or limit <= 0:
            return
        with self._lock:
            self._names[_area(path)] = next((headers[name] for name in _NAMES if headers.get(name)), "")
            window = self._window(path)
            window.told = self._clock()
            if window.reset is not None and abs(reset - window.reset) <= _SAME_RESET and limit == window.limit:
                # Answers to calls made side by side may arrive in any order.
                window.remaining = min(window.remaining, remaining)
            else:
                window.limit, window.remaining, window.reset, window.next_call = limit, remaining, reset, None

    def limited(self, path: str, asked: timedelta | None) -> datetime:
        """The server wants no more calls: none is made before the moment that this gives.

        Where it named no time it is a minute, and twice as long each time until an answer comes.
        """
        with self._lock:
            now, window = self._clock(), self._window(path)
            if asked is None:
                if window.blocked is not None and now < window.blocked:
                    return window.blocked  # the answer to a call that was on its way when the limit came
                asked, self._untimed = self._untimed, min(2 * self._untimed, _LAST_LIMIT)
            window.blocked = now + asked
            return window.blocked

    def passed(self) -> None:
        """The server answered: the next limit is a first one."""
        with self._lock:
            self._untimed = _FIRST_LIMIT

    def ratio(self) -> float | None:
        """Share left, 0..1, of the scarcest quota; None when the server never told."""
        with self._lock:
            now = self._clock()
            shares = [
                1.0 if now >= w.reset else min(1.0, max(0.0, w.remaining / w.limit))
                for w in self._windows.values()
                if w.reset is not None
            ]
        return min(shares, default=None)

    def left(self) -> list[Left]:
        """What was told of each quota, by name."""
        with self._lock:
            return [
                Left(name=name, limit=int(w.limit), remaining=int(w.remaining), reset=w.reset, at=w.told)
                for name, w in sorted(self._windows.items())
                if w.reset is not None and w.told is not None
            ]

    def _window(self, path: str) -> _Window:
        return self._windows.setdefault(self._names.get(_area(path), ""), _Window())


def _area(path: str) -> str:
    """The first segment behind the API's version: quotas are told by answers only, and paths that begin alike share one."""
    return _VERSION.sub("", path.lstrip("/"), count=1).partition("/")[0]


def _number(text: str) -> float | None:
    # IETF drafts and GitLab write `100, 100;w=60`.
    head = text.partition(",")[0].partition(";")[0].strip()
    try:
        number = float(head)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@dataclass(slots=True)
class _Open:
    error: Refused
    retry: datetime
    pause: timedelta


class Breaker:
    """Keeps a credential that was refused from being tried again and again.

    A 401 closes all ways of the credential, a 403 only the path it was said for: other permissions may be there. One
    call goes through every 5 min, doubling to 1 h; when it is let in the breaker closes. A changed secret is another
    credential with a breaker of its own.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}

    def admit(self, path: str) -> None:
        """Let one call go.

        Raises:
            Refused: the breaker is open; no call is made.
        """
        with self._lock:
            now = self._clock()
            for key in ("", path):
                held = self._open.get(key)
                if held is None:
                    continue
                if now < held.retry:
                    raise type(held.error)(str(held.error), held.retry)
                held.retry = now + held.pause  # this call tries; the others go on waiting

    def refused(self, path: str, error: Refused) -> None:
        """Note a refusal, and in it when the next call is let through."""
        with self._lock:
            key = path if isinstance(error, Forbidden) else ""
            held = self._open.pop(key, None)
            pause = _FIRST_RETRY if held is None else min(2 * held.pause, _LAST_RETRY)
            error.retry = self._clock() + pause
            self._open[key] = _Open(error, error.retry, pause)
            if len(self._open) > _REMEMBERED:
                del self._open[next(iter(self._open))]

    def passed(self, path: str) -> None:
        """The server let us in."""
        with self._lock:
            self._open.pop(path, None)
            self._open.pop("", None)


@dataclass(slots=True)
class Account:
    """Quota and breaker of one credential on one host."""

    budget: Budget
    breaker: Breaker
    users: set[tuple[str, str]] = field(default_factory=set)


class Budgets:
    """The accounts of all credentials in use."""

    def __init__(self, clock: Callable[[], datetime], sleep: Callable[[float], object]) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str, str], Account] = {}

    def account(self, host: str, fingerprint: str, *, source_type: str, instance: str) -> Account:
        """The account this instance uses now. What nobody uses any more is forgotten."""
        user, key = (source_type, instance), (host, fingerprint)
        with self._lock:
            found = self._accounts.get(key)
            if found is None or user not in found.users:
                for other in self._accounts.values():
                    other.users.discard(user)
                if found is None:
                    found = Account(Budget(self._clock, self._sleep), Breaker(self._clock))
                    self._accounts[key] = found
                found.users.add(user)
                self._accounts = {k: a for k, a in self._accounts.items() if a.users}
            return found

    def remaining_ratio(self, source_type: str) -> float | None:
        """Share of the quota left, 0..1: the least of all instances of a type. None where unknown."""
        return self._least(lambda user: user[0] == source_type)

    def instance_ratio(self, instance: str) -> float | None:
        """Share of the quota left for one instance, 0..1. None where unknown."""
        return self._least(lambda user: user[1] == instance)

    def left(self, instance: str) -> list[Left]:
        """What was told of the quotas that one instance has, or shares."""
        return [left for budget in self._used(lambda user: user[1] == instance) for left in budget.left()]

    def _least(self, of: Callable[[tuple[str, str]], bool]) -> float | None:
        return min((r for r in (b.ratio() for b in self._used(of)) if r is not None), default=None)

    def _used(self, of: Callable[[tuple[str, str]], bool]) -> list[Budget]:
        with self._lock:
            return [a.budget for a in self._accounts.values() if any(of(user) for user in a.users)]
