"""What became of the simulated company's changes, as its story has it, against the verdicts and numbers of an import.

Of runs on Jenkins that ended before the first poll only failures are read in detail, and those of four weeks: all others
are told with the time in which they waited for a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from statistics import median

import pytest
from tests.support.company import LOOKBACK, Running
from tests.support.imported import IMPORT

from platform_meter.demo.company.changes import FASTER
from platform_meter.demo.company.pipelines import System
from platform_meter.demo.truth import DETAIL
from platform_meter.measures.impact.judged import Verdict, judge
from platform_meter.model.measure import Scene
from platform_meter.model.programme import Intervention

SYSTEMS = {"jenkins-agents": System.JENKINS, "gitlab-cache": System.GITLAB}


def interventions(running: Running) -> list[Intervention]:
    return [one for one in running.service.definitions.interventions if one.id in SYSTEMS]


def durations(running: Running, one: Intervention) -> tuple[list[float], list[float]]:
    """Seconds of every run on its system of the teams that it touched, in its days before and in its days after."""
    begins, at, starts, ends = (
        datetime.combine(day, time(), running.service.zone).astimezone(UTC)
        for day in (
            one.at - one.windows.pre,
            one.at,
            one.at + one.windows.washout,
            one.at + one.windows.washout + one.windows.post,
        )
    )
    before, after = list[float](), list[float]()
    for build in running.truth.builds(running.first - IMPORT, running.looks[-1], first=running.first):
        if build.pipeline.system is SYSTEMS[one.id] and build.pipeline.team.id in one.units:
            detailed = build.ended >= running.first - LOOKBACK - (DETAIL if build.failed else timedelta())
            seconds = float(sum(build.seconds) + (0 if detailed else build.paused))
            if begins <= build.ended < at:
                before.append(seconds)
            elif starts <= build.ended < ends:
                after.append(seconds)
    return sorted(before), sorted(after)


def effect(running: Running, one: Intervention, metric: str) -> Mapping[str, float]:
    """Values of a metric of this intervention, by their last label."""
    found = [(dict(labels), value) for labels, value in running.metrics()[metric].items()]
    return {k.get("bound") or k["side"]: v for k, v in found if k["intervention"] == one.id}


def test_it_is_judged_by_every_run_of_the_story(imported: Running) -> None:
    """Before and after, of the teams that it touched and no others; the change is that of the medians."""
    assert [one.id for one in interventions(imported)] == [*SYSTEMS]
    with imported.service.history() as history:
        service = imported.service
        scene = Scene(history=history, definitions=service.definitions, now=imported.clock.at, zone=service.zone)
        judged = {one.subject.id: one for one in judge(scene)}
    for one in interventions(imported):
        before, after = durations(imported, one)
        assert sorted(seen.value for seen in judged[one.id].before) == before
        assert sorted(seen.value for seen in judged[one.id].after) == after
        sides = effect(imported, one, "platform_intervention_samples")
        assert sides == {"before": len(before), "after": len(after)}
        point = effect(imported, one, "platform_intervention_effect_ratio")["point"]
        assert point == pytest.approx(median(after) / median(before) - 1)


def test_larger_agents_helped_and_the_cache_did_not(imported: Running) -> None:
    """As the story has it, by the very numbers that are shown: the true change lies in the interval; the page says the word."""
    true = {"jenkins-agents": FASTER - 1, "gitlab-cache": 0.0}
    words = {"jenkins-agents": Verdict.IMPROVED, "gitlab-cache": Verdict.NO_CHANGE}
    page = imported.page("/impact")
    for one in interventions(imported):
        bounds = effect(imported, one, "platform_intervention_effect_ratio")
        assert bounds["low"] < true[one.id] < bounds["high"]
        (said,) = re.findall(rf'<h2 id="{one.id}">.*?<span class="tag [a-z]*">(.*?)</span>', page, re.DOTALL)
        assert said == words[one.id]
