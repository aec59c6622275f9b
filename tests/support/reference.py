"""Adoption states and SLA results computed a second time, slowly and simply, from what the company itself knows.

Written from the domain's definitions (sections 9 and 11), sharing nothing with the measures but the declared files.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from platform_meter.demo.company import Company
from platform_meter.demo.records import Step, Ticket
from platform_meter.demo.tickets import PROJECTS
from platform_meter.model.definitions import Capability, Ticketing

DAY = timedelta(days=1)
Use = Mapping[str, Counter[date]]
"""Uses by unit and day."""


# Adoption


@dataclass
class Past:
    """What a unit ever was, by its daily snapshots."""

    active: set[str] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)
    churned: set[str] = field(default_factory=set)


def eligible(capability: Capability, company: Company, day: date) -> set[str]:
    """The demo's selectors: services by type and lifecycle, since they exist; teams by org."""
    found: set[str] = set()
    for alternative in capability.eligible.any:
        if alternative.service is not None:
            rule = alternative.service
            found |= {
                s.id
                for s in company.services
                if (not rule.kind or s.type in rule.kind)
                and (not rule.lifecycle or s.lifecycle in rule.lifecycle)
                and company.repo[s.id].created.date() <= day
            }
        elif alternative.team is not None:
            orgs = alternative.team.org
            found |= {t.id for t in company.teams if not orgs or t.org in orgs}
    return found


def exempt(capability: Capability, day: date) -> set[str]:
    return {e.unit for e in capability.exempt if day <= e.until}


def units(capability: Capability, company: Company) -> set[str]:
    return {s.id for s in company.services} if capability.unit == "service" else {t.id for t in company.teams}


def used(use: Use, unit: str, end: date, days: int) -> list[int]:
    """Uses on each of the `days` days before `end` that had any."""
    counted = use.get(unit, Counter())
    return [n for day, n in counted.items() if end - days * DAY <= day < end]


def adopts(capability: Capability, use: Use, standing: set[str], unit: str, end: date) -> bool:
    """The predicate: objects that stand now, or enough use of the verb in 28 days."""
    if capability.adopted.verb is None:
        return unit in standing
    return sum(used(use, unit, end, 28)) >= capability.adopted.min


def states(
    capability: Capability, company: Company, use: Use, past: Past, end: date, standing: set[str]
) -> dict[str, str]:
    """Each unit's state at the end of the day before `end`, the first of the domain's list that fits."""
    window, inactive = capability.active.window.days, capability.churned.inactive.days
    can, left_out = eligible(capability, company, end - DAY), exempt(capability, end - DAY)
    found: dict[str, str] = {}
    for unit in sorted(units(capability, company)):
        within = used(use, unit, end, window)
        is_active = len(within) >= capability.active.min_days and sum(within) >= capability.active.min_amount
        lately = any(adopts(capability, use, standing, unit, end - n * DAY) for n in range(15))
        silent = not used(use, unit, end, inactive)
        if unit in left_out:
            found[unit] = "exempt"
        elif unit not in can:
            found[unit] = "not_eligible"
        elif (unit in past.adopted and not lately) or (unit in past.active and silent):
            found[unit] = "churned"
        elif is_active:
            found[unit] = "active"
        elif unit in past.active:
            found[unit] = "dormant"
        elif lately:
            found[unit] = "adopted_idle"
        else:
            found[unit] = "eligible"
    return found


def daily(
    capability: Capability, company: Company, use: Use, first: date, today: date
) -> tuple[dict[date, Counter[str]], Past]:
    """Units by state at the end of each day in [first, today), and what is known of the past after them.

    `adopted` must rest on use: of objects that stand nothing is known before they were seen.
    """
    past = Past()
    found: dict[date, Counter[str]] = {}
    day = first
    while day < today:
        now = states(capability, company, use, past, day + DAY, set())
        found[day] = Counter(now.values())
        past.active |= {unit for unit, state in now.items() if state == "active"}
        past.adopted |= {unit for unit in now if adopts(capability, use, set(), unit, day + DAY)}
        day += DAY
    return found, past


# Support


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One SLA cycle that was met or breached."""

    sla: str
    priority: str
    met: bool
    at: datetime


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


def goal(queue: Ticketing, sla: str, priority: str) -> timedelta:
    """A business day is the eight open hours of one."""
    declared = next(s for s in queue.slas if s.id == sla)
    said = declared.goal.get(priority, declared.goal["default"])
    return timedelta(seconds=said.seconds) if said.seconds is not None else timedelta(hours=8 * (said.days or 0))


def decisions(
    queue: Ticketing, ticket: Ticket, steps: tuple[Step, ...], company: Company, now: datetime
) -> list[Decided]:
    """How each SLA of one ticket was decided before `now`; nothing for one that ended as no valid ticket."""
    agents = set(company.team[next(p.agents for p in PROJECTS if p.key == ticket.project)].people)
    found = [d for sla in queue.slas for d in _clock(queue, sla.id, ticket, steps, agents, now)]
    open_, resolution = _closing(queue, ticket, steps)
    return [] if not open_ and resolution in queue.invalid else found


def _closing(queue: Ticketing, ticket: Ticket, steps: tuple[Step, ...]) -> tuple[bool, str]:
    status, resolution = "Open", ""
    for step in steps:
        for name, _, to in step.changes:
            status = to if name == "status" else status
            resolution = to if name == "resolution" else resolution
    return status not in queue.status.done, resolution


def _clock(
    queue: Ticketing, sla: str, ticket: Ticket, steps: tuple[Step, ...], agents: set[str], now: datetime
) -> list[Decided]:
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
    return [] if decided is None else [decided]


def met_ratios(
    queue: Ticketing, tickets: list[tuple[Ticket, tuple[Step, ...]]], company: Company, now: datetime, window: timedelta
) -> dict[tuple[str, str], float]:
    """Met / decided by (SLA, priority) of cycles decided in [now - window, now)."""
    met: Counter[tuple[str, str]] = Counter()
    whole: defaultdict[tuple[str, str], int] = defaultdict(int)
    for ticket, steps in tickets:
        for one in decisions(queue, ticket, steps, company, now):
            if now - window <= one.at < now:
                whole[one.sla, one.priority] += 1
                met[one.sla, one.priority] += one.met
    return {key: met[key] / n for key, n in whole.items()}
