"""Names of what rules write: dashboards and alerts of others read them, so they may not change by accident."""

from __future__ import annotations

from datetime import timedelta

import pytest

from platform_meter.slo import names


@pytest.mark.parametrize(
    ("kind", "length", "expected"),
    [
        ("bad", timedelta(minutes=5), "slo:bad_events:tile5m"),
        ("total", timedelta(minutes=5), "slo:total_events:tile5m"),
        ("total", timedelta(hours=1), "slo:total_events:tile60m"),
    ],
)
def test_a_tile_says_its_length_in_minutes(kind: str, length: timedelta, expected: str) -> None:
    """Good and bad over minutes that do not overlap."""
    assert names.tile(kind, length) == expected


def test_the_names_that_others_read() -> None:
    """Written out: a changed name breaks every dashboard and silence that knows the old one."""
    assert {k: v for k, v in vars(names).items() if k.isupper()} == {
        "BAD": "slo:bad_events:count",
        "TOTAL": "slo:total_events:count",
        "BURN": "slo:burn:rate",
        "SLI": "slo:sli:ratio",
        "BUDGET": "slo:budget_remaining:ratio",
        "COVERAGE": "slo:data_coverage:ratio",
        "OBJECTIVE": "slo:objective:ratio",
        "INFO": "slo:info",
        "BURN_ALERT": "SLOBurn",
        "NO_DATA_ALERT": "SLONoData",
        "BUDGET_ALERT": "SLOBudgetExhausted",
        "CONTRADICTION_ALERT": "SLOCountsContradict",
    }
