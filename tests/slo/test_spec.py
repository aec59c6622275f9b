"""What an SLO file says, typed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.slos import RATIO, SLICES, STORED, THRESHOLD, replaced

from platform_meter.model.objective import StoredSli
from platform_meter.slo.burnrate import Profile
from platform_meter.slo.check import read_slos
from platform_meter.slo.promql import read_count
from platform_meter.slo.spec import Method, Ratio, Spec, Threshold


def read(text: str) -> Spec:
    checked = read_slos([("slo.yaml", text)])
    assert checked.problems == ()
    (spec,) = checked.specs
    return spec


def test_a_ratio_has_its_queries_read() -> None:
    """Counters alone are wrapped, so that any window can be put in."""
    spec = read(RATIO)
    assert spec.sli == Ratio(
        total=read_count("http_requests_total"), bad=read_count('http_requests_total{code=~"5.."}')
    )
    assert (spec.name, spec.service, spec.owner, spec.path, spec.line) == (
        "shop-requests",
        "shop",
        "team-shop",
        "slo.yaml",
        1,
    )
    assert (spec.method, spec.profile, spec.period_label) == (Method.OCCURRENCES, Profile.STANDARD, "30d")


def test_only_slices_have_slices() -> None:
    """Length, target and silence stand together or not at all."""
    assert [(s.method, s.slice is None, s.no_data is None) for s in map(read, (RATIO, SLICES))] == [
        (Method.OCCURRENCES, True, True),
        (Method.TIMESLICES, False, False),
    ]


def test_a_level_has_its_bound_and_a_stored_sli_its_events() -> None:
    """Each kind of SLI is a type of its own."""
    level = read(THRESHOLD).sli
    assert isinstance(level, Threshold)
    assert (level.operator, level.bound) == ("lte", Decimal(30))
    assert isinstance(read(STORED).sli, StoredSli)


@given(st.decimals("0.9", "0.99999", places=5))
def test_allowed_and_objective_are_a_whole(target: Decimal) -> None:
    """In decimals: nothing is lost, whatever the objective."""
    spec = read(replaced(RATIO, ("target: 0.999", f"target: {target}")))
    assert spec.allowed + spec.objective == 1
    assert spec.objective == target


def test_a_spec_takes_no_more_than_it_has() -> None:
    """Values are frozen: what a reader made is what a renderer sees."""
    with pytest.raises(AttributeError):
        read(RATIO).name = "other"  # type: ignore[misc] # that is the point
