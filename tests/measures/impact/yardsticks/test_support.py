"""Values of a queue's SLA: how long its clock ran, and whether that was in time."""

from __future__ import annotations

from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import MONDAY, created, hours, status, ticketing

from platform_meter.measures.impact.yardsticks.support import MET, TIMES
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact
from platform_meter.model.history import Owner
from platform_meter.model.measure import Scene

NOW = hours(24 * 10)
WHAT = {"queue": "help", "sla": "resolution"}


def scene(*, fresh: bool = True) -> Scene:
    """One solved in 5 hours, an urgent one in 9 of 8, one that is open, one that waits."""
    steps = [
        created(ticket="PLAT-1", asking="jira:pay"),
        status(hours(5), "Resolved", ticket="PLAT-1"),
        created(ticket="PLAT-2", priority="P1"),
        status(hours(9), "Resolved", ticket="PLAT-2"),
        created(hours(24 * 9.5), ticket="PLAT-3"),
        created(ticket="PLAT-4"),
        status(hours(2), "Waiting", ticket="PLAT-4"),
    ]
    facts: list[tuple[str, Owner, Fact]] = [("jira", owner("help"), one) for one in steps]
    history = MemoryHistory(facts, sources=[source("jira", watermark=NOW, fresh=fresh)])
    return Scene(history=history, definitions=Definitions(ticketing=(ticketing(),)), now=NOW)


def test_clocks_that_stopped() -> None:
    """When they did; a priority may be named, and what is open has no time yet."""
    told = TIMES.read(scene(), WHAT, MONDAY, NOW)
    assert told is not None
    assert sorted((s.at, s.value / 3600, s.what) for s in told.seen) == [
        (hours(5), 5, "PLAT-1"),
        (hours(9), 9, "PLAT-2"),
    ]
    urgent = TIMES.read(scene(), {**WHAT, "priority": "P1"}, MONDAY, NOW)
    assert urgent is not None
    assert [s.what for s in urgent.seen] == ["PLAT-2"]
    assert told.until == NOW


def test_clocks_that_were_decided() -> None:
    """One met when it stopped, one breached when its goal passed."""
    told = MET.read(scene(), WHAT, MONDAY, NOW)
    assert told is not None
    assert sorted((s.at, s.value) for s in told.seen) == [(hours(5), 1), (hours(8), 0)]


def test_nothing_is_known_of_a_stale_source_or_of_another_queue() -> None:
    """And nobody guesses."""
    assert TIMES.read(scene(fresh=False), WHAT, MONDAY, NOW) is None
    assert TIMES.read(scene(), {**WHAT, "queue": "desk"}, MONDAY, NOW) is None
