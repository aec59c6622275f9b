"""Rows of answers, one of which may be odd: it is left out and counted, and the rest of its page goes on.

A time of the year 1, a time without a zone, an impossible date or an unknown shape stays in its system for ever, so a
poll that ended there would end there each time.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, TypeVar, cast

import msgspec
from msgspec import Struct, inspect

from platform_meter.model.facts import Fact
from platform_meter.model.source import Answer, Outside, Page, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.kit.passing import Passing

T = TypeVar("T")
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between them lies every time that can be reckoned with."""
MOST = 10
"""So many rows may be odd with no sound one beside them; of more it is the API that has another shape."""
_NAIVE = "no zone"
_PLACE = re.compile(r"at `(?:key in )?\$(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")


class Row(Struct):
    """What a source reads a row as. One is odd where a time of it has no zone or is none that can be reckoned with."""

    becomes: ClassVar[str] = ""
    """The kind of fact that is missing without it: label `kind` of `platform_meter_events_rejected_total`."""

    def __post_init__(self) -> None:
        for name in _times(type(self)):
            at = getattr(self, name)
            if at is not None:
                sound(at, name)


def sound(at: datetime, name: str) -> datetime:
    """The moment, as it can be reckoned with.

    Raises:
        ValueError: it can't be.
    """
    if at.tzinfo is None:
        raise ValueError(f"`{name}` has {_NAIVE}")
    if not FIRST <= at <= LAST:
        raise ValueError(f"`{name}` is an impossible time")
    return at


@cache
def _times(type_: type[Row]) -> tuple[str, ...]:
    """Fields that hold a time."""
    info = inspect.type_info(type_)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    return tuple(field.name for field in fields if any(isinstance(t, inspect.DateTimeType) for t in _kinds(field.type)))


def _kinds(type_: inspect.Type) -> tuple[inspect.Type, ...]:
    return type_.types if isinstance(type_, inspect.UnionType) else (type_,)


class Sieve(Passing):
    """`Outside` for one poll, which keeps odd rows out of its answers and counts them. Threads may share it.

    poll = Sieve.over(outside, lambda outside: pages_of(outside, ...))
    """

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._lock = threading.Lock()
        self._odd = Counter[tuple[str, str]]()

    @classmethod
    def over(cls, outside: Outside, read: Callable[[Sieve], Iterable[Page]]) -> Iterator[Page]:
        """The pages of `read`, each with the rows that were left out on the way to it."""
        sieve = cls(outside)
        for page in read(sieve):
            yield replace(page, rejected=sieve._taken()) if sieve._odd else page
        if sieve._odd:
            yield Page(rejected=sieve._taken())

    def _taken(self) -> Mapping[tuple[str, str], int]:
        with self._lock:
            taken = Counter(self._odd)
            self._odd.clear()
        return taken

    def reject(self, kind: type[Fact] | str, reason: str = "invalid") -> None:
        """A row was left out for a reason that the source sees."""
        with self._lock:
            self._odd[kind if isinstance(kind, str) else kind.__name__, reason] += 1

    def get(
        self,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Answer[T]:
        try:
            return super().get(path, type_, params=params, headers=headers, etag=etag)
        except Unexpected as error:
            return self._sifted(error, type_)

    def post(
        self, path: str, type_: type[T], *, body: Any, headers: Mapping[str, str] | None = None, form: bool = False
    ) -> Answer[T]:
        try:
            return super().post(path, type_, body=body, headers=headers, form=form)
        except Unexpected as error:
            return self._sifted(error, type_)

    def _sifted(self, error: Unexpected, type_: type[T]) -> Answer[T]:
        if error.answer is None or error.answer.body is None:
            raise error
        try:
            body, odd = sift(error.answer.body, type_)
        except (msgspec.DecodeError, RecursionError):
            raise error from None
        with self._lock:
            self._odd.update(odd)
        return Answer(body=body, headers=error.answer.headers, etag=error.answer.etag, odd=len(odd))

    def beside(self, name: str) -> Sieve:
        other = Sieve(self._outside.beside(name))
        other._lock, other._odd = self._lock, self._odd
        return other


def sift(body: bytes, type_: type[T]) -> tuple[T, list[tuple[str, str]]]:
    """JSON as `type_` without its odd rows: the outermost of a list; and of each what it would become, and the reason.

    Raises:
        msgspec.ValidationError: it is no row that is odd but the whole, or all of many rows.
    """
    tree, odd = msgspec.json.decode(body), list[tuple[str, str]]()
    while True:
        try:
            # Encoded again, since parts that are read as they stand (Raw) can't be made of a tree.
            return decode(msgspec.json.encode(tree), type_), odd
        except msgspec.ValidationError as error:
            text = str(error)
            rows, number, kind = _row(tree, text, inspect.type_info(type_))
            del rows[number]
            odd.append((kind, "naive" if _NAIVE in text else "invalid"))
            if not rows and len(odd) > MOST:
                raise


def _row(tree: Any, text: str, info: inspect.Type) -> tuple[list[Any], int, str]:
    """The list in which the outermost row is odd, its number, and what it would become.

    Raises:
        msgspec.ValidationError: what is odd stands in no list.
    """
    place = _PLACE.search(text)
    for step in _STEP.finditer(place[1] if place else ""):
        name, number = step.groups()
        if name is not None:
            fields = (field for part in _kinds(info) if isinstance(part, inspect.StructType) for field in part.fields)
            found = next((field.type for field in fields if field.encode_name == name), None)
            if not isinstance(tree, dict) or found is None:
                break
            tree, info = tree.get(name), found
        elif number is not None and isinstance(tree, list) and int(number) < len(tree):
            items = (part.item_type for part in _kinds(info) if isinstance(part, inspect.ListType))
            return tree, int(number), _becomes(next(items, None))
        else:
            break
    raise msgspec.ValidationError(text)


def _becomes(info: inspect.Type | None) -> str:
    if not isinstance(info, inspect.StructType):
        return "row"
    cls = cast("type[Any]", info.cls)
    return cls.becomes if issubclass(cls, Row) and cls.becomes else cls.__name__
