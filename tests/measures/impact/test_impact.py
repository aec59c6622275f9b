"""Effects, what they are made of and reach as samples, and what stands behind each."""

from __future__ import annotations

from tests.support.impact import RUN, both, change, runs, scene

from platform_meter.measures.impact import declared
from platform_meter.model.catalogue.impact import CAMPAIGN_REACH, EFFECT, SAMPLES
from platform_meter.model.definitions import Campaign, Definitions
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.measure import Gauging
from platform_meter.model.metric import resolve
from platform_meter.testing.measures import adds_up

SLOW, FAST = [50.0, 55, 61, 48, 70, 66, 58, 60], [30.0, 41, 35, 28, 52, 33, 39, 37]


def test_samples_and_what_stands_behind_them() -> None:
    """Eight before and eight after, medians 59 and 36; the part of the invited that came, which nothing stands behind."""
    said = {"kind": "Campaign", "id": "show", "at": "2026-06-01", "reach": {"invited": 120, "attended": 60}}
    seen = scene(runs("a", *both(SLOW, FAST)), change(), campaigns=[Campaign.model_validate(said)])
    (measure,) = declared(seen.definitions)
    assert isinstance(measure, Gauging)
    assert measure.reads == {PipelineRun}
    found = {(s.metric.name, s.labels): resolve(s.value) for s in measure.compute(seen)}
    assert found[SAMPLES.name, ("runners", RUN, "before")] == 8
    assert found[SAMPLES.name, ("runners", RUN, "after")] == 8
    assert round(found[EFFECT.name, ("runners", RUN, "point")] or 0, 3) == round(36 / 59 - 1, 3)
    assert found[CAMPAIGN_REACH.name, ("show",)] == 0.5
    assert len(found) == 6
    adds_up(measure, seen)


def test_without_a_change_nothing_is_read() -> None:
    """And nothing is said."""
    (measure,) = declared(Definitions())
    assert isinstance(measure, Gauging)
    assert measure.reads == frozenset()
    assert list(measure.compute(scene([]))) == []


def test_too_little_is_counted_and_has_no_effect() -> None:
    """Seven before."""
    seen = scene(runs("a", *both(SLOW[:7], FAST)), change())
    (measure,) = declared(seen.definitions)
    assert isinstance(measure, Gauging)
    assert {s.metric.name for s in measure.compute(seen)} == {SAMPLES.name}
