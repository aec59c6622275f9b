"""What is true of every Spec."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.slos import RATIO, replaced

from platform_meter.slo.check import read_slos
from platform_meter.slo.spec import Spec


def read(text: str) -> Spec:
    checked = read_slos([("slo.yaml", text)])
    assert checked.problems == ()
    (spec,) = checked.specs
    return spec


@given(st.decimals("0.9", "0.99999", places=5))
def test_allowed_and_objective_are_a_whole(target: Decimal) -> None:
    """In decimals: nothing is lost, whatever the objective."""
    spec = read(replaced(RATIO, ("target: 0.999", f"target: {target}")))
    assert spec.allowed + spec.objective == 1
    assert spec.objective == target


def test_a_spec_takes_no_more_than_it_has() -> None:
    """Values are frozen: what a reader made is what a renderer sees."""
    with pytest.raises(AttributeError):
        read(RATIO).slo = "other"  # type: ignore[misc] # that is the point
