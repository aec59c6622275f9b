"""One person out of everything that is stored. What was counted stays, where it is no person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select

from platform_meter.model.facts import Event, Tallied, event_kinds, reading_kinds
from platform_meter.model.personal import people
from platform_meter.store import codec
from platform_meter.store.database import Transaction
from platform_meter.store.renaming import Renaming, kinds_of_people, rename_beside, rewrite
from platform_meter.store.rollups import Rollups
from platform_meter.store.schema import correction, events, folds, readings, states
from platform_meter.store.times import Days


def forget(tx: Transaction, days: Days, hashes: Collection[str]) -> tuple[frozenset[str], Counter[str]]:
    """Remove these people under all names by which a directory knows them. Gives these names, and rows by what they told."""
    known = _all_names(tx, frozenset(hashes))
    renaming, done = Renaming(known), Counter[str]()
    for name, kind in reading_kinds().items():
        if kind.who:
            done[name] += _remove_readings(tx, name, known)
    for name in kinds_of_people():
        done[name] += _of_kind(tx, days, event_kinds()[name], known, renaming)
    rename_beside(tx.conn, renaming)
    done["states"] += rewrite(tx.conn, states, ("unit",), renaming)
    tx.conn.execute(folds.delete())
    tx.changed("owners", *(("states",) if done["states"] else ()))
    return known, +done


def _all_names(tx: Transaction, known: frozenset[str]) -> frozenset[str]:
    """Whoever a directory knows by one of these names has all of its names there."""
    groups = [
        frozenset(people(codec.decoder(kind).decode(body)))
        for name, kind in reading_kinds().items()
        if kind.who
        for body in tx.conn.execute(select(readings.c.body).where(readings.c.kind == name)).scalars()
    ]
    while more := frozenset[str]().union(*(group for group in groups if group & known)) - known:
        known |= more
    return known


def _remove_readings(tx: Transaction, kind: str, known: frozenset[str]) -> int:
    decode = codec.decoder(reading_kinds()[kind]).decode
    rows = tx.conn.execute(select(readings.c.id, readings.c.body).where(readings.c.kind == kind)).all()
    ids = [{"its_id": row.id} for row in rows if known.intersection(people(decode(row.body)))]
    if ids:
        tx.conn.execute(readings.delete().where(readings.c.id == bindparam("its_id")), ids)
        tx.changed(kind, "readings")
    return len(ids)


def _of_kind(tx: Transaction, days: Days, kind: type[Tallied[Any]], known: frozenset[str], renaming: Renaming) -> int:
    """Remove what is theirs alone, with its sums; empty them out of all else, as a correction that readers see."""
    name, decode = kind.__name__, codec.decoder(kind).decode
    columns = select(events.c.seq, events.c.source, events.c.at, events.c.object, events.c.body)
    rows = tx.conn.execute(columns.where(events.c.kind == name).execution_options(yield_per=1_000))
    found = [(row, event) for row in rows if known.intersection(_told(event := decode(row.body)))]
    if not found:
        return 0
    sums: dict[str, Rollups] = {}
    for row, event in found:
        if kind.theirs:
            sums.setdefault(row.source, Rollups(row.source, name, days)).subtract(row.at, row.object, event.tallies())
            tx.conn.execute(events.delete().where(events.c.seq == row.seq))
        else:
            told = {"seq": tx.next(), "body": codec.encode(without(event, known, renaming.word(event.about.id)))}
            tx.conn.execute(events.update().where(events.c.seq == row.seq).values(told))
    for one in sums.values():
        one.write(tx)
    tx.changed(name, correction(name))
    return len(found)


def _told(event: Event) -> set[str]:
    return {*people(event), event.about.id}


def without(event: Event, known: Collection[str], instead: str) -> Event:
    """The event with nobody in the place of these people, and something else in that of the object that one of them is."""
    about = replace(event.about, id=instead) if event.about.id in known else event.about
    emptied: dict[str, Any] = {name: "" for name in event.who if getattr(event, name) in known}
    return replace(event, about=about, **emptied)
