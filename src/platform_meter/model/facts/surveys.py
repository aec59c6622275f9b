"""Facts of surveys: who was asked, and what they answered, in numbers (domain section 10). No free text is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Tallied, Tally


class SurveyDim(NamedTuple):
    """What answers and invitations are tallied by."""

    survey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyResponse(Tallied[SurveyDim]):
    """One person's answers to one survey. `at` is when they were given. Whom they speak for is what `about` is owned by."""

    who: ClassVar = ("respondent",)
    theirs: ClassVar = True

    survey: str
    """What its source calls it."""
    respondent: str
    """A salted hash; of one person and wave the last answer counts."""
    answers: tuple[tuple[str, float], ...]
    """By field, sorted; fields without an answer are left out."""
    persona: str = ""
    """Where the answer tells it; else it is its team's."""
    subject: str = ""
    """The ticket that was rated, as `TicketEvent.ticket` has it."""

    def tallies(self) -> tuple[Tally[SurveyDim], ...]:
        return (Tally(dim=SurveyDim(self.survey)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(Tallied[SurveyDim]):
    """One person who was asked. `at` is when."""

    who: ClassVar = ("respondent",)
    theirs: ClassVar = True

    survey: str
    respondent: str
    persona: str = ""
    subject: str = ""

    def tallies(self) -> tuple[Tally[SurveyDim], ...]:
        return (Tally(dim=SurveyDim(self.survey)),)


FACTS = Facts(events=(SurveyResponse, Invitation))
