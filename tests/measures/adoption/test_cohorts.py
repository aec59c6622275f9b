"""Cohorts by hand: who began when, who was there later, and which go together."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from tests.measures.adoption.test_goals import capability
from tests.support.history import MemoryHistory, source

from platform_meter.measures.adoption import cohorts
from platform_meter.measures.adoption.cohorts import Cohorts
from platform_meter.model.catalogue.adoption import COHORT_RETENTION
from platform_meter.model.definitions import Definitions
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import Ratio

KIND = "adoption/gateway"
NOW = datetime(2026, 6, 20, 9, tzinfo=UTC)


def months(text: str) -> set[tuple[int, int]]:
    """`1 2 4` of 2026."""
    return {(2026, int(month)) for month in text.split()}


def test_who_was_there_in_each_month_of_a_cohorts_life() -> None:
    """Five began in January: three were there in February, one in March, two of them in May; the running June is not over."""
    lived = {"a": "1 2 3 5", "b": "1 2", "c": "1 2 6", "d": "1 5", "e": "1 6"}
    (found,) = cohorts.cohorts({unit: months(text) for unit, text in lived.items()}, (), (2026, 6))
    assert (found.called, found.units) == ("2026-01", ("a", "b", "c", "d", "e"))
    assert [sorted(active) for active in found.active] == [["a", "b", "c"], ["a"], [], ["a", "d"]]


def test_a_small_cohort_goes_with_the_next() -> None:
    """Each by its own months: two of January and three of February are one, which has lived as long as the younger."""
    lived = {"a": "1 2", "b": "1 3", "c": "2 3", "d": "2 4", "e": "2"}
    (found,) = cohorts.cohorts({unit: months(text) for unit, text in lived.items()}, (), (2026, 5))
    assert (found.called, len(found.units)) == ("2026-02", 5)
    assert [sorted(active) for active in found.active] == [["a", "c"], ["b", "d"]]


def test_who_is_left_out() -> None:
    """Who was there when anybody looked first, who began in the running month, and the last ones while they are fewer than five."""
    lived = {**{f"known-{n}": "1 2" for n in range(5)}, **{f"new-{n}": "4" for n in range(5)}, "late": "3"}
    known = [unit for unit in lived if unit.startswith("known")]
    assert cohorts.cohorts({unit: months(text) for unit, text in lived.items()}, known, (2026, 4)) == []


def test_the_newest_thirteen_with_twelve_months_each() -> None:
    """Of sixteen cohorts; a year after its month nobody asks any more."""
    lived = {
        f"{year}-{month}-{n}": {(year, month), (year + 1, month)}
        for year, month in [(2024, m) for m in range(9, 13)] + [(2025, m) for m in range(1, 13)]
        for n in range(5)
    }
    found = cohorts.cohorts(lived, (), (2026, 6))
    assert [found[0].called, found[-1].called, len(found)] == ["2024-12", "2025-12", 13]
    assert [len(active) for active in found[0].active] == [0] * 11 + [5]


def scene() -> Scene:
    """One that nobody saw begin; five began in April, of whom two were there in May, and the last day is the 19th of June."""
    days = {
        date(2026, 4, 1): {"old": "active", **{f"t{n}": "eligible" for n in range(5)}},
        date(2026, 4, 30): {"old": "active", **{f"t{n}": "active" for n in range(5)}},
        date(2026, 5, 15): {"old": "active", **{f"t{n}": "active" if n < 2 else "dormant" for n in range(5)}},
        date(2026, 6, 19): {"old": "active", **{f"t{n}": "active" for n in range(5)}},
    }
    taken = [
        UnitState(day=day, what=KIND, unit=unit, state=state)
        for day, states in days.items()
        for unit, state in states.items()
    ]
    history = MemoryHistory(sources=[source("github", watermark=NOW)], taken=taken)
    return Scene(history=history, definitions=Definitions(capabilities=(capability(),)), now=NOW)


def test_what_is_served_and_what_stands_behind_it() -> None:
    """Two of five in the month after, which is the only one that is over."""
    of = scene()
    (sample,) = cohorts.compute(of)
    assert (sample.metric, sample.labels) == (COHORT_RETENTION, ("gateway", "2026-04", "1"))
    assert sample.value == Ratio(part=2, whole=5)
    pieces = list(cohorts.behind(of, COHORT_RETENTION, sample.labels))
    assert sum(piece.part for piece in pieces) / sum(piece.adds for piece in pieces) == pytest.approx(0.4)
    assert list(cohorts.behind(of, COHORT_RETENTION, ("gateway", "2026-03", "1"))) == []


def test_states_are_read_once_for_a_snapshot() -> None:
    """Months of many units are many rows."""
    of, kept = scene(), Cohorts()
    assert kept.of(of.history, "gateway") is kept.of(of.history, "gateway")
    assert kept.of(of.history, "mesh") == []
