"""JSON documents over HTTP. Each poll reads one whole; what was not told yet, or is told otherwise by now, is told.

Of two tellings of one key that of the later read stands: dashboards correct their last minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from platform_meter.model.facts.incidents import Incident
from platform_meter.model.source import Page, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.documents import pointer
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import NOW, Entry
from platform_meter.sources.documents.facts import Said, Told, TooMuchError, all_odd, count_odd, told
from platform_meter.sources.documents.incidents import Open, gone, still_open
from platform_meter.sources.kit.rows import Sieve

PAGE = 1_000
"""Facts that are saved at once."""


class State(msgspec.Struct):
    """The checkpoint."""

    start: datetime
    """What was before it is no history."""
    told: list[str] = []
    """Marks of what was told of the rows that stood in the document when it was read last."""
    open: dict[str, Open] = {}
    """Incidents that had not ended by then."""


def read(
    entry: Entry,
    path: str,
    delay: timedelta,
    outside: Sieve,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
) -> Iterator[Page]:
    """What the document says and was not told yet."""
    state = State(start=since) if checkpoint is None else decode(checkpoint, State)
    said = look_at(entry, path, outside, Look(start=state.start, now=now, delay=delay, hashed=outside.hashed))
    known = set(state.told)
    marked = [(_mark(entry, fact), fact) for fact in said.facts]
    new = [replace(fact, updated=now) for mark, fact in marked if mark not in known]
    there = {fact.key: fact for fact in said.facts if isinstance(fact, Incident)}
    if not said.odd:  # a row that is left out may be one of them
        new += [replace(fact, updated=now) for fact in gone(state.open, there)]
        state.open = {}
    state.open |= still_open(there)
    state.told = [mark for mark, _ in marked]
    held = msgspec.json.encode(state)
    if new or held != checkpoint:
        yield from pages(new, held)
    all_odd(said, path)


def look_at(entry: Entry, path: str, outside: Sieve, look: Look) -> Told:
    """What the document says.

    Raises:
        SourceError: it can't be had.
        Unexpected: it has another shape, or too many rows.
    """
    document = outside.get(path, Any, params=entry.params or None).body
    try:
        said = told(entry, pointer.rows(document, entry.items, path), look)
    except TooMuchError as error:
        raise Unexpected(f"{path}: {error}; have it tell of less, as by params") from None
    count_odd(entry, said, outside)
    return said


def pages(facts: Sequence[Said], checkpoint: bytes) -> Iterator[Page]:
    """In parts, the place to go on with the last one."""
    for start in range(0, len(facts), PAGE):
        last = start + PAGE >= len(facts)
        yield Page(facts=facts[start : start + PAGE], checkpoint=checkpoint if last else None)
    if not facts:
        yield Page(checkpoint=checkpoint)


def _mark(entry: Entry, fact: Said) -> str:
    """What tells it from another fact, and from itself with other amounts; of what is true now, the first telling stands."""
    said = fact.key.encode() if entry.at == NOW else msgspec.json.encode(fact)
    return blake2b(said, digest_size=8).hexdigest()
