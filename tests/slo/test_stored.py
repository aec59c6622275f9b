"""From an SLO's plan to what this exporter computes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.slos import LATENCY, RATIO, SLICES, STORED, THRESHOLD, planned

from platform_meter.model.facts.ci import PIPELINE_RUNS
from platform_meter.model.facts.traffic import GATEWAY_REQUESTS
from platform_meter.model.objective import NoData, StoredObjective, StoredSli
from platform_meter.slo.stored import stored_objective

SLICED = (
    ("events: pipeline_runs, where: {system: github}", "events: probe_checks, where: {target: eu/readyz}"),
    ("budgetingMethod: Occurrences", "budgetingMethod: Timeslices"),
    ("{target: 0.99}", "{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5m}"),
    ("platform-meter.io/owner: team-ci", "platform-meter.io/owner: team-ci, platform-meter.io/no-data: hold"),
)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("text", [RATIO, LATENCY, SLICES, THRESHOLD], ids=["ratio", "latency", "slices", "threshold"])
def test_what_prometheus_counts_is_not_ours(text: str) -> None:
    """Its rules do it."""
    assert stored_objective(planned(text)) is None


def test_every_number_of_the_plan_is_taken_over() -> None:
    """The windows that rules read, ascending, without the period; what counts, and against which objective."""
    assert stored_objective(planned(STORED)) == StoredObjective(
        slo="ci-success",
        service="ci",
        owner="team-ci",
        capability="",
        profile="standard",
        objective=Decimal("0.99"),
        period=timedelta(days=28),
        period_label="28d",
        windows=(timedelta(minutes=5), HOUR / 2, HOUR, 2 * HOUR, 6 * HOUR, 24 * HOUR, 72 * HOUR),
        sli=StoredSli(events=PIPELINE_RUNS, where={"system": "github"}),
    )


def test_slices_bring_their_length_target_and_silence() -> None:
    """A slice is good from 90 % on, and one without data is as the last one."""
    found = stored_objective(planned(STORED, *SLICED))
    assert found is not None
    assert (found.counts, found.slice, found.slice_target, found.no_data) == (
        "slices",
        timedelta(minutes=5),
        Decimal("0.9"),
        NoData.HOLD,
    )


def test_what_was_counted_elsewhere_may_be_sliced() -> None:
    """As a probe must be; events of our own are counted one by one."""
    gateway = ("events: pipeline_runs, where: {system: github}", "events: gateway_requests, where: {gateway: edge}")
    found = stored_objective(planned(STORED, gateway, *SLICED[1:]))
    assert found is not None
    assert (found.counts, found.sli.events) == ("slices", GATEWAY_REQUESTS)


def test_the_allowed_share_of_errors_is_exact() -> None:
    """1 - 0.99 is 0.01 in decimals, not 0.010000000000000009."""
    found = stored_objective(planned(STORED))
    assert found is not None
    assert str(found.allowed) == "0.01"
