"""SLOs of Datadog's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.sources.datadog.datadog_server import Datadog
from tests.sources.datadog.test_datadog import NOW, read, small_world

from platform_meter.model.facts.budgets import ToldBudget
from platform_meter.model.source import Unexpected
from platform_meter.testing.outside import FakeOutside


@pytest.mark.parametrize(
    ("told", "sli", "remaining"), [((99.5, 50.0), 0.995, 0.5), ((100.0, None), 1.0, None), ((None, 100.0), None, 1.0)]
)
def test_what_datadog_does_not_tell_of_an_slo_is_absent(told: Any, sli: float | None, remaining: float | None) -> None:
    """Each by itself; where both are, there is no reading."""
    (page,) = read(Datadog(counted={}, slos={"abc1": told}), "slo/checkout-availability")
    assert [(fact.sli, fact.remaining) for fact in page.facts if isinstance(fact, ToldBudget)] == [(sli, remaining)]
    (page,) = read(Datadog(counted={}, slos={"abc1": (None, None)}), "slo/checkout-availability")
    assert (page.facts, page.complete) == ((), frozenset({ToldBudget}))


def test_an_slo_is_asked_for_over_its_window_with_its_target() -> None:
    """In percent, as Datadog has it."""
    outside = FakeOutside(small_world())
    list(read(outside, "slo/search-availability"))
    (call,) = outside.calls
    start = int((NOW - timedelta(days=7)).timestamp())
    assert (call.path, call.params) == (
        "/api/v1/slo/abc2/history",
        {"from_ts": start, "to_ts": int(NOW.timestamp()), "target": 99.0},
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"data": None, "errors": [{"error": "Query timed out"}]},
            "/api/v1/slo/abc1/history: Datadog does not reckon the SLO: Query timed out",
        ),
        (
            {"data": {"overall": {"sli_value": 99.0}}, "errors": [{"error": "Half of it timed out"}, "again"]},
            "/api/v1/slo/abc1/history: Datadog does not reckon the SLO: Half of it timed out; again",
        ),
        (
            {"data": {}, "errors": "Forbidden"},
            "/api/v1/slo/abc1/history: Datadog does not reckon the SLO: Forbidden",
        ),
        ({}, "/api/v1/slo/abc1/history: Datadog does not reckon the SLO: the answer has no overall value"),
    ],
)
def test_an_slo_that_datadog_does_not_reckon_fails_alone(body: Any, text: str) -> None:
    """With what it says."""
    with pytest.raises(Unexpected) as caught:
        list(read(Datadog(counted={}, slos={"abc1": body}), "slo/checkout-availability"))
    assert str(caught.value) == text
