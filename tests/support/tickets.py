"""Ticket histories for tests, step by step, and a Ticketing definition to fold them under."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent

PROJECT = Ref(system="jira", kind="project", id="PLAT")
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""09:00 in Berlin."""
ALWAYS = {"zone": "UTC", "days": {"mon-sun": ["00:00-24:00"]}}
OFFICE = {"zone": "Europe/Berlin", "days": {"mon-fri": ["09:00-17:00"]}}


def hours(n: float, start: datetime = MONDAY) -> datetime:
    return start + timedelta(hours=n)


def ticketing(calendar: dict[str, Any] | None = None, *, reopen: str = "continue", **more: Any) -> Ticketing:
    """Goals: first response 4 h (P1 1 h), resolution 24 h (P1 8 h); around the clock unless said otherwise."""
    settings: dict[str, Any] = {
        "kind": "Ticketing",
        "id": "help",
        "source": {"type": "jira", "select": "project = PLAT"},
        "calendar": calendar or ALWAYS,
        "status": {
            "running": ["Open", "In Progress"],
            "paused": ["Waiting"],
            "done": ["Resolved", "Closed"],
        },
        "slas": [
            {"id": "first_response", "goal": {"P1": "1h", "default": "4h"}},
            {"id": "resolution", "goal": {"P1": "8h", "default": "24h"}, "reopen": reopen},
        ],
    }
    return Ticketing.model_validate(settings | more)


def step(
    at: datetime, change: TicketChange, *, ticket: str = "PLAT-1", queue: str = "PLAT", **more: Any
) -> TicketEvent:
    name = more.pop("key", f"{ticket}/{at.isoformat()}/{change}")
    return TicketEvent(key=name, at=at, about=PROJECT, queue=queue, ticket=ticket, change=change, **more)


def created(
    at: datetime = MONDAY, *, priority: str | None = "P3", status: str | None = "Open", **more: Any
) -> TicketEvent:
    return step(at, TicketChange.CREATED, role=Role.REPORTER, priority=priority, status=status, **more)


def status(at: datetime, to: str, **more: Any) -> TicketEvent:
    return step(at, TicketChange.STATUS, status=to, **more)


def comment(at: datetime, role: Role = Role.AGENT, **more: Any) -> TicketEvent:
    return step(at, TicketChange.COMMENT, role=role, **more)


def priority(at: datetime, to: str, **more: Any) -> TicketEvent:
    return step(at, TicketChange.PRIORITY, priority=to, **more)


def resolved(at: datetime, resolution: str | None = "Fixed", **more: Any) -> TicketEvent:
    return step(at, TicketChange.RESOLVED, resolution=resolution, **more)


def reopened(at: datetime, **more: Any) -> TicketEvent:
    return step(at, TicketChange.REOPENED, **more)
