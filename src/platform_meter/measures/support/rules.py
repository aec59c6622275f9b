"""A Ticketing definition made ready for folding: its statuses, and the goal and calendar of each SLA by priority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from platform_meter.measures.support.calendars import Clock, clock, day_seconds
from platform_meter.model.definitions import Calendar, Goal, Sla, Ticketing
from platform_meter.model.facts.tickets import GONE
from platform_meter.model.ticketing import DEFAULT


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an SLA promises at one priority."""

    goal: timedelta
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How one queue's tickets are counted."""

    clock: Clock
    """Of the queue: what its backlog's age is told in."""
    running: frozenset[str]
    paused: frozenset[str]
    done: frozenset[str]
    invalid: frozenset[str]
    slas: tuple[Sla, ...]
    priorities: frozenset[str]
    """All that the file names."""
    terms: Mapping[str, Mapping[str, Terms]]
    """By SLA, then priority or `default`."""

    @classmethod
    def of(cls, ticketing: Ticketing) -> Rules:
        """Rules of a definition.

        Raises:
            ValueError: a goal in business days on a calendar whose open days differ in length.
        """
        return cls(
            clock=clock(ticketing.calendar),
            running=frozenset(ticketing.status.running),
            paused=frozenset(ticketing.status.paused),
            done=frozenset(ticketing.status.done),
            invalid=frozenset({GONE, *ticketing.invalid}),
            slas=ticketing.slas,
            priorities=ticketing.priorities,
            terms={sla.id: _terms(sla, ticketing) for sla in ticketing.slas},
        )

    @cached_property
    def statuses(self) -> frozenset[str]:
        """All that stand in a list of the file."""
        return self.running | self.paused | self.done

    def of_priority(self, sla: str, priority: str) -> Terms:
        terms = self.terms[sla]
        return terms.get(priority, terms[DEFAULT])

    def passes(self, status: str | None) -> str:
        """What a status does to the clock: done and paused stop it, any other one lets it run."""
        if status in self.done:
            return "done"
        return "paused" if status in self.paused else "running"


def _terms(sla: Sla, ticketing: Ticketing) -> dict[str, Terms]:
    """Of every priority that the SLA's goals or calendars name."""
    found = {}
    for priority in {DEFAULT, *sla.goal, *sla.calendars}:
        calendar = sla.on(priority, ticketing.calendar)
        found[priority] = Terms(goal=_goal(sla.of(priority), calendar), clock=clock(calendar))
    return found


def _goal(goal: Goal, calendar: Calendar) -> timedelta:
    """In whole seconds, so that the moment it is passed is as exact as the times of events, which the store rounds."""
    if goal.seconds is not None:
        return timedelta(seconds=round(goal.seconds))
    return timedelta(seconds=round((goal.days or 0.0) * day_seconds(calendar)))
