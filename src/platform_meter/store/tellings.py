"""Events that several tellings make together: what the newest leaves out (`Event.fills`), another one says.

Beside such an event stand the tellings that it is made of, and no others: one that is no part of it now never will be,
as what took its place was told later. So the same is stored in whatever order, batches and repetitions they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, select

from platform_meter.model.facts import Event
from platform_meter.store import codec
from platform_meter.store.database import Transaction, batches
from platform_meter.store.schema import events, insert, tellings


class Telling(NamedTuple):
    """One version of an event as it was told. The greatest is the newest, of two of one moment that with the greater body."""

    updated: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An event of all that tells it."""

    event: Event
    updated: int
    of: tuple[Telling, ...]
    """The newest first; it alone where nothing that it leaves out is told by others."""


def made(kind: type[Event], told: Mapping[Telling, Event]) -> Made:
    """The newest of these, with what it leaves out from the newest of those that say it."""
    newest_first = sorted(told, reverse=True)
    newest, filled, of = told[newest_first[0]], dict[str, Any](), {newest_first[0]}
    silent = {field.name: field.default for field in fields(kind)}
    for group in kind.fills:
        for telling in newest_first:
            said = {name: getattr(told[telling], name) for name in group}
            if any(value != silent[name] for name, value in said.items()):
                filled |= said
                of.add(telling)
                break
    parts = tuple(telling for telling in newest_first if telling in of)
    event = newest if len(parts) == 1 else replace(newest, **filled)
    return Made(event=event, updated=newest_first[0].updated, of=parts)


class Stored(NamedTuple):
    """What is stored of a key: its body, and what that is made of."""

    body: bytes
    of: tuple[Telling, ...]


Versions = list[tuple[int, Event]]
"""Of each the moment of its last change."""


def look(
    tx: Transaction, source: str, kind: type[Event], found: Mapping[str, Versions]
) -> tuple[dict[str, Versions], Mapping[str, Stored]]:
    """Those of these that were not told before, and what is stored of their keys."""
    stored = _stored(tx, source, kind, list(found))
    untold: dict[str, Versions] = {}
    for key, versions in found.items():
        before = stored.get(key)
        if before is None:
            untold[key] = versions
        elif new := [one for one in versions if Telling(one[0], codec.encode(one[1])) not in before.of]:
            untold[key] = new
    return untold, stored


def join(
    tx: Transaction, source: str, kind: type[Event], untold: Mapping[str, Versions], stored: Mapping[str, Stored]
) -> tuple[Versions, Versions]:
    """Put these together with what was told of their keys before, and keep what that is made of.

    Gives the events that are not stored, and those that take the place of what is.
    """
    fresh: Versions = []
    revised: Versions = []
    kept: dict[str, tuple[Telling, ...]] = {}
    dropped: list[str] = []
    decode = codec.decoder(kind).decode
    for key, versions in untold.items():
        before = stored.get(key)
        if before is None and len(versions) == 1:
            fresh += versions
            continue
        told = {Telling(updated, codec.encode(event)): event for updated, event in versions}
        if before is None:
            now = made(kind, told)
            fresh.append((now.updated, now.event))
        else:
            now = made(kind, {t: decode(t.body) for t in before.of} | told)
            if now.of == before.of:
                continue
            if len(before.of) > 1 == len(now.of):
                dropped.append(key)
            if codec.encode(now.event) != before.body:
                revised.append((now.updated, now.event))
        if len(now.of) > 1:
            kept[key] = now.of
    _keep(tx, source, kind, kept)
    if dropped:
        tx.conn.execute(_DROP, [{"its_source": source, "its_kind": kind.__name__, "its_key": key} for key in dropped])
    return fresh, revised


told_of = (tellings.c.source == events.c.source) & (tellings.c.kind == events.c.kind) & (tellings.c.key == events.c.key)
"""That a row of `tellings` stands beside an event."""
_LOOK = (
    select(events.c.key, events.c.updated, events.c.body, tellings.c.body.label("of"))
    .join_from(events, tellings, told_of, isouter=True)
    .where(
        events.c.source == bindparam("of_source"),
        events.c.kind == bindparam("of_kind"),
        events.c.key.in_(bindparam("keys", expanding=True)),
    )
)
_DROP = tellings.delete().where(
    tellings.c.source == bindparam("its_source"),
    tellings.c.kind == bindparam("its_kind"),
    tellings.c.key == bindparam("its_key"),
)
_decoder = msgspec.json.Decoder(list[tuple[int, msgspec.Raw]])


def _stored(tx: Transaction, source: str, kind: type[Event], keys: Sequence[str]) -> dict[str, Stored]:
    found = {}
    for some in batches(keys):
        these = {"of_source": source, "of_kind": kind.__name__, "keys": some}
        for key, updated, body, of in tx.conn.execute(_LOOK, these):
            parts = [(updated, body)] if of is None else _decoder.decode(of)
            found[key] = Stored(body, tuple(Telling(when, bytes(said)) for when, said in parts))
    return found


def _keep(tx: Transaction, source: str, kind: type[Event], kept: Mapping[str, Iterable[Telling]]) -> None:
    if not kept:
        return
    new = insert(tx.conn, tellings)
    rows = [
        {
            "source": source,
            "kind": kind.__name__,
            "key": key,
            "body": codec.encode([(updated, msgspec.Raw(body)) for updated, body in of]),
        }
        for key, of in kept.items()
    ]
    here = ["source", "kind", "key"]
    tx.conn.execute(new.on_conflict_do_update(index_elements=here, set_={"body": new.excluded.body}), rows)
