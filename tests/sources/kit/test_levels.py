"""Minutes in which a level kept its bound."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.objective import Bound
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.levels import Levels, read_to

NOW = datetime(2026, 6, 1, 12, 4, tzinfo=UTC)
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())
MINUTE = timedelta(minutes=1)


def read(
    levels: Mapping[int, float], checkpoint: bytes | None = None, *, later: int = 0, most: int = 100
) -> list[Page]:
    """What a poll says of levels by minutes from noon, of which it knows those that ended two minutes ago."""
    found = Levels(
        system="nova",
        id="took",
        level=lambda ends: {NOON + at * 60: level for at, level in levels.items() if NOON + at * 60 in ends},
        bound=Bound(operator="lte", value=0.5),
        most=most,
        again=Again(each=2 * MINUTE, most=2 * MINUTE),
    )
    return list(found.read(checkpoint, NOW - 6 * MINUTE, NOW + later * MINUTE, delay=2 * MINUTE))


def told(pages: list[Page]) -> dict[int, tuple[float, float]]:
    facts = [fact for page in pages for fact in page.facts if isinstance(fact, SliCount)]
    return {(int(fact.at.timestamp()) - NOON) // 60: (fact.good, fact.bad) for fact in facts}


def test_a_minute_is_good_or_bad() -> None:
    """At the bound it is good; of a minute without a level nothing is said."""
    pages = read({-1: 0.4, 0: 0.5, 2: 0.6, 3: 9.0})
    assert told(pages) == {-1: (1.0, 0.0), 0: (1.0, 0.0), 2: (0.0, 1.0)}
    assert read_to(pages[-1].checkpoint, NOW) == datetime(2026, 6, 1, 12, 2, tzinfo=UTC)
    assert read_to(None, NOW) == NOW


def test_what_comes_late_is_told_by_the_later_read() -> None:
    """A minute that is another one now, whichever way, and one of which nothing was known; no other is told again."""
    first = read({0: 0.5, 1: 0.4, 2: 0.9})
    second = read({0: 0.5, 1: 0.8, 2: 0.2, 3: 0.1}, first[-1].checkpoint, later=1)
    assert told(second) == {1: (0.0, 1.0), 2: (1.0, 0.0), 3: (1.0, 0.0)}
    assert {fact.updated for page in second for fact in page.facts if isinstance(fact, SliCount)} == {NOW + MINUTE}
    third = read({1: 0.1, 2: 0.2, 3: 0.1}, second[-1].checkpoint, later=2)
    assert told(third) == {}


def test_nothing_is_asked_for_before_a_minute_is_over() -> None:
    """And its delay with it."""
    first = read({2: 0.1})
    assert read({2: 0.9}, first[-1].checkpoint) == []


def test_a_long_time_is_read_in_parts() -> None:
    """Each with its place."""
    pages = read({-1: 0.4, 2: 0.4}, most=3)
    assert [page.progress for page in pages] == [Progress(what="minutes of sli/took", done=3, of=4), None]
    assert told(pages) == {-1: (1.0, 0.0), 2: (1.0, 0.0)}
