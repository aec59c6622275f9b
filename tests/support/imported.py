"""What an import of the demo company reads of its story: the first poll looks back so far, and not at all it could."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.support.company import Running

from platform_meter.demo.records import Step, Ticket
from platform_meter.demo.truth import DONE
from platform_meter.model.definitions import Ticketing

SECOND = timedelta(seconds=1)
DETAIL = timedelta(days=28)
"""How far back details of runs are read."""
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
