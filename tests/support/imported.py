"""What the exporter reads of the demo company's story, since the first poll looks back so far and no further."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise

from tests.support import reference
from tests.support.company import Running

from platform_meter.demo.company.portal import runs
from platform_meter.demo.company.records import Step, Ticket
from platform_meter.demo.company.tickets import COMPONENT_OWNERS, PROJECTS
from platform_meter.demo.truth import DETAIL, DONE
from platform_meter.measures.adoption import snapshots as adoption
from platform_meter.model.definitions import Capability, Ticketing
from platform_meter.model.history import UnitState

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
IMPORT = timedelta(days=90)

Told = tuple[Ticket, tuple[Step, ...]]


def end(running: Running) -> datetime:
    """What ended in the very second of the last poll was told by it."""
    return running.clock.at + SECOND


def whole_days(running: Running) -> date:
    """The first day of which all is told: the import begins in the middle of one."""
    return running.truth.day(running.first - IMPORT) + timedelta(days=1)


def told(running: Running, at: datetime | None = None) -> list[Told]:
    """The tickets that are read, with their steps until `at`: open ones, and those that changed since the import begins."""
    found = []
    for ticket, steps in running.truth.tickets(at or running.clock.at):
        changed = max([ticket.created, *(step.at for step in steps)])
        if changed >= running.first - IMPORT or ticket.field_at("status", running.first, "") not in DONE:
            found.append((ticket, steps))
    return found


def of_queue(running: Running, queue: Ticketing, at: datetime | None = None) -> list[Told]:
    """The told tickets of one queue's project."""
    project = queue.source.select.rpartition("= ")[2]
    return [(ticket, steps) for ticket, steps in told(running, at) if ticket.project == project]


# Adoption


def use_of(running: Running, capability: Capability) -> dict[str, Counter[date]]:
    """Use by unit and day, of what the import reads."""
    verb, first = capability.active.verbs[0], running.first - IMPORT
    place = 0 if capability.unit == "service" else 1
    found: dict[str, Counter[date]] = {}
    if verb == "run":
        details = running.first - DETAIL
        for ran in running.truth.attempts(first, end(running), details_since=details):
            if ran.run.created >= first and ran.outcome == "success" and ran.run.event != "schedule":
                found.setdefault(ran.repo.owner[place], Counter())[running.truth.day(ran.at)] += 1
        return found
    if verb == "ticket":
        asks = {p.key: p.by_team for p in PROJECTS}
        for ticket, _ in told(running):
            team = ticket.component if asks[ticket.project] else COMPONENT_OWNERS.get(ticket.component, "_unowned")
            found.setdefault(team, Counter())[running.truth.day(ticket.created)] += 1
        return found
    if verb == "template_completed":
        for made in runs(running.world.company, end(running)):
            counts = made.template in capability.active.select["template"] and made.outcome == "completed"
            if counts and first <= made.ended < end(running):
                found.setdefault(made.team, Counter())[running.truth.day(made.ended)] += 1
        return found
    for owner, days in running.truth.use_days(verb, first, end(running)).items():
        found.setdefault(owner[place], Counter()).update(days)
    return found


def capabilities(running: Running) -> list[Capability]:
    """Those adopted by use that is read: of what stands, nothing is known before it was seen."""
    read = {instance.source.name for instance in running.service.instances}
    return [c for c in running.service.definitions.capabilities if c.adopted.verb and c.adopted.source in read]


def today_of(running: Running) -> date:
    return running.truth.day(running.clock.at)


def truth_of(
    running: Running, capability: Capability
) -> tuple[dict[date, dict[str, str]], reference.Past, dict[str, Counter[date]]]:
    """States of every day with a whole window of use behind it, what is known of the past after them, and the use."""
    use = use_of(running, capability)
    first = whole_days(running) + capability.active.window - DAY
    days, past = reference.daily(capability, running.world.company, use, first, today_of(running))
    return days, past, use


def snapshots(running: Running, capability: Capability) -> dict[date, dict[str, UnitState]]:
    """What the store holds, by day and unit."""
    found: dict[date, dict[str, UnitState]] = {}
    with running.service.history() as history:
        for row in history.states(f"adoption/{capability.id}", today_of(running) - 400 * DAY, today_of(running)):
            found.setdefault(row.day, {})[row.unit] = row
    return found


def found_changes(running: Running, capability: Capability) -> dict[date, set[tuple[str, str]]]:
    """(unit, transition) of each day, as the measure tells them of the stored snapshots."""
    days = snapshots(running, capability)
    return {
        day: {(t.unit, str(t.change)) for t in adoption.transitions(days[before], days[day].values())}
        for before, day in pairwise(sorted(days))
    }
