"""Things that had not ended when they were seen last (runs, rollouts, tickets, incidents), watched until they are over.

A list tells of what is new in it; what ends later is asked for by its id. Each is kept in the checkpoint, the one asked
for longest ago first, until it ended, or is gone, or will never end, which is a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

from msgspec import Struct

from platform_meter.model.facts import Fact
from platform_meter.model.source import Answer, Forbidden, Gap, Unexpected
from platform_meter.sources.kit.rows import Sieve

MOST = 5_000
"""Things kept in one checkpoint's list; those asked for longest ago make room for more."""
CALLS = 100
"""Calls in one poll for the things of one list."""


class Open(Struct, omit_defaults=True):
    """What is remembered of each; a source adds what is its own."""

    created: datetime
    etag: str = ""
    """Validator of what was seen last."""
    asked: datetime | None = None
    """When it was asked for last."""
    refused: bool = False
    """The credential may not read it, which was told as a gap; it may again one day."""


V = TypeVar("V")
T = TypeVar("T", bound=Open)
A = TypeVar("A")


def unless_gone(ask: Callable[[], A]) -> A | None:
    """What is asked for; None where there is no such thing any more (404)."""
    try:
        return ask()
    except Unexpected as error:
        if error.status != 404:
            raise
        return None


def put(things: dict[str, V], id_: str, thing: V) -> None:
    """Keep it as the one seen last."""
    things.pop(id_, None)
    things[id_] = thing
    if len(things) > MOST:
        del things[next(iter(things))]


def due(things: Mapping[str, V], when: Callable[[str, V], bool], most: int) -> dict[str, V]:
    """Those whose turn it is, at most so many, the ones seen longest ago before all others."""
    return dict(islice(((id_, thing) for id_, thing in things.items() if when(id_, thing)), most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One poll's look at the open things of one list, at a call each."""

    outside: Sieve
    now: datetime
    what: str
    """As gaps name one, before its id: `acme/shop: run`."""
    becomes: type[Fact]
    """What is missing while one can't be read."""
    longest: timedelta
    """One that goes on for longer never ends."""
    pace: int = 0
    """One is asked for again after this part of the time that it had been open: with 24, hourly once it is a day old.
    With 0 it is asked for in each poll."""

    def look(
        self,
        things: dict[str, T],
        ask: Callable[[str, T], Answer[A]],
        wanted: Callable[[str, T], bool] = lambda _, __: True,
    ) -> Iterator[tuple[str, T, A]]:
        """Each of the `wanted` whose turn it is and that changed, oldest first. One that has ended is taken out by the caller."""
        for id_ in [*things][: max(0, len(things) - MOST)]:
            self._give_up(things, id_, "result_cap", f" is one of more than {MOST} that are open at once")
        turn = due(things, lambda id_, thing: self._is_due(thing) and wanted(id_, thing), CALLS)
        for id_, thing in sorted(turn.items(), key=lambda item: item[1].created):
            thing.asked = self.now
            put(things, id_, thing)
            try:
                answer = unless_gone(partial(ask, id_, thing))
            except Unexpected as error:
                if error.answer is None:
                    raise
                # It is asked for again: it may end as a sound one.
                self.outside.reject(self.becomes)
            except Forbidden as error:
                if not thing.refused:
                    self._gap(id_, thing, "forbidden", f": {error}")
                thing.refused = True
            else:
                if thing.refused:
                    self.outside.filled(f"{self.what} {id_}", thing.created, self.now)
                thing.refused = False
                if answer is None:  # deleted: it will never end
                    del things[id_]
                elif answer.body is not None:
                    thing.etag = answer.etag
                    yield id_, thing, answer.body
            if id_ in things and thing.created < self.now - self.longest:
                self._give_up(things, id_, "expired", " never ended")

    def _give_up(self, things: dict[str, T], id_: str, reason: str, why: str) -> None:
        self._gap(id_, things.pop(id_), reason, why)

    def _gap(self, id_: str, thing: Open, reason: str, why: str) -> None:
        self.outside.gap(
            Gap(
                start=thing.created,
                end=self.now,
                reason=reason,
                text=f"{self.what} {id_}{why}",
                what=f"{self.what} {id_}",
            )
        )

    def _is_due(self, thing: Open) -> bool:
        if not self.pace or thing.asked is None or thing.created < self.now - self.longest:
            return True
        return (self.now - thing.asked) * self.pace >= thing.asked - thing.created
