"""A ticket that is an incident: how it stands, what it broke, and what it names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.sources.kit.incidents import Incidents, Ticket, incident_of
from platform_meter.sources.servicenow.rows import SYSTEM, Task

MAJOR = "major"
"""The label of one that is a major incident."""
_ACCEPTED, _TAKEN_BACK = "accepted", "canceled"


def incident_key(id_: str) -> str:
    return f"{id_}/incident"


def incident(task: Task, steps: Sequence[TicketEvent], rules: Incidents, url: str) -> Incident | None:
    """The incident that a ticket is or was; None where it never was one.

    Its labels are the priorities that it ever had, in the words of the Ticketing files, and `MAJOR`.
    """
    priorities = [step.priority for step in steps if step.priority]
    state = task.major_incident_state.raw
    labels = [*dict.fromkeys(priorities), *([MAJOR] if state in {_ACCEPTED, _TAKEN_BACK} else [])]
    ends = [step.at for step in steps if step.change is TicketChange.RESOLVED]
    told = incident_of(
        Ticket(
            key=incident_key(task.id),
            created=task.created,
            updated=task.updated,
            about=_about(task, steps),
            type=task.sys_class_name.shown,
            labels=labels,
            closed=_closed(steps),
            resolved=ends[-1] if ends else None,
            resolution=task.code,
            words=[word for label in priorities[-1:] for word in (label, label.partition(" - ")[2]) if word],
            name=task.number.raw,
            url=f"{url.rstrip('/')}/{task.sys_class_name.raw}.do?sys_id={task.id}",
            texts=[task.short_description.raw, task.description.raw],
            links=[value.shown for value in (task.caused_by, task.problem_id) if value.raw],
        ),
        rules,
        (),
    )
    if told is None or state != _TAKEN_BACK or rules.takes(task.sys_class_name.shown, priorities):
        return told
    return replace(told, valid=False)


def _closed(steps: Sequence[TicketEvent]) -> bool:
    """Whether the last of its endings is not taken back."""
    word = [s.change for s in steps if s.change in {TicketChange.RESOLVED, TicketChange.REOPENED}]
    return bool(word) and word[-1] is TicketChange.RESOLVED


def _about(task: Task, steps: Sequence[TicketEvent]) -> Ref:
    """What is broken, else whose it is."""
    mine = steps[-1].about
    if not task.cmdb_ci.raw:
        return mine
    return Ref(system=SYSTEM, kind="ci", id=f"ci/{task.cmdb_ci.shown}", links=mine.links)
