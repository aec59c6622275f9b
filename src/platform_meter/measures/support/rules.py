"""A Ticketing definition made ready for folding: its statuses, and the goal and calendar of each SLA by priority."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from platform_meter.measures.support.calendars import Clock, clock, day_seconds
from platform_meter.measures.support.selects import queue_keys
from platform_meter.model.definitions import Calendar, Goal, Sla, Ticketing
from platform_meter.model.facts.tickets import GONE, TicketChange
from platform_meter.model.ticketing import DEFAULT, USUAL_CLOCKS, AnswerStatus


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an SLA promises at one priority."""

    goal: timedelta
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Answering:
    """What stops a clock before the ticket is closed: the first of these."""

    changes: frozenset[TicketChange]
    statuses: frozenset[str] = frozenset()

    @property
    def acknowledged(self) -> bool:
        """Whether it waits for an acknowledgement and nothing else, which few tools tell."""
        return self.changes == {TicketChange.ACKNOWLEDGED} and not self.statuses


@dataclass(frozen=True, kw_only=True)
class ToolName:
    """Which of the tool's own clocks is that of an SLA."""

    pattern: re.Pattern[str]
    judges: bool
    """Whether it decides; else it is only compared."""

    def fits(self, clock: str) -> bool:
        return self.pattern.fullmatch(clock) is not None


_STOPS = {
    "acknowledgement": Answering(changes=frozenset({TicketChange.ACKNOWLEDGED})),
    "assignment": Answering(changes=frozenset({TicketChange.ASSIGNED})),
}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How one queue's tickets are counted."""

    queues: frozenset[str]
    """The tool's, all of them where it is empty."""
    clock: Clock
    """Of the queue: what its backlog's age is told in."""
    running: frozenset[str]
    paused: frozenset[str]
    done: frozenset[str]
    invalid: frozenset[str]
    slas: tuple[Sla, ...]
    priorities: frozenset[str]
    """All that the file names."""
    severities: frozenset[str]
    """As `priorities`."""
    answering: Mapping[str, Answering]
    """By SLA; nothing of those that only the closing of a ticket stops."""
    tool_names: Mapping[str, ToolName]
    """By SLA; nothing of those that don't ask for the tool's clock."""
    terms: Mapping[str, Mapping[str, Terms]]
    """By SLA, then priority, or severity, or `default`."""

    @classmethod
    def of(cls, ticketing: Ticketing) -> Rules:
        """Rules of a definition.

        Raises:
            ValueError: a goal in business days on a calendar whose open days differ in length, or a `select` that says
                more than queues.
        """
        return cls(
            queues=queue_keys(ticketing.source.select),
            clock=clock(ticketing.calendar),
            running=frozenset(ticketing.status.running),
            paused=frozenset(ticketing.status.paused),
            done=frozenset(ticketing.status.done),
            invalid=frozenset({GONE, *ticketing.invalid}),
            slas=ticketing.slas,
            priorities=ticketing.priorities,
            severities=ticketing.severities,
            answering={sla.id: answering(sla, ticketing) for sla in ticketing.slas if sla.measured != "resolution"},
            tool_names={sla.id: _tool_name(sla) for sla in ticketing.slas if sla.clock == "source" or sla.clock_name},
            terms={sla.id: _terms(sla, ticketing) for sla in ticketing.slas},
        )

    @cached_property
    def statuses(self) -> frozenset[str]:
        """All that stand in a list of the file."""
        return self.running | self.paused | self.done

    @cached_property
    def acknowledged(self) -> frozenset[str]:
        """SLAs that wait for an acknowledgement and nothing else."""
        return frozenset(sla for sla, answering in self.answering.items() if answering.acknowledged)

    @cached_property
    def answered_in(self) -> frozenset[str]:
        """Statuses that answer."""
        return frozenset[str]().union(*(answering.statuses for answering in self.answering.values()))

    @cached_property
    def status_words(self) -> frozenset[str]:
        """All that the file writes."""
        return self.statuses | self.answered_in

    def holds(self, queue: str) -> bool:
        """Whether a ticket in this queue of the tool is in the file's."""
        return not self.queues or queue in self.queues

    def of_priority(self, sla: str, priority: str) -> Terms:
        terms = self.terms[sla]
        return terms.get(priority, terms[DEFAULT])

    def passes(self, status: str | None) -> str:
        """What a status does to the clock: done and paused stop it, any other one lets it run."""
        if status in self.done:
            return "done"
        return "paused" if status in self.paused else "running"


def answering(sla: Sla, ticketing: Ticketing) -> Answering:
    """What stops an SLA's clock before the ticket is closed; not of a resolution."""
    answers = sla.answers or ticketing.answers
    return _STOPS.get(sla.measured) or Answering(
        changes=frozenset(TicketChange(a) for a in answers if not isinstance(a, AnswerStatus)),
        statuses=frozenset(status for a in answers if isinstance(a, AnswerStatus) for status in a.status),
    )


def _tool_name(sla: Sla) -> ToolName:
    """A `*` in the name is anything; capitals say nothing."""
    names = [sla.clock_name] if sla.clock_name else USUAL_CLOCKS[sla.measured]
    wanted = "|".join(".*".join(re.escape(part) for part in name.split("*")) for name in names)
    return ToolName(pattern=re.compile(wanted, re.IGNORECASE | re.DOTALL), judges=sla.clock == "source")


def _terms(sla: Sla, ticketing: Ticketing) -> dict[str, Terms]:
    """Of every priority, or severity, that the SLA's goals or calendars name."""
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
