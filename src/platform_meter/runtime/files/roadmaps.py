"""Roadmaps that files declare: which configured source each stands in, and the settings of these with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from platform_meter.model.programme import RoadmapSource
from platform_meter.model.source import Source
from platform_meter.runtime.files.config import SourceSection


def with_roadmaps(
    sections: Mapping[str, SourceSection], roadmaps: Sequence[RoadmapSource], types: Mapping[str, Source[Any]]
) -> Mapping[str, SourceSection]:
    """The settings of all sources with the roadmaps that stand in them.

    Of several sources of a type one has to be named: a roadmap that names none then stands in none of them.

    Args:
        sections: configured sources by name.
        roadmaps: as files declare them.
        types: every type of source.
    """
    found = dict(sections)
    for roadmap in roadmaps:
        wanted = roadmap.source
        named = [name for name, one in sections.items() if one.type_name == wanted.system]
        able = [name for name in named if wanted.instance in (None, name)]
        reads = types[wanted.system].roadmaps if len(able) == 1 else None
        if reads is not None:
            (name,) = able
            found[name] = replace(found[name], config=reads(found[name].config, [roadmap]))
    return found
