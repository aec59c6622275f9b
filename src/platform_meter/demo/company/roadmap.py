"""What the platform teams plan: a roadmap of the quarter before, the one that runs as live time begins, and the next.

Days are counted from the first one of the quarter that runs then, so that the story is the same at every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from platform_meter.demo.company.days import ZONE
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.tickets import CLOSED, FEEDBACK, OPEN, PROGRESS, RESOLVED
from platform_meter.model.months import around, called

PROJECT = "ROAD"
PROJECT_ID = 10_003
LATER = "Later"
"""What has no quarter yet."""
DONE, DROPPED = "Done", "Won't Do"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One item, in days from the first of the quarter that runs."""

    number: int
    title: str
    moves: tuple[tuple[int, int | None], ...]
    """When it was planned for which quarter, counted from the one that runs; None for none. It was made with the first."""
    topic: str = ""
    """Of the tickets that ask for it; empty where nobody does."""
    target: int | None = None
    started: int | None = None
    ended: int | None = None
    dropped: bool = False

    @property
    def key(self) -> str:
        return f"{PROJECT}-{self.number}"

    @property
    def labels(self) -> tuple[str, ...]:
        return (f"{FEEDBACK}{self.topic}",) if self.topic else ()


PLANS = (
    Plan(number=1, title="Runners that grow with the queue", topic="ci", moves=((-130, -1),), target=-10, started=-80, ended=-14),
    Plan(number=2, title="Shared cache of dependencies", moves=((-130, -1),), target=-20, started=-60, ended=6),
    Plan(number=3, title="Routes declared in the repository", topic="gateway", moves=((-120, -1), (-5, 0)), target=30, started=-3, ended=25),
    Plan(number=4, title="One dashboard for everything", moves=((-125, -1),), ended=-40, dropped=True),
    Plan(number=5, title="Template for a first repository", topic="onboarding", moves=((-70, -1),), target=-30, started=-60, ended=-30),
    Plan(number=6, title="Search in the guides", topic="docs", moves=((-40, 0),), target=20, started=2, ended=18),
    Plan(number=7, title="Namespaces without a ticket", topic="access", moves=((-35, 0),), target=60, started=10),
    Plan(number=8, title="Clusters on the next version", moves=((-30, 0),), target=45, started=5, ended=44),
    Plan(number=9, title="Rollouts by share of traffic", topic="delivery", moves=((-30, 0), (12, 1)), target=100),
    Plan(number=10, title="Traces by default", moves=((-20, 1),), target=150),
    Plan(number=11, title="Command line tool in the portal", topic="tooling", moves=((-50, None),)),
)  # fmt: skip


class Roadmap:
    """The plans as dates of one company."""

    def __init__(self, company: Company) -> None:
        self._start = company.start
        self.first = around(company.start, "quarter", ZONE)[0].astimezone(ZONE).date()

    def at(self, day: int, hour: int = 10) -> datetime:
        """In the morning of a day."""
        return datetime.combine(self.first + timedelta(days=day), time(hour), ZONE)

    def made(self, plan: Plan) -> datetime:
        return self.at(plan.moves[0][0], 9)

    def quarter(self, number: int | None) -> str:
        """As people write it: `Q2 2026`."""
        if number is None:
            return LATER
        return called(around(self._start, "quarter", ZONE, back=-number)[0], "quarter", ZONE)

    def changes(self, plan: Plan, now: datetime) -> list[tuple[datetime, str, str, str]]:
        """(when, `quarter`, `status` or `resolution`, before, after), oldest first."""
        found = [
            (self.at(day), "quarter", self.quarter(before), self.quarter(after))
            for (_, before), (day, after) in zip(plan.moves, plan.moves[1:], strict=False)
        ]
        if plan.started is not None:
            found.append((self.at(plan.started), "status", OPEN, PROGRESS))
        if plan.ended is not None:
            before = OPEN if plan.started is None else PROGRESS
            found.append((self.at(plan.ended), "resolution", "", DROPPED if plan.dropped else DONE))
            found.append((self.at(plan.ended), "status", before, CLOSED if plan.dropped else RESOLVED))
        return sorted(change for change in found if change[0] <= now)

    def value(self, plan: Plan, field: str, now: datetime) -> str:
        """What a field of these holds."""
        first = {"quarter": self.quarter(plan.moves[0][1]), "status": OPEN, "resolution": ""}[field]
        return next((after for _, what, _, after in reversed(self.changes(plan, now)) if what == field), first)
