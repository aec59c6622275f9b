"""What a Capability file asks for and nothing in the store has: said on the page, since no check of files can know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from platform_meter.measures.adoption.book import asked, shape, telling_use
from platform_meter.measures.adoption.standing import KINDS, said, telling
from platform_meter.model.definitions import Active, Adopted, Capability
from platform_meter.model.facts import Reading
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import History

LOOK_BACK = timedelta(days=28)
SHOWN = 8
Said = tuple[str, str]
"""A name, and a value that some object or use has under it."""


def unmatched(capability: Capability, history: History, now: datetime) -> list[str]:
    """A sentence for each name or value in `select` that no object, and no use of the last 28 days, has."""
    told: list[str] = []
    for by in (capability.adopted, capability.active):
        if by.select and (by.count is None or by.count.lower() in KINDS):
            what = by.count or f"use {' or '.join(asked(by).verbs)}"
            pairs = _of_objects(history, by) if by.count else _of_use(history, by, now)
            told += _sentences(f"{what} in {by.source}", by.select, pairs)
    return list(dict.fromkeys(told))


def _sentences(what: str, select: Mapping[str, Sequence[str]], pairs: Iterator[Said]) -> Iterator[str]:
    """Looks no further than to where all that is asked for was seen; nothing is told by nothing."""
    seen: dict[str, set[str]] = {}
    missing = {name: set(patterns) for name, patterns in select.items()}
    for name, value in pairs:
        values = seen.setdefault(name, set())
        if value and value not in values:
            values.add(value)
            if name in missing:
                missing[name] = {p for p in missing[name] if not fnmatchcase(value, p)}
                if not any(missing.values()):
                    return
    for name in sorted(select) if seen else ():
        values = seen.get(name, set())
        if not values:
            yield f"No {what} has a {name}."
        elif missing[name]:
            more = " and more" if len(values) > SHOWN else ""
            there = ", ".join(sorted(values)[:SHOWN])
            yield f"No {what} has {name} {' or '.join(sorted(missing[name]))}; there are: {there}{more}."


def _of_objects(history: History, by: Adopted | Active) -> Iterator[Said]:
    instances, kind = {s.instance for s in telling(history, by)}, KINDS[(by.count or "").lower()]
    for held in history.readings(kind):
        if held.source in instances:
            for name in _names(held.reading):
                yield from ((name, value) for value in said(held.reading, name))


def _names(reading: Reading) -> list[str]:
    return [f.name for f in fields(reading) if f.name != "about"] + [name for name, _ in reading.about.labels]


def _of_use(history: History, by: Adopted | Active, now: datetime) -> Iterator[Said]:
    verbs = asked(by).verbs
    for kind in sorted(telling_use(*verbs), key=lambda k: k.__name__):
        words = list(kind.use_words.items())
        for state in history.sources(kind):
            if state.type != by.source:
                continue
            for _, told in history.parts(kind, shape(kind.__name__), now - LOOK_BACK, now, source=state.instance):
                if kind is not Usage or told.action in verbs:
                    yield from ((name, word.said(getattr(told, word.of))) for name, word in words)
