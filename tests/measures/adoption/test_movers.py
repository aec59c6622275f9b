"""Movers between two days, by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.support.history import MemoryHistory

from platform_meter.measures.adoption.movers import Moves, moves
from platform_meter.measures.adoption.snapshots import TransitionKind
from platform_meter.model.history import UnitState

LAST = date(2026, 6, 10)
EVER = {"n": frozenset[str](), "a": frozenset({"active"})}


def day(back: int, /, **states: str) -> list[UnitState]:
    """`pay="active a"`: the state, and whether it was ever active."""
    return [
        UnitState(
            day=LAST - timedelta(days=back), what="adoption/gateway", unit=unit, state=said[:-2], ever=EVER[said[-1]]
        )
        for unit, said in states.items()
    ]


def test_who_came_came_back_fell_silent_and_left() -> None:
    """Of a week; who is as they were is not told, and who churned from being active fell silent too."""
    taken = day(
        7, new="eligible n", back="churned a", quiet="active a", gone="active a", out="active a", same="active a"
    )
    taken += day(
        0,
        new="active a",
        back="active a",
        quiet="dormant a",
        gone="churned a",
        out="exempt a",
        same="active a",
        born="active a",
    )
    found = moves(MemoryHistory(taken=taken), "gateway", 7)
    assert found is not None
    assert (found.first, found.last) == (LAST - timedelta(days=7), LAST)
    assert found.units == {
        TransitionKind.NEW: ["born", "new"],
        TransitionKind.RESURRECTED: ["back"],
        TransitionKind.DORMANT: ["gone", "quiet"],
        TransitionKind.CHURNED: ["gone"],
        TransitionKind.LEFT: ["out"],
    }
    assert found.count(TransitionKind.NEW, TransitionKind.RESURRECTED) == 3


@pytest.mark.parametrize(
    ("came", "silent", "beyond"),
    [(6, 0, True), (5, 0, False), (0, 6, True), (9, 1, True), (8, 2, False), (0, 0, False)],
)
def test_a_change_is_beyond_noise_where_nearly_all_moved_one_way(came: int, silent: int, beyond: bool) -> None:
    """Six of six have a chance of 2/64, five of five of 2/32; nine of ten of 22/1024, eight of ten of 112/1024."""
    units = {TransitionKind.NEW: ["u"] * came, TransitionKind.DORMANT: ["u"] * silent, TransitionKind.LEFT: ["u"] * 9}
    assert Moves(first=LAST, last=LAST, units=units).beyond_noise is beyond


def test_a_week_that_nobody_looked_in() -> None:
    """Is compared with the last day before it; without any there are no movers, and none before the first snapshot."""
    taken = day(9, pay="eligible n") + day(0, pay="active a")
    found = moves(MemoryHistory(taken=taken), "gateway", 7)
    assert found is not None
    assert found.first == LAST - timedelta(days=9)
    assert moves(MemoryHistory(taken=day(2, pay="eligible n") + day(0, pay="active a")), "gateway", 7) is None
    assert moves(MemoryHistory(), "gateway", 7) is None


def test_a_first_unit_is_new() -> None:
    """Also where nobody else moved."""
    taken = day(7, old="eligible n") + day(0, old="eligible n", pay="active a")
    found = moves(MemoryHistory(taken=taken), "gateway", 7)
    assert found is not None
    assert found.units == {TransitionKind.NEW: ["pay"]}
