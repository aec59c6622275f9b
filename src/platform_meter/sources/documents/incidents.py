"""Rows that are incidents: when each began and ended, how bad it was, and what its texts name. The texts are not kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from platform_meter.model.facts.incidents import Incident, named_in
from platform_meter.sources.documents import cells
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import SYSTEM, IncidentRows
from platform_meter.sources.documents.values import Odd
from platform_meter.sources.kit.incidents import severity_of
from platform_meter.sources.kit.pushed import service_ref

_ADDRESS = re.compile(r"https?://[^\s\x00-\x1f]{1,2000}")


class Open(msgspec.Struct):
    """One that has not ended, as the checkpoint has it."""

    at: datetime
    service: str


def incident(entry: IncidentRows, row: Any, look: Look) -> Incident | None:
    """The incident that a row tells; None where it ended before history begins.

    Raises:
        Odd: the row is left out.
    """
    at = cells.has_been(cells.at(entry, row, entry.at), look)
    resolved = cells.later(entry, row, entry.resolved, look)
    if resolved is not None and resolved < at:
        raise Odd("an incident ended before it began", "contradiction")
    service = cells.named(row, entry.by)
    called = cells.text(row, entry.name)
    url = cells.text(row, entry.url)
    if url and not _ADDRESS.fullmatch(url):
        raise Odd("an address begins with neither https:// nor http://")
    ids = tuple(sorted({called, url} - {""}))
    texts = [cells.held(row, pointer) for pointer in entry.texts]
    mentions = {*named_in(*(text for text in texts if isinstance(text, str)))} - {*ids}
    told = Incident(
        key="/".join((entry.stream, *cells.key(entry, row, None, look))),
        at=at,
        about=service_ref(SYSTEM, service),
        severity=severity_of([cells.text(row, entry.severity)], entry.severities),
        detected=cells.later(entry, row, entry.detected, look),
        acknowledged=cells.later(entry, row, entry.acknowledged, look),
        resolved=resolved,
        name=called,
        url=url,
        ids=ids,
        mentions=tuple(sorted(mentions)),
    )
    return told if resolved is None or resolved >= look.start else None


def gone(held: Mapping[str, Open], there: Mapping[str, Incident]) -> Iterator[Incident]:
    """What takes back those that were open and stand there no more: when they ended, nobody will ever say."""
    for key, one in held.items():
        if key not in there:
            yield Incident(key=key, at=one.at, about=service_ref(SYSTEM, one.service), valid=False)


def still_open(there: Mapping[str, Incident]) -> dict[str, Open]:
    """Those that have to be told once more."""
    return {key: Open(at=one.at, service=one.about.id) for key, one in there.items() if one.resolved is None}
