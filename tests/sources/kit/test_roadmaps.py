"""The stream of roadmaps that stand in another system."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.model.facts import Ref
from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.model.source import Unexpected
from platform_meter.sources.kit.roadmaps import roadmap_stream
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ITEM = RoadmapItem(about=Ref(system="x", kind="item", id="1"), roadmap="plan", name="P-1")


def test_what_left_a_roadmap_is_over_once_all_of_it_was_read() -> None:
    """All items first, then that these are all."""
    stream = roadmap_stream(FakeOutside({}), timedelta(hours=1), lambda _: iter([[ITEM], []]))
    pages = list(stream.read(None, NOW, NOW))
    assert [fact for page in pages for fact in page.facts] == [ITEM]
    assert [page.complete for page in pages] == [frozenset(), frozenset(), frozenset({RoadmapItem})]


def test_a_roadmap_that_can_not_be_read_to_its_end_ends_nothing() -> None:
    """What stood goes on standing."""

    def items(_: Sieve) -> Iterator[list[RoadmapItem]]:
        yield [ITEM]
        raise Unexpected("half of it")

    pages = roadmap_stream(FakeOutside({}), timedelta(hours=1), items).read(None, NOW, NOW)
    assert next(pages).complete == frozenset()
    with pytest.raises(Unexpected, match="half of it"):
        next(pages)


@pytest.mark.parametrize(("every", "expected"), [(1, 10), (60, 60)])
def test_a_roadmap_is_read_every_ten_minutes_at_most(every: int, expected: int) -> None:
    """Seldomer where the source is."""
    stream = roadmap_stream(FakeOutside({}), timedelta(minutes=every), lambda _: iter(()))
    assert stream.every == timedelta(minutes=expected)
