"""List and watch of any Kubernetes resource: a full list in pages, then its changes, from a place that is kept.

A call either lists (first, when `resync` is due, when the place has expired) or watches until the server ends it. The
place is the checkpoint: it is saved with the facts that led to it, so a crash repeats and never skips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Generic, TypeVar

import msgspec

from platform_meter.model.facts import Event, Fact, Reading
from platform_meter.model.progress import Progress
from platform_meter.model.source import (
    Answer,
    Expired,
    Gap,
    Mode,
    Outside,
    Page,
    SourceError,
    Stream,
    Unexpected,
    Unreachable,
)
from platform_meter.model.typed import decode
from platform_meter.sources.kit.kubernetes_objects import Change, Head, Listing, Resource, Status, Thing, served
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.sayers import Over, Sayer, net
from platform_meter.sources.kit.walk import Walk

T = TypeVar("T", bound=Thing)
D = TypeVar("D")

MakesSayer = Callable[[tuple[str, ...], datetime], Sayer[T]]

WATCH_SECONDS = 300
"""For how long one watch is asked; the server ends it then and the next call goes on. What is not installed is looked
for again so often."""
REPLAY_SECONDS = 10
"""For how long what happened during a stop is heard before a list that is due."""
SILENT_EVENTS = 500
"""After so many watched events that said nothing their place is saved all the same."""
LIST_TRIES = 3
"""How often a list is begun whose pages expire while it is read."""
_GONE = 410
_NOT_FOUND = 404
_CHANGES = ("ADDED", "MODIFIED", "DELETED")


class Place(msgspec.Struct):
    """Where a watch goes on: the checkpoint of its stream."""

    version: str
    """Empty while the resource is not installed."""
    listed: datetime
    """When the last full list was begun."""
    seen: datetime
    """Until when all has been heard: once the place has expired, what came and went since is lost."""
    waiting: tuple[str, ...] = ()
    """What `Sayer.waiting` was."""
    path: str = ""
    """Where the resource is served."""


def pages(
    outside: Outside,
    path: str,
    type_: type[T],
    size: int,
    selector: str = "",
    headers: Mapping[str, str] | None = None,
    fields: str = "",
) -> Iterator[tuple[Listing[T], int]]:
    """Pages of one list with the number of its beginning: a list that expires midway is begun again, from its first page.

    `selector` is one of labels, `fields` one of fields; empty takes all.

    Raises:
        Unreachable: it expired `LIST_TRIES` times.
    """
    for beginning in range(LIST_TRIES):
        try:
            for page in _pages(outside, path, type_, size, (selector, fields), headers):
                yield page, beginning
        except Expired:
            continue
        return
    raise Unreachable(
        f"{path}: the list expired {LIST_TRIES} times before its last page; a larger `page_size` needs fewer calls"
    )


def _pages(
    outside: Outside,
    path: str,
    type_: type[T],
    size: int,
    selectors: tuple[str, str],
    headers: Mapping[str, str] | None,
) -> Iterator[Listing[T]]:
    token: str | None = None
    walk = Walk(path)
    while True:
        shape: type[Listing[T]] = Listing[type_]  # type: ignore[valid-type] # a shape made at run time, for the decoder
        params = {
            "limit": size,
            "continue": token,
            "labelSelector": selectors[0] or None,
            "fieldSelector": selectors[1] or None,
        }
        page = walk.page(_ids, partial(outside.get, path, shape, params=params, headers=headers)).body
        if page is None:
            raise Unexpected(f"{path}: said `unchanged` to a request without validators")
        yield page
        token = page.metadata.continue_ or None
        if token is None:
            return


def _ids(answer: Answer[Listing[T]]) -> tuple[tuple[str, str], ...]:
    items = answer.body.items or () if answer.body else ()
    return tuple((thing.metadata.namespace, thing.metadata.name) for thing in items)


@dataclass(slots=True, kw_only=True)
class Watched(Generic[T]):
    """One watched resource; `stream` is what a source connects."""

    resource: Resource
    shape: type[T]
    sayer: MakesSayer[T]
    """Makes the sayer of one call from what the last one left `waiting` and the moment since which all is wanted."""
    outside: Outside
    gives: frozenset[type[Fact]]
    resync: timedelta
    page_size: int
    _whole: bool = field(default=False, init=False)
    """Whether the last watch was heard to its end. Of one that broke, or in which even bookmarks are missing, it is asked
    first whether the cluster still has the history that our place is in."""

    @property
    def stream(self) -> Stream:
        return Stream(
            name=self.resource.name,
            read=self.read,
            gives=self.gives,
            mode=Mode.WATCH,
            every=timedelta(seconds=WATCH_SECONDS),
        )

    @property
    def _tells_events(self) -> bool:
        """Whether what comes and goes between two lists is lost."""
        return any(issubclass(kind, Event) for kind in self.gives)

    def read(self, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(self.outside, lambda sieve: self._read(sieve, checkpoint, since, now))

    def _read(self, sieve: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        place = decode(checkpoint, Place) if checkpoint else None
        if place is None or not place.version:
            yield from self._list(sieve, (), since, now)
            return
        # The poller counts from its last page. Of a replay that broke the rest is older, and no less news.
        since = min(since, place.seen)
        sayer = self.sayer(place.waiting, since)
        left = place.listed + self.resync - now
        due, silent = (
            bool(sayer.complete) and left <= timedelta(),
            now - place.seen > 2 * timedelta(seconds=WATCH_SECONDS),
        )
        if due and not (self._tells_events and silent):
            # Only readings are listed again: a list adds nothing to events that a watch has told.
            yield from self._list(sieve, place.waiting, since, now)
            return
        seconds = max(1, min(WATCH_SECONDS, int(left.total_seconds()))) if sayer.complete else WATCH_SECONDS
        if due:
            # After a long stop a list tells how things stand, and nothing of what happened: that is heard first.
            seconds = REPLAY_SECONDS
        path = place.path or self.resource.only_path
        try:
            if not self._whole:
                self._same_history(sieve, path, place.version)
            yield from self._watch(sieve, path, place, sayer, now, seconds)
            if due:
                yield from self._list(sieve, place.waiting, since, now)
        except Expired as expired:
            if self._tells_events:
                sieve.gap(Gap(start=place.seen, end=now, reason="expired", text=f"{path}: {expired}"))
            yield from self._list(sieve, place.waiting, since, now)
        except Unexpected as error:
            if error.status != _NOT_FOUND:
                raise
            yield from self._list(sieve, place.waiting, since, now)

    def _same_history(self, sieve: Sieve, path: str, ours: str) -> None:
        """Whether the cluster has come as far as our place; a watch from beyond its end hears nothing, and no error.

        Raises:
            Expired: it has not: it was restored from a backup, or is another one.
        """
        head = sieve.get(path, Head, params={"limit": 1}).body or Head()
        _in_order(path, ours, head.metadata.resource_version)

    def _list(self, sieve: Sieve, waiting: tuple[str, ...], since: datetime, now: datetime) -> Iterator[Page]:
        """The whole list from where it is served, or that it is not installed."""
        tried = set[str]()
        for path in self._paths(sieve):
            if path in tried:
                continue
            tried.add(path)
            try:
                yield from self._listed(sieve, path, waiting, since, now)
            except Unexpected as error:
                if error.status != _NOT_FOUND or not self.resource.group:
                    raise
            else:
                return
        place = Place(version="", listed=now, seen=now)
        yield Page(
            complete=self.sayer((), since).complete,
            checkpoint=msgspec.json.encode(place),
            caught_up=True,
            progress=Progress(
                what=f"{self.resource} is not installed; looked for again every {WATCH_SECONDS // 60} min"
            ),
            again=timedelta(seconds=WATCH_SECONDS),
        )

    def _paths(self, sieve: Sieve) -> Iterator[str]:
        """Where to look: a version that is the only one without asking, then those that the API says it serves."""
        if self.resource.only_path:
            yield self.resource.only_path
        yield from served(sieve, self.resource)

    def _listed(
        self, sieve: Sieve, path: str, waiting: tuple[str, ...], since: datetime, now: datetime
    ) -> Iterator[Page]:
        sayer = self.sayer(waiting, since)
        before: set[Over] = set()
        said: set[Over] = set()
        begun = count = 0
        for page, beginning in pages(sieve, path, self.shape, self.page_size):
            if beginning != begun:
                sayer, before, said, begun, count = self.sayer(waiting, since), before | said, set(), beginning, 0
            items = page.items or ()
            facts, _ = net(tuple(chain.from_iterable(map(sayer.listed, items))))
            said.update((type(fact), fact.key) for fact in facts if isinstance(fact, Reading))
            count += len(items)
            if page.metadata.continue_:
                yield Page(facts=facts, progress=Progress(what=f"objects of {path}", done=count))
                continue
            place = Place(
                version=page.metadata.resource_version, listed=now, seen=now, waiting=sayer.waiting, path=path
            )
            self._whole = True
            # What an abandoned beginning said and the whole list does not has been deleted in between.
            yield Page(
                facts=facts,
                gone=tuple(before - said),
                complete=sayer.complete,
                checkpoint=msgspec.json.encode(place),
                caught_up=True,
            )

    def _watch(
        self, sieve: Sieve, path: str, place: Place, sayer: Sayer[T], now: datetime, seconds: int
    ) -> Iterator[Page]:
        """Changes since `place`: a page for each group of lines that says something."""
        self._whole = False
        silent, marked = 0, False
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": seconds,
            "resourceVersion": place.version,
        }
        for lines in sieve.lines(path, params=params, timeout=seconds + 30.0):
            said: list[Fact | Over] = []
            bookmark, failure, reached = False, None, place.version
            try:
                for line in lines:
                    reached = place.version
                    change = _change(path, line, place)
                    bookmark |= change.type == "BOOKMARK"
                    thing = self._thing(sieve, change)
                    if thing is not None:
                        said += sayer.deleted(thing) if change.type == "DELETED" else sayer.changed(thing)
            except SourceError as error:
                # The line itself was not told: a sayer may have to ask something that did not answer.
                failure, place.version = error, reached
            silent += len(lines)
            if bookmark:
                # What had been missed before this call has been told by now, and not before.
                marked, place.seen = True, max(place.seen, now)
            if said or bookmark or silent >= SILENT_EVENTS:
                facts, over = net(said)
                place.waiting, silent = sayer.waiting, 0
                yield Page(facts=facts, gone=over, checkpoint=msgspec.json.encode(place), caught_up=bookmark)
            if failure is not None:
                raise failure
        if silent:
            place.waiting = sayer.waiting
            yield Page(checkpoint=msgspec.json.encode(place))
        self._whole = marked

    def _thing(self, sieve: Sieve, change: Change) -> T | None:
        """What was added, modified or deleted; None for all else, and for what is odd."""
        if change.type not in _CHANGES:
            return None
        try:
            return decode(change.object, self.shape)
        except msgspec.ValidationError:
            sieve.reject(self.shape.becomes)
            return None


def _change(path: str, line: bytes, place: Place) -> Change:
    """One line; `place` is then as far as that.

    Raises:
        Expired: what follows our place is not kept, or it is of another history.
        Unexpected: it can't be read.
        Unreachable: the server says that it failed.
    """
    change = _decode(path, line, Change)
    if change.type == "ERROR":
        status = _decode(path, change.object, Status)
        text = f"{path}: the watch ended with {status.code} {status.message}"
        raise Expired(text) if status.code == _GONE else Unreachable(text)
    # An odd object has a version too, or it would come again and again.
    reached = _decode(path, change.object, Head).metadata.resource_version
    reached = reached or _decode(path, change.object, Thing).metadata.resource_version
    _in_order(path, place.version, reached)
    place.version = reached
    return change


def _in_order(path: str, ours: str, theirs: str) -> None:
    """Versions of one history only grow. They are numbers wherever they can be compared.

    Raises:
        Expired: theirs is before ours.
    """
    if ours.isdecimal() and theirs.isdecimal() and int(theirs) < int(ours):
        raise Expired(f"{path}: its versions went back from {ours} to {theirs}: the cluster has another history")


def _decode(path: str, text: bytes | msgspec.Raw, type_: type[D]) -> D:
    try:
        return decode(text, type_)
    except msgspec.DecodeError as error:
        raise Unexpected(f"{path}: a watched line is no {type_.__name__}: {error}") from error
