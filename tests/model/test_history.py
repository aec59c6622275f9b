"""What measures ask of the store, as far as it is worked out there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.support.history import MemoryHistory, source

from platform_meter.model.history import Known, known_between, known_to

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_what_several_sources_tell_is_known_up_to_the_one_read_last() -> None:
    """Nothing is while one of them is stale or was never read, and nothing of none."""
    sound, behind = source("a", watermark=NOON), source("b", watermark=NOON - timedelta(minutes=5))
    assert known_to([sound, behind]) == NOON - timedelta(minutes=5)
    assert known_to([sound, source("c", watermark=NOON, fresh=False)]) is None
    assert known_to([sound, source("d", watermark=None)]) is None
    assert known_to([]) is None


def test_what_several_sources_tell_is_known_from_the_one_that_looked_back_least() -> None:
    """Or from what is still stored; nothing is while one of them does not say how far it looked back, or is stale."""
    hour = timedelta(hours=1)
    far, near = (source(name, watermark=NOON, read_from=NOON - n * hour) for name, n in (("a", 9), ("b", 3)))
    assert known_between(MemoryHistory(), [far, near]) == Known(since=NOON - 3 * hour, until=NOON)
    assert known_between(MemoryHistory(before=NOON - 5 * hour), [far]) == Known(since=NOON - 5 * hour, until=NOON)
    assert known_between(MemoryHistory(before=NOON - 5 * hour), [near]) == Known(since=NOON - 3 * hour, until=NOON)
    assert known_between(MemoryHistory(), [far, replace(near, read_from=None)]) is None
    assert known_between(MemoryHistory(), [far, replace(near, fresh=False)]) is None
    assert known_between(MemoryHistory(), []) is None
