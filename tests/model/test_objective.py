"""SLOs over stored events, as measures get them."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest
from tests.support.objectives import objective

from platform_meter.model.facts.ci import PIPELINE_RUNS
from platform_meter.model.facts.slis import SLI
from platform_meter.model.objective import (
    Asked,
    Bound,
    NoData,
    Operator,
    StoredObjective,
    StoredSli,
    Unknown,
    countables,
)


@pytest.mark.parametrize(("target", "allowed"), [("0.999", "0.001"), ("0.9995", "0.0005"), ("0.9", "0.1")])
def test_the_allowed_share_of_errors_has_no_float_noise(target: str, allowed: str) -> None:
    """1 - 0.999 in binary floats is 0.0010000000000000009, and burn rates divide by it."""
    assert objective(PIPELINE_RUNS, target).allowed == Decimal(allowed)


def test_what_nobody_could_classify_is_left_out_unless_said() -> None:
    """It is neither good nor bad: the platform is not blamed for what it may not have done."""
    assert StoredSli(events=PIPELINE_RUNS).unknown is Unknown.EXCLUDE
    assert StoredSli(events=PIPELINE_RUNS).where == {}


@pytest.mark.parametrize(
    ("type_", "instance", "id_"),
    [("datadog", "", "datadog:web"), ("datadog", "eu", "datadog/eu:web"), ("elasticsearch", "", "elasticsearch:web")],
)
def test_what_is_asked_for_is_called_by_who_counts_it(type_: str, instance: str, id_: str) -> None:
    """What another system, or another source, counted for the same SLO is added to none of it."""
    asked = Asked(name="web", type=type_, total={}, part={}, part_is_good=True, instance=instance)
    assert asked.id == id_


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [("lt", True, False, False), ("lte", True, True, False), ("gt", False, False, True), ("gte", False, True, True)],
)
def test_a_level_is_good_on_one_side_of_its_bound(operator: Operator, *, below: bool, at: bool, above: bool) -> None:
    """Good is level, operator, value."""
    bound = Bound(operator=operator, value=0.5)
    assert [bound.holds(level) for level in (0.4, 0.5, 0.6)] == [below, at, above]


def test_only_slices_say_what_silence_is() -> None:
    """Counted one by one there is no slice that could be silent."""
    counted, sliced = objective(SLI), objective(SLI, no_data=NoData.HOLD)
    assert (counted.counts, counted.slice, counted.slice_target, counted.no_data) == ("events", None, None, None)
    assert (sliced.counts, sliced.no_data) == ("slices", NoData.HOLD)
    optional = {f.name for f in fields(StoredObjective) if f.default is None}
    assert optional == {"slice", "slice_target", "no_data"}


def test_the_words_of_files() -> None:
    """What people write in SLO files; a word that is taken back breaks theirs."""
    assert list(countables()) == [
        "pipeline_runs", "queue_waits", "deployments", "gitops_syncs", "gitops_propagation", "instance_minutes", "pod_starts", "node_minutes", "api_requests", "api_latency", "template_runs", "probe_checks", "sla_cycles", "mesh_requests", "mesh_latency", "gateway_requests", "gateway_latency", "sli",
    ]  # fmt: skip
    assert {str(word) for word in NoData} == {"bad", "good", "exclude", "hold"}
    assert {str(word) for word in Unknown} == {"exclude", "bad"}


def test_events_have_a_name_for_sentences() -> None:
    """Of its word, unless that is none for people."""
    assert {
        word: kind.several for word, kind in countables().items() if word in ("pod_starts", "sla_cycles", "sli")
    } == {
        "pod_starts": "pod starts",
        "sla_cycles": "SLA cycles",
        "sli": "events",
    }
