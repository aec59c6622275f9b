"""Difference in differences: by hand, and how often its interval holds the truth."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from platform_meter.measures.impact.by_unit import Means, Medians, Shares, Sides, against


def sides(*told: tuple[Sequence[float], Sequence[float]]) -> list[Sides]:
    return [Sides(before=before, after=after) for before, after in told]


def test_each_kind_by_hand() -> None:
    """Medians 10 to 5 against 10 to 9: 40 points less. Shares 0.5 to 1 against 0.5 to 0.5. Means 2 to 3 against 4 to 4."""
    halved = against(sides(([10, 10], [5, 5])) * 3, sides(([10, 10], [9, 9])) * 3, Medians, seed="x")
    assert halved is not None
    assert (halved.change, halved.before, halved.after) == pytest.approx((-0.4, 10, 5))
    assert halved.chance < 0.001
    shares = against(sides(([0, 1], [1, 1])) * 3, sides(([0, 1], [0, 1])) * 3, Shares, seed="x")
    assert shares is not None
    assert (shares.change, shares.before, shares.after) == (0.5, 0.5, 1.0)
    means = against(sides(([1, 1], [1, 2])) * 2, sides(([1, 1], [1, 1])) * 2, Means, seed="x")
    assert means is not None
    assert (means.change, means.before, means.after) == (0.5, 2, 3)


def test_without_a_value_before_there_is_no_change() -> None:
    """On either of both sides."""
    nothing, some = sides(([0, 0], [1, 1])) * 3, sides(([1, 1], [1, 1])) * 3
    assert against(nothing, some, Means, seed="x") is None
    assert against(some, nothing, Means, seed="x") is None


def units(draw: random.Random, factor: float) -> list[Sides]:
    """Eight teams that differ from each other, with twelve durations on each side."""
    found = []
    for _ in range(8):
        level = draw.lognormvariate(3, 0.5)
        found.append(
            Sides(
                before=[level * draw.lognormvariate(0, 0.6) for _ in range(12)],
                after=[level * factor * draw.lognormvariate(0, 0.6) for _ in range(12)],
            )
        )
    return found


def test_the_interval_holds_the_true_change_about_as_often_as_it_says() -> None:
    """Eight units on each side; docs/correctness.md has more draws."""
    held = 0
    for seed in range(8):
        draw = random.Random(seed)
        found = against(units(draw, 0.7), units(draw, 1.0), Medians, seed=str(seed))
        assert found is not None
        assert found.interval is not None
        held += not found.interval.excludes(-0.3)
    assert held >= 6
