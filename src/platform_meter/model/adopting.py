"""What a product manager wants to reach: goals of a capability (domain section 11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import Field

from platform_meter.model.scalars import Definition, PlacedError


class AdoptionGoal(Definition):
    """A share of the eligible units, and the day by which it is to be reached."""

    ratio: float = Field(gt=0, le=1, examples=["0.8"])
    of: Literal["active", "adopted"] = "active"
    by: date
    """The day at whose end it is judged."""


def apart(goals: Sequence[AdoptionGoal]) -> None:
    """Whether each goal has a day of its own, by which metrics and pages tell it.

    Raises:
        PlacedError: two are for one day.
    """
    seen: set[date] = set()
    for i, goal in enumerate(goals):
        if goal.by in seen:
            raise PlacedError(f"a goal for {goal.by} stands above; keep one, or give each its day", "goals", i, "by")
        seen.add(goal.by)
