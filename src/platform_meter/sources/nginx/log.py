"""Requests from the access log: by route and slice of their own time, good and bad, and how long they took.

A slice is told once it is over for a while and all that was written of it is read. A line that comes later is told as
well, by itself. Facts are named after their first line, so that a log that is read again from its beginning says nothing
twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.traffic import GatewayLatency, GatewayRequests, Route, latency_bucket
from platform_meter.model.source import Outside, Page, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.kit.rows import MOST, Sieve, sound
from platform_meter.sources.kit.slicing import begun
from platform_meter.sources.kit.tail import Line, Log, Place, Tail
from platform_meter.sources.nginx.config import SYSTEM, Config, Routes
from platform_meter.sources.nginx.seen import UNKNOWN, Seen

GIVES: frozenset[type[Fact]] = frozenset({GatewayRequests, GatewayLatency, Route})
MOST_OPEN = 10_000
"""So many slices of routes are kept until they are over; of more all are told at once."""
_EMPTY = ("", "-", "_")
"""What stands for a variable without a value, and for the server that has no name."""
_UPGRADED = "101"
"""A connection that becomes another protocol lasts as long as its client wants."""
ADVICE = "write each line as one JSON object, as docs/sources.md shows, or name its keys in `fields`"
_NO_TIME = "a line has no time in seconds since 1970 or ISO 8601"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Part(msgspec.Struct, omit_defaults=True):
    """What was read so far of one route in one slice."""

    key: str
    """Its first line."""
    route: str
    at: datetime
    """The end of the slice."""
    good: int = 0
    bad: int = 0
    within: dict[str, int] = {}
    seconds: float = 0.0


class State(msgspec.Struct):
    """The checkpoint."""

    start: datetime
    """What was before it is no history."""
    places: dict[str, Place] = {}
    minutes: dict[str, Part] = {}
    """Those that are not told yet, by the minute since 1970 that begins their slice, and route."""
    seen: Seen = msgspec.field(default_factory=Seen)


def read(
    config: Config, log: Log, gateway: str, outside: Outside, checkpoint: bytes | None, since: datetime, now: datetime
) -> Iterator[Page]:
    """All that was written since the last time."""
    return Sieve.over(outside, lambda sieve: _pages(config, log, gateway, sieve, checkpoint, since, now))


def _pages(
    config: Config, log: Log, gateway: str, sieve: Sieve, checkpoint: bytes | None, since: datetime, now: datetime
) -> Iterator[Page]:
    state = decode(checkpoint, State) if checkpoint else State(start=since)
    book = Book(config, gateway, state, sieve)
    tail = Tail(outside=sieve, log=log, places=state.places, now=now, becomes=GatewayRequests)
    for lines in tail.read():
        book.take(lines)
        facts = tuple(book.due(min(book.latest, now)))
        yield Page(facts=facts, checkpoint=msgspec.json.encode(state))
    rest: tuple[Fact, ...] = (*book.due(now), *book.routes(now))
    yield Page(facts=rest, checkpoint=msgspec.json.encode(state), complete=frozenset({Route}))
    if book.odd > MOST and not book.sound:
        raise Unexpected(f"{log.path}: none of {book.odd:,} new lines can be read: {book.why}; {ADVICE}")


def unreadable(config: Config, log: Log, outside: Outside, now: datetime) -> str:
    """Why no line of the file that is written can be read; empty where one can, or none is there yet."""
    sieve, alone = Sieve(outside), replace(log, rotated="/")  # no name fits it
    book = Book(config, SYSTEM, State(start=now), sieve)
    for lines in Tail(outside=sieve, log=alone, places={}, now=now, becomes=GatewayRequests).read():
        book.take(lines)
        break
    return f"{log.path}: {book.why}; {ADVICE}" if book.odd and not book.sound else ""


class Book:
    """Lines into slices, and slices into facts."""

    def __init__(self, config: Config, gateway: str, state: State, sieve: Sieve) -> None:
        self._fields, self._slice, self._delay = config.fields, config.slice, config.delay
        self._gateway, self._state, self._sieve = gateway, state, sieve
        self._named = lru_cache(maxsize=10_000)(Routes(config.routes).name)
        self.latest = state.start
        """The latest time of a line in this look."""
        self.sound = self.odd = 0
        """Lines of this look that could be read, and that could not."""
        self.why = ""
        """Why the last one could not."""

    def take(self, lines: Sequence[Line]) -> None:
        """Take lines in; those that can't be read are left out and counted."""
        for line in lines:
            try:
                row = _row(line.text)
                at = _moment(row.get(self._fields.time))
                self._request(line.key, row, at)
            except ValueError as error:
                self.odd, self.why = self.odd + 1, str(error)
                self._sieve.reject(GatewayRequests, "naive" if "no zone" in self.why else "invalid")
            else:
                self.sound, self.latest = self.sound + 1, max(self.latest, at)

    def _request(self, key: str, row: dict[str, Any], at: datetime) -> None:
        status = str(row.get(self._fields.status))
        if len(status) != 3 or status[0] not in "12345" or not status.isdigit():
            raise ValueError("a line has no status of an answer")
        took = None if status == _UPGRADED else _seconds(row.get(self._fields.request_time))
        if status[0] == "4" or at < self._state.start:
            return
        route = self._state.seen.add(self._route(row), at)
        start = begun(at, self._slice)
        place = f"{int(start.timestamp()) // 60} {route}"
        part = self._state.minutes.get(place)
        if part is None:
            part = self._state.minutes[place] = Part(key=key, route=route, at=start + self._slice)
        if status[0] == "5":
            part.bad += 1
        else:
            part.good += 1
        if took is not None:
            bucket = latency_bucket(took)
            part.within[bucket] = part.within.get(bucket, 0) + 1
            part.seconds += took

    def _route(self, row: dict[str, Any]) -> str:
        said = self._text(row, self._fields.route)
        if said:
            return said
        server, uri = self._text(row, self._fields.server_name), self._text(row, self._fields.uri)
        return self._named(server, uri.partition("?")[0]) or server or UNKNOWN

    @staticmethod
    def _text(row: dict[str, Any], name: str) -> str:
        value = row.get(name)
        return value if isinstance(value, str) and value not in _EMPTY else ""

    def due(self, until: datetime) -> Iterator[GatewayRequests | GatewayLatency]:
        """Slices that are over, taken out."""
        parts, over = self._state.minutes, until - self._delay
        crowded = len(parts) > MOST_OPEN
        for place in [place for place, part in parts.items() if crowded or part.at <= over]:
            yield from self._facts(parts.pop(place))

    def _about(self, route: str) -> Ref:
        return Ref(system=SYSTEM, kind="route", id=f"{self._gateway}/{route}")

    def _facts(self, part: Part) -> Iterator[GatewayRequests | GatewayLatency]:
        about = self._about(part.route)
        yield GatewayRequests(
            key=f"requests/{part.key}",
            at=part.at,
            about=about,
            gateway=self._gateway,
            good=float(part.good),
            bad=float(part.bad),
        )
        if part.within:
            yield GatewayLatency(
                key=f"latency/{part.key}",
                at=part.at,
                about=about,
                gateway=self._gateway,
                within={bound: float(n) for bound, n in part.within.items()},
                seconds=round(part.seconds, 6),
            )

    def routes(self, now: datetime) -> Iterator[Route]:
        for route in self._state.seen.standing(now):
            yield Route(about=self._about(route), gateway=self._gateway)


def _row(text: bytes) -> dict[str, Any]:
    """Raises:
    ValueError: it is no JSON object.
    """
    try:
        return _decode(text)
    except UnicodeDecodeError:
        # NGINX passes on the bytes of an address as they came; the request was one all the same.
        return _row(text.decode(errors="replace").encode())
    except msgspec.DecodeError:
        raise ValueError("a line is no JSON object") from None


def _moment(value: Any) -> datetime:
    """Seconds since 1970, or ISO 8601 with a zone.

    Raises:
        ValueError: it is neither, or can't be reckoned with.
    """
    try:
        at = datetime.fromtimestamp(float(value), UTC)
    except (TypeError, OverflowError, OSError):
        raise ValueError(_NO_TIME) from None
    except ValueError:
        try:
            at = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueError(_NO_TIME) from None
    return sound(at, "time").astimezone(UTC)


def _seconds(value: Any) -> float | None:
    """A duration in seconds; None where it is not told.

    Raises:
        ValueError: it is none.
    """
    if value is None or value in _EMPTY:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError("a line has a duration that is none in seconds")
    return seconds
