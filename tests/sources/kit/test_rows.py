"""Odd rows are left out and counted, each by itself; what is odd as a whole is an error."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import msgspec
import pytest

from platform_meter.model.facts.use import Usage
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page, Unexpected
from platform_meter.sources.kit.rows import MOST, Row, Sieve, sift
from platform_meter.testing import FakeOutside, Reply


class Loan(Row):
    becomes: ClassVar[str] = "Usage"
    id: int
    at: datetime | None = None


class Shelf(msgspec.Struct):
    loans: list[Loan] | None = None
    first: Loan | None = None


GOOD = {"id": 1, "at": "2026-06-01T11:00:00Z"}
ODD: dict[str, tuple[Any, str]] = {
    "the year 1": ({"id": 2, "at": "0001-01-01T00:00:00.000+14:00"}, "invalid"),
    "the last year": ({"id": 2, "at": "9999-12-31T23:59:59-14:00"}, "invalid"),
    "no zone": ({"id": 2, "at": "2026-06-01T11:00:00"}, "naive"),
    "an impossible date": ({"id": 2, "at": "2020-00-00T00:00:00Z"}, "invalid"),
    "another shape": ({"id": "two"}, "invalid"),
    "no object": (None, "invalid"),
}


@pytest.mark.parametrize("row", ODD)
@pytest.mark.parametrize("under", ["", "loans"])
def test_one_odd_row_is_left_out(row: str, under: str) -> None:
    """Whatever is odd about it; those before and behind it are read, and it is counted by its kind and reason."""
    odd, reason = ODD[row]
    rows = [GOOD, odd, {"id": 3}]
    shape: Any = Shelf if under else list[Loan]
    body, left_out = sift(msgspec.json.encode({under: rows} if under else rows), shape)
    found = body.loans if under else body
    assert [loan.id for loan in found] == [1, 3]
    assert left_out == [("Usage", reason)]


def test_parts_that_are_read_as_they_stand_are_kept() -> None:
    """A page of rows with such parts loses the odd one alone."""

    class Parcel(Loan):
        inside: msgspec.Raw = msgspec.Raw(b"null")

    body, left_out = sift(b'[{"id":1,"inside":{"a":[1.5,null]}},{"id":"two"},{"id":3}]', list[Parcel])
    assert [(parcel.id, bytes(parcel.inside)) for parcel in body] == [(1, b'{"a":[1.5,null]}'), (3, b"null")]
    assert left_out == [("Usage", "invalid")]


def test_the_outermost_row_is_left_out() -> None:
    """A row whose parts are odd is odd as a whole."""

    class Case(msgspec.Struct):
        shelves: list[Shelf]

    shelves = {"shelves": [{"loans": [GOOD]}, {"loans": [{"id": "x"}]}]}
    body, odd = sift(msgspec.json.encode(shelves), Case)
    assert (len(body.shelves), odd) == (1, [("Shelf", "invalid")])


@pytest.mark.parametrize(
    ("said", "type_"),
    [({"message": "no list"}, list[Loan]), ({"first": {"id": "x"}}, Shelf), ({"loans": 5}, Shelf), ([{"id": "x"}] * (MOST + 1), list[Loan])],
)  # fmt: skip
def test_what_is_odd_as_a_whole_is_an_error(said: Any, type_: Any) -> None:
    """No list, no row of a list, or many rows of which none is sound: that is another API."""
    outside = FakeOutside({"/loans": Reply(body=said)})
    with pytest.raises(Unexpected, match=r"^GET /loans: "):
        Sieve(outside).get("/loans", type_)


def test_a_few_odd_rows_without_a_sound_one_are_left_out() -> None:
    """A page of one odd row must not stop the rest of its list."""
    answer = Sieve(FakeOutside({"/loans": [{"id": "x"}] * MOST})).get("/loans", list[Loan])
    assert (answer.body, answer.odd) == ([], MOST)


def test_pages_tell_what_was_left_out_on_the_way_to_them() -> None:
    """With a page of the poll, and behind the last one."""
    outside = FakeOutside({"/a": [GOOD, {"id": "x"}], "/b": [{"id": "y"}]})

    def read(sieve: Sieve) -> Iterator[Page]:
        sieve.get("/a", list[Loan])
        sieve.reject(Usage, "future")
        yield Page(progress=Progress(what="a"))
        yield Page(progress=Progress(what="none"))
        sieve.get("/b", list[Loan])

    assert list(Sieve.over(outside, read)) == [
        Page(progress=Progress(what="a"), rejected={("Usage", "invalid"): 1, ("Usage", "future"): 1}),
        Page(progress=Progress(what="none")),
        Page(rejected={("Usage", "invalid"): 1}),
    ]


def test_what_is_no_row_is_passed_on() -> None:
    """Errors of the system are its errors."""
    with pytest.raises(Unexpected) as caught:
        Sieve(FakeOutside({})).get("/nope", list[Loan])
    assert caught.value.status == 404


def test_threads_may_share_a_sieve() -> None:
    """Rows that are left out side by side are all counted, however often threads take turns."""

    def read(sieve: Sieve) -> Iterator[Page]:
        odd = [threading.Thread(target=lambda: [sieve.get("/loans", list[Loan]) for _ in range(300)]) for _ in range(4)]
        for thread in odd:
            thread.start()
        for thread in odd:
            thread.join()
        yield Page(progress=Progress(what="loans", done=sieve.at_once))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        (page,) = Sieve.over(FakeOutside({"/loans": [GOOD, {"id": "two"}]}, at_once=4), read)
    finally:
        sys.setswitchinterval(before)
    assert page.progress == Progress(what="loans", done=4)
    assert page.rejected == {("Usage", "invalid"): 1_200}


def test_odd_rows_of_what_is_beside_are_counted_too() -> None:
    """One poll reads several addresses, and all that it leaves out is told with its pages."""

    def read(sieve: Sieve) -> Iterator[Page]:
        far = sieve.beside("far")
        for _ in range(2):
            far.get("/loans", list[Loan])
            yield Page()

    odd, _ = ODD["no zone"]
    pages = list(Sieve.over(FakeOutside({"far:/loans": [GOOD, odd]}), read))
    assert [page.rejected for page in pages] == [{("Usage", "naive"): 1}, {("Usage", "naive"): 1}]
