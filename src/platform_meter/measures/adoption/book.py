"""All use that capabilities ask for, by object and day: read once, then brought up to date with what is new.

Each event is read from the store once for all capabilities, however many ask for it, and at most once again where it
was corrected; a tick after one event costs that event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple, get_type_hints
from zoneinfo import ZoneInfo

from msgspec import defstruct

from platform_meter.model.definitions import Active, Adopted
from platform_meter.model.facts import Event, Tallied, UseWord, event_kinds
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import History

MILLIONTHS = 1_000_000
Amounts = list[int]
"""Amount of use by day in millionths, from a first day on: sums of integers are the same in any order."""


class Asked(NamedTuple):
    """Which use: of what source type, under which verbs, told apart by which words (`select`)."""

    source: str
    verbs: tuple[str, ...]
    select: tuple[tuple[str, tuple[str, ...]], ...]


class Person(NamedTuple):
    """What one known person did; `day` counts from the first day that was read."""

    day: int
    actor: str
    object: int
    amount: int
    """In millionths; 0 where it is none of the use that was asked for."""


def asked(by: Adopted | Active) -> Asked:
    """The use that makes an adopter, or makes a unit active; no verb where objects make it."""
    verbs = by.verbs if isinstance(by, Active) else (by.verb,) if by.verb else ()
    return Asked(by.source, verbs, tuple(sorted(by.select.items())) if verbs else ())


def telling_use(*verbs: str) -> frozenset[type[Event]]:
    """Kinds of event that tell of use: `Usage`, and those with a verb of their own; with `verbs`, only one of these."""
    kinds = event_kinds().values()
    return frozenset({Usage, *(kind for kind in kinds if kind.verb and (not verbs or kind.verb in verbs))})


def amount_of(kind: type[Event], told: Any) -> int:
    """How much use an event of this kind is, in millionths."""
    names = kind.use_amount
    return sum([round(getattr(told, name) * MILLIONTHS) for name in names]) if names else MILLIONTHS


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When `day` begins in `zone`."""
    return datetime.combine(day, time(), tzinfo=zone)


@dataclass(slots=True)
class _Kept:
    """What was read of one kind of event: up to which number, and what of it was asked for."""

    seen: int
    corrected: int
    keys: set[int] = field(default_factory=set)
    """Hashes of source and key: what was read, and was corrected in a way that use is not counted by, comes again."""
    objects: dict[Asked, dict[int, Amounts]] = field(default_factory=dict)
    people: dict[Asked, list[Person]] = field(default_factory=dict)


class Book:
    """Use by object and day of everything in `wanted`, and of people where `people` asks for it.

    Args:
        wanted: what will be asked for.
        zone: cuts days.
        people: of which of these use is told by person too.
    """

    def __init__(self, wanted: Iterable[Asked], zone: ZoneInfo, people: Collection[Asked] = ()) -> None:
        self._wanted, self._people, self._zone = sorted({*wanted, *people}), frozenset(people), zone
        self._kinds = sorted(
            {kind for one in self._wanted if one.verbs for kind in telling_use(*one.verbs)}, key=lambda k: k.__name__
        )
        self._kept: dict[type[Event], _Kept] = {}
        self._sources: tuple[tuple[str, str], ...] = ()
        self.start = self.end = date.min

    def midnight(self, day: date) -> datetime:
        """When the day begins in its zone."""
        return midnight(day, self._zone)

    def read(self, history: History, start: date, end: date) -> None:
        """Know all use of the days in [start, end) that `history` holds."""
        sources = tuple((s.instance, s.type) for s in history.sources())
        if (start, end, sources) != (self.start, self.end, self._sources):
            self._kept, self.start, self.end, self._sources = {}, start, end, sources
        for kind in self._kinds:
            kept, latest, corrected = self._kept.get(kind), history.latest(kind), history.corrected(kind)
            if kept is None or kept.corrected != corrected:
                kept = self._kept[kind] = _Kept(0, corrected)
                self._add(history, kind, kept)
            elif kept.seen != latest:
                self._add(history, kind, kept)
            kept.seen = latest

    def objects(self, one: Asked) -> Sequence[Mapping[int, Amounts]]:
        """Amounts by object and day from `start` on; those of one object in several of these add up."""
        return [kept.objects[one] for kept in self._kept.values() if one in kept.objects]

    def people(self, one: Asked) -> Sequence[Person]:
        """All that known people did in the source type of `one`, as `Usage` tells it."""
        kept = self._kept.get(Usage)
        return kept.people.get(one, []) if kept else []

    def _add(self, history: History, kind: type[Event], kept: _Kept) -> None:
        """Add what came since `kept.seen`."""
        read, days = shape(kind.__name__), (self.end - self.start).days
        start, end = midnight(self.start, self._zone), midnight(self.end, self._zone)
        first = self.start.toordinal()
        summed = None if kept.seen else history.summed_before(kind)
        for instance, type_ in self._sources:
            takers = [t for t in (Taker(one, kind) for one in self._wanted if one.source == type_) if t.verbs]
            people = [t for t in takers if t.asked in self._people] if kind is Usage else []
            if not takers:
                continue
            if summed is not None:
                until = min(self.end, summed.astimezone(self._zone).date())
                self._add_days(history, event_kinds()[kind.__name__], kept, takers, instance, until)
            for object_, told in history.parts(kind, read, start, end, source=instance, after=kept.seen):
                key = hash((instance, told.key))
                if key in kept.keys:
                    continue
                kept.keys.add(key)
                verb, amount = kind.verb or told.action, amount_of(kind, told)
                day = told.at.astimezone(self._zone).toordinal() - first
                for taker in takers:
                    if taker.takes(told, verb):
                        held = kept.objects.setdefault(taker.asked, {})
                        amounts = held.get(object_)
                        if amounts is None:
                            amounts = held[object_] = [0] * days
                        amounts[day] += amount
                for taker in people:
                    if told.actor:
                        counted = amount if taker.takes(told, verb) else 0
                        kept.people.setdefault(taker.asked, []).append(Person(day, told.actor, object_, counted))

    def _add_days(
        self,
        history: History,
        kind: type[Tallied[Any]],
        kept: _Kept,
        takers: Sequence[Taker],
        instance: str,
        until: date,
    ) -> None:
        """Add the use of days of which only sums are left: their amounts are use, and their words the words of use."""
        for told in history.daily(kind, {instance}, self.start, until):
            for taker in takers:
                if taker.takes(told.dim, kind.verb):
                    amounts = kept.objects.setdefault(taker.asked, {}).setdefault(
                        told.object, [0] * (self.end - self.start).days
                    )
                    amounts[(told.day - self.start).days] += round(told.amount * MILLIONTHS)


class Taker:
    """Whether an event of one kind is use that was asked for."""

    def __init__(self, one: Asked, kind: type[Event]) -> None:
        self.asked = one
        self.verbs = frozenset(one.verbs) if kind is Usage else frozenset({kind.verb} & set(one.verbs))
        self._only = kind.use_only
        select = dict(one.select)
        self._words = [(word.of, word, select.get(name)) for name, word in kind.use_words.items()]
        self._known: dict[tuple[object, ...], bool] = {}
        self._foreign = bool(select.keys() - kind.use_words.keys())

    def takes(self, told: Any, verb: str) -> bool:
        if verb not in self.verbs or self._foreign:
            return False
        if self._only and getattr(told, self._only[0]) != self._only[1]:
            return False
        words = tuple([getattr(told, name) for name, _, _ in self._words])
        known = self._known.get(words)
        if known is None:
            known = self._known[words] = all(
                fits(word, patterns, value) for (_, word, patterns), value in zip(self._words, words, strict=True)
            )
        return known


def fits(word: UseWord, patterns: Sequence[str] | None, value: object) -> bool:
    """Whether a value is one of those asked for; where a file says nothing of the word, all usual ones are."""
    said = word.said(value)
    if patterns is None:
        return said not in word.unusual
    return any(fnmatchcase(said, pattern) for pattern in patterns)


@cache
def shape(name: str) -> Any:
    """The fields of a kind of event that use is counted by, and no more: decoding the rest costs three times as much."""
    kind = event_kinds()[name]
    hints, found = get_type_hints(kind), []
    given = {f.name: f for f in fields(kind)}
    for one in dict.fromkeys(("key", *kind.use_fields())):
        default = given[one].default
        found.append((one, hints[one]) if default is MISSING else (one, hints[one], default))
    return defstruct(f"{name}Use", found, kw_only=True)
