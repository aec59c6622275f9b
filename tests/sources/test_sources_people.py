"""No source keeps a person in clear: people planted in all that each is told come out as hashes, or not at all.

A new folder in `sources/` is held to it unasked, whether or not its case says who stands in its answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.test_sources_contract import NAMES, case_of
from tests.support.people import Hunt, Planter, hunt, marked

from platform_meter import sources
from platform_meter.model.access import Access
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Gap, Outside, Page, Source, SourceConfig, Stream
from platform_meter.testing import Case

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MACHINES: Mapping[str, frozenset[str]] = {"kong": frozenset({"username"})}
"""By source, fields that look like logins: a consumer of Kong is an application, and where it is none `consumers: false`."""


def of(name: str, *, later: bool) -> Hunt:
    return hunt(sources.load()[name], case_of(name), later=later, machines=MACHINES.get(name, ()))


def names_people(source: Source[Any]) -> bool:
    """Whether its facts hold people. Use may be of nobody, and says so for its whole source."""
    return source.people or any(kind.who for kind in source.gives - {Usage})


@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("name", NAMES)
def test_nobody_leaves_a_source_in_clear(name: str, later: bool) -> None:
    """In no field of any fact, no place to go on from, no text of a gap; and its world is read as it is without them."""
    found, case = of(name, later=later), case_of(name)
    assert found.leaks == ()
    assert found.unhashed == ()
    assert {type(fact) for fact in found.told.facts} >= {type(fact) for fact in case.expected}


@pytest.mark.parametrize("name", [name for name in NAMES if names_people(sources.load()[name])])
def test_whoever_a_source_keeps_was_among_the_planted(name: str) -> None:
    """Else the hunt would have looked for nobody: a field with people in it is not known as one."""
    found = of(name, later=False)
    assert found.planted
    assert found.hashed <= {name for one in found.planted for name in _forms(one)}
    assert found.hashed


def _forms(name: str) -> Iterator[str]:
    """A planted name as sources hash it: as it is or in small letters, of a mail address, of a reference its end."""
    planted = marked(name.strip())
    yield from (planted, planted.lower(), planted.rpartition("/")[2].lower(), planted.rpartition("/")[2])


# The hunt itself, on sources that let somebody out


class _Settings(SourceConfig):
    pass


Say = Callable[[Outside, Mapping[str, Any]], Iterator[Fact]]
ROW = {
    "id": 7,
    "author": {"name": "Ann Archer", "type": "user"},
    "labels": {"app": "shop"},
    "text": "ask ann@acme.example",
}


def leaking(say: Say, *, place: bool = False) -> Source[Any]:
    """A source of one row a poll, which it reads so; with `place` it goes on from its author."""

    def connect(_: _Settings, outside: Outside, __: str) -> list[Stream]:
        def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
            del checkpoint, since, now
            row = outside.get("/row", dict[str, Any]).body or {}
            yield Page(facts=list(say(outside, row)), checkpoint=row["author"]["name"].encode() if place else b"{}")

        return [Stream(name="rows", read=read, gives=frozenset({Usage}))]

    return Source(
        name="leaky",
        title="Leaky",
        reads="rows",
        needs="nothing",
        config=_Settings,
        gives=frozenset({Usage}),
        access=lambda _: Access(),
        connect=connect,
        check=lambda _, __: (),
        people=True,
    )


def use(row: Mapping[str, Any], *, actor: str = "", **more: Any) -> Usage:
    about = Ref(system="leaky", kind="row", id="7", labels=tuple(more.items()))
    return Usage(key=str(row["id"]), at=NOON, about=about, action="view", actor=actor)


def hunted(say: Say, *, place: bool = False) -> Hunt:
    case = Case(settings={}, answers={"/row": ROW}, now=NOON, since=NOON - timedelta(days=1), expected=())
    return hunt(leaking(say, place=place), case)


def test_a_source_that_hashes_is_well() -> None:
    """What it hashed is the planted name, and stands where people do."""
    found = hunted(lambda outside, row: iter([use(row, actor=outside.hashed(row["author"]["name"]))]))
    assert (found.leaks, found.unhashed) == ((), ())
    assert found.hashed == {"Ann Archerzqp"}
    assert found.planted == {"Ann Archer", "ann@acme.example", "carla"}


def test_a_person_where_people_stand_is_no_hash_of_ones_own_making() -> None:
    """A field that says who it was holds what the runner hashed, with its salt, and nothing else."""
    found = hunted(lambda _, row: iter([use(row, actor=row["author"]["name"][::-1])]))
    assert found.unhashed == ("Usage: pqzrehcrA nnA",)


@pytest.mark.parametrize(
    ("say", "leak"),
    [
        (lambda row: {"by": row["author"]["name"]}, "('by', 'Ann Archerzqp')"),
        (lambda row: {"by": row["author"]["name"].upper()}, "('by', 'ANN ARCHERZQP')"),
        (lambda row: {"text": row["text"]}, "('text', 'ask annzqp@acme.example')"),
        (lambda row: row["labels"], "('contact', 'carlazqp')"),
    ],
    ids=["name", "capitals", "free text", "labels taken over whole"],
)
def test_a_person_anywhere_else_is_found(say: Callable[[Any], Mapping[str, Any]], leak: str) -> None:
    """Whatever the source made of it, and in whatever it took over whole; the field is named."""
    (found,) = hunted(lambda _, row: iter([use(row, **say(row))])).leaks
    assert found.startswith("Usage.about: ")
    assert leak in found


def test_a_person_in_a_place_to_go_on_from_or_in_a_gap_is_found() -> None:
    """Both are stored, and a gap is shown."""

    def say(outside: Outside, row: Mapping[str, Any]) -> Iterator[Fact]:
        outside.gap(Gap(start=NOON, end=NOON, reason="forbidden", text=f"ask {row['author']['name']}"))
        yield use(row)

    place, gap = hunted(say, place=True).leaks
    assert place == "checkpoint of rows: b'Ann Archerzqp'"
    assert "text='ask Ann Archerzqp'" in gap


def test_what_is_planted_in_other_forms() -> None:
    """In lines, tables and files people are known by mail address and by the names that a case says; machines are none."""
    planter = Planter(words=("jane",))
    assert planter.in_answer("jane GET /janet jane@acme.example\n") == "janezqp GET /janet janezqp@acme.example\n"
    assert planter.in_files({"/a.csv": b"who\njane\n", "/b.json": '{"who":"jo"}'}) == {
        "/a.csv": b"who\njanezqp\n",
        "/b.json": '{"who":"jozqp"}',
    }
    assert planter.in_json({"user": {"login": "x", "type": "User"}, "actor": {"name": "y", "type": "Bot"}}) == {
        "user": {"login": "xzqp", "type": "User"},
        "actor": {"name": "y", "type": "Bot"},
    }
