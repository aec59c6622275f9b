"""The Alertmanager that alert tests run on: it starts alone, takes an alert from Prometheus' rules and tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from tests.support.http import Reply, serving
from tests.support.prometheus import alertmanager, prometheus
from tests.support.waiting import PATIENCE, until

from platform_meter.model.facts.incidents import Incident, Severity
from platform_meter.model.push import Pushed
from platform_meter.sources.alertmanager import Config, read

CONFIG = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
RULES = """
groups:
  - name: always
    interval: 1s
    rules: [{alert: Always, expr: vector(1), labels: {severity: page}}]
"""


def test_an_alert_of_prometheus_arrives(tmp_path: Path) -> None:
    """A rule that fires is an active alert in the Alertmanager that Prometheus was told of."""
    rules = tmp_path / "always.rules.yml"
    rules.write_text(RULES)
    with alertmanager(tmp_path / "am", CONFIG) as alerts:
        target = {"static_configs": [{"targets": [alerts.url.removeprefix("http://")]}]}
        config = {"rule_files": [str(rules)], "alerting": {"alertmanagers": [target]}}
        # The rule fires before Prometheus has discovered the Alertmanager; by default it sends again after a minute.
        with prometheus(tmp_path / "prometheus", config, flags=["--rules.alert.resend-delay=1s"]):
            (alert,) = until(alerts.alerts)
    assert alert["labels"] == {"alertname": "Always", "severity": "page"}
    assert alert["status"]["state"] == "active"


def test_its_webhook_is_read_as_one_incident_from_start_to_end(tmp_path: Path) -> None:
    """Under one key while it fires and when it is resolved; what the settings do not take is none."""
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - a real server goes by the real clock
    firing = {
        "labels": {"alertname": "PaymentsDown", "severity": "page", "service": "payments"},
        "annotations": {"summary": "since 1.4.0"},
        "startsAt": (now - timedelta(minutes=3)).isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
    }
    other = {**firing, "labels": {"alertname": "DiskFull", "severity": "ticket"}}
    with serving() as receiver, requests.Session() as http:
        receiver.on("/events", Reply())
        route = {"receiver": "meter", "group_wait": "0s", "group_interval": "1s"}
        meter = {"name": "meter", "webhook_configs": [{"url": f"{receiver.url}/events"}]}

        def told(resolved: bool) -> list[Incident]:
            found = [
                fact
                for seen in list(receiver.seen)
                for fact in read(
                    Config.model_validate({"match": {"severity": "page"}}),
                    Pushed(headers=seen.headers, body=seen.body, at=now + timedelta(minutes=1), hashed=str),
                )
            ]
            incidents = [fact for fact in found if isinstance(fact, Incident)]
            return [incident for incident in incidents if (incident.resolved is not None) == resolved]

        with alertmanager(tmp_path / "am", {"route": route, "receivers": [meter]}) as alerts:
            post = f"{alerts.url}/api/v2/alerts"
            http.post(post, json=[firing, other], timeout=PATIENCE).raise_for_status()
            opened = until(lambda: told(resolved=False))[0]
            ended = {**firing, "endsAt": (now - timedelta(minutes=1)).isoformat()}
            http.post(post, json=[ended, other], timeout=PATIENCE).raise_for_status()
            closed = until(lambda: told(resolved=True))[0]
    assert {incident.key for incident in (opened, closed)} == {opened.key}
    assert (opened.at, opened.severity, opened.mentions) == (now - timedelta(minutes=3), Severity.CRITICAL, ("1.4.0",))
    assert closed.resolved == now - timedelta(minutes=1)
    assert opened.updated is not None
    assert closed.updated is not None
    assert closed.updated > opened.updated
