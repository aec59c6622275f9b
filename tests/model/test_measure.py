"""Words that measures share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.history import MemoryHistory

from platform_meter.model.definitions import Definitions
from platform_meter.model.measure import WINDOWS, Scene, window_label


@pytest.mark.parametrize(
    ("window", "label"),
    [
        (timedelta(days=28), "28d"),
        (timedelta(days=91), "91d"),
        (timedelta(hours=24), "1d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=5), "5m"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=90), "90s"),
    ],
)
def test_a_window_is_labelled_in_its_largest_whole_unit(window: timedelta, label: str) -> None:
    """As Prometheus writes durations, one unit only."""
    assert window_label(window) == label


def test_delivery_and_ci_windows_are_28_and_91_days() -> None:
    """Domain section 6."""
    assert [window_label(w) for w in WINDOWS] == ["28d", "91d"]


def test_a_scene_cuts_days_in_utc_and_asks_for_5_samples_unless_told() -> None:
    """Defaults of domain section 1."""
    scene = Scene(history=MemoryHistory(), definitions=Definitions(), now=datetime(2026, 1, 1, tzinfo=UTC))
    assert (scene.zone.key, scene.minimum) == ("UTC", 5)
