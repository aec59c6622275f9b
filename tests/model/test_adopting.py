"""Goals of a capability as people write them."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from platform_meter.model.adopting import AdoptionGoal, apart
from platform_meter.model.scalars import PlacedError


def goal(**said: object) -> AdoptionGoal:
    return AdoptionGoal.model_validate({"ratio": 0.8, "by": date(2027, 3, 31), **said})


def test_a_goal_is_a_share_of_active_units_unless_it_says_adopted() -> None:
    """All of them is a goal too; none, or more than all, is none."""
    assert goal(ratio=1).of == "active"
    assert goal(of="adopted").of == "adopted"
    for ratio in (0, 1.01, 80):
        with pytest.raises(ValidationError):
            goal(ratio=ratio)


def test_each_goal_has_a_day_of_its_own() -> None:
    """By which it is told; the second of one day is refused where it stands."""
    apart([goal(), goal(by=date(2027, 4, 1))])
    with pytest.raises(PlacedError, match="a goal for 2027-03-31 stands above") as caught:
        apart([goal(), goal(of="adopted")])
    assert caught.value.at == ("goals", 1, "by")
