"""What follows from amounts of use."""

from __future__ import annotations

from datetime import timedelta

from platform_meter.measures.adoption.use import churn, qualifies, whole_days
from platform_meter.model.metric import resolve


def test_qualifies_asks_for_both_bounds() -> None:
    """Three units on two days are enough for two days and three units, and for no more of either."""
    amounts = [0, 2_000_000, 0, 1_000_000]
    everything = slice(0, 4)
    assert qualifies(amounts, everything, 2, 3)
    assert not qualifies(amounts, everything, 3, 3)
    assert not qualifies(amounts, everything, 2, 3.5)


def test_churn_is_over_units_still_eligible() -> None:
    """Of a, b and c active then, c is no longer eligible and b no longer active: churn is 1/2."""
    assert resolve(churn({"a", "b", "c"}, {"a"}, {"a", "b"})) == 0.5
    assert resolve(churn(set(), {"a"}, {"a"})) is None


def test_whole_days_round_up() -> None:
    """Thirty hours need two days."""
    assert whole_days(timedelta(hours=30)) == 2
