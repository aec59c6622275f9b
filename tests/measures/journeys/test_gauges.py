"""Funnels, drop-off and times over stored use, and what stands behind each."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.support.journeys import COMPANY, scene, told

from platform_meter.measures.journeys import declared
from platform_meter.measures.journeys.gauges import METRICS, behind, compute
from platform_meter.model.catalogue.adoption import ADOPTION_SELF_SERVICE
from platform_meter.model.catalogue.journeys import FUNNEL_DROPOFF, FUNNEL_UNITS, TIME_TO_FIRST, TIME_TO_FIRST_REACHED
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Metric, resolve
from platform_meter.testing.measures import adds_up


def values(of: Scene, metric: Metric) -> Mapping[tuple[str, ...], float | None]:
    return {s.labels[1:]: resolve(s.value) for s in compute(of) if s.metric is metric}


def test_a_funnel_by_hand() -> None:
    """Four teams had their two weeks, three of them made one and one of these is live; one has time left."""
    assert values(scene(), FUNNEL_UNITS) == {
        ("entered", "mature"): 4,
        ("created", "mature"): 3,
        ("live", "mature"): 1,
        ("entered", "pending"): 1,
        ("created", "pending"): 1,
        ("live", "pending"): 0,
    }
    assert values(scene(), FUNNEL_DROPOFF) == pytest.approx({("created",): 1 / 4, ("live",): 2 / 3})


def test_times_count_who_is_not_there_yet_so_far() -> None:
    """Created after 1, 10, 1 and 2 days, one not in 20: the curve is at 0.6 after a day and at 0.4 after two."""
    assert values(scene(), TIME_TO_FIRST) == {("created", "0.5"): 2 * 86_400.0}
    assert values(scene(), TIME_TO_FIRST_REACHED) == {("created",): 0.8, ("live",): 0.4}
    one = scene(COMPANY[:3])
    assert values(one, TIME_TO_FIRST) == {
        ("created", "0.5"): 86_400.0,
        ("created", "0.9"): 86_400.0,
        ("live", "0.5"): 2 * 86_400.0,
        ("live", "0.9"): 2 * 86_400.0,
    }


def test_without_anybody_there_is_no_ratio() -> None:
    """Counts are 0, which is known; shares of nothing are absent."""
    empty = scene(told("e", view=20, create=25))
    assert set(values(empty, FUNNEL_UNITS).values()) == {0}
    assert set(values(empty, FUNNEL_DROPOFF).values()) == {None}
    assert set(values(empty, TIME_TO_FIRST_REACHED).values()) == {None}


def test_what_stands_behind_adds_up() -> None:
    """Entrants by how far they came: to each number of every metric."""
    (measure,) = declared(scene().definitions)
    assert isinstance(measure, Gauging)
    adds_up(measure, scene())
    without_help = {metric.name for metric in METRICS if metric is not ADOPTION_SELF_SERVICE}
    assert {sample.metric.name for sample in compute(scene())} == without_help
    pieces = list(behind(scene(), FUNNEL_UNITS, ("gateway", "live", "mature")))
    assert [(p.fact.unit, p.fact.state) for p in pieces if p.fact is not None and isinstance(p.fact, UnitState)] == [
        ("a", "live")
    ]
