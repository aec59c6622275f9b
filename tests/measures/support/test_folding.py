"""One ticket's history to its SLA cycles: every rule of the clock, the goal, the decision and the reopening."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.folded import LATER, cycles, decision, definitions, resolution, response, see, steps
from tests.support.tickets import (
    MONDAY,
    OFFICE,
    comment,
    created,
    hours,
    priority,
    reopened,
    resolved,
    status,
    ticketing,
)

from platform_meter.measures.support.cycles import ClockState, Decision
from platform_meter.measures.support.folding import fold
from platform_meter.measures.support.rules import Rules
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import Role, SlaResult, TicketEvent, Today

MET, BREACHED = SlaResult.MET, SlaResult.BREACHED


class TestClock:
    def test_it_runs_in_running_statuses_and_stands_in_paused_ones(self) -> None:
        """2 h open, 5 h waiting for the customer, 3 h in progress: 5 h."""
        cycle = resolution([created(), status(hours(2), "Waiting"), status(hours(7), "In Progress")], hours(10))
        assert (cycle.elapsed, cycle.state) == (5 * 3600, ClockState.RUNNING)
        assert cycle.remaining == 19 * 3600

    def test_a_paused_cycle_is_open_and_paused(self) -> None:
        """It keeps what had elapsed, however late it is."""
        cycle = resolution([created(), status(hours(2), "Waiting")], hours(900))
        assert (cycle.elapsed, cycle.state, cycle.open) == (2 * 3600, ClockState.PAUSED, True)
        assert cycle.decision is None

    def test_it_runs_only_inside_the_calendar(self) -> None:
        """Created Friday 16:30 and answered Monday 09:45 in Berlin: 4,500 business seconds."""
        friday = datetime.fromisoformat("2026-03-27T15:30:00+00:00")
        monday = datetime.fromisoformat("2026-03-30T07:45:00+00:00")
        cycle = response([created(friday), comment(monday)], definition=ticketing(OFFICE))
        assert decision(cycle).elapsed == 4500.0

    def test_a_status_in_no_list_counts_as_running_and_is_reported(self) -> None:
        """Triage stands in no list: 3 h of it count."""
        ticket = see([created(), status(hours(1), "Triage"), status(hours(4), "Waiting")], hours(10))
        assert [c.elapsed for c in ticket.cycles] == [4 * 3600, 4 * 3600]
        assert ticket.unlisted == {"Triage"}

    def test_a_ticket_without_status_runs(self) -> None:
        """A tool may know none; there is nothing to report then."""
        ticket = see([created(status=None)], hours(3))
        assert [c.elapsed for c in ticket.cycles] == [3 * 3600, 3 * 3600]
        assert ticket.unlisted == frozenset()

    def test_what_is_dated_before_the_creation_happened_at_it(self) -> None:
        """Clocks of two systems differ: the answer a second early is an answer after 0 s."""
        cycle = response([created(), comment(MONDAY - timedelta(seconds=1))])
        assert (decision(cycle).at, decision(cycle).elapsed) == (MONDAY, 0.0)

    def test_a_ticket_whose_creation_is_not_known_is_not_measured(self) -> None:
        """Its start lies before what is stored; nor is one that is created only after the moment asked for."""
        rules = Rules.of(ticketing())
        assert fold([status(hours(1), "Open")], rules, LATER) is None
        assert fold([created()], rules, MONDAY) is None


class TestFirstResponse:
    def test_it_is_the_first_public_comment_of_an_agent(self) -> None:
        """The reporter's, the bot's and the internal comment answer nobody; the second answer changes nothing."""
        events = [
            created(),
            comment(hours(0.5), Role.REPORTER),
            comment(hours(1), Role.BOT),
            comment(hours(1.5), public=False),
            comment(hours(2)),
            comment(hours(3)),
        ]
        cycle = response(events)
        assert cycle.decision == Decision(at=hours(2), result=MET, elapsed=7200.0, goal=14_400.0, priority="P3")
        assert cycle.state is ClockState.STOPPED

    def test_resolved_without_comment_is_the_resolution_time(self) -> None:
        """Closing a ticket is an answer."""
        assert decision(response([created(), resolved(hours(3))])).elapsed == 3 * 3600

    def test_a_reopening_does_not_start_it_again(self) -> None:
        """There is one first response, whatever `reopen` says."""
        cycle = response([created(), resolved(hours(3)), reopened(hours(4)), comment(hours(9))])
        assert decision(cycle).at == hours(3)


class TestGoal:
    def test_it_is_the_one_of_the_priority(self) -> None:
        """P1 is named, P3 takes the default."""
        assert response([created(priority="P1")], hours(0.1)).goal == 3600.0
        assert response([created(priority="P3")], hours(0.1)).goal == 4 * 3600.0

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_a_ticket_without_priority_takes_the_default(self, nothing: str | None) -> None:
        """Its priority is called `none`."""
        cycle = response([created(priority=nothing)], hours(0.1))
        assert (cycle.goal, cycle.priority) == (4 * 3600.0, "none")

    def test_a_priority_change_changes_the_goal_and_keeps_what_elapsed(self) -> None:
        """After 2 h of 24 h the goal is 8 h: 6 h are left."""
        cycle = resolution([created(), priority(hours(2), "P1")], hours(2))
        assert (cycle.goal, cycle.elapsed, cycle.priority) == (24 * 3600, 7200.0, "P3")
        cycle = resolution([created(), priority(hours(2), "P1")], hours(3))
        assert (cycle.goal, cycle.elapsed, cycle.remaining, cycle.priority) == (8 * 3600, 3 * 3600, 5 * 3600, "P1")

    def test_a_goal_lowered_under_what_elapsed_breaches_at_that_moment(self) -> None:
        """10 h of 24 h had elapsed when it became a P1 with 8 h."""
        cycle = resolution([created(), priority(hours(10), "P1")])
        assert cycle.decision == Decision(at=hours(10), result=BREACHED, elapsed=36_000.0, goal=28_800.0, priority="P1")

    def test_a_goal_lowered_to_just_what_elapsed_is_not_passed_yet(self) -> None:
        """8 h of 8 h are used up: it is breached with the next moment of open time."""
        cycle = resolution([created(), status(hours(8), "Waiting"), priority(hours(9), "P1")], hours(50))
        assert (cycle.decision, cycle.remaining) == (None, 0.0)

    def test_a_raised_goal_does_not_undo_a_breach(self) -> None:
        """Once bad, always bad."""
        cycle = resolution([created(priority="P1"), priority(hours(9), "P3"), resolved(hours(10))])
        assert cycle.decision == Decision(at=hours(8), result=BREACHED, elapsed=28_800.0, goal=28_800.0, priority="P1")

    def test_business_days_are_those_of_the_calendar(self) -> None:
        """5bd of 09:00-17:00 are 40 h: created on Monday morning, passed the next Monday morning."""
        slas = [{"id": "resolution", "goal": {"default": "5bd"}}]
        cycle = resolution([created()], definition=ticketing(OFFICE, slas=slas))
        assert (cycle.goal, decision(cycle).at) == (144_000.0, MONDAY + timedelta(days=7))


class TestDecision:
    def test_it_is_met_when_it_stops_within_the_goal(self) -> None:
        """Just at the goal is within."""
        cycle = resolution([created(), resolved(hours(24))])
        assert (decision(cycle).result, decision(cycle).at) == (MET, hours(24))

    def test_it_is_breached_the_moment_it_passes_the_goal(self) -> None:
        """Nobody waits for the closing: at 24 h it is decided, not before."""
        assert resolution([created()], hours(24)).decision is None
        cycle = resolution([created()], hours(24) + timedelta(seconds=1))
        assert cycle.decision == Decision(at=hours(24), result=BREACHED, elapsed=86_400.0, goal=86_400.0, priority="P3")
        assert (cycle.open, cycle.remaining) == (True, -1.0)

    def test_a_breach_between_two_events_is_dated_when_it_happened(self) -> None:
        """The comment at 30 h does not move the breach at 4 h and 24 h."""
        ticket = see([created(), comment(hours(30)), resolved(hours(40))])
        assert [decision(c).at for c in ticket.cycles] == [hours(4), hours(24)]
        assert [c.elapsed for c in ticket.cycles] == [30 * 3600, 40 * 3600]

    def test_used_up_at_closing_it_is_breached_at_the_next_opening(self) -> None:
        """4 h from Friday 13:00 end at 17:00; an answer on Sunday is still in time, silence is a breach on Monday."""
        friday = MONDAY + timedelta(days=4, hours=4)
        assert (
            decision(response([created(friday), comment(hours(48, friday))], definition=ticketing(OFFICE))).result
            is MET
        )
        cycle = response([created(friday)], definition=ticketing(OFFICE))
        assert decision(cycle).at == MONDAY + timedelta(days=7)

    def test_pauses_move_the_moment_of_the_breach(self) -> None:
        """5 h of waiting: 24 h are passed after 29 h."""
        cycle = resolution([created(), status(hours(2), "Waiting"), status(hours(7), "Open")])
        assert decision(cycle).at == hours(29)

    def test_a_queue_that_never_opens_breaches_nothing(self) -> None:
        """No business time ever passes."""
        cycle = resolution([created()], definition=ticketing({"days": {}}))
        assert (cycle.decision, cycle.elapsed) == (None, 0.0)


class TestClosing:
    @pytest.mark.parametrize(
        "end",
        [
            [status(hours(3), "Resolved")],
            [resolved(hours(3))],
            [status(hours(3), "Closed"), resolved(hours(3))],
            [status(hours(3), "Shipped"), resolved(hours(3))],
            [status(hours(3), "Waiting"), resolved(hours(3))],
            [status(hours(3), "Waiting", key="z"), resolved(hours(3), key="a")],
        ],
    )
    def test_a_done_status_and_the_tools_own_resolution_both_close(self, end: list[TicketEvent]) -> None:
        """Also when both say so at one moment, and the status of that moment is paused or in no list."""
        ticket = see([created(), *end])
        assert (ticket.open, ticket.closings) == (False, (hours(3),))

    @pytest.mark.parametrize(
        "back",
        [
            [status(hours(5), "Open")],
            [status(hours(5), "Waiting")],
            [status(hours(5), "Triage")],
            [reopened(hours(5))],
            [status(hours(5), "Open", key="a"), reopened(hours(5), key="b")],
            [status(hours(5), "Open", key="b"), reopened(hours(5), key="a")],
        ],
    )
    def test_a_status_that_is_not_done_and_the_tools_own_reopening_both_reopen(self, back: list[TicketEvent]) -> None:
        """Some tools leave the resolution set; the status is believed, also one in no list, which counts as running."""
        ticket = see([created(), status(hours(3), "Closed"), resolved(hours(3)), *back])
        assert (ticket.open, ticket.reopenings) == (True, (hours(5),))

    def test_the_clock_goes_on_in_a_status_in_no_list_after_a_done_one(self) -> None:
        """Resolved at 3 h, in Triage from 5 h on: at 40 h the goal of 24 h is long passed."""
        cycle = resolution([created(), status(hours(3), "Resolved"), status(hours(5), "Triage")], hours(40))
        assert (cycle.elapsed, decision(cycle).result, decision(cycle).at) == (38 * 3600, BREACHED, hours(26))

    @pytest.mark.parametrize("word", ["Duplicate", "Spam", "Merged"])
    def test_duplicates_spam_and_merged_tickets_are_not_valid(self, word: str) -> None:
        """They count nowhere."""
        assert not see([created(), resolved(hours(1), word)]).valid

    def test_a_refusal_is_an_answer(self) -> None:
        """Closing a late ticket as not to be done leaves it late: 30 h against a goal of 24 h."""
        ticket = see([created(), resolved(hours(30), "Won't Do")])
        assert ticket.valid
        assert [decision(c).result for c in ticket.cycles] == [BREACHED, BREACHED]

    def test_other_resolutions_are_valid_and_so_is_a_reopened_duplicate(self) -> None:
        """Reopening clears the resolution; a resolution corrected later is the one that counts."""
        assert see([created(), resolved(hours(1))]).valid
        assert see([created(), resolved(hours(1), "Duplicate"), reopened(hours(2))]).valid
        again = [created(), resolved(hours(1), "Duplicate"), status(hours(2), "Open"), status(hours(3), "Closed")]
        assert see(again).valid
        assert not see([created(), resolved(hours(1)), resolved(hours(2), "Duplicate")]).valid


class TestReopening:
    EVENTS = (created(), resolved(hours(10)), reopened(hours(50)))

    def test_continue_goes_on_and_leaves_out_the_time_while_resolved(self) -> None:
        """10 h before, 40 h resolved, 5 h since: 15 h of 24 h, and the earlier good is taken back."""
        cycle = resolution(self.EVENTS, hours(55))
        assert (cycle.n, cycle.elapsed, cycle.open, cycle.decision) == (1, 15 * 3600, True, None)

    def test_continue_is_decided_anew(self) -> None:
        """Resolved again after 5 h more it is met with 15 h; left alone it is breached when 24 h have passed."""
        assert decision(resolution([*self.EVENTS, resolved(hours(55))])).elapsed == 15 * 3600
        assert decision(resolution(self.EVENTS)) == Decision(
            at=hours(64), result=BREACHED, elapsed=86_400.0, goal=86_400.0, priority="P3"
        )

    def test_continue_does_not_take_back_a_breach(self) -> None:
        """Once bad, always bad; the time still goes on."""
        cycle = resolution([created(), resolved(hours(30)), reopened(hours(40))], hours(41))
        assert (decision(cycle).at, cycle.elapsed, cycle.open) == (hours(24), 31 * 3600, True)

    def test_continue_takes_the_goal_of_the_priority_it_is_reopened_with(self) -> None:
        """10 h had elapsed; as a P1 with 8 h it is breached at the reopening."""
        events = [created(), resolved(hours(10)), priority(hours(20), "P1"), reopened(hours(50))]
        assert resolution(events, hours(40)).priority == "P3"
        assert decision(resolution(events)).at == hours(50)

    def test_restart_begins_a_new_cycle_and_keeps_the_first(self) -> None:
        """The second clock starts at 0 with number 2."""
        first, second = cycles("resolution", self.EVENTS, hours(55), ticketing(reopen="restart"))
        assert (first.n, decision(first).result, first.open) == (1, MET, False)
        assert (second.n, second.started, second.elapsed, second.open) == (2, hours(50), 5 * 3600, True)

    def test_first_only_ends_with_the_first_resolution(self) -> None:
        """What comes after changes nothing."""
        cycle = resolution(self.EVENTS, LATER, ticketing(reopen="first_only"))
        assert (decision(cycle).result, cycle.open, cycle.elapsed) == (MET, False, 36_000.0)


@given(steps, definitions, st.integers(1, 80), st.data())
def test_order_and_repetition_of_events_change_nothing(
    events: list[TicketEvent], definition: Ticketing, until: int, data: st.DataObject
) -> None:
    """Pages come in any order and overlap."""
    rules = Rules.of(definition)
    shuffled = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=4))]))
    assert fold(shuffled, rules, hours(until)) == fold(events, rules, hours(until))


class TestUnrecorded:
    """Moments that the history does not tell."""

    def test_what_was_born_closed_stopped_when_the_tool_says_it_was_resolved(self) -> None:
        """An import without history: closed from the start, resolved after 6 h by its own date."""
        events = [created(status="Closed"), resolved(hours(6))]
        assert (decision(resolution(events)).result, decision(resolution(events)).elapsed) == (MET, 21_600.0)
        assert decision(response(events)).result is BREACHED
        assert see(events).closings == (hours(6),)

    @pytest.mark.parametrize("born", [{"status": "Closed"}, {"resolution": "Done"}])
    def test_nothing_is_solved_in_no_time_for_want_of_history(self, born: dict[str, Any]) -> None:
        """Closed nobody knows when: it is not open, and no clock of it counts."""
        ticket = see([created(**born), comment(hours(1))])
        assert (ticket.open, ticket.valid, ticket.closings) == (False, True, ())
        assert [(c.sla, c.decision and c.decision.result) for c in ticket.cycles] == [("first_response", MET)]

    def test_what_looks_late_may_have_been_closed_long_before(self) -> None:
        """Closed nobody knows when: its comments of two days later prove no breach, and an answer that late no met goal."""
        events = [created(status="Closed"), comment(hours(48))]
        assert see(events).cycles == ()

    def test_a_later_opening_begins_a_cycle_whose_start_is_known(self) -> None:
        """Born closed and reopened after 9 h: with restart that one is measured, without there is none."""
        events = [created(status="Closed"), status(hours(9), "Open")]
        (cycle,) = cycles("resolution", events, hours(12), ticketing(reopen="restart"))
        assert (cycle.n, cycle.started, cycle.elapsed) == (2, hours(9), 3 * 3600.0)
        assert cycles("resolution", events, hours(12)) == []
        assert see(events, hours(12)).open

    def test_a_history_that_ends_elsewhere_ends_at_todays_status(self) -> None:
        """In Progress by its history, Closed today: not open, and only what was decided before counts."""
        events = [created(today=Today("Closed", resolution="")), status(hours(5), "In Progress")]
        ticket = see(events)
        assert (ticket.open, ticket.closings) == (False, ())
        assert [(c.sla, c.breached, c.open, c.whole) for c in ticket.cycles] == [("first_response", True, False, False)]

    def test_a_date_of_resolution_says_when_it_was_closed(self) -> None:
        """The status alone has no history: it stopped when it was resolved."""
        events = [
            created(today=Today("Closed", resolution="Done")),
            status(hours(1), "In Progress"),
            resolved(hours(3)),
        ]
        assert decision(resolution(events)).elapsed == 3 * 3600
        assert resolution(events).whole

    def test_one_that_waits_since_nobody_knows_when_has_no_clock(self) -> None:
        """Open by its history and paused today: undecided cycles are left out, the ticket is open."""
        ticket = see([created(today=Today("Waiting", resolution=""))], hours(2))
        assert (ticket.open, ticket.cycles) == (True, ())

    def test_another_status_that_runs_the_clock_too_changes_nothing(self) -> None:
        """Open by its history, In Progress today: time passes in both."""
        cycle = resolution([created(today=Today("In Progress", resolution=""))], hours(2))
        assert (cycle.open, cycle.elapsed, cycle.whole) == (True, 7200.0, True)

    def test_open_again_since_nobody_knows_when_is_not_met(self) -> None:
        """Resolved by its history, open today: that it was met holds no longer; the answer stays."""
        events = [created(today=Today("Open", resolution="")), comment(hours(1)), resolved(hours(5))]
        ticket = see(events)
        assert ticket.open
        assert [(c.sla, c.decision and c.decision.result) for c in ticket.cycles] == [("first_response", MET)]

    def test_one_whose_history_is_not_told_has_no_clock(self) -> None:
        """Answered and solved in time by what is told, late by the pauses that are not: neither is certain."""
        events = [created(today=Today("Closed", "Done", untold=True)), comment(hours(1)), resolved(hours(30))]
        ticket = see(events, hours(40))
        assert (ticket.open, ticket.cycles) == (False, ())
        waiting = see([created(today=Today("In Progress", "", untold=True))], hours(40))
        assert (waiting.open, waiting.cycles) == (True, ())

    def test_todays_resolution_says_whether_it_is_valid(self) -> None:
        """Closed as a duplicate, which no history tells."""
        assert not see([created(today=Today("Closed", resolution="Duplicate"))]).valid
        assert see([created(today=Today("Closed", resolution="")), resolved(hours(1), "Duplicate")]).valid

    def test_more_history_to_come_may_lead_there(self) -> None:
        """What happens after the moment asked for is recorded."""
        events = [created(today=Today("Closed", resolution="")), status(hours(5), "Waiting")]
        assert see(events, hours(3)).open

    def test_without_all_comments_nobody_knows_the_first_answer(self) -> None:
        """Neither met nor breached."""
        assert cycles("first_response", [created(whole=False), comment(hours(1))]) == []
        assert len(cycles("resolution", [created(whole=False)])) == 1


def test_only_answers_that_the_tool_still_shows_count() -> None:
    """One was deleted or made internal, the other made public after it was told."""
    gone, shown = comment(hours(1), key="c1"), comment(hours(2), key="c2", public=False)
    assert decision(response([created(answers=("c2",)), gone, shown])).at == hours(2)
    assert response([created(answers=()), gone], hours(3)).decision is None
    assert decision(response([created(), gone])).at == hours(1)


def test_of_one_event_the_newest_version_holds() -> None:
    """A comment made private later answers nobody, in whichever order the versions come."""
    before = comment(hours(1), key="c", updated=hours(1))
    after = replace(before, public=False, updated=hours(9))
    for events in ([created(), before, after], [created(), after, before]):
        assert response(events, hours(2)).decision is None
