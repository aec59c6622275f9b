from __future__ import annotations

from datetime import timedelta

from tests.demo.worlds import START, Clock, small_world

from platform_meter.demo.company.scenarios import Scenario, Trouble


def test_now_is_told_in_whole_seconds() -> None:
    """As the APIs tell time; and the story is known up to it."""
    clock = Clock()
    world = small_world(clock)
    runs = len(world.history.run)
    clock.at = START + timedelta(hours=1, milliseconds=900)
    assert world.now() == START + timedelta(hours=1)
    assert len(world.history.run) > runs


def test_a_world_has_one_story() -> None:
    """Its clusters live through the same trouble as the rest of it."""
    trouble = Scenario(trouble=Trouble.CLUSTER_SLOW, begin=START)
    world = small_world(Clock(), trouble)
    assert world.scenario is trouble
    assert set(world.clusters) == {"eu", "us"}
    moments = [START + timedelta(seconds=10 * n) for n in range(100)]
    assert not all(world.clusters["eu"].ready(at) for at in moments)
    assert all(world.clusters["us"].ready(at) for at in moments)
