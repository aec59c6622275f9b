"""A cursor over a list that moves: what is told once, what again, and where a read goes on that broke off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from platform_meter.sources.kit.cursor import Cursor, mark

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OVERLAP = 15 * MINUTE
Item = tuple[str, float | None]
"""An id, and how many minutes before noon it changed; None where that can't be known."""


def key(item: Item) -> tuple[object, datetime | None]:
    return item[0], None if item[1] is None else NOON - item[1] * MINUTE


def told(cursor: Cursor, *pages: list[Item], floor: datetime | None = None, settled: float | None = None) -> list[str]:
    """Ids of what is new on each page."""
    young = None if settled is None else settled * MINUTE
    return ["".join(id_ for id_, _ in page) for page in cursor.changed(pages, key, OVERLAP, floor=floor, settled=young)]


def begun(start: float = 600) -> Cursor:
    cursor = Cursor()
    cursor.begin(NOON, NOON - start * MINUTE, "v1")
    return cursor


def test_the_next_read_goes_back_to_where_the_last_one_began_less_the_overlap() -> None:
    """A list that was never read is read since the given moment."""
    cursor = begun()
    assert cursor.next_start(NOON - timedelta(days=7), OVERLAP) == NOON - timedelta(days=7)
    assert told(cursor, [("a", 5)]) == ["a"]
    assert cursor.next_start(NOON - timedelta(days=7), OVERLAP) == NOON - OVERLAP
    assert (cursor.etag, cursor.began, cursor.at) == ("v1", None, None)


def test_what_comes_twice_is_told_once() -> None:
    """On another page of the same read, and within the overlap in the next one; a new change is told."""
    cursor = begun()
    assert told(cursor, [("a", 5), ("b", 9)], [("b", 9), ("c", 30)]) == ["ab", "c"]
    cursor.begin(NOON + MINUTE, NOON - 14 * MINUTE)
    assert told(cursor, [("b", -0.5), ("a", 5)]) == ["b"]


def test_what_was_told_is_forgotten_behind_the_overlap() -> None:
    """The checkpoint stays small, whether something changes or not."""
    cursor = begun()
    assert told(cursor, [("a", 5), ("b", 14), ("c", 16)]) == ["abc"]
    assert cursor.done == {"a": "2026-05-20T11:55:00Z", "b": "2026-05-20T11:46:00Z"}
    cursor.unchanged(NOON + 5 * MINUTE, OVERLAP)
    assert cursor.done == {"a": "2026-05-20T11:55:00Z"}
    assert cursor.read == NOON + 5 * MINUTE
    cursor.begin(NOON + 11 * MINUTE, NOON - 10 * MINUTE)
    assert told(cursor, [("d", -8)]) == ["d"]
    assert cursor.done == {"d": "2026-05-20T12:08:00Z"}


def test_changes_before_the_floor_end_the_list() -> None:
    """They are not told, and the page behind theirs is not asked for."""
    cursor = begun(60)
    assert told(cursor, [("a", 5)], [("b", 59), ("c", 61)], [("d", 30)], floor=cursor.start) == ["a", "b"]
    assert cursor.read == NOON


def test_a_read_that_broke_off_goes_on_behind_what_was_told() -> None:
    """Over a checkpoint, hours later: of the item it came to last it may have told only a part."""
    cursor = begun()
    pages: list[list[Item]] = [[("a", 20), ("b", 30)], [("c", 40)]]
    assert len(next(cursor.changed(pages, key, OVERLAP))) == 2
    cursor = msgspec.json.decode(msgspec.json.encode(cursor), type=Cursor)
    assert told(cursor, [("z", -120), ("a", 20), ("b", 30)], [("c", 40)]) == ["b", "c"]
    assert cursor.read == NOON


def test_a_read_that_is_given_up_leaves_the_place_of_the_last_one() -> None:
    """Nothing counts as read that was not."""
    cursor = begun()
    assert told(cursor, [("a", 5)]) == ["a"]
    cursor.begin(NOON + MINUTE, NOON, "v2")
    cursor.abandon()
    assert (cursor.read, cursor.etag, cursor.began, cursor.start, cursor.fresh) == (NOON, "v1", None, None, "")


def test_what_changed_a_moment_ago_is_told_again() -> None:
    """Where a system may show a change before all of it is there."""
    cursor = begun()
    assert told(cursor, [("a", 0.5), ("b", 2)], settled=1) == ["ab"]
    cursor.begin(NOON + MINUTE, NOON - 14 * MINUTE)
    assert told(cursor, [("a", 0.5), ("b", 2)], settled=1) == ["a"]


def test_what_has_no_time_is_told_by_each_read_once() -> None:
    """It neither ends a list nor says how far a read is."""
    cursor = begun(60)
    assert told(cursor, [("a", None)], [("a", None), ("b", 5)], floor=cursor.start) == ["a", "b"]
    cursor.begin(NOON + MINUTE, NOON - OVERLAP)
    assert told(cursor, [("a", None)]) == ["a"]


@pytest.mark.parametrize(
    ("at", "more", "text"),
    [
        ("2026-05-20T14:00:00+02:00", "", "2026-05-20T12:00:00Z"),
        ("2026-05-20T12:00:00.250+00:00", 2, "2026-05-20T12:00:00.250000Z 2"),
    ],
)
def test_a_mark_tells_one_change_from_another(at: str, more: object, text: str) -> None:
    """By its time in UTC as finely as the system gives it, and by what else makes it another."""
    assert mark(datetime.fromisoformat(at), more) == text
    assert datetime.fromisoformat(text.split(" ", maxsplit=1)[0]) == datetime.fromisoformat(at)
