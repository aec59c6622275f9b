"""Facts of training: who takes which course, and who got through (domain section 13). People are salted hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Tallied, Tally


class CourseDim(NamedTuple):
    """What enrolments are tallied by."""

    course: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment(Tallied[CourseDim]):
    """One person began one course. `at` is when; that they got through comes as a newer version."""

    who: ClassVar = ("person",)
    theirs: ClassVar = True

    course: str
    person: str
    """A salted hash."""
    completed: datetime | None = None

    def tallies(self) -> tuple[Tally[CourseDim], ...]:
        return (Tally(dim=CourseDim(self.course)),)


FACTS = Facts(events=(Enrolment,))
