"""What waits and runs now, as GitLab and Tekton are read, against what the simulated company knows of its builds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.demo import worlds

from platform_meter.demo.company.pipelines import BOUGHT, Build, System
from platform_meter.model.facts.ci import Outcome, PipelineActive
from platform_meter.sources import load
from platform_meter.testing.outside import FakeOutside

SETTINGS: Mapping[System, Mapping[str, Any]] = {
    System.GITLAB: {"url": "http://gitlab.test", "group": BOUGHT, "token": {"env": "TOKEN"}},
    System.TEKTON: {"cluster": "ml", "context": "ml"},
}
API = {System.GITLAB: worlds.gitlab, System.TEKTON: worlds.tekton}
EVERY = timedelta(seconds=97)
POLLS = 120


def waits(build: Build, now: datetime) -> bool:
    """Of one that goes on. On Tekton a task whose pod was never made has no step."""
    *_, last = build.stages()
    lost = build.pipeline.system is System.TEKTON and build.outcome is Outcome.INFRA_FAILURE
    return now < build.started or (lost and now >= last.started)


@pytest.mark.parametrize("system", SETTINGS)
def test_what_waits_and_runs_is_what_does(system: System) -> None:
    """In each of many polls; and most of the time that is something."""
    clock = worlds.Clock()
    world = worlds.small_world(clock)
    outside, source = FakeOutside(API[system](world).answer), load()[str(system)]
    config = source.config.model_validate(SETTINGS[system])
    checkpoints: dict[str, bytes | None] = {}
    seen = Counter[str]()
    for _ in range(POLLS):
        clock.at += EVERY
        now, told = clock.at, Counter[str]()
        for stream in source.connect(config, outside, "it"):
            standing = dict[str, PipelineActive]()
            for page in stream.read(checkpoints.get(stream.name), now - timedelta(hours=1), now):
                # A watch would last until its server ends it: Tekton is listed anew.
                checkpoints[stream.name] = None if system is System.TEKTON else page.checkpoint
                standing |= {fact.key: fact for fact in page.facts if isinstance(fact, PipelineActive)}
            for fact in standing.values():
                told.update({"queued": fact.queued, "running": fact.running})
        going = [
            build
            for held in world.history.builds.values()
            for build in held
            if build.pipeline.system is system and build.created <= now < build.ended
        ]
        queued = sum(waits(build, now) for build in going)
        assert (told["queued"], told["running"]) == (queued, len(going) - queued), now
        seen.update(queued=queued > 0, running=len(going) > queued)
    assert min(seen["queued"], seen["running"]) > 3, seen
