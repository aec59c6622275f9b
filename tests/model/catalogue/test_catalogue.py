"""What holds for every declared metric."""

from __future__ import annotations

import re

import pytest

from platform_meter import measures
from platform_meter.model import catalogue
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.delivery import DeployKind
from platform_meter.model.found import found
from platform_meter.model.measure import Deriving, Gauging
from platform_meter.model.metric import Metric, MetricType
from platform_meter.sources.kubernetes.rows import OWNER_KINDS

ALL = sorted(catalogue.ALL.values(), key=lambda m: m.name)
RESERVED = {"instance", "job", "pod", "namespace", "container", "endpoint"}
OTHER_UNITS = ("minutes", "hours", "days", "ms", "milliseconds", "percent", "percentage", "mb", "kb")
LOADED = measures.load(Definitions())
each = pytest.mark.parametrize("metric", ALL, ids=[m.name for m in ALL])


@each
def test_counters_and_only_counters_end_in_total(metric: Metric) -> None:
    """Prometheus' naming guide; nothing ends in what a histogram or OpenMetrics adds itself."""
    assert metric.name.endswith("_total") is (metric.type is MetricType.COUNTER)
    assert not metric.name.endswith(("_bucket", "_count", "_sum", "_created"))


@each
def test_names_carry_base_units(metric: Metric) -> None:
    """Seconds, bytes and ratios; histograms here are all durations; every name begins with platform_."""
    assert re.fullmatch(r"platform_[a-z][a-z0-9_]*", metric.name)
    assert not set(metric.name.split("_")) & set(OTHER_UNITS)
    assert metric.name.endswith("_seconds") or metric.type is not MetricType.HISTOGRAM


@each
def test_every_label_has_a_bound_and_none_is_a_target_label(metric: Metric) -> None:
    """The scrape config honours our labels, so none may be one that Prometheus or an operator adds."""
    assert set(metric.bounds) == set(metric.labels)
    assert all(metric.bounds.values())
    assert not set(metric.labels) & RESERVED
    assert not set(metric.labels) & {"le", "quantile"} or metric.type is MetricType.GAUGE
    assert len(set(metric.labels)) == len(metric.labels)
    assert metric.fold in ("", *metric.labels)
    assert metric.cap > 0


@pytest.mark.parametrize(
    ("name", "label", "bound"),
    [
        ("platform_meter_events_total", "kind", "kinds of object or event of the source"),
        ("platform_deployments_total", "kind", ", ".join(DeployKind)),
        ("platform_pod_start_seconds", "kind", ", ".join((*OWNER_KINDS.values(), "other"))),
        ("platform_slo_info", "kind", "events, slices"),
        ("platform_pipeline_runs_total", "outcome", ", ".join(Outcome)),
        ("platform_meter_source_requests_total", "outcome", "ok, error, limited"),
        ("platform_meter_source_pushes_total", "outcome", "ok, unreadable, refused, failed"),
        ("platform_pipeline_runs_total", "system", "source types"),
        ("platform_service_info", "system", "declared systems"),
    ],
)
def test_a_label_of_two_meanings_has_the_bound_of_its_metric(name: str, label: str, bound: str) -> None:
    """The page says how many values to expect, so it must speak of the values that there are."""
    assert catalogue.ALL[name].bounds[label] == bound


@each
def test_help_is_one_sentence(metric: Metric) -> None:
    """It begins with a capital or a figure and ends with a full stop."""
    assert re.fullmatch(r"[A-Z0-9][^\n]*\.", metric.help)


@each
def test_buckets_rise_and_only_histograms_have_them(metric: Metric) -> None:
    """Bounds are positive, strictly rising, without +Inf."""
    assert bool(metric.buckets) is (metric.type is MetricType.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert all(0 < bound < float("inf") for bound in metric.buckets)


def test_names_in_code_are_the_names_declared() -> None:
    """ALL is keyed by name, and no two families declare one name."""
    declared = [m.name for m in found(catalogue.__name__, Metric)]
    assert declared == list(catalogue.ALL)
    assert all(name == metric.name for name, metric in catalogue.ALL.items())


def test_each_metric_has_at_most_one_measure_of_the_right_shape() -> None:
    """Two measures of one gauge would overwrite each other; events feed counters and histograms, ticks gauges."""
    gauged = [m.name for measure in LOADED if isinstance(measure, Gauging) for m in measure.metrics]
    assert len(gauged) == len(set(gauged))
    for measure in LOADED:
        if not isinstance(measure, Deriving):
            assert all(catalogue.ALL[m.name] is m for m in measure.metrics)
            assert all((m.type is MetricType.GAUGE) is isinstance(measure, Gauging) for m in measure.metrics)


def test_the_measures_of_this_part_are_found() -> None:
    """Modules name their measures; there is no list of modules."""
    found = {m.name for measure in LOADED if not isinstance(measure, Deriving) for m in measure.metrics}
    assert found >= {
        "platform_adoption_units",
        "platform_cluster_nodes",
        "platform_deployments_total",
        "platform_meter_source_up",
        "platform_pipeline_flaky_ratio",
        "platform_pipeline_runs_total",
        "platform_pod_start_seconds",
        "platform_team_capability_state",
    }
