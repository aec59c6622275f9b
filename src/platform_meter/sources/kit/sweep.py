"""A sweep over many objects (repositories, projects, jobs, apps), each failing alone, several at a time.

A visit works on a copy of its object's state. What it says comes back on the caller's thread, step by step, with the
state that led to it: wherever a sweep ends, what was told and what is remembered are in step.

A list that fails goes back to its last step and is tried again at the next poll. Once that is no passing trouble it is
a gap. Only what can be read nowhere fails the poll: that is the system or the credential.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from queue import Queue
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Event
from platform_meter.model.source import Expired, Gap, Outside, Page, Refused, SourceError, Unexpected, Unreachable
from platform_meter.model.typed import unpack

S = TypeVar("S", bound=Struct)
Reader = Callable[[Any], Iterator[Sequence[Event]]]
"""Place in a list -> its facts in steps; after each it holds exactly what was told so far."""
PAGE_FACTS = 1_000
"""Facts that make a page worth its transaction."""
VISIT_FACTS = 100
"""Facts that do so at the end of a visit: less waits for the next one."""
PAGE_VISITS = 100
"""Visits after which the place is kept although they told less."""
IN_A_ROW = 3
"""Objects in a row whose list fails until that list is asked for no more in this sweep."""
_HIDDEN = frozenset({404, 451})
"""Many systems say 404 of what a credential may not see, and of what was renamed or deleted since it was listed."""


class Place(Protocol):
    """The place in one list of one object, as far as a sweep minds it."""

    failing: tuple[datetime, datetime] | None
    """The range that the poll which first could not read this list would have read; None while it can be read."""

    def abandon(self) -> None:
        """Give up the read under way; the next one begins with what is new."""
        ...


def _nothing() -> None:
    return None


def _no_rest() -> Callable[[], None]:
    return _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Generic[S]):
    """One to visit."""

    id: str
    """As gaps name it."""
    state: S
    """It is read, never written: visits work on copies."""
    readers: Mapping[str, Reader]
    """Its lists, by the names of their cursors in `state`."""
    start: Callable[[Any], datetime]
    """Where the next read of the list with this cursor begins."""
    rest: Callable[[], Callable[[], None]] = _no_rest
    """Called behind each step where it was made; gives what to do to what objects share, once the step is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Generic[S]):
    """One step of a visit."""

    id: str
    facts: Sequence[Event]
    state: S
    """The object's, with all facts up to these told."""
    rest: Callable[[], None]
    """To be called when the state is taken over."""
    ended: bool
    """The visit is over."""


class Sweep(Generic[S]):
    """What could be read so far in one sweep, and what could not.

    left = yield from Sweep(outside, now).pages(objects, take, page)
    yield page(left, len(objects))
    """

    def __init__(self, outside: Outside, now: datetime, *, partial: bool = False) -> None:
        """`partial`: only some of the objects are due, so that one which can't be read says nothing of the others."""
        self._outside, self._now, self._partial = outside, now, partial
        self._lock = threading.Lock()
        self._read: set[str] = set()
        self._row = Counter[str]()
        self._failures: dict[str, list[tuple[SourceError, Gap | None]]] = defaultdict(list)

    def over(self, objects: Sequence[Object[S]]) -> Generator[Told[S], None, None]:
        """Visit all, in this order, as many at a time as `Outside.at_once` says.

        An error ends it once the visits on their way have come to their next step, each of which is told before. One
        that is closed waits for them, and what they say is dropped.

        Raises:
            SourceError: the quota is used up, or no list can be read any more.
        """
        workers = min(self._outside.at_once, len(objects))
        if workers > 1:
            return self._side_by_side(objects, workers)
        return (told for each in objects for told in self._visit(each))

    def pages(
        self,
        objects: Sequence[Object[S]],
        take: Callable[[Told[S]], None],
        page: Callable[[Sequence[Event], int], Page],
        behind: Callable[[], Iterable[Event]] = tuple,
    ) -> Generator[Page, None, list[Event]]:
        """Visit all, tell the gaps, and make pages of what was told; gives the facts that are left for the last one.

        Args:
            objects: whom to visit, in this order.
            take: takes over the state of each step, before it is told.
            page: makes a page of facts, with all that was taken over; it is told how many visits are over.
            behind: what there is to tell once all visits are over.

        Raises:
            SourceError: as `over` and `settle`; what was read until then is paid for, and told before.
        """
        facts, done, since_page = list[Event](), 0, 0
        try:
            with closing(self.over(objects)) as steps:
                for told in steps:
                    take(told)
                    told.rest()
                    facts += told.facts
                    done, since_page = done + told.ended, since_page + told.ended
                    if len(facts) >= (VISIT_FACTS if told.ended else PAGE_FACTS) or since_page >= PAGE_VISITS:
                        yield page(facts, done)
                        facts, since_page = [], 0
            facts += behind()
            self.settle()
        except Exception:
            yield page(facts, done)
            raise
        return facts

    def settle(self) -> None:
        """Tell the gaps of this sweep.

        Raises:
            SourceError: a list could be read nowhere, or not any more.
        """
        with self._lock:
            held = {name: list(failures) for name, failures in self._failures.items()}
            down = next((failures[0][0] for name, failures in held.items() if self._down(name)), None)
        if down is not None:
            raise down
        for failures in held.values():
            for _, gap in failures:
                if gap is not None:
                    self._outside.gap(gap)

    def _side_by_side(self, objects: Sequence[Object[S]], workers: int) -> Generator[Told[S], None, None]:
        crew = _Crew(objects=iter(objects), visit=self._visit, said=Queue(workers))
        threads = [threading.Thread(target=crew.work, name=f"sweep {n}", daemon=True) for n in range(workers)]
        for thread in threads:
            thread.start()
        failed: Exception | None = None
        try:
            while crew.busy(workers):
                said = crew.said.get()
                if isinstance(said, Exception):
                    failed = failed or said
                    crew.enough.set()
                elif said is not None:
                    yield said
                else:
                    crew.left += 1
        finally:
            crew.enough.set()
            while crew.busy(workers):
                crew.left += crew.said.get() is None
            for thread in threads:
                thread.join()
        if failed is not None:
            raise failed

    def _visit(self, one: Object[S]) -> Iterator[Told[S]]:
        state = _copied(one.state)
        for name, read in one.readers.items():
            if not self._given_up(name):
                for facts in self._list(one, state, name, read):
                    yield Told(id=one.id, facts=facts, state=_copied(state), rest=one.rest(), ended=False)
        yield Told(id=one.id, facts=(), state=state, rest=one.rest(), ended=True)
        if one.readers and all(map(self._given_up, one.readers)):
            self.settle()

    def _given_up(self, name: str) -> bool:
        return self._row[name] >= IN_A_ROW

    def _down(self, name: str) -> bool:
        errors = [error for error, _ in self._failures[name]]
        nowhere = name not in self._read and not (self._partial and len(errors) == 1)
        # An odd answer may well be that of one object, even if no other has such a list.
        return self._given_up(name) or (nowhere and (any(map(_passing, errors)) or len(errors) >= IN_A_ROW))

    def _list(self, one: Object[S], state: S, name: str, read: Reader) -> Iterator[Sequence[Event]]:
        cursor: Any = getattr(state, name)
        kept, moved = msgspec.msgpack.encode(cursor), False
        try:
            for step in read(cursor):
                kept, moved = msgspec.msgpack.encode(cursor), True
                yield step
        except Exception as error:
            # Whatever it was: a step that was not told must not be remembered as told.
            cursor = unpack(kept, type(cursor))
            setattr(state, name, cursor)
            one.rest()
            if isinstance(error, Refused | Unreachable | Unexpected):
                self._failed(one, name, cursor, error, moved=moved)
            elif not isinstance(error, Expired):  # which says that there is no such list any more
                raise
        else:
            if cursor.failing is not None:
                # It was read back to where the failing read would have begun.
                self._outside.filled(_what(one, name), *cursor.failing)
            cursor.failing = None
            with self._lock:
                self._read.add(name)
                self._row[name] = 0

    def _failed(self, one: Object[S], name: str, cursor: Place, error: SourceError, *, moved: bool) -> None:
        known = cursor.failing is not None
        if known and not moved:
            # Perhaps it fails at this very place: what is new must not wait for it.
            cursor.abandon()
        start, end = cursor.failing = cursor.failing or (one.start(cursor), self._now)
        gap = None
        if known or not _passing(error):
            hidden = isinstance(error, Refused) or (isinstance(error, Unexpected) and error.status in _HIDDEN)
            reason = "forbidden" if hidden else "unreadable"
            gap = Gap(start=start, end=end, reason=reason, text=f"{one.id}: {error}", what=_what(one, name))
        with self._lock:
            if not _passing(error):
                self._row[name] = 0
            elif not (known and name in self._read):
                self._row[name] += 1
            self._failures[name].append((error, gap))


@dataclass(slots=True, kw_only=True)
class _Crew(Generic[S]):
    """Threads that visit what is left to visit, and hand over what was said."""

    objects: Iterator[Object[S]]
    visit: Callable[[Object[S]], Iterator[Told[S]]]
    said: Queue[Told[S] | Exception | None]
    """Steps; what ended a thread; None for each thread that left. A full one makes visits wait for who is told."""
    enough: threading.Event = field(default_factory=threading.Event)
    left: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def busy(self, workers: int) -> bool:
        return self.left < workers

    def work(self) -> None:
        try:
            while (one := self._next()) is not None:
                for told in self.visit(one):
                    self.said.put(told)
                    if self.enough.is_set():
                        return
        except Exception as error:  # noqa: BLE001 - it is raised where the sweep is read
            self.said.put(error)
        finally:
            self.said.put(None)

    def _next(self) -> Object[S] | None:
        with self.lock:
            return None if self.enough.is_set() else next(self.objects, None)


def _what(one: Object[S], name: str) -> str:
    """Whose gaps those of this list are."""
    return f"{one.id} {name}"


def _copied(state: S) -> S:
    return unpack(msgspec.msgpack.encode(state), type(state))


def _passing(error: SourceError) -> bool:
    """Whether it may be over at the next poll, and may be that of all calls."""
    return isinstance(error, Refused | Unreachable)
