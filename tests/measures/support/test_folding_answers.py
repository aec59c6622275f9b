"""Clocks by what people call them: acknowledged, assigned, and what a file takes for a first answer."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.folded import cycles, decision, see
from tests.support.tickets import comment, created, hours, priority, reopened, resolved, status, step, ticketing

from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import Role, SlaResult, TicketChange, TicketEvent

ACKNOWLEDGED, ASSIGNED = TicketChange.ACKNOWLEDGED, TicketChange.ASSIGNED
HISTORY = [
    created(),
    step(hours(0.5), ACKNOWLEDGED, role=Role.BOT),
    step(hours(0.75), ASSIGNED, role=Role.REPORTER),
    step(hours(1), ACKNOWLEDGED),
    step(hours(1.5), ASSIGNED, category="Gateway"),
    step(hours(2), ASSIGNED, role=Role.BOT),
    status(hours(2.5), "In Progress", role=Role.REPORTER),
    status(hours(3), "In Progress", key="agent"),
    comment(hours(3.5)),
    resolved(hours(9)),
]
"""A bot says that it came, an agent does; a reporter assigns it, it is handed to another component, a bot assigns it."""


def declared(*slas: dict[str, Any], **more: Any) -> Ticketing:
    return ticketing(slas=[{"goal": {"default": "24h"}, **sla} for sla in slas], **more)


def stopped(events: list[TicketEvent], *slas: dict[str, Any], **more: Any) -> dict[str, float]:
    """Hours at which each was met."""
    found = see(events, definition=declared(*slas, **more)).cycles
    return {c.sla: decision(c).elapsed / 3600 for c in found if decision(c).result is SlaResult.MET}


def test_each_measure_has_its_own_end() -> None:
    """Any number of them, called as people like."""
    assert stopped(
        HISTORY,
        {"id": "seen", "measures": "acknowledgement"},
        {"id": "taken", "measures": "assignment"},
        {"id": "assignment"},
        {"id": "first_response"},
        {"id": "solved", "measures": "resolution"},
        {"id": "resolution"},
    ) == {"seen": 1.0, "taken": 2.0, "assignment": 2.0, "first_response": 3.5, "solved": 9.0, "resolution": 9.0}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["comment"], 3.5),
        (["acknowledged"], 1.0),
        (["assigned"], 2.0),
        ([{"status": ["In Progress"]}], 3.0),
        (["comment", {"status": ["In Progress", "Done"]}], 3.0),
        (["comment", "assigned", "acknowledged"], 1.0),
        ([{"status": ["Nowhere"]}], 9.0),
    ],
)
def test_a_file_says_what_a_first_answer_is(answers: list[Any], expected: float) -> None:
    """The first of these; of a status a reporter's own change is none; and its resolution, where none came."""
    assert stopped(HISTORY, {"id": "first_response", "answers": answers}) == {"first_response": expected}
    assert stopped(HISTORY, {"id": "first_response"}, answers=answers) == {"first_response": expected}


def test_an_sla_has_its_answers_before_the_queues() -> None:
    """Where both say."""
    slas = {"id": "first_response"}, {"id": "seen", "measures": "first_response", "answers": ["acknowledged"]}
    assert stopped(HISTORY, *slas, answers=["assigned"]) == {"first_response": 2.0, "seen": 1.0}


def test_a_ticket_that_somebody_had_from_the_start_is_assigned_at_once() -> None:
    """No step tells it then."""
    assert stopped([created(assigned=True)], {"id": "assignment"}) == {"assignment": 0.0}
    assert stopped([created(assigned=True)], {"id": "first_response"}) == {}


def test_what_waits_for_no_comment_needs_not_all_of_them() -> None:
    """Comments could not be read to the end: when it was assigned is known all the same."""
    slas = {"id": "assignment"}, {"id": "first_response"}
    assert stopped([created(whole=False), *HISTORY[1:]], *slas) == {"assignment": 2.0}


def test_a_named_resolution_goes_on_after_a_reopening() -> None:
    """As the one that is called so: resolved after 2 h, open again for 3."""
    events = [created(), resolved(hours(2)), reopened(hours(4)), resolved(hours(7), key="again")]
    for reopen, expected in (("continue", [5.0]), ("first_only", [2.0]), ("restart", [2.0, 3.0])):
        queue = declared({"id": "solved", "measures": "resolution", "reopen": reopen})
        assert [decision(c).elapsed / 3600 for c in cycles("solved", events, definition=queue)] == expected


class TestSeverity:
    QUEUE = ticketing(
        slas=[
            {"id": "resolution", "goal": {"P1": "8h", "default": "24h"}},
            {"id": "bad", "measures": "resolution", "by": "severity", "goal": {"SEV1": "2h", "default": "12h"}},
        ]
    )

    def told(self, events: list[TicketEvent], at: float) -> list[tuple[str, str, float]]:
        return [(c.sla, c.priority, c.goal / 3600) for c in see(events, hours(at), self.QUEUE).cycles]

    def test_goals_go_by_one_word_or_the_other(self) -> None:
        """And so does the priority that the SLA is told under."""
        assert self.told([created(severity="SEV1")], 1) == [("resolution", "P3", 24.0), ("bad", "SEV1", 2.0)]
        assert self.told([created()], 1) == [("resolution", "P3", 24.0), ("bad", "none", 12.0)]

    def test_each_word_changes_its_own_goals(self) -> None:
        """SEV1 after 3 h of 12: its 2 h are over at that moment; another priority moves nothing of it."""
        events = [created(), priority(hours(1), "P1"), step(hours(3), TicketChange.PRIORITY, severity="SEV1")]
        assert self.told(events, 4) == [("resolution", "P1", 8.0), ("bad", "SEV1", 2.0)]
        (cycle,) = cycles("bad", events, hours(4), self.QUEUE)
        assert (decision(cycle).at, decision(cycle).elapsed, decision(cycle).priority) == (hours(3), 3 * 3600, "SEV1")


class TestMerged:
    def test_a_merged_ticket_is_no_valid_one(self) -> None:
        """By the step that merged it, or by what its creation says of today; open or closed, whatever as."""
        assert not see([created(), status(hours(1), "Closed", into="PLAT-9")]).valid
        assert not see([created(into="PLAT-9")]).valid
        assert see([created(), status(hours(1), "Closed")]).valid

    def test_one_that_is_open_again_is(self) -> None:
        """It was taken back."""
        assert see([created(), resolved(hours(1), into="PLAT-9"), reopened(hours(2))]).valid
