"""Clocks of Jira Service Management to cycles, and what is asked for them."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from tests.sources.jira.jira_server import Jira, Row, cycle, issue, sla
from tests.sources.jira.test_jira import NOW, SETTINGS

from platform_meter.model.facts.tickets import ToolClock
from platform_meter.sources.jira import Config, connect
from platform_meter.sources.jira.clocks import Sla, clock_events
from platform_meter.sources.jira.rows import Issue
from platform_meter.testing.outside import FakeOutside

CLOCKS = {**SETTINGS, "sla_clocks": True}


def hours(before: float) -> datetime:
    return NOW - timedelta(hours=before)


def poll(world: Jira) -> tuple[list[ToolClock], FakeOutside, int]:
    """Clocks, what was asked, and how many rows were odd."""
    outside = FakeOutside(world)
    (stream,) = connect(Config.model_validate(CLOCKS), outside, "jira")
    pages = list(stream.read(None, hours(240), NOW))
    found = [fact for page in pages for fact in page.facts if isinstance(fact, ToolClock)]
    return found, outside, sum(sum(page.rejected.values()) for page in pages)


def cycles(*rows: Row) -> list[ToolClock]:
    one = msgspec.convert(issue(1, hours(50), hours(2)), Issue, strict=False)
    return list(clock_events(one, msgspec.convert(list(rows), list[Sla])))


def test_cycles_are_numbered_as_they_began() -> None:
    """The ones that are over come newest first, and the one that runs after them."""
    one, two, runs = (cycle(hours(n), 1, stop=stop) for n, stop in ((50, hours(45)), (40, hours(35)), (30, None)))
    found = cycles(sla("4", "Time to resolution", two, one, runs))
    assert [(e.key, e.at, e.stopped) for e in found] == [
        ("10001/sla/4/1", hours(50), hours(45)),
        ("10001/sla/4/2", hours(40), hours(35)),
        ("10001/sla/4/3", hours(30), None),
    ]
    assert {(e.clock, e.queue, e.ticket, e.goal) for e in found} == {
        ("Time to resolution", "PLAT", "10001", timedelta(hours=8))
    }


def test_what_elapsed_of_one_that_runs_is_told_by_what_is_left() -> None:
    """Its number would be another one at each question; of a paused one, or one that has no such moment, it is told."""
    (runs,) = cycles(sla("4", "r", cycle(hours(5), 3, breach=hours(-5))))
    assert (runs.elapsed, runs.breached_at, runs.updated) == (None, hours(-5), hours(2))
    (paused,) = cycles(sla("4", "r", cycle(hours(5), 3, breach=hours(-5), paused=True)))
    assert (paused.elapsed, paused.paused) == (timedelta(hours=3), True)
    (late,) = cycles(sla("4", "r", cycle(hours(5), 9, breached=True)))
    assert (late.elapsed, late.breached, late.breached_at) == (timedelta(hours=9), True, None)


def test_one_that_ended_is_newer_than_when_it_ran() -> None:
    """By when it stopped, or when the issue changed last."""
    (late,) = cycles(sla("4", "r", cycle(hours(5), 3, stop=hours(1))))
    (early,) = cycles(sla("4", "r", cycle(hours(5), 3, stop=hours(4))))
    assert (late.updated, early.updated) == (hours(1), hours(2))


def test_every_page_of_clocks_is_read() -> None:
    """Of each ticket that changed; one that is no request has none, and the others have theirs."""
    rows = [issue(n, hours(5), hours(n)) for n in (1, 2, 3)]
    slas = {str(10_000 + n): [sla(id_, id_, cycle(hours(5), 1)) for id_ in "45"] for n in (1, 3)}
    found, _, _ = poll(Jira(rows, slas=slas))
    assert sorted(e.key for e in found) == [
        "10001/sla/4/1",
        "10001/sla/5/1",
        "10003/sla/4/1",
        "10003/sla/5/1",
    ]


def test_a_cycle_without_a_beginning_is_left_out_and_counted() -> None:
    """Nor is one that began before all calendars; times and lengths that can't be are not told."""
    never: list[Row] = [{}, {"startTime": {"epochMillis": 10**18}}]
    lost = cycle(hours(5), 1, stop=hours(4)) | {"elapsedTime": {"millis": 10**18}, "goalDuration": {}}
    clock = sla("4", "r", lost)
    clock["completedCycles"] += never
    world = Jira([issue(1, hours(5), hours(1))], slas={"10001": [clock]})
    found, _, odd = poll(world)
    assert [(e.elapsed, e.goal, e.stopped) for e in found] == [(None, None, hours(4))]
    assert odd == 2


def test_who_may_not_see_the_clocks_is_told_once_a_project() -> None:
    """The tickets are read all the same."""
    found, outside, _ = poll(Jira([issue(1, hours(5), hours(1)), issue(2, hours(5), hours(2))], no_agent=True))
    assert found == []
    (gap,) = outside.gaps
    assert gap.reason == "forbidden"
    assert gap.text.startswith("PLAT: its SLA clocks can't be read: ")
    assert gap.text.endswith("; the account has to be an agent there")
    assert sum("servicedeskapi" in call.path for call in outside.calls) == 1
