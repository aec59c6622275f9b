"""Groups of keys of which something is no good."""

from __future__ import annotations

from decimal import Decimal

import pytest

from platform_meter.slo.burnrate import Profile
from platform_meter.slo.openslo.keys import Annotations, Objective, Slo


def test_what_is_sound_is_read_whatever_stands_beside_it() -> None:
    """A value that is no good is None, and given all the same; what is absent is as it always is."""
    found = Objective.partly({"target": 0.99, "op": "less"})
    assert (found.share, found.op, found.value, found.displayName) == (Decimal("0.99"), None, None, "")
    assert (found.has("op"), found.lacks("op"), found.has("value"), found.lacks("value")) == (True, False, False, True)


def test_a_misspelt_key_is_read_as_the_one_it_may_mean() -> None:
    """So that the meant one is not told as missing; where both stand there, the right one counts."""
    assert Annotations.partly({"platform-meter.io/alrts": "none"}).alerts is Profile.NONE
    both = {"platform-meter.io/alrts": "none", "platform-meter.io/alerts": "human"}
    assert Annotations.partly(both).alerts is Profile.HUMAN


@pytest.mark.parametrize("written", [None, 5, "text", [1], {}])
def test_every_group_is_there(written: object) -> None:
    """Whatever stands in its place: rules may look into any group without asking."""
    found = Slo.partly({"metadata": written, "spec": written})
    assert found.metadata.annotations.min_bad is None
    assert (found.spec.objectives, found.spec.timeWindow) == ([], [])


def test_what_is_no_group_lacks_nothing() -> None:
    """That it is none is told already."""
    found = Slo.partly({"spec": {"objectives": [5, {}]}})
    none, empty = found.spec.objectives
    assert (none.lacks("target"), none.has("target"), none.has_one_of("target", "targetPercent")) == (
        False,
        False,
        True,
    )
    assert (empty.lacks("target"), empty.has_one_of("target", "targetPercent")) == (True, False)
