"""Roadmaps that stand in GitHub, each read whole at each poll, so that what left it is over."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.model.programme import RoadmapSource
from platform_meter.model.source import Forbidden, Outside, Stream, Unexpected
from platform_meter.sources.github.config import Config
from platform_meter.sources.github.milestones import read_milestones
from platform_meter.sources.github.planning import Planning
from platform_meter.sources.github.projects import read_project
from platform_meter.sources.kit.roadmaps import roadmap_stream
from platform_meter.sources.kit.rows import Sieve


def stream(config: Config, outside: Outside, instance: str) -> Stream:
    """The one stream that reads these roadmaps."""

    def items(sieve: Sieve) -> Iterator[list[RoadmapItem]]:
        for roadmap in config.roadmaps:
            yield from _items(roadmap, config, sieve, instance)

    return roadmap_stream(outside, config.every, items)


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
