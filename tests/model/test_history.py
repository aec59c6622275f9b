"""What measures ask of the store, as far as it is worked out there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.history import source

from platform_meter.model.history import known_to

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_what_several_sources_tell_is_known_up_to_the_one_read_last() -> None:
    """Nothing is while one of them is stale or was never read, and nothing of none."""
    sound, behind = source("a", watermark=NOON), source("b", watermark=NOON - timedelta(minutes=5))
    assert known_to([sound, behind]) == NOON - timedelta(minutes=5)
    assert known_to([sound, source("c", watermark=NOON, fresh=False)]) is None
    assert known_to([sound, source("d", watermark=None)]) is None
    assert known_to([]) is None
