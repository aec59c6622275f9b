"""Feedback: tickets that people labelled or linked as such, and what interviews and forms told (domain section 12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from platform_meter.measures.roadmap.items import Item
from platform_meter.measures.roadmap.tickets import Tickets
from platform_meter.measures.support.queues import BEGINNING, reads
from platform_meter.measures.surveys.gauges import newest
from platform_meter.measures.surveys.themes import asks_themes, choices
from platform_meter.measures.surveys.waves import source_of, waves
from platform_meter.model.definitions import Definitions, Persona, Survey
from platform_meter.model.facts.roadmap import Feedback
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Scene

NONE = "_none"
"""The theme, persona or period of what has none."""


class Pain(NamedTuple):
    """A pain point of a persona."""

    persona: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One piece of feedback, as it stands."""

    source: str
    object: int | None
    name: str
    """What items name it by, behind its source: `jira:HELP-7`."""
    key: str
    """Of the event that began it."""
    at: datetime
    until: datetime
    """Up to when its source is known: there its windows end."""
    themes: tuple[str, ...]
    personas: tuple[str, ...]
    pains: tuple[Pain, ...]
    closed: bool
    """Nobody will say anything more to it."""
    answers: tuple[datetime, ...]
    """When its reporter was told something."""
    anonymous: bool = False
    """Nobody knows whose it is, so nobody can be told: it waits until an item that answers it is done."""

    def told(self, shipped: datetime) -> bool:
        """Whether its reporter was told something since an item shipped."""
        return any(at >= shipped for at in self.answers)


def voices(scene: Scene, items: Sequence[Item]) -> Sequence[Voice] | None:
    """All feedback, oldest first; None while a source that has any is stale."""
    wanted = frozenset(name for item in items for name in item.told.feedback)
    found: list[Voice] = []
    for kind in (TicketEvent, Feedback) if declared(scene.definitions) else ():
        for source in scene.history.sources(kind):
            if source.watermark is None:
                continue
            if kind is TicketEvent:
                told = _tickets(scene, source, source.watermark, wanted)
            else:
                told = _told(scene, source, source.watermark)
            some = list(told)
            if some and not source.fresh:
                return None
            found += some
    for survey in scene.definitions.surveys if declared(scene.definitions) else ():
        told_by = source_of(scene, survey) if asks_themes(survey) else None
        if told_by is None or told_by.watermark is None:
            continue
        if not told_by.fresh:
            return None
        found += _surveyed(scene, survey, told_by, told_by.watermark)
    return sorted(found, key=lambda voice: (voice.at, voice.name))


def declared(definitions: Definitions) -> bool:
    """Whether anybody asks for feedback."""
    return bool(definitions.roadmaps) or any(persona.pain_points for persona in definitions.personas)


def _tickets(scene: Scene, source: SourceState, until: datetime, wanted: Collection[str]) -> Iterator[Voice]:
    queues = [one for one in scene.definitions.ticketing if reads(one, source)]
    done = frozenset(status for queue in queues for status in queue.status.done)

    @cache  # many tickets have the same labels
    def meant(labels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Pain, ...]]:
        themes = {r.feedback.theme(label) for r in scene.definitions.roadmaps for label in labels} - {""}
        return tuple(sorted(themes)), tuple(_pains(scene.definitions.personas, labels, themes))

    for ticket in scene.kept.of(Tickets).of(scene.history, source.instance):
        born = ticket.born
        if born is None or born.at >= until:
            continue
        named = f"{source.instance}:{born.name or born.ticket}"
        themes, pains = meant(ticket.labels)
        if not (themes or pains or named in wanted) or ticket.gone:
            continue
        yield Voice(
            source=source.instance,
            object=ticket.object,
            name=named,
            key=born.key,
            at=born.at,
            until=until,
            themes=themes,
            personas=tuple(sorted({pain.persona for pain in pains})),
            pains=pains,
            closed=ticket.closed(done),
            answers=ticket.answers,
        )


def _told(scene: Scene, source: SourceState, until: datetime) -> Iterator[Voice]:
    for row in scene.history.rows(Feedback, BEGINNING, until, source=source.instance):
        told = row.event
        pains = [
            pain for pain in _pains(scene.definitions.personas, (), {told.theme}) if told.persona in {"", pain.persona}
        ]
        personas = {told.persona} if told.persona else {pain.persona for pain in pains}
        yield Voice(
            source=row.source,
            object=row.object,
            name=f"{row.source}:{told.name or told.key}",
            key=told.key,
            at=told.at,
            until=until,
            themes=(told.theme,),
            personas=tuple(sorted(personas)),
            pains=tuple(pains),
            closed=told.closed,
            answers=(told.told,) if told.told else (),
        )


def _surveyed(scene: Scene, survey: Survey, source: SourceState, until: datetime) -> Iterator[Voice]:
    """The themes of its newest wave. All are said at one moment, so that no window tells of a group within the wave; older
    waves are what the same people said before.
    """
    wave, known = newest(waves(scene, survey)), "persona" in survey.segment_by
    if wave is None:
        return
    for number, choice in enumerate(choices(wave)):
        pains = _pains(scene.definitions.personas, (), {choice.theme})
        mine = [pain for pain in pains if not known or pain.persona in choice.personas]
        yield Voice(
            source=source.instance,
            object=None,
            name=f"{source.instance}:{wave.name}/{number}",
            key=f"an answer of {wave.name} that chose {choice.theme}",
            at=wave.last,
            until=until,
            themes=(choice.theme,),
            personas=tuple(sorted(choice.personas or {pain.persona for pain in mine})),
            pains=tuple(mine),
            closed=False,
            answers=(),
            anonymous=True,
        )


def _pains(personas: Sequence[Persona], labels: Collection[str], themes: Collection[str]) -> Iterator[Pain]:
    """Pain points that one of these labels or themes tells of."""
    for persona in personas:
        for point in persona.pain_points:
            told = ((point.match.ticket_label, labels), (point.match.feedback_theme, themes))
            if any(fnmatchcase(name, glob) for globs, names in told for glob in globs for name in names):
                yield Pain(persona.id, point.id)


class Answered(NamedTuple):
    """What a roadmap says to one piece of feedback."""

    voice: Voice
    items: tuple[Item, ...]
    """Items that answer it, dropped ones left out."""

    @property
    def shipped(self) -> datetime | None:
        """When the first of them was done."""
        return min((i.told.ended for i in self.items if i.done and i.told.ended), default=None)

    @property
    def looped(self) -> bool:
        """Whether its reporter was told after it shipped."""
        shipped = self.shipped
        return shipped is not None and self.voice.told(shipped)

    @property
    def open(self) -> bool:
        answered = self.looped or (self.voice.anonymous and self.shipped is not None)
        return not self.voice.closed and not answered


def answered(found: Sequence[Voice], items: Sequence[Item]) -> Sequence[Answered]:
    """All feedback, each with the items that name it or one of its themes."""
    by_name: defaultdict[str, list[Item]] = defaultdict(list)
    by_theme: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        if not item.dropped:
            for name in item.told.feedback:
                by_name[name].append(item)
            for theme in item.told.themes:
                by_theme[theme].append(item)
    made = []
    for voice in found:
        some = {item.unit: item for item in by_name[voice.name]}
        some |= {item.unit: item for theme in voice.themes for item in by_theme[theme] if _may_answer(item, voice)}
        made.append(Answered(voice, tuple(some.values())))
    return made


def _may_answer(item: Item, voice: Voice) -> bool:
    """What was done before somebody asked is no answer, whatever its theme."""
    return not item.done or item.told.ended is None or item.told.ended > voice.at


def asked_for(found: Sequence[Answered], items: Sequence[Item]) -> Mapping[str, int]:
    """By unit how much feedback is behind each item: what is stored of it, and what it names beyond that."""
    names: dict[str, set[str]] = {item.unit: set(item.told.feedback) for item in items}
    for one in found:
        for item in one.items:
            names.setdefault(item.unit, set()).add(one.voice.name)
    return {unit: len(some) for unit, some in names.items()}
