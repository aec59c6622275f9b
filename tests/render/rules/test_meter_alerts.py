"""The alerts beyond burn: accepted by promtool, told in a sentence, taken by the shipped routes, and documented."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.support.our_slos import our_plans
from tests.support.places import ROOT
from tests.support.prometheus import promtool

from platform_meter.render.artifact import is_ours
from platform_meter.render.rules import rules
from platform_meter.render.rules.meter_alerts import meter_alerts

CONFIG = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
(GROUP,) = yaml.safe_load(meter_alerts().text)["groups"]
ALERTS: list[dict[str, Any]] = GROUP["rules"]


def test_promtool_takes_them(tmp_path: Path) -> None:
    """Queries and templates are read, and nothing is found to complain about."""
    file = tmp_path / meter_alerts().path
    file.write_text(meter_alerts().text)
    promtool("check", "rules", "--lint=all", "--lint-fatal", file)


def test_the_file_is_one_of_ours_and_no_services() -> None:
    """`generate` may replace it, Prometheus' own pattern finds it, and no service's file can be called so."""
    artifact = meter_alerts()
    assert is_ours(artifact.path, artifact.text)
    assert artifact.path == "platform_meter.rules.yml"
    assert artifact.path not in [a.path for a in rules(our_plans())]
    assert "rule_files:\n  - slo-definitions/generated/*.rules.yml\n" in (ROOT / "prometheus.yml").read_text()


def test_each_says_in_a_sentence_what_is_wrong() -> None:
    """The message's template puts the full stop."""
    for alert in ALERTS:
        summary = alert["annotations"]["summary"]
        assert re.fullmatch(r"(?:[A-Z]|\{\{ \$value ).{40,}[^.]", summary), summary


def test_two_replicas_are_one_alert_and_a_service_is_none_of_its_labels() -> None:
    """What every replica says is taken once; labels that Prometheus adds to tell replicas apart are gone."""
    for alert in ALERTS:
        once = r"(?:(?:max|min) without \(instance, pod\)|max by \([\w, ]+\)|count) ?\("
        metrics = re.findall(r"platform_\w+", alert["expr"])
        assert len(re.findall(rf"{once}(?:last_over_time\()?platform_", alert["expr"])) == len(metrics)


def test_the_shipped_routes_take_them_as_tickets() -> None:
    """None of them pages; none carries an `slo`, so no page silences it."""
    assert {tuple(alert["labels"].items()) for alert in ALERTS} == {(("level", "ticket"), ("severity", "ticket"))}
    for alert in ALERTS:
        done = subprocess.run(
            [
                "amtool",
                "config",
                "routes",
                "test",
                f"--config.file={CONFIG}",
                "level=ticket",
                f"alertname={alert['alert']}",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "tickets"


def test_each_has_its_row_in_the_docs() -> None:
    """One row for each alert, and none for one that is not there."""
    text = (ROOT / "docs" / "alerting.md").read_text("utf-8")
    assert re.findall(r"^\| `(Platform\w+)` \|", text, re.MULTILINE) == [alert["alert"] for alert in ALERTS]
