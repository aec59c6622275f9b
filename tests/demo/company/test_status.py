from __future__ import annotations

from datetime import timedelta

import pytest
from tests.demo.worlds import START, Clock, small_world

from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.company.status import components, states

WELL = {
    "portal": "operational",
    "ci": "operational",
    "api-gateway": "operational",
    "cluster-eu": "operational",
    "cluster-us": "operational",
}


@pytest.mark.parametrize(
    ("trouble", "other"),
    [
        (Trouble.NONE, {}),
        (Trouble.CI_OUTAGE, {"ci": "partial_outage"}),
        (Trouble.SILENT_GATEWAY, {"api-gateway": "degraded_performance"}),
        (Trouble.CLUSTER_SLOW, {"cluster-eu": "major_outage"}),
    ],
)
def test_people_write_down_what_troubles_the_platform(trouble: Trouble, other: dict[str, str]) -> None:
    """Each component is well but the one that is hit; a cluster stands as its API answers in that moment."""
    world = small_world(Clock(), Scenario(trouble=trouble, begin=START))
    at, eu = START, world.clusters["eu"]
    while trouble is Trouble.CLUSTER_SLOW and eu.ready(at):
        at += timedelta(minutes=1)
    told = {component.id: state for component, state in states(world.clusters, world.scenario, at)}
    assert told == WELL | other
    assert [one.id for one in components(world.clusters)] == [*told]
