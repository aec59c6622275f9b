from __future__ import annotations

from datetime import timedelta

from tests.demo.worlds import START

from platform_meter.demo.apis.metered import Allowance


def test_a_window_begins_with_its_first_call() -> None:
    """Calls count down below 0, and all are there again once the window is over."""
    allowed = Allowance(limit=2, window=timedelta(minutes=1))
    told = [allowed.spend(START + timedelta(seconds=s)) for s in (0, 10, 59, 60, 61)]
    assert told == [(1, 60), (0, 50), (-1, 1), (1, 60), (0, 59)]
