"""Who leads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from platform_meter.operator.lease import Step, Watched, held, step, watched

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def lease(me: str = "a", before: Any = None, now: datetime = NOW) -> dict[str, Any]:
    """As `me` writes it."""
    return held(before, "operator", me, now, 15)


def test_without_a_lease_it_is_made() -> None:
    assert step(None, watched(None, None, 0), "a", 0) is Step.CREATE
    assert lease()["spec"] == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "renewTime": "2026-02-03T04:05:06.000000Z",
        "acquireTime": "2026-02-03T04:05:06.000000Z",
        "leaseTransitions": 0,
    }


def test_the_holder_renews_and_keeps_when_it_began() -> None:
    again = lease("a", lease("a"), NOW.replace(second=11))
    assert step(again, watched(again, None, 5), "a", 5) is Step.RENEW
    assert again["spec"]["acquireTime"] == "2026-02-03T04:05:06.000000Z"
    assert again["spec"]["renewTime"] == "2026-02-03T04:05:11.000000Z"
    assert again["spec"]["leaseTransitions"] == 0


def test_another_waits_until_it_has_stood_still_for_its_length() -> None:
    """By the clock of who waits, whatever the times in it."""
    one = lease("a", None, NOW.replace(year=2030))
    first = watched(one, None, 100)
    assert step(one, first, "b", 115) is Step.WAIT
    assert watched(one, first, 115) == first
    assert step(one, first, "b", 115.1) is Step.TAKE
    renewed = lease("a", one, NOW)
    assert watched(renewed, first, 114) == Watched(("a", "2026-02-03T04:05:06.000000Z"), 114)


def test_one_that_was_given_back_is_taken_at_once() -> None:
    free = lease("", lease("a"))
    assert step(free, watched(free, None, 3), "b", 3) is Step.TAKE
    assert lease("b", free)["spec"]["leaseTransitions"] == 1
