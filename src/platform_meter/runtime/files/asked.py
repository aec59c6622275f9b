"""SLIs that SLO files ask sources to count: which configured source each is for, and the settings of these with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from platform_meter.model.objective import Asked
from platform_meter.model.source import Source
from platform_meter.problems import Problem, suggest
from platform_meter.runtime.files.config import SourceSection
from platform_meter.runtime.files.pointing import at
from platform_meter.slo.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Configured sources that count what SLO files ask for."""

    sections: Mapping[str, SourceSection]
    """All of them, by name."""
    problems: tuple[Problem, ...]


def join(
    plans: Sequence[Plan],
    instances: Mapping[str, str],
    sections: Mapping[str, SourceSection],
    types: Mapping[str, Source[Any]],
    texts: Mapping[str, str],
) -> Joined:
    """The settings of all sources with what SLOs ask of them, and what they can't count.

    Args:
        plans: every sound SLO.
        instances: type by name of every configured source, its settings sound or not.
        sections: those whose settings are sound.
        types: every type of source.
        texts: files of SLOs by path.
    """
    found: dict[str, dict[str, Asked]] = {}
    problems: list[Problem] = []
    for plan in plans:
        if plan.asked is None:
            continue
        name = instance_of(plan.asked, instances)
        said = "" if name in instances else name
        if not said and name in sections:
            said = _refused(plan.asked, sections[name], types)
        if said:
            problems.append(at(plan, texts[plan.path], "type", plan.asked.type, said))
        elif name in sections:
            found.setdefault(name, {})[plan.asked.id] = plan.asked
    joined = {name: _with(sections[name], [*asked.values()], types) for name, asked in found.items()}
    return Joined(sections={**sections, **joined}, problems=tuple(problems))


def instance_of(asked: Asked, instances: Mapping[str, str]) -> str:
    """The name of the configured source that is to count it; or, which is no such name, what is wrong.

    Args:
        asked: what an SLO file asks for.
        instances: type by name of every configured source.
    """
    named = sorted(name for name, type_ in instances.items() if type_ == asked.type)
    if asked.instance:
        if asked.instance in named:
            return asked.instance
        hint = suggest(asked.instance, named) or f"; add it to sources in the configuration with type: {asked.type}"
        return f"no source of type {asked.type} is called '{asked.instance}'{hint}"
    if asked.likely in named:
        return asked.likely
    if len(named) == 1:
        return named[0]
    if not named:
        return f"no source of type {asked.type} is configured; add NAME: {{type: {asked.type}, ...}} to sources in the configuration"
    return f"{' and '.join(named)} are of type {asked.type}; say which one counts: metricSourceRef: {named[0]}"


def _refused(asked: Asked, section: SourceSection, types: Mapping[str, Source[Any]]) -> str:
    """Why these settings can't take it; empty where they can."""
    try:
        _with(section, [asked], types)
    except ValueError as error:
        return str(error)
    return ""


def _with(section: SourceSection, asked: Sequence[Asked], types: Mapping[str, Source[Any]]) -> SourceSection:
    asking = types[section.type_name].asked
    return section if asking is None else replace(section, config=asking.settings(section.config, asked))
