"""Who was in which team at a moment, by all directories that tell it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.history import MemoryHistory, owner

from platform_meter.measures.memberships import Memberships
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.people import Membership
from platform_meter.model.measure import Scene

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
REACH = 91 * DAY


def members(*told: tuple[str, tuple[str, ...], int, int | None]) -> Memberships:
    """Of ada: (name in the directory, teams, since and until how many days ago)."""
    held = [
        (
            "portal",
            owner("portal"),
            Membership(about=Ref(system="portal", kind="user", id=name), people=("ada", "ada-mail"), teams=teams),
            NOW - start * DAY,
            None if until is None else NOW - until * DAY,
        )
        for name, teams, start, until in told
    ]
    return Memberships(Scene(history=MemoryHistory(held=held), definitions=Definitions(), now=NOW), REACH)


def test_a_person_is_where_directories_have_them_then() -> None:
    """By each of their names, in the teams of all entries that hold; a gap is none, and of others nothing is known."""
    found = members(("ada", ("a",), 20, 10), ("ada", ("b", "c"), 5, None), ("ada-2", ("c", "d"), 5, 2))
    told = [sorted(found.teams("ada-mail", NOW - n * DAY)) for n in (15, 10, 7, 5, 2)]
    assert told == [["a"], [], [], ["b", "c", "d"], ["b", "c"]]
    assert found.teams("bob", NOW) == frozenset()


def test_before_the_first_look_a_person_is_where_that_found_them() -> None:
    """By every entry that it found, also by one that is gone since."""
    found = members(("ada", ("a",), 20, None), ("ada-2", ("b",), 20, 10), ("ada-3", ("c",), 15, None))
    assert found.teams("ada", NOW - 25 * DAY) == {"a", "b"}


def test_what_ended_before_the_reach_is_not_read() -> None:
    """Nobody asks for it."""
    assert members(("ada", ("a",), 100, 92)).teams("ada", NOW - 95 * DAY) == frozenset()
