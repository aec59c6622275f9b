"""Sloth's files and objects as Specs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from platform_meter.model.objective import NoData
from platform_meter.render.rules import rules
from platform_meter.slo.check import Checked, read_slos
from platform_meter.slo.plan import plan
from platform_meter.slo.spec import Alarm, Ratio, RawRatio

FILE = """
version: prometheus/v1
service: shop
labels: {owner: team-shop, tier: 2, generated: true}
slos:
  - name: Requests.Good
    objective: 99.9
    description: Answers that people can use.
    labels: {kind: availability}
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="shop"}[{{.window}}]))
    alerting:
      name: ShopErrors
      labels: {category: errors}
      annotations: {summary: Much fails, runbook_url: https://wiki.example/shop}
      page_alert: {labels: {severity: call, tier: "1"}}
      ticket_alert: {labels: {severity: chat, channel: '#shop, #ops'}, annotations: {description: Look today}}
"""
OBJECT = """
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: shop, namespace: monitoring}
spec:
  service: shop
  labels: {owner: team-shop, tier: "2", generated: "true"}
  slos:
    - name: Requests.Good
      objective: 99.9
      description: Answers that people can use.
      labels: {kind: availability}
      sli:
        events:
          errorQuery: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
          totalQuery: sum(rate(http_requests_total{job="shop"}[{{.window}}]))
      alerting:
        name: ShopErrors
        labels: {category: errors}
        annotations: {summary: Much fails, runbook_url: https://wiki.example/shop}
        pageAlert: {labels: {severity: call, tier: "1"}}
        ticketAlert: {labels: {severity: chat, channel: '#shop, #ops'}, annotations: {description: Look today}}
"""


def read(text: str) -> Checked:
    found = read_slos([("a.yaml", text)])
    assert found.problems == ()
    return found


def test_a_file_is_read_as_it_stands() -> None:
    """Its queries, its objective in percent, Sloth's own period."""
    (spec,) = read(FILE).specs
    assert (spec.slo, spec.service, spec.owner) == ("shop-requests-good", "shop", "team-shop")
    assert (spec.objective, spec.period, spec.period_label) == (Decimal("0.999"), timedelta(days=30), "30d")
    assert spec.labels == {"owner": "team-shop", "tier": "2", "generated": "true", "kind": "availability"}
    assert spec.description == "Answers that people can use."
    assert isinstance(spec.sli, Ratio)
    assert spec.sli.bad is not None
    assert spec.sli.bad.over(timedelta(hours=1)) == (
        '(sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[1h])) * 3600)'
    )
    assert spec.sli.total.over(timedelta(hours=1)) == '(sum(rate(http_requests_total{job="shop"}[1h])) * 3600)'


def test_alerts_go_where_they_went() -> None:
    """Sloth's carry the labels of the whole file, and those of one alert go before those of all.

    Ours that Sloth has not, of silence and of a spent budget, are tickets and go with these.
    """
    (spec,) = read(FILE).specs
    every = {
        "tier": "2",
        "generated": "true",
        "kind": "availability",
        "category": "errors",
        "sloth_alert": "ShopErrors",
    }
    assert spec.alert_labels[Alarm.PAGE] == {**every, "tier": "1", "sloth_severity": "page", "severity": "call"}
    ticket = {**every, "sloth_severity": "ticket", "severity": "chat", "channel": "#shop, #ops"}
    assert all(spec.alert_labels[alarm] == ticket for alarm in set(Alarm) - {Alarm.PAGE})
    runbook = {"runbook_url": "https://wiki.example/shop"}
    assert spec.alert_annotations[Alarm.PAGE] == {"description": "Much fails", **runbook}
    assert spec.alert_annotations[Alarm.TICKET] == {"description": "Look today", **runbook}


def test_an_object_says_what_a_file_says() -> None:
    """Rules of both are the same bytes."""
    of_file, of_object = (rules(plan(spec) for spec in read(text).specs) for text in (FILE, OBJECT))
    assert of_file == of_object


def test_alerts_that_are_turned_off_stay_off() -> None:
    """One of two is left out, and without both there are no burn alerts."""
    off = FILE.replace("page_alert: {labels", "page_alert: {disable: true, labels")
    (spec,) = read(off).specs
    assert spec.left_out == {Alarm.PAGE}
    (spec,) = read(off.replace("ticket_alert: {labels", "ticket_alert: {disable: true, labels")).specs
    assert plan(spec).alerts == ()


@pytest.mark.parametrize("key", ["error_ratio_query", "errorRatioQuery"])
def test_a_raw_ratio_is_judged_slice_by_slice(key: str) -> None:
    """A slice is bad where more than the objective allows fails in it; one without data does not count."""
    text = f"""
version: prometheus/v1
service: shop
slos: [{{name: pay, objective: 95, sli: {{raw: {{{key}: 'job:errors:ratio[{{{{.window}}}}]'}}}}}}]
""".replace("job:errors:ratio[{{.window}}]", "avg_over_time(pay_error_ratio[{{.window}}])")
    found = read(text)
    (spec,) = found.specs
    assert isinstance(spec.sli, RawRatio)
    assert spec.sli.failure
    assert (spec.slice, spec.slice_target, spec.no_data) == (timedelta(minutes=5), Decimal("0.95"), NoData.EXCLUDE)
    (note,) = found.warnings
    assert note.text.startswith("a ratio is no count: ")
