"""Evidence that stands: workloads, repositories and other objects, by who owns them (domain section 11)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from operator import or_

from platform_meter.measures.adoption.book import MILLIONTHS, Amounts, telling_use
from platform_meter.measures.adoption.units import OwnerKey
from platform_meter.measures.adoption.use import DaysRead, Reader, per_unit
from platform_meter.model.definitions import Active, Adopted, Unit
from platform_meter.model.facts import Reading, reading_kinds
from platform_meter.model.history import History, SourceState

KINDS: dict[str, type[Reading]] = {}
"""Kinds of standing object by what a file may call them: one of them, and several."""
for _name, _kind in reading_kinds().items():
    _word = _name.lower()
    KINDS[_word] = KINDS[_word[:-1] + "ies" if _word.endswith("y") else _word.removesuffix("s") + "s"] = _kind


def telling(history: History, by: Adopted | Active) -> Sequence[SourceState]:
    """The source instances that tell of the objects, or of the use, that are asked for; each as far as it gives that."""
    standing = KINDS.get(by.count.lower()) if by.count else None
    verbs = by.verbs if isinstance(by, Active) else (by.verb or "",)
    kinds = frozenset({standing}) if standing else telling_use(*verbs)
    return [s for kind in kinds for s in history.sources(kind) if s.type == by.source]


def said(reading: Reading, name: str) -> list[str]:
    """What `select` may ask of a standing object by this name: the field of its reading, and its label."""
    value = getattr(reading, name, None)
    field = [] if value is None else [str(value).lower() if isinstance(value, bool) else str(value)]
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
