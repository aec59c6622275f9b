"""OpenSLO v1alpha as Specs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.slo.foreign.test_sloth import read

from platform_meter.model.objective import NoData
from platform_meter.slo.spec import Ratio, Threshold

HOUR = timedelta(hours=1)
DOCUMENT = """
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: shop-latency, displayName: How long people wait}
spec:
  service: shop
  description: Answers in time.
  objectives:
    - displayName: Fast
      ratioMetrics:
        incremental: true
        good: {source: prometheus, queryType: promql, query: 'sum(rate(wait_bucket{le="0.4"}[{{.window}}]))'}
        total: {source: prometheus, queryType: promql, query: 'sum(rate(wait_count[{{.window}}]))'}
      target: 0.99
    - ratioMetrics:
        good: {source: Prometheus, query: 'sum(rate(wait_bucket{le="5"}[{{.window}}]))'}
        total: {source: Prometheus, query: 'sum(rate(wait_count[{{.window}}]))'}
      target: 0.999
"""


def test_each_objective_is_an_slo_of_its_own() -> None:
    """With its own queries, named by its display name or its number; events over 30 days, as Sloth reads it."""
    one, two = sorted(read(DOCUMENT).specs, key=lambda spec: spec.objective)
    assert (one.slo, two.slo) == ("shop-latency-fast", "shop-latency-2")
    assert (one.display, two.display) == ("Fast", "How long people wait")
    assert (one.objective, two.objective, one.period) == (Decimal("0.99"), Decimal("0.999"), timedelta(days=30))
    assert isinstance(two.sli, Ratio)
    assert two.sli.good is not None
    assert two.sli.good.over(HOUR) == '(sum(rate(wait_bucket{le="5"}[1h])) * 3600)'


def test_a_single_objective_has_the_documents_name() -> None:
    """There is nothing to tell it from."""
    text = DOCUMENT[: DOCUMENT.index("    - ratioMetrics:")]
    (spec,) = read(text).specs
    assert spec.slo == "shop-latency"


def test_windows_are_counted_in_units() -> None:
    """Weeks and days, rolling."""
    text = f"{DOCUMENT}  timeWindows: [{{unit: Week, count: 4, isRolling: true}}]\n"
    assert {spec.period for spec in read(text).specs} == {timedelta(weeks=4)}


def test_a_level_is_held_against_its_bound_in_slices() -> None:
    """v1alpha says no length of a slice, so it is noted."""
    found = read("""
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: queue}
spec:
  service: shop
  indicator: {thresholdMetric: {source: prometheus, queryType: promql, query: queue_age_seconds}}
  budgetingMethod: Timeslices
  timeWindows: [{unit: Day, count: 28}]
  objectives: [{op: lte, value: 30, target: 0.99, timeSliceTarget: 0.9}]
""")
    (spec,) = found.specs
    assert isinstance(spec.sli, Threshold)
    assert (spec.sli.operator, spec.sli.bound) == ("lte", Decimal(30))
    assert (spec.slice, spec.no_data) == (timedelta(minutes=1), NoData.EXCLUDE)
    assert [note.text for note in found.warnings] == ["v1alpha says no length of slices; they are of 1m here"]


def test_a_service_is_nothing_to_read() -> None:
    """It holds a description."""
    found = read("{apiVersion: openslo/v1alpha, kind: Service, metadata: {name: shop}, spec: {description: x}}")
    assert (found.specs, found.warnings) == ((), ())
