"""Rows that tell who takes which course. Who it is is nobody here."""

from __future__ import annotations

from typing import Any

from platform_meter.model.facts import Ref
from platform_meter.model.facts.training import Enrolment
from platform_meter.model.personal import by_person
from platform_meter.sources.documents import cells
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import SYSTEM, TrainingRows
from platform_meter.sources.documents.values import Odd, name


def enrolment(entry: TrainingRows, row: Any, look: Look) -> Enrolment | None:
    """Who began a course, and whether they got through it; None where that is older than history.

    Raises:
        Odd: the row is left out.
    """
    at = cells.has_been(cells.at(entry, row, entry.at), look)
    completed = cells.later(entry, row, entry.completed, look)
    if completed is not None and completed < at:
        raise Odd("somebody got through a course before they began it", "contradiction")
    course, person = name(cells.value(row, entry.course)), look.hashed(name(cells.value(row, entry.person)))
    key = cells.key(entry, row, entry.person, look) or [by_person(cells.digest(course, person, at.isoformat()))]
    if at < look.start:
        return None
    return Enrolment(
        key="/".join((entry.stream, *key)),
        at=at,
        about=Ref(system=SYSTEM, kind="course", id=course),
        course=course,
        person=person,
        completed=completed,
    )
