"""Goals against hand-made days: what is reached, needed and expected, and the one word for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.support.history import MemoryHistory, source

from platform_meter.measures.adoption import goals
from platform_meter.measures.adoption.forecast import Band, Forecast, Line
from platform_meter.measures.adoption.goals import GoalState, Trend, Trends, progress, weekly
from platform_meter.model.adopting import AdoptionGoal
from platform_meter.model.catalogue.adoption import (
    ADOPTION_FORECAST,
    ADOPTION_GOAL,
    ADOPTION_GOAL_FORECAST,
    ADOPTION_GOAL_GAP,
    ADOPTION_GOAL_NEEDED,
    ADOPTION_GOAL_STATE,
)
from platform_meter.model.definitions import Capability, Definitions
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Scene

LAST = date(2026, 6, 30)
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def capability(*goals: Mapping[str, Any]) -> Capability:
    return Capability.model_validate(
        {
            "kind": "Capability",
            "id": "gateway",
            "unit": "team",
            "owner": "team-platform",
            "eligible": {"any": [{}]},
            "adopted": {"source": "github", "verb": "run"},
            "active": {"source": "github", "verb": "run"},
            "goals": goals,
        }
    )


def scene(active: list[int], *said: Mapping[str, Any], of: int = 10, adopted: list[int] | None = None) -> Scene:
    """Weekly snapshots of `of` eligible units and an exempt one, the last on `LAST`; so many active in each, the others eligible."""
    days = [LAST - back * WEEK for back in range(len(active))][::-1]
    taken = [
        UnitState(day=day, what="adoption/gateway", unit=f"team-{n}", state="active" if n < many else "eligible")
        for day, many in zip(days, active, strict=True)
        for n in range(of)
    ]
    taken += [UnitState(day=day, what="adoption/gateway", unit="old", state="exempt") for day in days]
    history = MemoryHistory(sources=[source("github", watermark=NOW)], taken=taken)
    history.more["adoption/gateway", "adopted"] = dict(zip(days, adopted or active, strict=True))
    return Scene(history=history, definitions=Definitions(capabilities=(capability(*said),)), now=NOW)


def told(of: Scene) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for sample in goals.compute(of):
        assert isinstance(sample.value, float)
        found.setdefault(sample.metric.name, {})[sample.labels] = sample.value
    return found


def states(of: Scene) -> dict[str, str]:
    """By day of the goal the one state that is 1."""
    found = told(of).get(ADOPTION_GOAL_STATE.name, {})
    return {by: state for (_, by, state), value in found.items() if value == 1}


RISING = [1, 1, 2, 2, 3, 3, 4, 4]
"""Half a unit a week."""


def test_a_goal_is_held_against_the_line_of_the_weeks() -> None:
    """Four of ten are active and half a unit comes a week: 5 weeks later 6.6, 10 weeks later 9.1 (least squares by hand)."""
    near = {"ratio": 0.6, "by": LAST + 5 * WEEK}
    far = {"ratio": 0.95, "by": LAST + 10 * WEEK}
    found = told(scene(RISING, near, far))
    at, later = ("gateway", str(LAST + 5 * WEEK)), ("gateway", str(LAST + 10 * WEEK))
    assert found[ADOPTION_GOAL.name] == {at: 0.6, later: 0.95}
    assert found[ADOPTION_GOAL_GAP.name] == pytest.approx({at: 0.2, later: 0.55})
    assert found[ADOPTION_GOAL_NEEDED.name] == {at: 0.6, later: 0.95}
    # The mean is 2.5 at t=3.5 and the slope 20/42; the last week is off its line by -1/6 of a unit, which fades.
    point = found[ADOPTION_GOAL_FORECAST.name][*at, "point"]
    assert point == pytest.approx((2.5 + 8.5 * 20 / 42) / 10, abs=0.02)
    assert states(scene(RISING, near, far)) == {str(LAST + 5 * WEEK): "on_track", str(LAST + 10 * WEEK): "at_risk"}


def test_a_far_goal_is_held_against_an_even_pace() -> None:
    """All in 26 weeks is 7 of 10 in half of that; a third of the way is asked of one in 39 weeks."""
    found = told(scene(RISING, {"ratio": 1.0, "by": LAST + 26 * WEEK}, {"ratio": 1.0, "by": LAST + 39 * WEEK}))
    assert list(found[ADOPTION_GOAL_NEEDED.name].values()) == pytest.approx([0.7, 0.6])


def test_a_goal_that_is_over_is_judged_by_its_day() -> None:
    """What came later is of no use, and what was lost later takes nothing away; one that was never seen is told by nothing."""
    late = {"ratio": 0.3, "by": LAST - 4 * WEEK}
    held = {"ratio": 0.3, "by": LAST - 2 * WEEK}
    unseen = {"ratio": 0.1, "by": LAST - 20 * WEEK}
    of = scene([*RISING[:-1], 2], late, held, unseen)
    assert states(of) == {str(LAST - 4 * WEEK): "missed", str(LAST - 2 * WEEK): "reached"}
    assert told(of)[ADOPTION_GOAL_GAP.name] == pytest.approx(
        {("gateway", str(LAST - 4 * WEEK)): 0.1, ("gateway", str(LAST - 2 * WEEK)): 0.0}
    )


def test_a_goal_before_its_day() -> None:
    """Is reached as soon as it holds; on the last day itself it is over."""
    assert states(scene(RISING, {"ratio": 0.4, "by": LAST + WEEK})) == {str(LAST + WEEK): "reached"}
    assert states(scene(RISING, {"ratio": 0.5, "by": LAST})) == {str(LAST): "missed"}


def test_nothing_is_expected_of_five_weeks() -> None:
    """The gap is told, and no state; from the sixth on there is one."""
    goal = {"ratio": 0.9, "by": LAST + WEEK}
    five = told(scene(RISING[:5], goal))
    assert five.keys() == {ADOPTION_GOAL.name, ADOPTION_GOAL_GAP.name}
    assert told(scene(RISING[:6], goal)).keys() >= {ADOPTION_GOAL_STATE.name, ADOPTION_FORECAST.name}


def test_nothing_is_said_while_a_source_is_stale() -> None:
    """But what was declared."""
    of = scene(RISING, {"ratio": 0.9, "by": LAST + WEEK})
    assert isinstance(of.history, MemoryHistory)
    stale = MemoryHistory(sources=[source("github", watermark=NOW, fresh=False)], taken=of.history.taken)
    assert told(Scene(history=stale, definitions=of.definitions, now=NOW)).keys() == {ADOPTION_GOAL.name}


def test_who_adopted_is_counted_beside_the_states() -> None:
    """A goal of adopted units and the forecast rest on what snapshots counted, which no state tells."""
    of = scene(RISING, {"ratio": 0.8, "of": "adopted", "by": LAST + WEEK}, adopted=[8] * 8)
    assert states(of) == {str(LAST + WEEK): "reached"}
    assert told(of)[ADOPTION_FORECAST.name] == {
        ("gateway", horizon, bound): 8.0 for horizon in ("4w", "8w", "13w") for bound in ("low", "point", "high")
    }
    assert isinstance(of.history, MemoryHistory)
    of.history.more.clear()
    assert ADOPTION_FORECAST.name not in told(of)


def test_weeks_begin_after_one_without_any_snapshot() -> None:
    """Of a week without its last day the day before stands for it."""
    days = {LAST: 5, LAST - WEEK - 2 * DAY: 4, LAST - 2 * WEEK: 3, LAST - 4 * WEEK: 1}
    assert weekly(days) == [3, 4, 5]


def test_a_trend_is_made_once_for_a_snapshot() -> None:
    """A forecast costs as much as many pages; another day, or other counts of the same, make it anew."""
    of, trends = scene(RISING), Trends()
    wanted = of.definitions.capabilities[0]
    first = trends.trend(of, wanted, "active")
    assert trends.trend(scene(RISING), wanted, "active") is first
    assert trends.trend(scene([*RISING[:-1], 5]), wanted, "active") is not first
    assert trends.trend(scene(RISING, of=0), wanted, "active") is None


def test_the_pace_that_is_needed() -> None:
    """In shares a week; none of a goal that is reached or over."""
    line = Forecast(fitted=Line(0, 0), weeks=(Band(low=4, point=4, high=4),) * 13)
    trend = Trend(days={LAST: 4}, of={LAST: 10}, expected=line)

    def pace(ratio: float, by: date) -> float | None:
        found = progress(AdoptionGoal(ratio=ratio, by=by), trend)
        assert found is not None
        return found.pace

    assert pace(0.8, LAST + 8 * WEEK) == pytest.approx(0.05)
    assert pace(0.4, LAST + 8 * WEEK) is None
    assert pace(0.8, LAST) is None


def test_what_stands_behind_adds_up() -> None:
    """Weekly counts add nothing; what was made of them is the value."""
    of = scene(RISING, {"ratio": 0.6, "by": LAST + 5 * WEEK})
    for metric in (
        ADOPTION_GOAL_GAP, ADOPTION_GOAL_STATE, ADOPTION_GOAL_NEEDED, ADOPTION_GOAL_FORECAST, ADOPTION_FORECAST
    ):  # fmt: skip
        for labels, value in told(of)[metric.name].items():
            pieces = list(goals.behind(of, metric, labels))
            assert sum(piece.adds for piece in pieces) == value
            assert [piece.what for piece in pieces][:2] == [
                "4 units at the end of 2026-06-30",
                "4 units at the end of 2026-06-23",
            ]


def test_states_have_these_words() -> None:
    """As the metric's help says them."""
    assert ADOPTION_GOAL_STATE.bounds["state"] == ", ".join(GoalState)
