"""The contract finds what a source does wrong: one sound source of a list of pages, and each way to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import msgspec
import pytest

from platform_meter.model.access import Access
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.use import Usage
from platform_meter.model.proposal import Proposal
from platform_meter.model.push import Pushed, Receiver, Unreadable
from platform_meter.model.source import Outside, Page, Source, SourceConfig, Stream
from platform_meter.sources.kit.walk import Walk
from platform_meter.testing import Case
from platform_meter.testing.sources import CHECKS, held_to_contract

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Row(msgspec.Struct):
    id: int
    by: str


class Config(SourceConfig):
    shelf: str


def use(row: Row, **changed: Any) -> Usage:
    about = Ref(system="library", kind="book", id=str(row.id))
    fact = Usage(key=f"{row.id}", at=NOW - timedelta(hours=1), about=about, action="lent", amount=1.0)
    return replace(fact, **changed)


Say = Callable[[Row, Outside], Usage]
Read = Callable[[Outside, Say, bytes | None], Iterator[Page]]


def pages(outside: Outside, say: Say, checkpoint: bytes | None) -> Iterator[Page]:
    """Page after page, each with the place behind it."""
    walk = Walk("/loans")
    for number in range(int(checkpoint or 1), 3):
        ask = partial(outside.get, "/loans", list[Row], params={"page": number})
        rows = walk.page(lambda answer: tuple(row.id for row in answer.body or ()), ask).body or []
        yield Page(facts=[say(row, outside) for row in rows], checkpoint=str(number + 1).encode())


def trusting(outside: Outside, say: Say, checkpoint: bytes | None) -> Iterator[Page]:
    """Takes whatever comes for the page it asked for."""
    for number in range(int(checkpoint or 1), 3):
        rows = outside.get("/loans", list[Row], params={"page": number}).body or []
        yield Page(facts=[say(row, outside) for row in rows], checkpoint=str(number + 1).encode())


def hasty(outside: Outside, say: Say, checkpoint: bytes | None) -> Iterator[Page]:
    """Says that it is further than it is."""
    for number in range(int(checkpoint or 1), 3):
        yield Page(checkpoint=str(number + 1).encode())
        rows = outside.get("/loans", list[Row], params={"page": number}).body or []
        yield Page(facts=[say(row, outside) for row in rows])


def forgetful(outside: Outside, say: Say, checkpoint: bytes | None) -> Iterator[Page]:
    """Goes wrong when it is not the first time."""
    if checkpoint is not None:
        outside.get("/more", list[Row])
    yield from pages(outside, say, checkpoint)


def whole(outside: Outside, say: Say, checkpoint: bytes | None) -> Iterator[Page]:
    """Makes up a key at each poll that goes on from another."""
    for page in pages(outside, say, None):
        suffix = "" if checkpoint is None else "-again"
        facts = [replace(fact, key=fact.key + suffix) for fact in page.facts if isinstance(fact, Usage)]
        yield Page(facts=facts, checkpoint=page.checkpoint)


def source(
    say: Say = lambda row, _: use(row),
    read: Read = pages,
    *,
    missing: Sequence[str] = (),
    gives: frozenset[type[Event]] = frozenset({Usage}),
    streams: frozenset[type[Event]] = frozenset({Usage}),
) -> Source[Config]:
    def connect(_config: Config, outside: Outside, _instance: str) -> Sequence[Stream]:
        return [
            Stream(name="loans", gives=streams, read=lambda checkpoint, _since, _now: read(outside, say, checkpoint))
        ]

    return Source(
        name="library",
        title="Library",
        reads="loans",
        needs="a card",
        config=Config,
        gives=gives,
        access=lambda _: Access(),
        connect=connect,
        check=lambda _config, _outside: missing,
    )


ROWS = [[{"id": 1, "by": "ann"}], [{"id": 2, "by": "bob"}]]
CASE = Case(
    settings={"shelf": "a"},
    answers={"/loans pages": ROWS},
    now=NOW,
    since=NOW - timedelta(days=7),
    expected=[use(Row(1, "ann")), use(Row(2, "bob"))],
    people=["ann", "bob"],
)


HOOKED = replace(
    CASE,
    hooks=[Pushed(headers={}, body=b'{"id": 1, "by": "ann"}', at=NOW, hashed=lambda person: f"hash of {person}")],
)


def brought(row: Row) -> Usage:
    return use(row)


def pushed_to(
    say: Callable[[Row], Usage],
    *,
    trusts: bool = False,
    silent: bool = False,
    gives: frozenset[type[Event]] | None = None,
) -> Source[Config]:
    """One that is told of a loan as well, in the words of its list."""

    def read(_config: Config, pushed: Pushed) -> Sequence[Event]:
        try:
            return [say(msgspec.json.decode(pushed.body, type=Row))]
        except msgspec.DecodeError as error:
            if trusts:
                raise
            raise Unreadable("" if silent else str(error)) from None

    return replace(source(), receives=Receiver(read=read), gives=frozenset({Usage}) if gives is None else gives)


def test_a_sound_source_that_is_pushed_to_passes() -> None:
    """With what it is told, in `hooks` where polls tell it too."""
    held_to_contract(pushed_to(brought), HOOKED)


def test_what_is_pushed_alone_is_part_of_the_case() -> None:
    """In `pushed`, as what no poll tells."""
    case = replace(CASE, answers={"/loans pages": [[], []]}, pushed=HOOKED.hooks, expected=[use(Row(1, "ann"))])
    held_to_contract(pushed_to(brought), case)
    with pytest.raises(AssertionError, match=r"has Usage\(key='1'.* beyond the case"):
        held_to_contract(pushed_to(brought), replace(case, expected=[]))


def test_a_sound_source_passes() -> None:
    """Every check by itself, and all at once."""
    for check in CHECKS:
        check(source(), CASE)
    held_to_contract(source(), CASE)


class Other(Event):
    pass


PLUS_ONE = timezone(timedelta(hours=1))
SAMPLE = Proposal(about="Loans.", sample=("library", {"shelves": "a"}), fill_in="its shelf")


@pytest.mark.parametrize(
    ("broken", "case", "says"),
    [
        (replace(source(), title=""), CASE, "title is ''; write one line of text"),
        (replace(source(), propose=lambda _: SAMPLE), CASE, "shelves\n  Extra inputs are not permitted"),
        (source(lambda row, _: use(row, amount=2.0)), CASE, "a poll lacks Usage(key='1'"),
        (source(), replace(CASE, answers={}), "a poll of the recorded world fails: GET /loans: 404"),
        (source(gives=frozenset()), CASE, "it says Usage, which its `gives` does not declare"),
        (source(gives=frozenset({Usage, Other})), CASE, "the case shows no Other; add a row that becomes one"),
        (source(streams=frozenset()), CASE, "stream loans says Usage, which its `gives` does not declare"),
        (source(streams=frozenset({Usage, Other})), CASE, "its streams give Other, Usage and the source Usage"),
        (source(lambda row, _: use(row, at=NOW.astimezone(PLUS_ONE))), CASE, "moments that are not in UTC: Usage(key='1'"),
        (source(lambda row, _: use(row, key="x")), CASE, "one key for several facts, of which the store keeps one: Usage x"),
        (source(read=whole), CASE, "a second poll makes up Usage(key='1-again'"),
        (source(read=forgetful), CASE, "a second poll fails: GET /more: 404"),
        (source(read=hasty), CASE, "Unreachable at call 0 (GET /loans) loses Usage(key='1'"),
        (source(read=trusting), CASE, "a page that repeats an earlier one, at GET /loans {'page': 2}, loses Usage(key='2'"),
        (source(), replace(CASE, without=[({"shelf": "b"}, frozenset({Usage}))]), "with {'shelf': 'b'} its streams still give Usage"),
        (source(lambda row, _: use(row, action=row.by)), CASE, "it lets out ann; bob"),
        (pushed_to(brought), CASE, "its case shows no request that says something; add it to `pushed` or `hooks`"),
        (pushed_to(brought, gives=frozenset()), HOOKED, "a request says Usage, which its `gives` does not declare"),
        (pushed_to(lambda row: use(row, at=NOW.astimezone(PLUS_ONE))), HOOKED, "moments that are pushed and not in UTC: Usage"),
        (pushed_to(lambda row: use(row, action=row.by)), HOOKED, "what is pushed lets out ann; keep people as `pushed.hashed`"),
        (pushed_to(brought, trusts=True), HOOKED, "a request that is cut off fails with DecodeError("),
        (pushed_to(brought, silent=True), HOOKED, "what nobody can read is refused without a word"),
        (source(missing=["no card"]), CASE, "`check` of a source that is well set up says no card"),
    ],
)  # fmt: skip
def test_what_a_source_does_wrong_is_said(broken: Source[Config], case: Case, says: str) -> None:
    """Each by one check at least, in words that say what to look for."""
    told = []
    for check in CHECKS:
        try:
            check(broken, case)
        except AssertionError as error:
            told.append(str(error))
    assert any(says in text for text in told), told
    with pytest.raises(AssertionError):
        held_to_contract(broken, case)
