"""Last samples: what a series grew by, what is remembered of it, and how it is packed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.sources.kit.samples import Held, Last, Process, Seen, after, grown, key, marks, pack, unpack

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // 60


def process(at: datetime = NOW, *whole: str) -> Process:
    return Process(at=at, packed=b"", whole=whole)


@pytest.mark.parametrize(
    ("now", "last", "by"),
    [
        (Seen(15.0, 0.0, "f"), Last(10.0), 5.0),
        (Seen(10.0, 0.0, "f"), Last(10.0), 0.0),
        (Seen(3.0, 0.0, "f"), Last(10.0), 3.0),
        (Seen(15.0, 200.0, "f"), Last(10.0, 100.0), 15.0),
        (Seen(15.0, 100.0, "f"), Last(10.0, 100.0), 5.0),
        (Seen(15.0, 100.0, "f"), Last(10.0), 5.0),
        (Seen(15.0, 0.0, "f"), Last(10.0, 100.0), 5.0),
    ],
)
def test_a_series_that_was_seen_before(now: Seen, last: Last, by: float) -> None:
    """It grew by the difference; after a reset, told by a lower value or another creation, by all it has."""
    assert grown(now, last, before=process(), fresh=False) == by


@pytest.mark.parametrize(
    ("created", "before", "fresh", "by"),
    [
        (0.0, None, False, 0.0),
        (0.0, None, True, 7.0),
        (0.0, process(NOW), False, 0.0),
        (0.0, process(NOW, "g"), False, 0.0),
        (0.0, process(NOW, "g", "f"), False, 7.0),
        (NOW.timestamp() + 1, process(NOW), False, 7.0),
        (NOW.timestamp() - 1, process(NOW), False, 0.0),
    ],
)
def test_a_new_series_counts_where_something_says_that_it_is_new(
    created: float, before: Process | None, fresh: bool, by: float
) -> None:
    """Its process began since, its own creation says so, or the page before had all of its family and not it."""
    assert grown(Seen(7.0, created, "f"), None, before=before, fresh=fresh) == by


def test_what_is_missing_is_remembered_for_a_week() -> None:
    """It keeps its value and the minute in which it was missing first, and is told again when it is back."""
    first = after({1: Seen(5.0, 0.0, "f")}, {2: Last(8.0)}, NOW, 10)
    assert first == {1: Last(5.0), 2: Last(8.0, 0.0, MINUTE)}
    week = NOW + timedelta(days=7)
    assert after({}, first, week, 10) == {1: Last(5.0, 0.0, MINUTE + 7 * 1440), 2: Last(8.0, 0.0, MINUTE)}
    assert after({2: Seen(9.0, 0.0, "f")}, first, week + timedelta(minutes=1), 10)[2] == Last(9.0)
    assert after({}, {2: first[2]}, week + timedelta(minutes=1), 10) == {}


def test_the_longest_gone_go_first_where_there_is_no_room() -> None:
    """What the page has always has room."""
    before = {1: Last(1.0, gone=MINUTE - 5), 2: Last(2.0, gone=MINUTE - 3), 3: Last(3.0)}
    assert set(after({4: Seen(1.0, 0.0, "f")}, before, NOW, 3)) == {4, 3, 2}
    assert set(after({4: Seen(1.0, 0.0, "f")}, before, NOW, 1)) == {4}


def test_packed_and_unpacked() -> None:
    """Nothing is lost; the order in which series came leaves no trace."""
    series = {2**64 - 1: Last(0.1, 1.5, 7), 0: Last(2.0**60), 5: Last(3.0)}
    assert unpack(pack(series)) == series
    assert pack(dict(reversed(series.items()))) == pack(series)
    assert unpack(pack({})) == {}


def test_keys_tell_words_apart() -> None:
    """Not only their letters."""
    assert len({key("ab", "c"), key("a", "bc"), key("abc"), key("ab\0001 c")}) == 4
    assert key("a", "b") == 17704341819213227065


def test_processes_that_answer_in_turn_are_kept_and_dead_ones_are_not() -> None:
    """The last eight that answered within a day, the present one among them."""
    held = Held()
    for n in range(10):
        held = held.keep(str(n), process(NOW + timedelta(minutes=n)))
    assert sorted(held.processes) == ["2", "3", "4", "5", "6", "7", "8", "9"]
    assert held.latest == NOW + timedelta(minutes=9)
    assert sorted(held.keep("new", process(NOW + timedelta(days=1, minutes=8))).processes) == ["8", "9", "new"]


def test_of_which_families_a_page_has_every_series() -> None:
    """Of its own counters a program tells all; others that it passes on only where it tells some. An odd line hides one."""
    families = {"a": "mark-a", "b": "mark-b", "c": "mark-c"}
    assert marks(families, {"a", "b"}, {"b"}, own=False) == ("mark-a",)
    assert marks(families, {"a", "b"}, {"b"}, own=True) == ("mark-a", "mark-c")
