"""Facts of the roadmap: what is planned until when, and what people asked for (domain sections 2 and 12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally

LONGEST_TITLE = 200
"""Letters of a title that are kept."""
KIND = "roadmap_item"
"""What items are as objects."""


class ItemStatus(StrEnum):
    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"
    DROPPED = "dropped"
    """Nobody will do it."""


class Planned(NamedTuple):
    """From when on an item was planned for a period."""

    at: datetime
    period: str
    """As it was written; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadmapItem(Reading):
    """One item of a roadmap. `since` is when it was made."""

    roadmap: str
    """Id of the RoadmapSource file that it is one of."""
    name: str
    """What people call it: `PLAT-12`, `acme/7#3`."""
    title: str = ""
    """At most `LONGEST_TITLE` letters of it."""
    status: ItemStatus = ItemStatus.PLANNED
    period: str = ""
    """What it is planned for, as it is written there: `Q3 2026`; empty for none."""
    periods: tuple[Planned, ...] = ()
    """What it was planned for and from when on, oldest first, as far as its tool tells."""
    target: date | None = None
    ended: datetime | None = None
    """When it became done or was dropped; only of one that is."""
    feedback: tuple[str, ...] = ()
    """What it answers, sorted: source instance and name of a ticket or of feedback, `jira:HELP-7`."""
    themes: tuple[str, ...] = ()
    """Themes of feedback that it answers, sorted."""
    url: str = ""

    @property
    def key(self) -> str:
        """One issue may be an item of several roadmaps."""
        return f"{self.roadmap}/{self.about.id}"

    def period_at(self, moment: datetime) -> str | None:
        """What it was planned for at a moment, as its tool tells; None where that does not reach back so far."""
        told = [one.period for one in self.periods if one.at <= moment]
        if told:
            return told[-1]
        born = self.since is not None and self.since > moment
        return "" if born else None


def title(text: str) -> str:
    """A title as items carry it: in one line, and bounded."""
    return " ".join(text.split())[:LONGEST_TITLE]


class FeedbackDim(NamedTuple):
    """What feedback is tallied by."""

    theme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback(Tallied[FeedbackDim]):
    """Somebody asked for something, in an interview or a form: what it was about, never what was said."""

    theme: str
    persona: str = ""
    """Whose it is; empty where nobody says."""
    name: str = ""
    """What items name it by."""
    closed: bool = False
    """Nothing will come of it, or nothing more."""
    told: datetime | None = None
    """When its reporter was told what became of it."""

    def tallies(self) -> tuple[Tally[FeedbackDim], ...]:
        return (Tally(dim=FeedbackDim(self.theme)),)


FACTS = Facts(events=(Feedback,), readings=(RoadmapItem,))
