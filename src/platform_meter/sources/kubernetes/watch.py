"""List and watch, as the Kubernetes API means them: a full list in pages, then its changes, from a place that is kept.

A call either lists (first, when `resync` is due, when the place has expired) or watches until the server ends it. The
place is the checkpoint: it is saved with the facts that led to it, so a crash repeats and never skips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, Protocol, TypeVar

import msgspec

from platform_meter.model.facts import Fact, Reading
from platform_meter.model.source import Answer, Expired, Gap, Outside, Page, Unexpected, Unreachable
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk
from platform_meter.sources.kubernetes.rows import Listing, Status, Thing

T = TypeVar("T", bound=Thing)
S_contra = TypeVar("S_contra", bound=Thing, contravariant=True)
D = TypeVar("D")

WATCH_SECONDS = 300
"""For how long one watch is asked; the server ends it then and the next call goes on."""
SILENT_EVENTS = 500
"""After so many watched events that said nothing their place is saved all the same."""
LIST_TRIES = 3
"""How often a list is begun whose pages expire while it is read."""
_GONE = 410
_CHANGES = ("ADDED", "MODIFIED", "DELETED")


class Place(msgspec.Struct):
    """Where a watch goes on: the checkpoint of its stream."""

    version: str
    listed: datetime
    """When the last full list was begun."""
    seen: datetime
    """When the last call began: once the place has expired, what came and went since is lost."""
    waiting: tuple[str, ...] = ()
    """What `Sayer.waiting` was."""


class Sayer(Protocol[S_contra]):
    """Turns objects into facts during one call; what it remembers ends with the call, or it would skip after a failed save."""

    complete: frozenset[type[Reading]]
    """What a finished list has said all of. Empty for events: then what comes and goes between two lists is lost."""

    @property
    def waiting(self) -> tuple[str, ...]:
        """What it must know again in the next call."""
        ...

    def listed(self, thing: S_contra) -> Fact | None: ...

    def changed(self, thing: S_contra) -> Fact | None:
        """What an added or modified object says anew."""
        ...

    def deleted(self, thing: S_contra) -> tuple[type[Reading], str] | None:
        """The reading that is over."""
        ...


class _Change(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Version(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _Versioned(msgspec.Struct):
    """Of any object, however odd, how far the watch is with it; all there is of a bookmark."""

    metadata: _Version = msgspec.field(default_factory=_Version)


def pages(outside: Outside, path: str, type_: type[T], size: int) -> Iterator[tuple[Listing[T], int]]:
    """Pages of one list with the number of its beginning: a list that expires midway is begun again, from its first page.

    Raises:
        Unreachable: it expired `LIST_TRIES` times.
    """
    for beginning in range(LIST_TRIES):
        try:
            for page in _pages(outside, path, type_, size):
                yield page, beginning
        except Expired:
            continue
        return
    raise Unreachable(
        f"{path}: the list expired {LIST_TRIES} times before its last page; a larger `page_size` needs fewer calls"
    )


def _pages(outside: Outside, path: str, type_: type[T], size: int) -> Iterator[Listing[T]]:
    token: str | None = None
    walk = Walk(path)
    while True:
        shape: type[Listing[T]] = Listing[type_]  # type: ignore[valid-type] # a shape made at run time, for the decoder
        page = walk.page(_ids, partial(outside.get, path, shape, params={"limit": size, "continue": token})).body
        if page is None:
            raise Unexpected(f"{path}: said `unchanged` to a request without validators")
        yield page
        token = page.metadata.continue_ or None
        if token is None:
            return


def _ids(answer: Answer[Listing[T]]) -> tuple[tuple[str, str], ...]:
    items = answer.body.items or () if answer.body else ()
    return tuple((thing.metadata.namespace, thing.metadata.name) for thing in items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched(Generic[T]):
    """One watched resource; `read` is its stream's Poll."""

    path: str
    type: type[T]
    sayer: Callable[[tuple[str, ...], datetime], Sayer[T]]
    """Makes the sayer of one call from what the last one left `waiting` and the moment since which all is wanted."""
    outside: Outside
    resync: timedelta
    page_size: int

    def read(self, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(self.outside, lambda sieve: self._read(sieve, checkpoint, since, now))

    def _read(self, sieve: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        place = msgspec.json.decode(checkpoint, type=Place) if checkpoint else None
        if place is None:
            yield from self._list(sieve, (), since, now)
            return
        sayer = self.sayer(place.waiting, since)
        left = place.listed + self.resync - now
        if sayer.complete and left <= timedelta():
            # Only readings are listed again: a list adds nothing to events that a watch has told.
            yield from self._list(sieve, place.waiting, since, now)
            return
        seconds = max(1, min(WATCH_SECONDS, int(left.total_seconds()))) if sayer.complete else WATCH_SECONDS
        try:
            yield from self._watch(sieve, place, sayer, now, seconds)
        except Expired as expired:
            if not sayer.complete:
                sieve.gap(Gap(start=place.seen, end=now, reason="expired", text=f"{self.path}: {expired}"))
            yield from self._list(sieve, place.waiting, since, now)

    def _list(self, sieve: Sieve, waiting: tuple[str, ...], since: datetime, now: datetime) -> Iterator[Page]:
        sayer = self.sayer(waiting, since)
        before: set[tuple[type[Reading], str]] = set()
        said: set[tuple[type[Reading], str]] = set()
        begun = count = 0
        for page, beginning in pages(sieve, self.path, self.type, self.page_size):
            if beginning != begun:
                sayer, before, said, begun, count = self.sayer(waiting, since), before | said, set(), beginning, 0
            items = page.items or ()
            facts = [fact for fact in map(sayer.listed, items) if fact is not None]
            said.update((type(fact), fact.key) for fact in facts if isinstance(fact, Reading))
            count += len(items)
            if page.metadata.continue_:
                yield Page(facts=facts, progress=f"{count} objects of {self.path}")
                continue
            place = Place(version=page.metadata.resource_version, listed=now, seen=now, waiting=sayer.waiting)
            # What an abandoned beginning said and the whole list does not has been deleted in between.
            yield Page(
                facts=facts,
                gone=tuple(before - said),
                complete=sayer.complete,
                checkpoint=msgspec.json.encode(place),
                caught_up=True,
            )

    def _watch(self, sieve: Sieve, place: Place, sayer: Sayer[T], now: datetime, seconds: int) -> Iterator[Page]:
        """Changes since `place`: a page for each that says something, so that no fact waits for the next one."""
        silent = 0
        place = msgspec.structs.replace(place, seen=now)
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": seconds,
            "resourceVersion": place.version,
        }
        for line in sieve.lines(self.path, params=params, timeout=seconds + 30.0):
            if not line.strip():
                continue
            change = _decode(self.path, line, _Change)
            if change.type == "ERROR":
                raise _failure(self.path, _decode(self.path, change.object, Status))
            place.version = self._version(change.object)
            facts: Sequence[Fact] = ()
            gone: Sequence[tuple[type[Reading], str]] = ()
            thing = self._thing(sieve, change)
            if thing is not None and change.type == "DELETED":
                over = sayer.deleted(thing)
                gone = () if over is None else (over,)
            elif thing is not None:
                fact = sayer.changed(thing)
                facts = () if fact is None else (fact,)
            silent += 1
            bookmark = change.type == "BOOKMARK"
            if facts or gone or bookmark or silent >= SILENT_EVENTS:
                place.waiting, silent = sayer.waiting, 0
                yield Page(facts=facts, gone=gone, checkpoint=msgspec.json.encode(place), caught_up=bookmark)
        if silent:
            place.waiting = sayer.waiting
            yield Page(checkpoint=msgspec.json.encode(place))

    def _version(self, thing: msgspec.Raw) -> str:
        """How far the watch is with it. An odd object has one too, or it would come again and again."""
        version = _decode(self.path, thing, _Versioned).metadata.resource_version
        return version or _decode(self.path, thing, Thing).metadata.resource_version

    def _thing(self, sieve: Sieve, change: _Change) -> T | None:
        """What was added, modified or deleted; None for all else, and for what is odd."""
        if change.type not in _CHANGES:
            return None
        try:
            return msgspec.json.decode(change.object, type=self.type)
        except msgspec.ValidationError:
            sieve.reject(self.type.becomes)
            return None


def _decode(path: str, text: bytes | msgspec.Raw, type_: type[D]) -> D:
    try:
        return msgspec.json.decode(text, type=type_)
    except msgspec.DecodeError as error:
        raise Unexpected(f"{path}: a watched line is no {type_.__name__}: {error}") from error


def _failure(path: str, status: Status) -> Expired | Unreachable:
    text = f"{path}: the watch ended with {status.code} {status.message}"
    return Expired(text) if status.code == _GONE else Unreachable(text)
