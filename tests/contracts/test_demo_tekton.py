"""The simulated Tekton against Tekton's own definitions of its resources."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.contracts.openapi import Resource
from tests.demo.worlds import Clock, small_world, tekton

from platform_meter.demo.company.pipelines import System
from platform_meter.model.facts.ci import Outcome

ROOT = "/apis/tekton.dev/v1"


@pytest.fixture(scope="module")
def moments() -> list[datetime]:
    """When the last builds of each outcome were made, had begun and had ended."""
    history = small_world(Clock(), services=72).history
    ran = [build for one in history.pipelines if one.system is System.TEKTON for build in history.builds[one.name]]
    by_outcome = {outcome: [build for build in ran if build.outcome is outcome][-3:] for outcome in Outcome}
    return sorted(at for some in by_outcome.values() for b in some for at in (b.created, b.started, b.ended))


@pytest.mark.parametrize(
    ("plural", "name", "reasons"),
    [
        ("pipelineruns", "tekton-pipelinerun", {"Succeeded", "Failed", "Running", "Cancelled"}),
        ("taskruns", "tekton-taskrun", {"Succeeded", "Failed", "Running", "TaskRunCancelled", "PodCreationFailed"}),
    ],
)
def test_objects_keep_to_the_definition(plural: str, name: str, reasons: set[str], moments: list[datetime]) -> None:
    """Whatever becomes of them: all that is required is there, in its type, and nothing that is not defined."""
    clock = Clock()
    api = tekton(small_world(clock, services=72))
    defined = Resource(name, "v1")
    found = set()
    for clock.at in moments:
        for item in api.get(f"{ROOT}/{plural}").json["items"]:
            assert defined.problem(item) == "", item
            found |= {condition["reason"] for condition in item["status"]["conditions"]}
    assert found == reasons
