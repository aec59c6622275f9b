"""The contract of measures finds what a family does wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.history import MemoryHistory

from platform_meter import measures
from platform_meter.model.catalogue.ci import PIPELINE_RUNS
from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.use import Usage
from platform_meter.model.measure import Counting, Gauging, Measures, Piece, Scene
from platform_meter.model.metric import Metric, MetricType, Ratio, Sample, Spread, Value
from platform_meter.testing.measures import adds_up, measures_held_to_contract, within_bounds

LENT = Metric(name="library_loans_total", type=MetricType.COUNTER, help="Loans.", labels=("shelf",), bounds={"shelf": "shelves"})  # fmt: skip

PROBE = Metric(name="probes", type=MetricType.GAUGE, help="Probes.", labels=("target", "result"), bounds={"target": "configured probes", "result": "ok, error"})  # fmt: skip


def counting(*metrics: Metric) -> Counting[Usage]:
    return Counting(event=Usage, metrics=metrics, count=lambda _event, _owner, _source: ())


def gauging(*metrics: Metric) -> Gauging:
    return Gauging(metrics=metrics, reads=frozenset(), compute=lambda _: ())


@pytest.mark.parametrize("family", measures.families())
def test_our_families_are_held_to_it(family: Measures) -> None:
    """Every one that is found, of installed packages too."""
    measures_held_to_contract(family)


def test_a_sound_family_passes() -> None:
    """It brings a metric and measures it, beside one of ours."""
    measures_held_to_contract(Measures(standing=(counting(LENT), gauging(CLUSTER_NODES)), brings=(LENT,)))


@pytest.mark.parametrize(
    ("family", "says"),
    [
        (Measures(standing=(counting(LENT),)), "library_loans_total is not declared; add it to `brings`"),
        (Measures(brings=(LENT,)), "it brings library_loans_total, which none of its measures has"),
        (Measures(brings=(replace(LENT, name=PIPELINE_RUNS.name),)), "platform_pipeline_runs_total, which the catalogue has"),
        (Measures(brings=(replace(LENT, bounds={}),)), "library_loans_total must have a help text, and a bound for each"),
        (Measures(standing=(counting(LENT), counting(LENT)), brings=(LENT,)), "library_loans_total has two measures"),
        (Measures(standing=(gauging(LENT),), brings=(LENT,)), "library_loans_total is a counter; measure it by a Counting"),
        (Measures(standing=(counting(CLUSTER_NODES),)), "platform_cluster_nodes is a gauge; measure it by a Gauging"),
        (Measures(standing=(replace(gauging(CLUSTER_NODES), reads=frozenset({Usage})),)), "platform_cluster_nodes reads facts; say in `behind`"),
    ],
)  # fmt: skip
def test_what_a_family_does_wrong_is_said(family: Measures, says: str) -> None:
    """By the metric's name, with what to do."""
    with pytest.raises(AssertionError, match=says):
        measures_held_to_contract(family)


@pytest.mark.parametrize(
    ("value", "pieces", "holds"),
    [
        (2.0, [Piece(), Piece()], True),
        (2.0, [Piece()], False),
        (0.5, [Piece(part=1.0), Piece()], True),
        (Ratio(part=1, whole=2), [Piece(part=1.0), Piece()], True),
        (Ratio(part=2, whole=4), [Piece(part=1.0), Piece()], False),
        (Spread(values=(3.0, 1.0), q=0.5), [Piece(adds=1.0), Piece(adds=3.0)], True),
        (Spread(values=(3.0, 1.0), q=0.5), [Piece(adds=2.0), Piece(adds=2.0)], False),
    ],
)
def test_what_is_behind_a_sample_must_make_it(value: Value, pieces: list[Piece], holds: bool) -> None:
    """A sum, part and whole of a ratio, the values of a quantile."""
    sample = Sample(metric=CLUSTER_NODES, labels=("eu", "ready"), value=value)
    measure = replace(gauging(CLUSTER_NODES), compute=lambda _: [sample], behind=lambda *_: pieces)
    scene = Scene(history=MemoryHistory(), definitions=Definitions(), now=datetime(2026, 6, 10, tzinfo=UTC))
    if holds:
        adds_up(measure, scene)
    else:
        with pytest.raises(
            AssertionError, match=r"platform_cluster_nodes\('eu', 'ready'\) is .*, and the . facts behind it add"
        ):
            adds_up(measure, scene)
    adds_up(replace(measure, stated=(CLUSTER_NODES,)), scene)


def test_labels_keep_to_a_bound_that_lists_their_values() -> None:
    """One that describes them says nothing of a single value."""
    within_bounds(Sample(metric=PROBE, labels=("anything", "ok"), value=1.0))
    with pytest.raises(AssertionError, match=r"probes has result=maybe; its bound says ok, error"):
        within_bounds(Sample(metric=PROBE, labels=("anything", "maybe"), value=1.0))
    with pytest.raises(ValueError, match="zip"):
        within_bounds(Sample(metric=PROBE, labels=("ok",), value=1.0))
