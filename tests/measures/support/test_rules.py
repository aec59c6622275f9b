"""What an SLA promises at each priority: its goal, and the calendar it is counted by."""

from __future__ import annotations

from datetime import timedelta

from tests.support.folded import decision, resolution
from tests.support.tickets import ALWAYS, OFFICE, created, hours, priority, ticketing

from platform_meter.measures.support.rules import Rules
from platform_meter.model.facts.tickets import SlaResult

URGENT = ticketing(
    OFFICE,
    slas=[{"id": "resolution", "goal": {"P1": "10h", "default": "2bd"}, "calendars": {"P1": ALWAYS}}],
)


def test_a_business_day_is_one_of_the_calendar_that_the_priority_is_counted_by() -> None:
    """Eight hours in the office; a priority around the clock that no goal names has days of 24."""
    two_days = {"id": "resolution", "goal": {"default": "2bd"}, "calendars": {"P1": ALWAYS}}
    rules = Rules.of(ticketing(OFFICE, slas=[two_days]))
    assert rules.of_priority("resolution", "P3").goal == timedelta(hours=16)
    assert rules.of_priority("resolution", "P1").goal == timedelta(hours=48)


def test_an_sla_with_a_calendar_of_its_own_leaves_the_others_theirs() -> None:
    """Answers are promised around the clock, solutions in office hours."""
    rules = Rules.of(
        ticketing(
            OFFICE,
            slas=[
                {"id": "first_response", "goal": {"default": "1h"}, "calendar": ALWAYS},
                {"id": "resolution", "goal": {"default": "1bd"}},
            ],
        )
    )
    night = (hours(12), hours(14))
    assert rules.of_priority("first_response", "P3").clock.elapsed(*night) == timedelta(hours=2)
    assert rules.of_priority("resolution", "P3").clock.elapsed(*night) == timedelta(0)


def test_the_most_urgent_is_counted_around_the_clock_and_the_rest_in_office_hours() -> None:
    """Both opened on Monday at 09:00: the P1 passes its 10 h at 19:00, the other its two days on Tuesday at 17:00."""
    urgent = decision(resolution([created(priority="P1")], hours(48), URGENT))
    assert (urgent.at, urgent.result) == (hours(10), SlaResult.BREACHED)
    usual = decision(resolution([created()], hours(72), URGENT))
    assert (usual.at, usual.elapsed) == (hours(48), 57_600.0)


def test_another_priority_changes_the_calendar_and_keeps_what_elapsed() -> None:
    """Six office hours until 15:00, then P1: four more of its ten pass by 19:00."""
    cycle = resolution([created(), priority(hours(6), "P1")], hours(11), URGENT)
    assert decision(cycle).at == hours(10)
    assert cycle.elapsed == 11 * 3600


def test_a_queue_holds_what_its_select_names() -> None:
    """Without one, tickets of every queue of the tool."""
    assert [Rules.of(ticketing()).holds(queue) for queue in ("PLAT", "OPS")] == [True, False]
    assert Rules.of(ticketing(source={"type": "jira"})).holds("OPS")


def test_words_of_answers_are_words_of_the_file() -> None:
    """A status that answers may be in no list: then it runs the clock, and is known by its other names too."""
    rules = Rules.of(ticketing(answers=["comment", {"status": ["Taken"]}]))
    assert rules.answering["first_response"].statuses == {"Taken"}
    assert rules.status_words - rules.statuses == {"Taken"}
    assert rules.answering.keys() == {"first_response"}, "nothing but its closing stops a resolution"
