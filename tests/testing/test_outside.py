"""The outside in memory answers as HTTP would."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from platform_meter.model.source import Expired, Gap, Outside, Refused, Unexpected
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Item(msgspec.Struct):
    id: int


def test_it_is_an_outside() -> None:
    """mypy holds it to the protocol; bodies become the type that was asked for, from paths or a function of the call."""
    answers: dict[str, Any] = {"/item": {"id": 1}, "/seen": lambda call: {"id": call.params["n"]}, "/search": {"id": 3}}
    outside: Outside = FakeOutside(answers)
    assert outside.get("/item", Item).body == Item(id=1)
    assert outside.get("/seen", Item, params={"n": 2, "absent": None}).body == Item(id=2)
    assert outside.post("/search", Item, body={"q": ""}).body == Item(id=3)


def test_what_was_asked_is_kept() -> None:
    """Calls with what they carried; those answered 304 cost no quota."""
    outside = FakeOutside({"/item": {"id": 1}})
    etag = outside.get("/item", Item, params={"page": 1, "state": None}).etag
    again = outside.get("/item", Item, etag=etag)
    assert (again.changed, again.body) == (False, None)
    assert outside.paid == [Call(method="GET", path="/item", params={"page": 1})]
    assert outside.calls[1] == Call(method="GET", path="/item", etag=etag, unchanged=True)


def test_pages_are_linked_as_github_does() -> None:
    """All but the last say that there is one more; beyond it is nothing."""
    outside = FakeOutside({"/items pages": [[1], [2]]})
    first, second, beyond = (outside.get("/items", list[int], params={"page": n}) for n in (1, 2, 3))
    assert (first.body, second.body, beyond.body) == ([1], [2], [])
    assert first.headers == {"Link": '<https://api.example.test/items?page=2>; rel="next"'}
    assert second.headers == {}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401), Refused),
        (Reply(status=403), Refused),
        (Reply(status=410), Expired),
        (Reply(status=404), Unexpected),
        (Reply(body={"id": "x"}), Unexpected),
        (Reply(body=b"<html>"), Unexpected),
    ],
)
def test_errors_are_those_of_the_real_one(reply: Reply, error: type[Exception]) -> None:
    """By status, and for a body that is not what was asked for; unknown paths are 404."""
    with pytest.raises(error):
        FakeOutside({"/item": reply}).get("/item", Item)
    with pytest.raises(Unexpected):
        FakeOutside({}).get("/item", Item)


def test_text_and_lines() -> None:
    """A probe has every status as its answer; a watch is a list of lines, some of which come together, and may be refused."""
    outside = FakeOutside(
        {"/readyz": Reply(status=500, body="no"), "/watch": [{"a": 1}, b"raw", [1, 2]], "/gone": Reply(status=410)}
    )
    assert outside.text("/readyz") == (500, "no")
    assert list(outside.lines("/watch")) == [[b'{"a":1}'], [b"raw"], [b"1", b"2"]]
    with pytest.raises(Expired):
        list(outside.lines("/gone"))
    with pytest.raises(Unexpected):
        list(outside.lines("/none"))


def test_one_call_can_be_made_to_fail() -> None:
    """By its number; all others are answered."""
    outside = FakeOutside({"/item": {"id": 1}}, fail_at=1, error=Refused("made up"))
    outside.get("/item", Item)
    with pytest.raises(Refused, match="made up"):
        outside.text("/item")
    outside.get("/item", Item)


def test_people_are_hashed_and_gaps_kept() -> None:
    """The same person is the same hash, and not the name."""
    outside = FakeOutside({})
    assert outside.hashed("ann") == outside.hashed("ann") != outside.hashed("bob")
    assert "ann" not in outside.hashed("ann")
    gap = Gap(start=..., end=..., reason="pruned")  # type: ignore[arg-type] # nobody looks at it
    outside.gap(gap)
    assert outside.gaps == [gap]


def test_threads_may_share_it() -> None:
    """Calls side by side are all kept, and each is marked by itself where nothing changed."""
    outside = FakeOutside({"/item": {"id": 1}, "/other": {"id": 2}}, at_once=2)
    etag = outside.get("/item", Item).etag
    both = threading.Barrier(2, timeout=20)
    answering = outside.answering

    def together(call: Call) -> Reply:
        both.wait()
        return answering(call)

    outside.answering = together
    other = threading.Thread(target=outside.get, args=("/other", Item))
    other.start()
    outside.get("/item", Item, etag=etag)
    other.join()
    assert outside.at_once == 2
    assert sorted((call.path, call.unchanged) for call in outside.calls[1:]) == [("/item", True), ("/other", False)]


def test_what_is_beside_is_asked_under_its_name() -> None:
    """Calls of all addresses are kept together, in order, and so are their gaps."""
    outside = FakeOutside({"/items": [1], "far:/items": [2]})
    far = outside.beside("far")
    assert (outside.get("/items", list[int]).body, far.get("/items", list[int]).body) == ([1], [2])
    assert [(call.beside, call.path) for call in outside.calls] == [("", "/items"), ("far", "/items")]
    gap = Gap(start=NOON, end=NOON, reason="pruned", what="x")
    far.gap(gap)
    assert outside.gaps == [gap]
    outside.filled("x", NOON, NOON)
    assert far.gaps == []
