"""What stands in one row: values, names and moments, held against the moment of the look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from platform_meter.model.personal import by_person
from platform_meter.sources.documents.config import Amount, Is, Rows
from platform_meter.sources.documents.pointer import found
from platform_meter.sources.documents.values import Odd, amount, moment, name, word
from platform_meter.sources.kit.pushed import LONGEST, SKEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What rows are held against."""

    start: datetime
    """What was before is no history."""
    now: datetime
    delay: timedelta
    """A slice is told when it ended this long ago."""
    hashed: Callable[[str], str]
    """Makes a person nobody (`Outside.hashed`)."""


def value(row: Any, pointer: str) -> Any:
    """Raises:
    Odd: nothing stands there.
    """
    try:
        return found(row, pointer)
    except LookupError:
        raise Odd(f"a row has nothing at {pointer}") from None


def held(row: Any, pointer: str | None) -> Any:
    """What stands there, where anything does."""
    try:
        return None if pointer is None else found(row, pointer)
    except LookupError:
        return None


def text(row: Any, pointer: str | None) -> str:
    """A text that may be missing.

    Raises:
        Odd: something else stands there.
    """
    there = held(row, pointer)
    return "" if there in (None, "") else name(there)


def at(entry: Rows, row: Any, pointer: str) -> datetime:
    """The moment that stands there.

    Raises:
        Odd: there is none.
    """
    return moment(value(row, pointer), entry.format or "", entry.zone or "")


def has_been(at: datetime, look: Look) -> datetime:
    """The moment.

    Raises:
        Odd: it is still to come.
    """
    if at > look.now + SKEW:
        raise Odd(f"{at:%Y-%m-%dT%H:%M:%SZ} has not been yet", "future")
    return at


def later(entry: Rows, row: Any, pointer: str | None, look: Look) -> datetime | None:
    """A moment that may not have come yet: then nothing stands there, or an empty text.

    Raises:
        Odd: something else stands there, or it is still to come.
    """
    if pointer is None or held(row, pointer) in (None, ""):
        return None
    return has_been(at(entry, row, pointer), look)


def much(row: Any, told: Amount) -> float:
    """An amount as settings tell it.

    Raises:
        Odd: it is none.
    """
    if isinstance(told, float):
        return told
    if isinstance(told, Is):
        return float(word(value(row, told.value)) in map(word, told.among))
    return amount(value(row, told))


def named(row: Any, pointers: Iterable[str], begin: str = "") -> str:
    """The names that stand there, joined behind a beginning.

    Raises:
        Odd: one is none, or all of it is too long for one.
    """
    text = begin + "/".join(name(value(row, pointer)) for pointer in pointers)
    if len(text) > LONGEST:
        raise Odd(f"a name has more than {LONGEST} letters")
    return text


def key(entry: Rows, row: Any, person: str | None, look: Look) -> list[str]:
    """What tells rows apart, where the settings say it; who stands at `person` is nobody here either."""
    if not entry.key:
        return []
    values = [(pointer, name(value(row, pointer))) for pointer in entry.key]
    told = digest(*(look.hashed(text) if pointer == person else text for pointer, text in values))
    return [by_person(told) if person in entry.key else told]


def digest(*parts: str) -> str:
    """One word for all of them."""
    return blake2b(msgspec.json.encode(parts), digest_size=12).hexdigest()
