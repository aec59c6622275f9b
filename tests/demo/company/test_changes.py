"""What was changed, and that it came out as the story has it."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.changes import AGENTS_DAY, CACHE_DAY, pace
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.pipelines import System, build, pipelines
from platform_meter.measures.impact.comparing import durations


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("system", "helped"), [(System.JENKINS, True), (System.GITLAB, False)])
def test_larger_agents_helped_and_the_cache_did_not(seed: int, system: System, helped: bool) -> None:
    """By the very test that judges interventions."""
    some = [one for one in pipelines(Company.build(seed, START, teams=8, services=24)) if one.system is system]
    rng = random.Random(seed)
    days = (AGENTS_DAY - 1, max(AGENTS_DAY, CACHE_DAY) + 7)
    before, after = (
        [
            (one.ended - one.started).total_seconds()
            for n in range(400)
            for one in [build(rng, some[n % len(some)], n, START + timedelta(minutes=n), pace(system, day))]
        ]
        for day in days
    )
    found = durations(before, after, seed="x")
    assert found is not None
    assert found.interval is not None
    assert (found.interval.high < 0, found.chance < 0.001) == (helped, helped)


def test_agents_are_larger_from_their_day_on() -> None:
    """On Jenkins alone."""
    assert [pace(System.JENKINS, day) for day in (44, 45, 90)] == [1.0, 0.6, 0.6]
    assert pace(System.GITLAB, 90) == pace(System.TEKTON, 90) == 1.0
