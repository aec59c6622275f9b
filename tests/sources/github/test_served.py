"""What served before what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from platform_meter.sources.github.served import Served, goes_back, last_before, remember
from platform_meter.sources.github.state import Rollout

START = datetime(2026, 5, 20, tzinfo=UTC)


def _rollout(id_: int, sha: str, environment: str = "production") -> Rollout:
    return Rollout(id=id_, sha=sha, environment=environment, created=START + timedelta(minutes=id_))


def test_what_served_before_the_version_that_serves_goes_back() -> None:
    """Rolling out the same version again does not, nor what is new, nor what served elsewhere."""
    served: Served = {}
    for id_, sha in ((2, "b"), (1, "a")):
        remember(served, _rollout(id_, sha))
    assert goes_back(served, _rollout(3, "a"))
    assert not goes_back(served, _rollout(3, "b"))
    assert not goes_back(served, _rollout(3, "c"))
    assert not goes_back(served, _rollout(3, "a", "staging"))


def test_what_served_before_is_that_of_the_same_environment_and_task() -> None:
    """However late it was told."""
    served: Served = {}
    for id_, sha, environment in ((4, "d", "production"), (1, "a", "production"), (2, "b", "staging")):
        remember(served, _rollout(id_, sha, environment))
    before = last_before(served, _rollout(3, "c"))
    assert before is not None
    assert before.sha == "a"
    assert last_before(served, _rollout(3, "c", "elsewhere")) is None
