"""docs/alerting.md: every alert we write is named, every example is accepted, every file and command is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.support.our_slos import our_plans
from tests.support.places import ROOT
from tests.support.slos import RATIO, planned

from platform_meter.cli import main
from platform_meter.model.generated import HEADER
from platform_meter.render.alertmanager import alertmanager
from platform_meter.render.rules import rules

TEXT = (ROOT / "docs" / "alerting.md").read_text("utf-8")
CONFIG = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
RECEIVERS = [text for kind, text in BLOCKS if kind == "yaml"]
COMMANDS = [line for kind, text in BLOCKS if kind == "" for line in text.splitlines()]


def test_every_alert_is_in_the_table() -> None:
    """Alert, window and level as the generated rules have them, and nothing else."""
    told: set[tuple[str, str, str]] = set()
    for name, windows, level in re.findall(r"^\| `(SLO\w+)`(?:, windows (.+?))? \| `(\w+)` \|", TEXT, re.MULTILINE):
        told |= {(name, window, level) for window in (windows.split(" and ") if windows else [""])}
    written = {
        (rule["alert"], rule["labels"].get("window", ""), rule["labels"]["level"])
        for artifact in rules(our_plans())
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert told == written


@pytest.mark.parametrize("receivers", RECEIVERS)
def test_every_receiver_can_be_copied(receivers: str, tmp_path: Path) -> None:
    """Put in place of ours, amtool accepts it."""
    config = yaml.safe_load(CONFIG.read_text()) | yaml.safe_load(receivers)
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    (tmp_path / "platform-meter.tmpl").write_text(CONFIG.with_name("platform-meter.tmpl").read_text())
    done = subprocess.run(
        ["amtool", "check-config", str(tmp_path / "alertmanager.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_is_there() -> None:
    """Options of `demo` exist, files that commands read exist, and the waits are the configured ones."""
    demo = next(line for line in COMMANDS if line.startswith("platform-meter demo "))
    options = {name for parameter in main.commands["demo"].params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", demo)) <= options
    files = {word for line in COMMANDS for word in re.findall(r"[\w/-]+\.yml", line)}
    written = "slo-definitions/alertmanager.yml"
    assert f"platform-meter generate --alertmanager {written}" in COMMANDS
    assert files - {written} == {"prometheus.yml", "deploy/alertmanager/alertmanager.yml"}
    assert all((ROOT / file).is_file() for file in files - {written})
    route = yaml.safe_load(CONFIG.read_text())["route"]
    assert (route["group_wait"], route["routes"][0]["group_wait"]) == ("2m", "10s")


def test_one_sentence_stands_on_a_line() -> None:
    """So that a change of one sentence is a change of one line."""
    prose = re.sub(r"^\|.*$", "", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL), flags=re.MULTILINE)
    assert [line for line in prose.splitlines() if re.search(r"[.;!?] [A-Z]", line)] == []


def test_what_is_generated_is_what_it_shows() -> None:
    """From its route on, byte for byte, for one SLO of `team-shop` that Prometheus counts."""
    head, _, made = alertmanager([planned(RATIO)]).text.partition("route:\n")
    assert head.startswith(HEADER)
    assert [text for text in RECEIVERS if "inhibit_rules:" in text] == [f"route:\n{made}"]


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=SLOBurn", "level=page", "owner=team-shop"), "team-shop-page"),
        (("alertname=PlatformMeterGone", "level=ticket"), "platform-meter-ticket"),
        (("alertname=DiskFull", "level=page"), "mine"),
    ],
)
def test_the_generated_route_under_another_one(labels: tuple[str, ...], receiver: str, tmp_path: Path) -> None:
    """With the matcher that the page names, other alerts stay where they were."""
    (matcher,) = re.findall(r"with `matchers: \['(alertname=~.+)'\]`", TEXT)
    made = yaml.safe_load(alertmanager([planned(RATIO)]).text)
    route = {"receiver": "mine", "routes": [{**made["route"], "matchers": [matcher]}]}
    config = {**made, "route": route, "receivers": [{"name": "mine"}, *made["receivers"]]}
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    asked = ["amtool", "config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}", *labels]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == receiver


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("level=page", "tier=1"), "team-shop-phone"),
        (("level=page", "tier=2"), "team-shop-page"),
        (("level=ticket", "tier=1"), "team-shop-ticket"),
    ],
)
def test_a_label_of_a_file_routes_under_its_owner(labels: tuple[str, ...], receiver: str, tmp_path: Path) -> None:
    """As the example says."""
    (example,) = (text for text in RECEIVERS if "team-shop-phone" in text)
    (tmp_path / "alertmanager.yml").write_text(example)
    asked = ["amtool", "config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}", "owner=team-shop"]
    assert subprocess.run([*asked, *labels], capture_output=True, text=True, check=True).stdout.strip() == receiver


ROUTED = next(text for text in RECEIVERS if "receiver: ci-on-call" in text)


@pytest.mark.parametrize(
    ("slo", "level", "receiver"),
    [
        ("ci-platform-success", "page", "ci-on-call"),
        ("ci-platform-success", "ticket", "ci-tickets"),
        ("api-availability", "page", "pages"),
        ("api-availability", "ticket", "tickets"),
    ],
)
def test_the_example_routes_our_alerts_by_team(slo: str, level: str, receiver: str, tmp_path: Path) -> None:
    """With the labels that this repository's own alerts carry."""
    labels = next(
        rule["labels"]
        for artifact in rules(our_plans())
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
        if rule.get("alert") == "SLOBurn" and (rule["labels"]["slo"], rule["labels"]["level"]) == (slo, level)
    )
    config = yaml.safe_load(CONFIG.read_text()) | yaml.safe_load(ROUTED)
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    asked = ["amtool", "config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}"]
    pairs = [f"{name}={value}" for name, value in labels.items()]
    assert subprocess.run([*asked, *pairs], capture_output=True, text=True, check=True).stdout.strip() == receiver
