"""One repository after the other, each failing alone: what a sweep does about lists that can't be read.

A list that fails goes back to its last step and is tried again at the next poll, after all other repositories. Once
that is no passing trouble it is a gap. Only what can be read nowhere fails the poll: that is the system or the token.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from platform_meter.model.facts import Event
from platform_meter.model.source import Expired, Gap, Outside, Refused, SourceError, Unexpected, Unreachable
from platform_meter.sources.github.poll import Visit
from platform_meter.sources.github.state import Cursor, RepoState

Reader = Callable[[Visit, Any], Iterator[list[Event]]]
IN_A_ROW = 3
"""Repositories in a row whose list fails until that list is asked for no more in this sweep."""


class Sweep:
    """What could be read so far in one sweep, and what could not."""

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._row = Counter[str]()
        self._failures: dict[str, list[tuple[SourceError, Gap | None]]] = defaultdict(list)

    def visit(self, visit: Visit, repo: RepoState, readers: Mapping[str, Reader]) -> Iterator[list[Event]]:
        """Facts of every list of one repository, in steps; after each, `repo` holds exactly what was told so far.

        `readers` go by the name of their list's cursor in `repo`.

        Raises:
            SourceError: the quota is used up, or no list can be read any more.
        """
        repo.visited = visit.now
        for name, read in readers.items():
            if not self._given_up(name):
                yield from self._list(visit, repo, name, read)
        if all(self._given_up(name) for name in readers):
            self.settle(visit.outside)

    def settle(self, outside: Outside) -> None:
        """Tell the gaps of this sweep.

        Raises:
            SourceError: a list could be read nowhere, or not any more.
        """
        for name, failures in self._failures.items():
            if self._down(name):
                raise failures[0][0]
        for failures in self._failures.values():
            for _, gap in failures:
                if gap is not None:
                    outside.gap(gap)

    def _given_up(self, name: str) -> bool:
        return self._row[name] >= IN_A_ROW

    def _down(self, name: str) -> bool:
        errors = [error for error, _ in self._failures[name]]
        nowhere = name not in self._read
        # An odd answer may well be that of one repository, even if no other has such a list.
        return self._given_up(name) or (nowhere and (any(map(_passing, errors)) or len(errors) >= IN_A_ROW))

    def _list(self, visit: Visit, repo: RepoState, name: str, read: Reader) -> Iterator[list[Event]]:
        cursor: Cursor = getattr(repo, name)
        kept, moved = msgspec.msgpack.encode(cursor), False
        try:
            for step in read(visit, cursor):
                kept, moved = msgspec.msgpack.encode(cursor), True
                yield step
        except Exception as error:
            # Whatever it was: a step that was not told must not be remembered as told.
            cursor = msgspec.msgpack.decode(kept, type=type(cursor))
            setattr(repo, name, cursor)
            if isinstance(error, Refused | Unreachable | Unexpected):
                self._failed(visit, name, cursor, error, moved=moved)
            elif not isinstance(error, Expired):  # which says that there is no such list any more
                raise
        else:
            cursor.failing = None
            self._read.add(name)
            self._row[name] = 0

    def _failed(self, visit: Visit, name: str, cursor: Cursor, error: SourceError, *, moved: bool) -> None:
        known = cursor.failing is not None
        if known and not moved:
            # Perhaps it fails at this very place: what is new must not wait for it.
            cursor.abandon()
        start, end = cursor.failing = cursor.failing or (visit.start(cursor), visit.now)
        if not _passing(error):
            self._row[name] = 0
        elif not (known and name in self._read):
            self._row[name] += 1
        gap = None
        if known or not _passing(error):
            hidden = isinstance(error, Refused) or (isinstance(error, Unexpected) and error.status in _HIDDEN)
            reason = "forbidden" if hidden else "unreadable"
            gap = Gap(start=start, end=end, reason=reason, text=f"{visit.ref.id}: {error}")
        self._failures[name].append((error, gap))


_HIDDEN = frozenset({404, 451})
"""GitHub says 404 of what a token may not see, and of what was renamed or deleted since it was listed."""


def _passing(error: SourceError) -> bool:
    """Whether it may be over at the next poll, and may be that of all calls."""
    return isinstance(error, Refused | Unreachable)
