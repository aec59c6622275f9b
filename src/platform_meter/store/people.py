"""People in the store: under which salt they are hashed, who is kept out, and what a page tells of both.

What was stored under a salt of before has other names than what comes now (`store.renaming`), so that nobody is the
same person before and after. An event whose key hangs on a person would come a second time, under another key: those
from before the salt are not taken.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from platform_meter.model.facts import Event, Fact, Reading
from platform_meter.model.personal import fingerprint, hangs_on_person, people
from platform_meter.store.database import Transaction, keep
from platform_meter.store.errors import StoreError
from platform_meter.store.forgetting import forget, without
from platform_meter.store.renaming import SINCE, anybody, restart
from platform_meter.store.schema import forgotten, insert
from platform_meter.store.times import Days, to_ms

SALT, FINGERPRINT, OUT = "salt", "people", "forgotten"
"""Keys in `meta`: the store's own salt, the fingerprint of the one in use, and another word whenever somebody is forgotten."""
NOBODY = "unknown"
"""Id of the object of what a person did of whom nothing is told."""
FORGOTTEN, BEFORE = "forgotten", "salted_before"
"""Reasons for which facts are refused."""


class _Unit(Protocol):
    @property
    def tx(self) -> Transaction: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """What another salt did."""

    renamed: int
    """People whose old hashes are no more."""
    untied: int
    """People that were kept out, by hashes of the salt before: these know them no more."""


class People:
    """The people of one store; a part of it.

    Args:
        place: where the store is.
        days: days of its zone.
        writing: begins a write transaction.
    """

    def __init__(self, place: str, days: Days, writing: Callable[[], AbstractContextManager[_Unit]]) -> None:
        self._place, self._days, self._writing = place, days, writing
        self._ours: str | None = None
        self._out: str | None = None

    def salt(self, said: bytes | None) -> bytes:
        """What people are hashed with from here on: what is `said`, else the store's own, made at first use.

        Raises:
            StoreError: people are stored here who were hashed with another.
        """
        self._ours = None
        with self._writing() as unit:
            tx = unit.tx
            salt = said or tx.values.get(SALT, "").encode() or _new(tx)
            ours, stored = fingerprint(salt), tx.values.get(FINGERPRINT)
            if stored != ours:
                if stored is not None and anybody(tx.conn):
                    raise StoreError(
                        f"the store at {self._place} has people who were hashed with another salt; give it the salt of "
                        "before, or run `platform-meter people rotate`, with which all that is told of people begins anew"
                    )
                keep(tx.conn, FINGERPRINT, ours)
            self._out = tx.values.get(OUT)
        self._ours = ours
        return salt

    def check(self, tx: Transaction) -> None:
        """Refuse to write under a salt that another process has changed meanwhile.

        Raises:
            StoreError: it has.
        """
        if self._ours is not None and tx.values.get(FINGERPRINT) != self._ours:
            raise StoreError(
                f"people in the store at {self._place} are hashed with another salt since this process began; reload it, or "
                "start it again"
            )

    def rotate(self, said: bytes | None, now: datetime, *, out: Callable[[bytes], Collection[str]]) -> Restarted:
        """Take another salt: all in one transaction, or nothing.

        Args:
            said: the new one; without it the store makes itself a new one.
            now: from when on people are known.
            out: under the new salt, the hashes of who is kept out.

        Raises:
            ValueError: the salt is the same as before.
            StoreError: nothing is changed.
        """
        with self._writing() as unit:
            tx = unit.tx
            if said is not None and tx.values.get(FINGERPRINT) == fingerprint(said):
                raise ValueError(
                    "the configured salt is the one that people are hashed with now; put a new one in its place first, "
                    "such as `openssl rand -hex 32` gives"
                )
            salt = said or _new(tx)
            renamed, changed = restart(tx.conn)
            tx.changed(*changed)
            keep(tx.conn, FINGERPRINT, fingerprint(salt))
            keep(tx.conn, SINCE, str(to_ms(now)))
            untied = tx.conn.execute(forgotten.delete()).rowcount
            _keep_out(tx, out(salt), now)
        self._ours = None
        return Restarted(renamed=renamed, untied=untied)

    def forget(self, hashes: Collection[str], now: datetime) -> Counter[str]:
        """Remove these people, and keep them out of what comes. Gives the number of rows by what they told.

        Who is known to a directory by other names too is removed under all of them.

        Raises:
            StoreError: nothing is changed.
        """
        with self._writing() as unit:
            known, done = forget(unit.tx, self._days, hashes)
            _keep_out(unit.tx, known, now)
        return done

    def kept_out(self) -> int:
        """How many hashes are kept out."""
        with self._writing() as unit:
            return len(_all(unit.tx))

    def may_fold(self, tx: Transaction) -> bool:
        """Whether what measures hold in memory may be stored: not where somebody was forgotten since they began."""
        return self._ours is None or tx.values.get(OUT) == self._out

    def admitted(self, tx: Transaction, facts: Sequence[Fact]) -> tuple[Sequence[Fact], Counter[tuple[str, str]]]:
        """Those of a page that may be stored, without who is kept out; and how many may not, by kind and reason."""
        refused = Counter[tuple[str, str]]()
        since, out = int(tx.values.get(SINCE, 0)), _all(tx) if OUT in tx.values else frozenset[str]()
        if not since and not out:
            return facts, refused
        good: list[Fact] = []
        for fact in facts:
            named = [person for person in people(fact) if _mark(person) in out] if out else []
            if isinstance(fact, Event) and fact.who and since and _before(fact, since):
                refused[type(fact).__name__, BEFORE] += 1
            elif not named:
                good.append(fact)
            elif isinstance(fact, Reading) or fact.theirs:
                refused[type(fact).__name__, FORGOTTEN] += 1
            else:
                good.append(without(fact, named, NOBODY))
        return good, refused

    def strangers(self, tx: Transaction, units: Iterable[str]) -> frozenset[str]:
        """Those of these units that are kept out."""
        out = _all(tx) if OUT in tx.values else frozenset[str]()
        return frozenset(unit for unit in units if out and _mark(unit) in out)


def _before(event: Event, since: int) -> bool:
    """Whether it is of before this salt and stored already under another key, if it ever was told."""
    return event.at.tzinfo is not None and to_ms(event.at) < since and hangs_on_person(event.key)


def _new(tx: Transaction) -> bytes:
    """A salt of the store's own, kept in the place of the one before."""
    salt = secrets.token_hex(32)
    keep(tx.conn, SALT, salt)
    return salt.encode()


def _mark(hash_: str) -> str:
    """By what somebody who was forgotten is known again: their hash is stored no more."""
    return hashlib.sha256(hash_.encode()).hexdigest()


def _all(tx: Transaction) -> frozenset[str]:
    return frozenset(tx.conn.execute(select(forgotten.c.mark)).scalars())


def _keep_out(tx: Transaction, hashes: Collection[str], now: datetime) -> None:
    rows = [{"mark": _mark(one), "at": to_ms(now)} for one in sorted(hashes)]
    if rows:
        tx.conn.execute(insert(tx.conn, forgotten).on_conflict_do_nothing(), rows)
        keep(tx.conn, OUT, secrets.token_hex(8))
