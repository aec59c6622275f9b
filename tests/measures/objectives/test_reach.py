"""How far the windows of an SLO reach, and over which sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.support.history import source
from tests.support.objectives import DAY, HOUR, NOW, objective, scene

from platform_meter.measures.objectives.reach import candidate_sources, labels
from platform_meter.model.facts.ci import PIPELINE_RUNS


def test_windows_are_those_of_the_rules_and_the_period_as_written() -> None:
    """Four weeks are no `28d` where the file says `4w`."""
    made = objective(PIPELINE_RUNS, period=28 * DAY, label="4w", windows=(timedelta(minutes=5), HOUR))
    assert labels(made) == {"5m": timedelta(minutes=5), "1h": HOUR, "4w": 28 * DAY}


def test_sources_are_those_that_the_file_lets_in() -> None:
    """Every instance of the system that it names; all where it names none."""
    states = [source("a", "github", watermark=NOW), source("b", "jenkins", watermark=NOW)]
    anywhere = objective(PIPELINE_RUNS)
    one = replace(anywhere, sli=replace(anywhere.sli, where={"system": "jenkins"}))
    assert [s.instance for s in candidate_sources(scene([], anywhere, sources=states), anywhere)] == ["a", "b"]
    assert [s.instance for s in candidate_sources(scene([], one, sources=states), one)] == ["b"]
