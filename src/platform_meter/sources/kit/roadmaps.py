"""Roadmaps that stand in another system: read whole at each poll, so that what left them is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.model.source import Outside, Page, Stream
from platform_meter.sources.kit.rows import Sieve

EVERY = timedelta(minutes=10)
"""Time between two polls at least: nobody plans by the minute, and each poll reads all."""


def roadmap_stream(
    outside: Outside, every: timedelta, items: Callable[[Sieve], Iterator[Sequence[RoadmapItem]]]
) -> Stream:
    """The one stream of a source that reads its roadmaps. `every` is the source's own time between two polls."""

    def pages(sieve: Sieve) -> Iterator[Page]:
        for some in items(sieve):
            yield Page(facts=some)
        yield Page(complete=frozenset({RoadmapItem}))

    return Stream(
        name="roadmap",
        read=lambda _checkpoint, _since, _now: Sieve.over(outside, pages),
        gives=frozenset({RoadmapItem}),
        every=max(every, EVERY),
    )
