"""Another name for everybody who is stored: the same for the same person, and made with what is thrown away.

So what was told of people stays what it was (who answered is who was asked, whose team had a ticket), and nobody can say
any more of whom, whoever has the salt that they were hashed with.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, bindparam, func, select

from platform_meter.model.facts import event_kinds, reading_kinds
from platform_meter.model.personal import people
from platform_meter.store import codec
from platform_meter.store.schema import (
    correction,
    events,
    folds,
    objects,
    readings,
    state_counts,
    states,
    streams,
)

_HASH = r"(?<![0-9a-f])(?:[0-9a-f]{32}|(?<=@)[0-9a-f]{24})(?![0-9a-f])"
_IN_TEXT, _IN_BYTES = re.compile(_HASH), re.compile(_HASH.encode())
_KEYED = len("0" * 24)
"""Letters of a part of a key that hangs on a person."""
SINCE = "people_since"
"""Key in `meta`: from when on people have the names that they have now."""
_SOME = 2_000
"""Events that are held at a time."""


class Renaming:
    """Other names for these hashes. They are others every time.

    Args:
        of: the hashes.
        keys: parts of keys that hang on a person have other names too.
    """

    def __init__(self, of: Collection[str], *, keys: bool = False) -> None:
        self._of, self._keys, self._chance = frozenset(of), keys, secrets.token_bytes(32)

    def word(self, hash_: str) -> str:
        """The other name of a hash."""
        if hash_ not in self._of and not (self._keys and len(hash_) == _KEYED):
            return hash_
        return hmac.digest(self._chance, hash_.encode(), "sha256").hex()[: len(hash_)]

    def text(self, text: str) -> str:
        """A text with other names in it."""
        return _IN_TEXT.sub(lambda found: self.word(found[0]), text)

    def body(self, body: bytes) -> bytes:
        """The same of bytes."""
        return _IN_BYTES.sub(lambda found: self.word(found[0].decode()).encode(), body)


def kinds_of_people() -> list[str]:
    """Kinds of event that name people."""
    return [name for name, kind in event_kinds().items() if kind.who]


def everybody(conn: Connection) -> Iterator[str]:
    """All who are named by what is stored, each as often as that is."""
    for name in kinds_of_people():
        decode = codec.decoder(event_kinds()[name]).decode
        for _, _, body in _events(conn, name):
            yield from people(decode(body))
    for name, kind in reading_kinds().items():
        if kind.who:
            read = codec.decoder(kind).decode
            for body in conn.execute(select(readings.c.body).where(readings.c.kind == name)).scalars():
                yield from people(read(body))


def restart(conn: Connection) -> tuple[int, set[str]]:
    """Give everybody another name, and let daily states of people begin anew.

    What measures have made of events goes too: they make it again. Gives how many people there were, and the names in
    `changes` of what is another now.
    """
    found = frozenset(everybody(conn))
    renaming = Renaming(found, keys=True)
    for name in kinds_of_people():
        _rename_events(conn, name, renaming)
    rename_beside(conn, renaming)
    units = conn.execute(select(states.c.what, states.c.unit).distinct()).all()
    for what in sorted({what for what, unit in units if unit in found}):
        for table in (states, state_counts):
            conn.execute(table.delete().where(table.c.what == what))
    conn.execute(folds.delete())
    readings_of = {name for name, kind in reading_kinds().items() if kind.who}
    corrected = map(correction, kinds_of_people())
    return len(found), {*kinds_of_people(), *corrected, *readings_of, "readings", "owners", "states"}


def rename_beside(conn: Connection, renaming: Renaming) -> None:
    """Rename in all tables but events, folds and daily states."""
    of_people = readings.c.kind.in_([name for name, kind in reading_kinds().items() if kind.who])
    rewrite(conn, readings, ("key", "body"), renaming, of_people)
    # What an object links to is a group, a service or a place: nothing follows the owner of a person.
    rewrite(conn, objects, ("name",), renaming)
    rewrite(conn, streams, ("checkpoint", "last_error", "progress"), renaming)


def rewrite(conn: Connection, table: Table, names: tuple[str, ...], renaming: Renaming, *where: Any) -> int:
    """Rename in these columns of a table. Gives the number of rows that are others now."""
    ids: list[Column[Any]] = list(table.primary_key.columns)
    rows = conn.execute(select(*ids, *(table.c[name].label(f"of_{name}") for name in names)).where(*where))
    changed = []
    for row in rows.mappings():
        new = {name: _renamed(renaming, row[f"of_{name}"]) for name in names}
        if any(new[name] != row[f"of_{name}"] for name in names):
            changed.append({f"its_{c.name}": row[c.name] for c in ids} | {f"new_{name}": new[name] for name in names})
    if changed:
        these = and_(*(c == bindparam(f"its_{c.name}") for c in ids))
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        conn.execute(table.update().where(these).values(values), changed)
    return len(changed)


def _renamed(renaming: Renaming, value: Any) -> Any:
    if isinstance(value, str):
        return renaming.text(value)
    return renaming.body(bytes(value)) if value is not None else None


def _rename_events(conn: Connection, kind: str, renaming: Renaming) -> None:
    change = events.update().where(events.c.seq == bindparam("its_seq"))
    waiting: list[dict[str, Any]] = []
    for seq, key, body in _events(conn, kind):
        new = {"its_seq": seq, "key": renaming.text(key), "body": renaming.body(body)}
        if (new["key"], new["body"]) != (key, body):
            waiting.append(new)
        if len(waiting) >= _SOME:
            conn.execute(change, waiting)
            waiting = []
    if waiting:
        conn.execute(change, waiting)


def _events(conn: Connection, kind: str) -> Iterator[tuple[int, str, bytes]]:
    """Number, key and body of all events of a kind; some at a time, so that they can be changed meanwhile."""
    last: int | None = -1
    mine = select(events.c.seq, events.c.key, events.c.body).where(events.c.kind == kind)
    while last is not None:
        some = conn.execute(mine.where(events.c.seq > last).order_by(events.c.seq).limit(_SOME)).all()
        yield from ((seq, key, bytes(body)) for seq, key, body in some)
        last = some[-1].seq if some else None


def known_until(conn: Connection) -> int:
    """A moment after all that is stored of people."""
    of_people = events.c.kind.in_(kinds_of_people())
    return (conn.execute(select(func.max(events.c.at)).where(of_people)).scalar() or 0) + 1


def anybody(conn: Connection) -> bool:
    """Whether anybody is named by what is stored."""
    return next(everybody(conn), None) is not None
