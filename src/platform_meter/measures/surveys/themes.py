"""What people chose among the themes that a survey asks for: feedback of nobody in particular, as far as it may be told.

A theme, and a theme among the people of a persona, are groups as any other: of fewer than five nothing is told, and nothing
from which so few could be worked out beside the groups that the survey's scores are told of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from platform_meter.measures.surveys.hiding import shown
from platform_meter.measures.surveys.waves import ALL, Wave
from platform_meter.model.definitions import Survey
from platform_meter.model.metric import UNOWNED

_PERSONA = "persona:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A theme that somebody chose."""

    theme: str
    personas: frozenset[str]
    """What may be told of who chose it; empty for nothing."""


def asks_themes(survey: Survey) -> bool:
    return any(question.themes for question in survey.questions)


def choices(wave: Wave) -> Iterator[Choice]:
    """One of each person and theme, by theme; of groups that may not be told none."""
    chosen = _chosen(wave)
    fixed = {segment: wave.people[segment] for segment in wave.shown}
    groups: dict[str, frozenset[str]] = dict(fixed)
    places: dict[tuple[str, str], str] = {}
    for theme, people in chosen.items():
        groups[theme_key := f"theme:{theme}"] = people
        for segment in (segment for segment in fixed if segment.startswith(_PERSONA)):
            if some := people & fixed[segment]:
                places[theme, segment] = key = f"{theme_key}/{segment}"
                groups[key] = some
    told = shown(groups, ALL, fixed=fixed)
    for theme, people in sorted(chosen.items()):
        if f"theme:{theme}" not in told:
            continue
        seen = [segment for (of, segment), key in places.items() if of == theme and key in told]
        for person in sorted(people):
            of_person = {s.removeprefix(_PERSONA) for s in seen if person in fixed[s]} - {UNOWNED}
            yield Choice(theme=theme, personas=frozenset(of_person))


def _chosen(wave: Wave) -> dict[str, frozenset[str]]:
    """Who chose each theme, whichever question asked for it."""
    fields = {name: theme for q in wave.survey.questions for theme, name in zip(q.themes, q.names, strict=False)}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for voice in wave.voices:
        for name in voice.answers.keys() & fields.keys():
            found[fields[name]].add(voice.person)
    return {theme: frozenset(people) for theme, people in found.items()}
