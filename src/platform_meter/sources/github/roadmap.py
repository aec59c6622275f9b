"""Roadmaps that stand in GitHub, each read whole at each poll, so that what left it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.model.programme import RoadmapSource
from platform_meter.model.source import Forbidden, Outside, Page, Stream, Unexpected
from platform_meter.sources.github.config import Config
from platform_meter.sources.github.milestones import read_milestones
from platform_meter.sources.github.planning import Planning
from platform_meter.sources.github.projects import read_project
from platform_meter.sources.kit.rows import Sieve

EVERY = timedelta(minutes=10)
"""Time between two polls at least: nobody plans by the minute, and each poll reads all."""


def stream(config: Config, outside: Outside, instance: str) -> Stream:
    """The one stream that reads these roadmaps."""

    def pages(sieve: Sieve) -> Iterator[Page]:
        for roadmap in config.roadmaps:
            for items in _items(roadmap, config, sieve, instance):
                yield Page(facts=items)
        yield Page(complete=frozenset({RoadmapItem}))

    return Stream(
        name="roadmap",
        read=lambda _checkpoint, _since, _now: Sieve.over(outside, pages),
        gives=frozenset({RoadmapItem}),
        every=max(config.every, EVERY),
    )


def _items(roadmap: RoadmapSource, config: Config, sieve: Sieve, instance: str) -> Iterator[list[RoadmapItem]]:
    planning = Planning(roadmap=roadmap, instance=instance, issues=config.issues)
    if roadmap.source.type == "github_project":
        return read_project(sieve, planning, config.url)
    return read_milestones(sieve, planning)


def unreadable(config: Config, outside: Outside) -> Iterator[str]:
    """One line for each roadmap that can't be read, with what to mend."""
    for roadmap in config.roadmaps:
        try:
            next(_items(roadmap, config, Sieve(outside), ""))
        except (Forbidden, Unexpected) as error:
            if isinstance(error, Unexpected) and error.status not in {0, 404}:
                raise
            yield f"roadmap {roadmap.id}: {error}; correct its project, or give the token what docs/sources.md names for it"
