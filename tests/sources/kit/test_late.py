"""How far back counts are read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit.late import Again

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


@pytest.mark.parametrize(
    ("told", "until", "found"), [(1, 2, 15), (13, 14.99, 15), (14, 15, 180), (15, 16, 15), (-1, 0, 180), (2, 50, 180)]
)
def test_hours_are_read_again_once_in_a_quarter_of_an_hour(told: float, until: float, found: float) -> None:
    """By the poll that is the first to reach into it; by all others as much as two polls overlap."""
    again = Again.of(SourceConfig())
    assert again.before(NOON + minutes(told), NOON + minutes(until)) == minutes(found)


@pytest.mark.parametrize(
    ("settings", "least", "each", "most"),
    [
        ({}, 30, 30, 180),
        ({"every": "2h"}, 30, 240, 240),
        ({"lookback": "20m"}, 0, 20, 20),
        ({"lookback": "20m"}, 30, 30, 30),
        ({"lookback": "5h"}, 30, 300, 300),
    ],
)
def test_lookback_where_it_is_set_is_all(settings: dict[str, str], least: float, each: float, most: float) -> None:
    """But for what a source needs at least."""
    assert Again.of(SourceConfig.model_validate(settings), minutes(least)) == Again(
        each=minutes(each), most=minutes(most)
    )
