"""Rows that are feedback: what it is about, whose it is and whether its reporter was told. What was said is not kept."""

from __future__ import annotations

from typing import Any

from platform_meter.model.facts import Ref
from platform_meter.model.facts.roadmap import Feedback
from platform_meter.sources.documents import cells
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import SYSTEM, FeedbackRows
from platform_meter.sources.documents.values import Odd, name


def feedback(entry: FeedbackRows, row: Any, look: Look) -> Feedback | None:
    """The feedback that a row tells; None where it is older than history.

    Raises:
        Odd: the row is left out.
    """
    at = cells.has_been(cells.at(entry, row, entry.at), look)
    told = cells.later(entry, row, entry.told, look)
    if told is not None and told < at:
        raise Odd("somebody was told of it before it was said", "contradiction")
    persona = cells.text(row, entry.persona)
    if at < look.start:
        return None
    closed = entry.closed
    return Feedback(
        key="/".join((entry.stream, *cells.key(entry, row, None, look))),
        at=at,
        about=Ref(system=SYSTEM, kind="feedback", id=entry.id),
        theme=name(cells.value(row, entry.theme)),
        persona=persona,
        name="/".join(name(cells.value(row, pointer)) for pointer in entry.key),
        closed=closed is not None and cells.held(row, closed.value) not in (None, "") and bool(cells.much(row, closed)),
        told=told,
    )
