"""What docker-compose.yml runs: accepted by the programs that read it, and consistent with what is in the repository."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.places import ROOT
from tests.support.prometheus import promtool

from platform_meter.cli import main
from platform_meter.demo.apis.api import instances
from platform_meter.demo.apis.services import NAME
from platform_meter.demo.company.layout import Company
from platform_meter.demo.stage.pager import PORT
from platform_meter.demo.stage.stack import Places

COMPANY = Company.build(1, datetime(2026, 5, 20, 9, 30, tzinfo=UTC), teams=8, services=16)
ALERTMANAGER = ROOT / "deploy" / "alertmanager"
ALERT = {
    "status": "firing",
    "labels": {"alertname": "SLOBurn", "slo": "ci-success", "level": "page", "window": "1h", "owner": "team-ci"},
    "annotations": {
        "summary": "ci-success burns its 28-day budget 25.0 times too fast: 6 of 24 builds failed in the last hour",
        "budget_spent": "at least 2.14 % of the budget in 1h",
        "budget": "40% of the 28-day budget is left",
        "page_url": "https://meter.example/slos/ci-success",
        "dashboard_url": "https://grafana.example/d/pm-slo-detail?var-slo=ci-success",
        "runbook_url": "runbooks/ci.md",
    },
    "startsAt": "2026-05-20T09:30:00.25Z",
    "endsAt": "2026-05-20T10:42:00.75Z",
}


def run(*command: str | Path) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services as docker-compose 1.29.2 reads them."""
    found: dict[str, Any] = yaml.safe_load(run("docker-compose", "config"))["services"]
    return found


def test_docker_compose_accepts_it(services: dict[str, Any]) -> None:
    """Five containers, in one network namespace: the exporter's, which alone publishes ports, all on loopback."""
    assert set(services) == {"exporter", "pager", "prometheus", "alertmanager", "grafana"}
    others = [service for name, service in services.items() if name != "exporter"]
    assert {service["network_mode"] for service in others} == {"service:exporter"}
    assert not any("ports" in service for service in others)
    assert services["exporter"]["ports"] == [f"127.0.0.1:{port}:{port}/tcp" for port in (9898, 9090, 9093, 3000)]


def test_what_is_mounted_is_in_the_repository(services: dict[str, Any]) -> None:
    """Every file and folder of ours that a container reads is there, and read only."""
    mounts = [m for service in services.values() for m in service.get("volumes", ()) if m.startswith("/")]
    assert len(mounts) == 5
    for source, _, mode in (mount.split(":") for mount in mounts):
        assert Path(source).exists(), source
        assert mode == "ro"


def test_the_commands_are_ours(services: dict[str, Any]) -> None:
    """The exporter's arguments are options of `demo`, and its addresses those that Prometheus and Alertmanager know."""
    command = services["exporter"]["command"]
    demo = main.commands[command[0]]
    options = {name for param in demo.params for name in param.opts}
    assert {part for part in command if part.startswith("--")} <= options
    said = dict(zip(command[1::2], command[2::2], strict=True))
    places = Places()
    assert next(iter(instances(COMPANY))) == NAME
    assert places.services == f"127.0.0.1:{said['--apis-port']}"
    assert int(said["--apis-port"]) > PORT
    assert said["--prometheus"] == f"http://{places.prometheus}"
    assert services["pager"]["entrypoint"][-2:] == ["--port", str(PORT)]
    assert places.pager == f"127.0.0.1:{PORT}"


def test_the_image_holds_what_its_build_copies() -> None:
    """Every file that the Dockerfile copies is let through by .dockerignore, and exists."""
    copied = {
        name
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ")
        for name in line.split()[1:-1]
    }
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


def test_promtool_accepts_prometheus_yml() -> None:
    """Its configuration is sound, and so is every rule file that it names."""
    said = promtool("check", "config", ROOT / "prometheus.yml")
    files = sorted((ROOT / "slo-definitions" / "generated").glob("*.rules.yml"))
    assert files
    assert f"SUCCESS: {len(files)} rule files found" in said
    assert "FAILED" not in said


def test_amtool_accepts_alertmanager_yml() -> None:
    """Route, two receivers, one inhibition rule and the templates."""
    said = run("amtool", "check-config", ALERTMANAGER / "alertmanager.yml")
    assert re.findall(r"^ - (\d+) (.+)$", said, re.MULTILINE) == [
        ("1", "inhibit rules"),
        ("2", "receivers"),
        ("1", "templates"),
    ]


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("level=page", "slo=ci-success", "alertname=SLOBurn"), "pages"),
        (("level=ticket", "slo=ci-success", "alertname=SLOBudgetExhausted"), "tickets"),
        (("alertname=SomethingElse",), "tickets"),
    ],
)
def test_routes_by_level(labels: tuple[str, ...], receiver: str) -> None:
    """Pages go one way, everything else the other; nothing is lost."""
    config = f"--config.file={ALERTMANAGER / 'alertmanager.yml'}"
    assert run("amtool", "config", "routes", "test", config, *labels).strip() == receiver


def test_the_slack_example_is_sound(tmp_path: Path) -> None:
    """With its comment signs taken away, amtool accepts it."""
    lines = (ALERTMANAGER / "alertmanager.yml").read_text().splitlines(keepends=True)
    text = "".join(re.sub(r"^    # (slack_configs:|  )", r"    \1", line) for line in lines)
    assert "\n    slack_configs:\n      - api_url_file:" in text
    (tmp_path / "alertmanager.yml").write_text(text)
    (tmp_path / "platform-meter.tmpl").write_text((ALERTMANAGER / "platform-meter.tmpl").read_text())
    run("amtool", "check-config", tmp_path / "alertmanager.yml")


def rendered(template: str, status: str, tmp_path: Path, **changes: Any) -> str:
    """What a receiver is sent for one alert."""
    alert = {**ALERT, "status": status, **changes}
    data = {"status": status, "alerts": [alert], "commonLabels": alert["labels"]}
    (tmp_path / "data.json").write_text(json.dumps(data))
    return run(
        "amtool",
        "template",
        "render",
        f"--template.glob={ALERTMANAGER / 'platform-meter.tmpl'}",
        f"--template.data={tmp_path / 'data.json'}",
        f'--template.text={{{{ template "platform-meter.{template}" . }}}}',
    ).strip()


def test_messages_in_plain_sentences(tmp_path: Path) -> None:
    """What burns, what it has cost, since when, what to do; and when it was over, after how long."""
    assert rendered("title", "firing", tmp_path) == "Page: ci-success of team-ci"
    assert rendered("title", "resolved", tmp_path) == "Over: ci-success of team-ci"
    assert rendered("text", "firing", tmp_path) == (
        "ci-success burns its 28-day budget 25.0 times too fast: 6 of 24 builds failed in the last hour. "
        "This is at least 2.14 % of the budget in 1h. Budget: 40% of the 28-day budget is left. It began at 09:30 UTC. "
        "Where: https://meter.example/slos/ci-success "
        "Dashboard: https://grafana.example/d/pm-slo-detail?var-slo=ci-success What to do: runbooks/ci.md"
    )
    assert rendered("text", "resolved", tmp_path) == ("ci-success: SLOBurn over 1h ended at 10:42 UTC, after 1h12m0s.")


def test_messages_without_our_annotations(tmp_path: Path) -> None:
    """An alert of other rules is told by its name."""
    other = {"labels": {"alertname": "DiskFull"}, "annotations": {}}
    assert rendered("title", "firing", tmp_path, **other) == "Ticket: DiskFull"
    assert rendered("text", "firing", tmp_path, **other) == "DiskFull is firing. It began at 09:30 UTC."
