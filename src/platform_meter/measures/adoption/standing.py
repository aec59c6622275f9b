"""Evidence that stands: workloads, repositories and other objects, by who owns them (domain section 11)."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from operator import or_

from platform_meter.measures.adoption.book import MILLIONTHS, Amounts, telling_use
from platform_meter.measures.adoption.units import OwnerKey
from platform_meter.measures.adoption.use import DaysRead, Reader, per_unit
from platform_meter.model.definitions import Active, Adopted, Unit
from platform_meter.model.facts import Event, Reading, reading_kinds
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.practices import Practice
from platform_meter.model.history import Held, History, SourceState
from platform_meter.model.metric import UNOWNED

KINDS: dict[str, type[Reading]] = {}
"""Kinds of standing object by what a file may call them: one of them, and several."""
for _name, _kind in reading_kinds().items():
    _word = _name.lower()
    KINDS[_word] = KINDS[_word[:-1] + "ies" if _word.endswith("y") else _word.removesuffix("s") + "s"] = _kind


SETTLED = timedelta(hours=1)
"""What is there for less time is not asked for by `every`: what counts it is looked for some minutes later."""


def apart(by: Adopted) -> str:
    """Why none of `every` can ever be among those counted, for `check` to print; empty where they can."""
    if by.count is None or by.every is None:
        return ""
    kind, every = KINDS.get(by.count.lower()), KINDS.get(by.every.count.lower())
    if kind is None or every is None or every is (Workload if issubclass(kind, Practice) else kind):
        return ""
    instead = "workloads" if issubclass(kind, Practice) else by.count
    return f"no '{by.every.count}' is ever counted as '{by.count}'; write every: {{count: {instead}}}"


def told_by(by: Adopted | Active) -> frozenset[type[Event | Reading]]:
    """Kinds of fact that tell of the objects, or of the use, that are asked for."""
    words = (by.count, by.every and by.every.count) if isinstance(by, Adopted) else (by.count,)
    standing = frozenset(KINDS[word.lower()] for word in words if word and word.lower() in KINDS)
    verbs = by.verbs if isinstance(by, Active) else (by.verb or "",)
    return standing or telling_use(*verbs)


def telling(history: History, by: Adopted | Active) -> Sequence[SourceState]:
    """The source instances that tell of what is asked for; each as far as it gives that."""
    return [s for kind in told_by(by) for s in history.sources(kind) if s.type == by.source]


def said(reading: Reading, name: str) -> list[str]:
    """What `select` may ask of a standing object by this name: the field of its reading, or what is in it, and its label."""
    value = getattr(reading, name, None)
    values = value if isinstance(value, tuple) else () if value is None else (value,)
    field = [str(one).lower() if isinstance(one, bool) else str(one) for one in values]
    return field + [label for key, label in reading.about.labels if key == name]


def selected(select: Mapping[str, Sequence[str]], reading: Reading) -> bool:
    """Whether each name of `select` fits, by one of its values or a glob for it."""
    return all(
        any(fnmatchcase(value, pattern) for value in said(reading, name) for pattern in patterns)
        for name, patterns in select.items()
    )


def stood(by: Active, reader: Reader, unit: Unit, days: DaysRead, moment: datetime) -> Mapping[str, Amounts]:
    """Amounts by unit and day: one for each object that stood at the end of the day, on the last one at `moment`."""
    instances = {s.instance for s in telling(reader.history, by)}
    looks = [min(reader.midnight(days.start + timedelta(days=n + 1)), moment) for n in range(days.count)]
    on: dict[int, bytes] = {}
    for held in reader.history.stood(KINDS[(by.count or "").lower()], looks[0], looks[-1]):
        if held.source in instances and selected(by.select, held.reading):
            first = bisect_left(looks, held.start)
            last = len(looks) if held.until is None else bisect_left(looks, held.until)
            days_on = bytes(first) + b"\x01" * (last - first) + bytes(len(looks) - last)
            on[held.object] = bytes(map(or_, on[held.object], days_on)) if held.object in on else days_on
    found: dict[OwnerKey, Amounts] = {}
    for object_, days_on in on.items():
        last_ = found.setdefault(reader.owner(object_), [0] * days.count)
        for day, there in enumerate(days_on):
            if there:
                last_[day] += MILLIONTHS
    return per_unit(unit, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Objects of one unit by id, as `adopted` asks for them."""

    counted: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)
    """Of `every`, such as could be counted."""
    untold: set[int] = field(default_factory=set)
    """Of `every`, such as no source would count, whether they are so or not."""


def stocks(by: Adopted, reader: Reader, unit: Unit, *, at: datetime | None, moment: datetime) -> Mapping[str, Stock]:
    """What stands of each unit that has any of it; `at` is None for now, which is `moment`."""
    history, place = reader.history, 0 if unit is Unit.SERVICE else 1
    found: defaultdict[str, Stock] = defaultdict(Stock)

    def of(held: Held[Reading]) -> Stock:
        name = reader.owner(held.object)[place]
        return found[name] if name != UNOWNED else Stock()

    kind = KINDS[(by.count or "").lower()]
    tell = {s.instance for s in history.sources(kind) if s.type == by.source}
    for held in _objects(history, kind, by.source, by.select, at):
        of(held).counted.add(held.object)
    if by.every is not None:
        every = KINDS[by.every.count.lower()]
        long_ago = (at or moment) - SETTLED
        settled = {held.object for held in history.readings(every, at=long_ago)}
        for held in _objects(history, every, by.source, by.every.select, at):
            # One that was there before anybody looked has what counts it too.
            since = held.reading.since
            if held.object in settled or (since is not None and since <= long_ago):
                (of(held).asked if held.source in tell else of(held).untold).add(held.object)
    return found


def _objects(
    history: History, kind: type[Reading], source: str, select: Mapping[str, Sequence[str]], at: datetime | None
) -> Iterator[Held[Reading]]:
    instances = {s.instance for s in history.sources(kind) if s.type == source}
    return (
        held for held in history.readings(kind, at=at) if held.source in instances and selected(select, held.reading)
    )


def holds(by: Adopted, stock: Stock | None) -> bool | None:
    """Whether a unit with this has adopted; None where nobody can know, as nothing of `every` is there to be asked."""
    if by.every is None:
        return stock is not None and len(stock.counted) >= by.min
    if stock is None or not (stock.asked or stock.untold):
        return None
    if stock.asked - stock.counted:
        return False
    if stock.untold:
        return None
    return len(stock.counted & stock.asked) >= by.min
