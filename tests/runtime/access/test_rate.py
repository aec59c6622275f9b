"""The bound on requests."""

from __future__ import annotations

from platform_meter.runtime.access.rate import Bucket


def test_so_many_at_once_and_then_one_in_each_interval() -> None:
    """Full at the start, and never more than full."""
    now = [100.0]
    bucket = Bucket(2.0, 3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] += 2.0
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] += 1000.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
