"""Sources that definitions bring along: a Survey file names where its answers stand, and needs no section of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform_meter.model.source import Source
from platform_meter.problems import Problem
from platform_meter.runtime.files.config import LoadedConfig, SourceSection
from platform_meter.runtime.files.definitions import LoadedDefinitions


def declared_sections(
    read: LoadedDefinitions, types: Mapping[str, Source[Any]], loaded: LoadedConfig
) -> tuple[dict[str, SourceSection], list[Problem]]:
    """Their settings by the name of the instance, and each name that the configuration has given to another source."""
    found: dict[str, SourceSection] = {}
    problems = []
    for type_, source in sorted(types.items()):
        for name, config in sorted(source.declared(read.definitions).items()):
            if name in loaded.instances and loaded.document is not None:
                text = f"'{name}' is what the source of a definition is called; give this one another name"
                problems.append(loaded.document.problem(text, "sources", name, key=True))
            else:
                found[name] = SourceSection(type_name=type_, config=config)
    return found, problems
