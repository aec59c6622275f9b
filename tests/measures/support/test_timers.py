"""One clock of one ticket, moved by hand."""

from __future__ import annotations

from datetime import timedelta

from tests.support.folded import decision
from tests.support.tickets import MONDAY, hours, ticketing

from platform_meter.measures.support.cycles import ClockState
from platform_meter.measures.support.rules import Rules
from platform_meter.measures.support.timers import Timer
from platform_meter.model.facts.tickets import SlaResult

RULES = Rules.of(ticketing())


def timer(*, here: bool = True) -> Timer:
    """Of a P3's resolution: 24 h."""
    (_, sla) = RULES.slas
    return Timer(sla, 1, MONDAY, "P3", RULES.of_priority("resolution", "P3"), here=here)


def test_it_is_met_until_it_goes_on() -> None:
    """Stopped after 6 h; resumed it is undecided, and due when 24 h are full."""
    one = timer()
    one.run(MONDAY, hours(6))
    one.stop(hours(6))
    met = one.cycle(hours(6), paused=False)
    assert met is not None
    assert (one.met, decision(met).elapsed, met.state) == (True, 6 * 3600, ClockState.STOPPED)
    one.resume()
    going = one.cycle(hours(7), paused=False)
    assert going is not None
    assert (one.met, going.decision, going.due) == (False, None, hours(25))


def test_it_is_breached_once() -> None:
    """At 24 h, though it stops after 30 and its goal changes."""
    one = timer()
    one.run(MONDAY, hours(30))
    one.reprice(hours(30), "P1", RULES.of_priority("resolution", "P1"))
    one.stop(hours(30))
    one.resume()
    found = one.cycle(hours(30), paused=True)
    assert found is not None
    assert (decision(found).at, decision(found).goal, decision(found).result) == (
        hours(24),
        24 * 3600,
        SlaResult.BREACHED,
    )
    assert (found.state, found.goal, found.elapsed) == (ClockState.PAUSED, 8 * 3600, 30 * 3600)


def test_a_queue_has_nothing_of_what_began_and_ended_elsewhere() -> None:
    """Nor of what goes on there undecided; what was decided here it keeps."""
    away = timer(here=False)
    assert away.cycle(hours(1), paused=False) is None
    away.run(MONDAY, hours(1))
    away.stop(hours(1))
    away.here = True
    assert away.cycle(hours(1), paused=False) is None
    late = timer()
    late.run(MONDAY, MONDAY + timedelta(days=2))
    late.here = False
    found = late.cycle(hours(48), paused=False)
    assert found is not None
    assert (found.breached, found.open, found.whole, found.passed) == (True, False, False, False)
