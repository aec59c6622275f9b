"""The Alertmanager that alert tests run on: it starts alone, takes an alert from Prometheus' rules and tells it."""

from __future__ import annotations

from pathlib import Path

from tests.support.prometheus import alertmanager, prometheus
from tests.support.waiting import until

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
