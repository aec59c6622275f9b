"""SLA results and backlogs computed a second time, slowly and simply, from what the company itself knows.

Written from the domain's definitions (section 9), sharing nothing with the measures but the declared files.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.records import Step, Ticket
from platform_meter.demo.company.tickets import PROJECTS
from platform_meter.model.definitions import Ticketing

DAY = timedelta(days=1)
Told = tuple[Ticket, tuple[Step, ...]]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One SLA cycle that was met or breached."""

    sla: str
    priority: str
    met: bool
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Clocked:
    """One SLA of one ticket at a moment."""

    decided: Decided | None
    running: bool
    """Whether business time passes for it, or would inside office hours."""
    left: timedelta
    priority: str
    """The ticket's own."""


class Office:
    """Open time, laid out day by day."""

    def __init__(self, queue: Ticketing) -> None:
        self._zone = ZoneInfo(queue.calendar.zone)
        self._holidays = frozenset(queue.calendar.holidays)

    def stretches(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open parts of [start, end): Monday to Friday from 9 to 17, no holidays."""
        day = start.astimezone(self._zone).date()
        while day <= end.astimezone(self._zone).date():
            if day.weekday() < 5 and day not in self._holidays:
                opens = max(start, datetime.combine(day, time(9), self._zone).astimezone(start.tzinfo))
                closes = min(end, datetime.combine(day, time(17), self._zone).astimezone(start.tzinfo))
                if opens < closes:
                    yield opens, closes
            day += DAY

    def seconds(self, start: datetime, end: datetime) -> float:
        return sum((closes - opens).total_seconds() for opens, closes in self.stretches(start, end))


def goal(queue: Ticketing, sla: str, priority: str) -> timedelta:
    """A business day is the eight open hours of one."""
    declared = next(s for s in queue.slas if s.id == sla)
    said = declared.goal.get(priority, declared.goal["default"])
    return timedelta(seconds=said.seconds) if said.seconds is not None else timedelta(hours=8 * (said.days or 0))


def clocks(queue: Ticketing, told: Told, company: Company, now: datetime) -> dict[str, Clocked]:
    """Each SLA of one ticket at `now`; none for one that ended as no valid ticket."""
    ticket, steps = told
    agents = set(company.team[next(p.agents for p in PROJECTS if p.key == ticket.project)].people)
    status, _, resolution = standing(queue, told)
    if status in queue.status.done and resolution in queue.invalid:
        return {}
    return {sla.id: _clock(queue, sla.id, ticket, steps, agents, now) for sla in queue.slas}


def standing(queue: Ticketing, told: Told) -> tuple[str, str, str]:
    """Status, priority and resolution after the last step."""
    ticket, steps = told
    fields = {"status": "Open", "priority": ticket.priority, "resolution": ""}
    for step in steps:
        fields |= {name: to for name, _, to in step.changes}
    return fields["status"], fields["priority"], fields["resolution"]


def _clock(
    queue: Ticketing, sla: str, ticket: Ticket, steps: tuple[Step, ...], agents: set[str], now: datetime
) -> Clocked:
    office, elapsed, at = Office(queue), timedelta(), ticket.created
    status, priority = "Open", ticket.priority
    decided: Decided | None = None
    answered = False
    for step in (*steps, Step(at=now, actor="")):
        if status in queue.status.running and not answered:
            for opens, closes in office.stretches(at, step.at):
                left = goal(queue, sla, priority) - elapsed
                if decided is None and closes - opens > left:
                    decided = Decided(sla=sla, priority=priority, met=False, at=opens + left)
                elapsed += closes - opens
        at = step.at
        for name, _, to in step.changes:
            if name == "priority":
                priority = to
                if decided is None and not answered and status not in queue.status.done:
                    late = elapsed > goal(queue, sla, priority)
                    decided = Decided(sla=sla, priority=priority, met=False, at=at) if late else None
            if name != "status":
                continue
            was, status = status, to
            if status in queue.status.done and was not in queue.status.done and decided is None and not answered:
                decided = Decided(sla=sla, priority=priority, met=True, at=at)
            if sla == "first_response":
                answered = answered or status in queue.status.done
            elif was in queue.status.done and status not in queue.status.done and decided is not None and decided.met:
                decided = None  # reopened: the clock goes on
        if sla == "first_response" and step.comment and step.public and step.actor in agents and not answered:
            answered = True
            if step.actor != ticket.reporter:
                decided = decided or Decided(sla=sla, priority=priority, met=True, at=at)
            else:
                answered = False
    running = status in queue.status.running and not answered
    return Clocked(decided=decided, running=running, left=goal(queue, sla, priority) - elapsed, priority=priority)


def met_ratios(
    queue: Ticketing, tickets: Iterable[Told], company: Company, now: datetime, window: timedelta
) -> dict[tuple[str, str], float]:
    """Met / decided by (SLA, priority) of cycles decided in [now - window, now)."""
    met: Counter[tuple[str, str]] = Counter()
    whole: defaultdict[tuple[str, str], int] = defaultdict(int)
    for told in tickets:
        for clock in clocks(queue, told, company, now).values():
            one = clock.decided
            if one is not None and now - window <= one.at < now:
                whole[one.sla, one.priority] += 1
                met[one.sla, one.priority] += one.met
    return {key: met[key] / n for key, n in whole.items()}


def at_risk(queue: Ticketing, tickets: Iterable[Told], company: Company, now: datetime) -> Counter[tuple[str, str]]:
    """Running clocks with a fifth of their goal left or less, or nothing any more, by (SLA, priority)."""
    return Counter(
        (sla, clock.priority)
        for told in tickets
        for sla, clock in clocks(queue, told, company, now).items()
        if clock.running and clock.left <= goal(queue, sla, clock.priority) / 5
    )


def waiting(queue: Ticketing, tickets: Iterable[Told]) -> list[tuple[Ticket, str]]:
    """Open tickets with their priority now."""
    stand = [(told[0], standing(queue, told)) for told in tickets]
    return [(ticket, priority) for ticket, (status, priority, _) in stand if status not in queue.status.done]


def ages(queue: Ticketing, tickets: Iterable[Told], now: datetime) -> Counter[tuple[str, str]]:
    """Open tickets by priority and age in days of 24 hours."""
    found: Counter[tuple[str, str]] = Counter()
    for ticket, priority in waiting(queue, tickets):
        days = (now - ticket.created) / DAY
        age = "1d" if days < 1 else "3d" if days < 3 else "7d" if days < 7 else "30d" if days < 30 else "older"
        found[priority, age] += 1
    return found


def backlog(queue: Ticketing, tickets: Iterable[Told], now: datetime) -> dict[float, float]:
    """Business seconds since the creation of open tickets: the order statistics, and what lies between two of them."""
    office = Office(queue)
    seconds = sorted(office.seconds(ticket.created, now) for ticket, _ in waiting(queue, tickets))
    found = {}
    for share in (0.5, 0.9, 1.0):
        place = (len(seconds) - 1) * share
        below = seconds[int(place)]
        above = seconds[min(int(place) + 1, len(seconds) - 1)]
        found[share] = below + (place - int(place)) * (above - below)
    return found


def reopened(queue: Ticketing, tickets: Iterable[Told], now: datetime, window: timedelta) -> float:
    """Of the valid tickets resolved in [now - window, now), the share that was reopened after the first time."""
    resolved = again = 0
    for told in tickets:
        status, _, resolution = standing(queue, told)
        if status in queue.status.done and resolution in queue.invalid:
            continue
        turns = [
            (step.at, to in queue.status.done)
            for step in told[1]
            for name, was, to in step.changes
            if name == "status" and (to in queue.status.done) != (was in queue.status.done)
        ]
        closings = [at for at, done in turns if done and now - window <= at < now]
        if closings:
            resolved += 1
            again += any(at >= closings[0] for at, done in turns if not done)
    return again / resolved
