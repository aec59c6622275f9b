"""Minutes that are read again, and told again where something else is true of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page, Unexpected, Unreachable
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.retold import Retold, State

NOW = datetime(2026, 6, 1, 12, 4, tzinfo=UTC)
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())
MINUTE = timedelta(minutes=1)


def fact(end: int, n: int | None, now: datetime) -> SliCount:
    about = Ref(system="nova", kind="sli", id="web")
    at = datetime.fromtimestamp(end, UTC)
    return SliCount(key=str(end), at=at, about=about, updated=now, sli="web", good=n or 0, bad=0, width=MINUTE)


def read(
    counts: Mapping[int, int], checkpoint: bytes | None = None, *, later: int = 0, whole: bool = True, least: int = 100
) -> list[Page]:
    """What a poll says of minutes from noon, of which it knows those that ended two minutes ago; more than `least` minutes
    are too many for one call.
    """

    def ask(ends: range) -> tuple[Mapping[int, int], bool]:
        if len(ends) > least:
            raise Unexpected("too many")
        return {NOON + at * 60: n for at, n in counts.items() if NOON + at * 60 in ends}, whole

    found = Retold(
        sli="web",
        state=State[int],
        ask=ask,
        fact=fact,
        most=100,
        again=Again(each=2 * MINUTE, most=2 * MINUTE),
        too_much=(Unexpected, Unreachable),
    )
    return list(found.read(checkpoint, NOW - 6 * MINUTE, NOW + later * MINUTE, delay=2 * MINUTE))


def told(pages: list[Page]) -> dict[int, tuple[float, datetime]]:
    facts = [one for page in pages for one in page.facts if isinstance(one, SliCount)]
    return {(int(one.at.timestamp()) - NOON) // 60: (one.good, one.updated or NOW) for one in facts}


def test_what_is_true_no_longer_is_told_by_the_later_read() -> None:
    """A minute that has other data or none any more, and one of which nothing was known; no other is told again."""
    first = read({0: 5, 1: 4, 2: 9})
    assert told(first) == {0: (5, NOW), 1: (4, NOW), 2: (9, NOW)}
    second = read({0: 7, 1: 6, 3: 1}, first[-1].checkpoint, later=1)
    then = NOW + MINUTE
    assert told(second) == {1: (6, then), 2: (0, then), 3: (1, then)}
    assert told(read({3: 1}, second[-1].checkpoint, later=2)) == {}


def test_what_may_be_missing_from_an_answer_stands_as_it_was_told() -> None:
    """Where it is not whole."""
    first = read({1: 4, 2: 9})
    assert list(told(read({1: 6}, first[-1].checkpoint, later=1, whole=False))) == [1]


def test_only_minutes_that_are_read_again_are_remembered() -> None:
    """However many were read; the place is the end of the last one."""
    (page,) = read(dict.fromkeys(range(-1, 3), 1))
    assert msgspec.json.decode(page.checkpoint or b"") == {
        "end": NOON + 120,
        "told": {f"{NOON + 60}": 1, f"{NOON + 120}": 1},
    }
    assert State[int](end=NOON).read_to == datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_too_much_is_asked_for_by_halves() -> None:
    """One minute first, then as many as may go; where one alone fails, it is not that."""
    pages = read({-1: 1, 2: 1}, least=2)
    assert list(told(pages)) == [-1, 2]
    assert [page.progress for page in pages] == [
        Progress(what="minutes of sli/web", done=1, of=4),
        Progress(what="minutes of sli/web", done=3, of=4),
        None,
    ]
    with pytest.raises(Unexpected, match="too many"):
        read({}, least=0)
