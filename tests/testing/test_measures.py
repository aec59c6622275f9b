"""The contract of measures finds what a family does wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from platform_meter import measures
from platform_meter.model.catalogue.ci import PIPELINE_RUNS
from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.facts.use import Usage
from platform_meter.model.measure import Counting, Gauging, Measures
from platform_meter.model.metric import Metric, MetricType
from platform_meter.testing.measures import measures_held_to_contract

LENT = Metric(name="library_loans_total", type=MetricType.COUNTER, help="Loans.", labels=("shelf",), bounds={"shelf": "shelves"})  # fmt: skip


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
    ],
)  # fmt: skip
def test_what_a_family_does_wrong_is_said(family: Measures, says: str) -> None:
    """By the metric's name, with what to do."""
    with pytest.raises(AssertionError, match=says):
        measures_held_to_contract(family)
