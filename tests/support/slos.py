"""SLO files for tests."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter import sources
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import Plan, plan

RATIO = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: shop-requests
  annotations:
    platform-meter.io/owner: team-shop
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: prometheus, spec: {query: 'http_requests_total{code=~"5.."}'}}}
        total: {metricSource: {type: prometheus, spec: {query: 'http_requests_total'}}}
  objectives: [{target: 0.999}]
"""
"""Counted by Prometheus, bad over total."""

LATENCY = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: shop-latency
spec:
  service: latency
  budgetingMethod: Occurrences
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: prometheus, spec: {query: 'sum(rate(http_seconds_bucket{le="0.5"}[{{window}}]))'}}}
        total: {metricSource: {type: prometheus, spec: {query: 'sum(rate(http_seconds_count[{{window}}]))'}}}
  objectives: [{targetPercent: 99}]
"""
"""Counted by Prometheus, good over total, of rates."""

SLICES = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: shop-minutes
  annotations: {platform-meter.io/no-data: exclude}
spec:
  service: slices
  budgetingMethod: Timeslices
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: prometheus, spec: {query: 'http_requests_total{code=~"5.."}'}}}
        total: {metricSource: {type: prometheus, spec: {query: 'http_requests_total'}}}
  objectives: [{target: 0.995, timeSliceTarget: 0.95, timeSliceWindow: 1m}]
"""
"""Judged minute by minute by Prometheus."""

THRESHOLD = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: queue-age
  annotations: {platform-meter.io/no-data: exclude}
spec:
  service: queue
  budgetingMethod: Timeslices
  indicator:
    spec:
      thresholdMetric: {metricSource: {type: prometheus, spec: {query: queue_age_seconds}}}
  objectives: [{target: 0.99, op: lte, value: 30, timeSliceWindow: 5m}]
"""
"""A level, judged every 5 minutes by Prometheus."""

STORED = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: ci-success
  annotations: {platform-meter.io/owner: team-ci}
spec:
  service: ci
  budgetingMethod: Occurrences
  indicator:
    spec:
      ratioMetric:
        counter: true
        rawType: success
        raw: {metricSource: {type: stored, spec: {events: pipeline_runs, where: {system: github}}}}
  objectives: [{target: 0.99}]
"""
"""Counted by this exporter."""

ASKED = """apiVersion: openslo/v1
kind: SLO
metadata: {name: logged}
spec:
  service: logged
  budgetingMethod: Occurrences
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: elasticsearch, spec: {index: logs-*, query: {range: {status: {gte: 500}}}}}}
        total: {metricSource: {type: elasticsearch, spec: {index: logs-*, query: '*'}}}
  objectives: [{target: 0.999}]
"""
"""Counted by a source that the file asks, and then by this exporter."""

ALL: Mapping[str, str] = {
    "ratio": RATIO,
    "latency": LATENCY,
    "slices": SLICES,
    "threshold": THRESHOLD,
    "stored": STORED,
}


def planned(text: str, *pairs: tuple[str, str]) -> Plan:
    """The one plan of this file, after `replaced`."""
    checked = read_slos([("slo.yaml", replaced(text, *pairs))], asking=sources.asking())
    assert checked.problems == ()
    (spec,) = checked.specs
    return plan(spec)


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """The text with each piece replaced by another; a piece that is not there is a mistake of the test."""
    for old, new in pairs:
        assert old in text, f"{old!r} is not in the text"
        text = text.replace(old, new)
    return text
