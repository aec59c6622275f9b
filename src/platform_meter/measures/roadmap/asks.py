"""What people ask for most, beside what is planned: themes and pain points in order, and what nobody asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from platform_meter.measures.roadmap.items import Item
from platform_meter.measures.roadmap.voices import NONE, Answered, Pain
from platform_meter.model.definitions import Persona


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What was asked for under one theme or pain point."""

    heard: Sequence[Answered]
    """All of it, oldest first."""
    items: Sequence[Item]
    """What answers any of it, dropped items left out."""

    @property
    def open(self) -> int:
        return sum(one.open for one in self.heard)

    @property
    def oldest(self) -> datetime | None:
        """Since when the oldest waits that is open."""
        return min((one.voice.at for one in self.heard if one.open), default=None)


def by_theme(told: Iterable[Answered]) -> Mapping[str, Ask]:
    """What was asked for by theme, the one of which most is open first."""
    found: defaultdict[str, list[Answered]] = defaultdict(list)
    for one in told:
        for theme in one.voice.themes or (NONE,):
            found[theme].append(one)
    asks = {theme: _ask(some) for theme, some in found.items()}
    return dict(sorted(asks.items(), key=lambda ask: (-ask[1].open, ask[0])))


def by_pain(told: Iterable[Answered], personas: Iterable[Persona]) -> Mapping[Pain, Ask]:
    """The same by pain point, of each persona in its turn; those of which nobody told too."""
    found: dict[Pain, list[Answered]] = {Pain(who.id, point.id): [] for who in personas for point in who.pain_points}
    for one in told:
        for pain in one.voice.pains:
            found[pain].append(one)
    asks = {pain: _ask(some) for pain, some in found.items()}
    return dict(sorted(asks.items(), key=lambda ask: (ask[0].persona, -ask[1].open, ask[0].id)))


def not_planned(asks: Mapping[str, Ask]) -> Mapping[str, Ask]:
    """By theme what waits and is answered by nothing that is done or has its period; most of it first."""
    waits = {theme: _ask([one for one in ask.heard if one.open and not _planned(one)]) for theme, ask in asks.items()}
    found = {theme: ask for theme, ask in waits.items() if ask.heard}
    return dict(sorted(found.items(), key=lambda ask: (-len(ask[1].heard), ask[0])))


def _planned(one: Answered) -> bool:
    return any(item.done or item.period is not None for item in one.items)


def not_asked(items: Iterable[Item], counts: Mapping[str, int]) -> Sequence[Item]:
    """Items that are planned for a calendar period, not over, and without any feedback behind them."""
    return [
        item
        for item in items
        if item.period is not None and not item.done and not item.dropped and not counts.get(item.unit)
    ]


def _ask(some: Sequence[Answered]) -> Ask:
    items = {item.unit: item for one in some for item in one.items}
    return Ask(heard=some, items=sorted(items.values(), key=lambda item: item.told.name))
