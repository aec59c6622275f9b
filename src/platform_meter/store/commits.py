"""Which stored events tell of a commit: what chains of facts are followed by, from a change to what serves it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, select

from platform_meter.model.facts import Event
from platform_meter.store import codec
from platform_meter.store.schema import commits, events, insert_rows

_DIGITS = 15
"""Of a commit's name: as many as a number of 64 bits holds. Among a million commits, two alike are one in a million."""
_WHOLE = re.compile(rf"[0-9a-fA-F]{{{_DIGITS}}}").match
BLOCK = 16_384
"""Events by which commits are kept together. A look goes through all blocks: 60 at a million events."""
_SOME = 10_000

Place = tuple[int, int, int]
"""A row of `commits`: block, prefix, seq of the event."""


def prefixes(told: Iterable[str]) -> set[int]:
    """The first 15 hex digits of each of these commits as a number.

    Of what is no commit, or is told by fewer digits, there is none: nothing finds it.
    """
    return {int(commit[:_DIGITS], 16) for commit in told if _WHOLE(commit)}


def places(event: Event, seq: int) -> list[Place]:
    """Where an event with this number is found."""
    return [(seq // BLOCK, prefix, seq) for prefix in prefixes(event.commits())]


def tells(kind: type[Event]) -> bool:
    """Whether events of this kind tell of commits at all."""
    return kind.commits is not Event.commits


def keep_commits(conn: Connection, new: Sequence[Place]) -> None:
    """Let these be found."""
    if new:
        insert_rows(conn, _found, new)


def _found(_conn: Connection) -> Insert:
    return commits.insert()


def drop_commits(conn: Connection, old: Sequence[Place]) -> None:
    """Let these be found no more."""
    if old:
        mine = [commits.c[name] == bindparam(f"its_{name}") for name in ("block", "prefix", "event")]
        these = [{"its_block": block, "its_prefix": prefix, "its_event": seq} for block, prefix, seq in old]
        conn.execute(commits.delete().where(*mine), these)


def index_commits(conn: Connection, kind: type[Event]) -> None:
    """Let all stored events of a kind be found that a version stored which kept no commits."""
    if not tells(kind):
        return
    decode = codec.decoder(kind).decode
    rows = select(events.c.seq, events.c.body).where(events.c.kind == kind.__name__)
    found: Any = conn.execute(rows.execution_options(yield_per=_SOME))
    for some in found.partitions():
        keep_commits(conn, [place for seq, body in some for place in places(decode(body), seq)])
