"""Pyrra's objects as Specs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.slo.foreign.test_sloth import read

from platform_meter.model.objective import NoData
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import plan
from platform_meter.slo.spec import Alarm, Ratio, Spec, Threshold

HOUR = timedelta(hours=1)
OBJECT = """
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: shop-errors
  namespace: monitoring
  labels: {prometheus: k8s, role: alert-rules, pyrra.dev/team: team-shop, pyrra.dev/tier: "1"}
  annotations: {pyrra.dev/runbook_url: https://wiki.example/shop, kubectl.kubernetes.io/last-applied-configuration: x}
  generation: 3
spec:
  target: "99.5"
  window: 2w
  description: Answers that people can use.
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{job="shop",code=~"5.."}'}
      total: {metric: 'http_requests_total{job="shop"}'}
  alerting: {name: ShopErrors, severities: {fastBurn: call, absent: silence}}
status: {type: PrometheusRule}
"""


def of(indicator: str, more: str = "") -> Spec:
    """The Spec of an object with this indicator."""
    head, rest = OBJECT.split("  indicator:\n")
    _, tail = rest.split("  alerting:")
    text = f"{head}  indicator: {{{indicator}}}\n" + (more or f"  alerting:{tail}")
    (spec,) = read(text).specs
    return spec


def test_an_object_is_read_as_it_stands() -> None:
    """Its selectors under increase, its objective in percent, its window."""
    (spec,) = read(OBJECT).specs
    assert (spec.slo, spec.service, spec.owner) == ("shop-errors", "shop-errors", "team-shop")
    assert (spec.objective, spec.period, spec.description) == (
        Decimal("0.995"),
        timedelta(days=14),
        "Answers that people can use.",
    )
    assert isinstance(spec.sli, Ratio)
    assert spec.sli.bad is not None
    assert spec.sli.bad.over(HOUR) == 'sum(increase(http_requests_total{job="shop",code=~"5.."}[1h]))'
    assert spec.sli.total.over(HOUR) == 'sum(increase(http_requests_total{job="shop"}[1h]))'


def test_alerts_go_where_they_went() -> None:
    """Severities of the file, those of Pyrra where it says none, and the labels that begin with its name."""
    (spec,) = read(OBJECT).specs
    every = {"team": "team-shop", "tier": "1", "pyrra_alert": "ShopErrors"}
    severities = {Alarm.PAGE: "call", Alarm.TICKET: "warning", Alarm.NO_DATA: "silence", Alarm.EXHAUSTED: "warning"}
    assert spec.alert_labels == {alarm: {**every, "severity": word} for alarm, word in severities.items()}
    assert all(spec.alert_annotations[alarm] == {"runbook_url": "https://wiki.example/shop"} for alarm in Alarm)


def test_fast_requests_are_the_good_ones() -> None:
    """A bucket over the count of its histogram."""
    spec = of("latency: {success: {metric: 'wait_bucket{le=\"0.5\"}'}, total: {metric: wait_count}}")
    assert isinstance(spec.sli, Ratio)
    assert spec.sli.good is not None
    assert (spec.sli.good.over(HOUR), spec.sli.total.over(HOUR)) == (
        'sum(increase(wait_bucket{le="0.5"}[1h]))',
        "sum(increase(wait_count[1h]))",
    )


@pytest.mark.parametrize(("written", "seconds"), [("200ms", "0.2"), ("1s", "1"), ("1.5s", "1.5"), ("2m", "120")])
def test_native_histograms_are_counted_up_to_the_bound(written: str, seconds: str) -> None:
    """The share of requests under it, of those that there are: a histogram of nothing has no share."""
    spec = of(f"latencyNative: {{latency: {written}, total: {{metric: 'wait_seconds{{job=\"shop\"}}'}}}}")
    assert isinstance(spec.sli, Ratio)
    assert spec.sli.good is not None
    over = 'increase(wait_seconds{job="shop"}[1h])'
    assert spec.sli.good.over(HOUR) == (
        f"sum(histogram_fraction(0, {seconds}, {over}) * (histogram_count({over}) > 0))"
    )
    assert spec.sli.total.over(HOUR) == f"sum(histogram_count({over}))"


def test_a_gauge_is_judged_slice_by_slice() -> None:
    """A minute is bad where any series is below 1 in it."""
    spec = of("bool_gauge: {metric: 'up{job=\"shop\"}'}")
    assert isinstance(spec.sli, Threshold)
    assert (spec.sli.operator, spec.sli.bound, spec.slice) == ("gte", Decimal(1), timedelta(minutes=1))
    assert spec.sli.query.over(HOUR) == 'min(up{job="shop"})'
    assert spec.no_data is NoData.EXCLUDE


def test_an_offset_stands_behind_the_window() -> None:
    """There PromQL has it."""
    spec = of("ratio: {errors: {metric: 'x_total{a=\"b\"} offset 1m'}, total: {metric: 'x_total offset 1m'}}")
    assert isinstance(spec.sli, Ratio)
    assert spec.sli.total.over(HOUR) == "sum(increase(x_total[1h] offset 1m))"


@pytest.mark.parametrize(
    ("alerting", "left_out", "burns"),
    [
        ("{disabled: true}", {Alarm.NO_DATA}, 0),
        ("{burnrates: false}", set(), 0),
        ("{absent: false}", {Alarm.NO_DATA}, 4),
        ("{burnrates: true, absent: true}", set(), 4),
    ],
)
def test_alerts_that_are_turned_off_stay_off(alerting: str, left_out: set[Alarm], burns: int) -> None:
    """All of them, or those of burn, or that of silence."""
    spec = of("ratio: {errors: {metric: 'x_total{a=\"b\"}'}, total: {metric: x_total}}", f"  alerting: {alerting}\n")
    assert spec.left_out == left_out
    assert len(plan(spec).alerts) == burns


@pytest.mark.parametrize(
    ("window", "days"), [("4w", 28), ("28d", 28), ("672h", 28), ("1w3d", 10), ("40320m", 28), ("1y", 365)]
)
def test_a_window_is_a_period_however_it_is_written(window: str, days: int) -> None:
    """As Prometheus writes durations."""
    (spec,) = read(OBJECT.replace("window: 2w", f"window: {window}")).specs
    assert spec.period == timedelta(days=days)


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ("{pyrra.dev/service: pay.web, app.kubernetes.io/name: x}", "pay-web"),
        ("{app.kubernetes.io/name: pay}", "pay"),
        ("{role: alert-rules}", "shop-errors"),
    ],
)
def test_a_service_is_what_a_label_says(labels: str, service: str) -> None:
    """Pyrra has none, and writes a file for each SLO."""
    head, rest = OBJECT.split("  labels: ")
    (spec,) = read(f"{head}  labels: {labels}\n{rest.partition(chr(10))[2]}").specs
    assert spec.service == service


def test_groups_are_told() -> None:
    """All of them count together, which is not what Pyrra does with them."""
    text = OBJECT.replace("    ratio:\n", "    ratio:\n      grouping: [handler, method]\n")
    (note,) = read_slos([("a.yaml", text)]).warnings
    assert note.text.startswith("a budget for each handler, method is not read yet: all count together")
