"""The place in one list that is read again and again: how far it was told, with an overlap, wherever a poll broke off.

A read begins at a moment, and goes from there to where the one before it began, less the overlap: clocks differ, and a
system may show late what changed early. What changes while it is read is newer than its beginning, so the next read has
it. The cursor is saved with the facts that led to it: one that breaks off goes on behind what was told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from msgspec import Struct, field

R = TypeVar("R")


class Cursor(Struct, omit_defaults=True):
    """Part of a source's checkpoint, as JSON."""

    read: datetime | None = None
    """Every change before this moment has been told."""
    etag: str = ""
    """Validator of the first page at that time."""
    done: dict[str, str] = field(default_factory=dict)
    """Items that changed of late and were told already: id -> `mark` of what was told."""

    began: datetime | None = None
    """When the read that is now under way began; None between reads."""
    start: datetime | None = None
    """How far back it goes."""
    fresh: str = ""
    """Validator of its first page."""
    at: datetime | None = None
    """How far it is: the time of the last item told."""

    failing: tuple[datetime, datetime] | None = None
    """The range that the poll which first could not read this list would have read; None while it can be read."""

    def next_start(self, since: datetime, overlap: timedelta) -> datetime:
        """Where the next read goes back to; `since` for a list that was never read."""
        return since if self.read is None else self.read - overlap

    def begin(self, now: datetime, start: datetime, etag: str = "") -> None:
        self.began, self.start, self.fresh, self.at = now, start, etag, None

    def end(self, keep: timedelta) -> None:
        """All of it was told. What changed in the last `keep` stays known as told."""
        self.read, self.etag = self.began, self.fresh
        self.abandon()
        self._forget(keep)

    def abandon(self) -> None:
        """Give up the read under way; the next one begins with what is new."""
        self.began, self.start, self.fresh, self.at = None, None, "", None

    def unchanged(self, now: datetime, keep: timedelta) -> None:
        """The system says that nothing changed since the last read."""
        self.read = now
        self._forget(keep)

    def told(self, id_: object, mark: str) -> bool:
        """Whether this state of an item was told of late."""
        return self.done.get(str(id_)) == mark

    def changed(
        self,
        pages: Iterable[Sequence[R]],
        key: Callable[[R], tuple[object, datetime | None]],
        keep: timedelta,
        *,
        floor: datetime | None = None,
        settled: timedelta | None = None,
    ) -> Iterator[list[R]]:
        """What is to be told of each page of a list with the newest change first; then the read has ended.

        `key` gives an item's id and when it changed, if that is known. Pages may come again, with other items. A read
        that goes on passes over what it told, which is all that is newer than where it was. Changes before `floor` are
        not wanted, and end the list. One that was younger than `settled` is told by the next read again: not all of it
        may have been there.
        """
        reached, seen = self.at, set[tuple[object, datetime | None]]()
        began = self.began or datetime.max.replace(tzinfo=UTC)
        until = None if settled is None else began - settled
        for page in pages:
            news = list[R]()
            for item in page:
                id_, at = key(item)
                known = (id_, at) in seen or (at is not None and self.told(id_, mark(at)))
                if known or (at is not None and ((floor and at < floor) or (reached and at > reached))):
                    continue
                seen.add((id_, at))
                news.append(item)
                if at is not None:
                    self.at = min(self.at or at, at)
                    if at >= began - keep and (until is None or at <= until):
                        self.done[str(id_)] = mark(at)
            yield news
            last = key(page[-1])[1] if page else None
            if floor and last and last < floor:
                break
        self.end(keep)

    def _forget(self, keep: timedelta) -> None:
        if self.read is not None:
            since = self.read - keep
            self.done = {id_: at for id_, at in self.done.items() if datetime.fromisoformat(at.split(" ")[0]) >= since}


def mark(at: datetime, more: object = "") -> str:
    """What `Cursor.done` knows a state of an item by: when it changed, and more where that does not tell it."""
    return f"{at.astimezone(UTC).isoformat().replace('+00:00', 'Z')} {more}".rstrip()
