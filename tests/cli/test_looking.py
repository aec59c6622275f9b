"""Commands that only look. What they print in full stands in `scripts/`; here is what would be too long there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from click.testing import CliRunner
from tests.support.asked import Asked
from tests.support.http import Reply, Seen, serving
from tests.support.slos import RATIO, STORED

from platform_meter.cli import main
from platform_meter.model import catalogue
from platform_meter.sources import load

CONFIG = """\
sources:
  tickets: {{type: jira, url: "{url}", token: {{env: JIRA_TOKEN}}}}
"""


QUEUE = """\
kind: Ticketing
id: help
source: {type: jira}
calendar: {days: {mon-fri: ["09:00-17:00"]}}
status: {running: [Open], done: [Closed]}
slas: [{id: resolution, goal: {P1: 8h, default: 5bd}}]
"""


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


def test_metrics_are_all_printed_once() -> None:
    """Name, type, labels with their bounds, and the help of every metric, those that a setting switches on too."""
    code, output = run("metrics")
    names = [line.split()[0] for line in output.splitlines() if not line.startswith(" ")]
    assert (code, names) == (
        0,
        [
            *catalogue.ALL,
            "cicd_pipeline_run_duration_seconds",
            "cicd_worker_count",
            "vcs_repository_count",
        ],
    )
    assert "platform_meter_source_up (gauge) {source: source types, source_instance: configured sources}\n" in output


def test_source_types_are_all_listed_with_their_settings() -> None:
    """Every type by area with the facts it gives; settings that must be written are marked."""
    code, output = run("sources", "list")
    types = re.findall(r"^  (\w+): ", output, re.MULTILINE)
    assert (code, sorted(types)) == (0, sorted(load()))
    assert re.findall(r"^\w.*", output, re.MULTILINE)[:3] == ["CI/CD", "Clusters", "Gateways"]
    assert "\n  tekton: Tekton, gives PipelineActive, PipelineJob, PipelineRun\n" in output.partition("\nClusters\n")[0]
    assert "      org (required)\n" in output
    assert "      every\n" in output


def test_a_source_that_is_refused_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sources test` makes real calls: what is missing is said by name, with exit 1."""
    monkeypatch.setenv("JIRA_TOKEN", "wrong")
    with serving() as jira:
        for path in ("/rest/api/2/myself", "/rest/api/2/search", "/rest/api/2/serverInfo"):
            jira.on(path, Reply(401, body=b"{}"))
        config = tmp_path / "platform-meter.yaml"
        config.write_text(CONFIG.format(url=jira.url))
        code, output = run("sources", "test", "-c", str(config), "tickets")
        assert code == 1
        assert output.startswith("tickets: ")
        assert "401" in output
        assert jira.seen


def test_priorities_that_the_tool_has_not_are_worth_knowing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sources test` holds the queues of the source against the priorities that its tool has, with exit 0."""
    monkeypatch.setenv("JIRA_TOKEN", "right")
    with serving() as jira:
        root = "/rest/api/3"
        jira.on(f"{root}/myself", Reply(200, body=b'{"timeZone": "UTC"}'))
        jira.on(f"{root}/priority", Reply(200, body=b'[{"id": "1", "name": "Highest"}, {"id": "2", "name": "Low"}]'))
        config = tmp_path / "platform-meter.yaml"
        config.write_text(CONFIG.format(url=jira.url))
        (tmp_path / "slo-definitions").mkdir()
        (tmp_path / "slo-definitions" / "help.yaml").write_text(QUEUE)
        code, output = run("sources", "test", "-c", str(config), "tickets")
    assert (code, output) == (
        0,
        (
            "worth knowing: Ticketing 'help' names P1, which the tool has not; it has Highest, Low; "
            "write these, or translate them under priorities of the source\n"
            "tickets: every call it needs was answered\n"
        ),
    )


def test_check_holds_slos_against_a_prometheus(tmp_path: Path) -> None:
    """Problems end it with 1 like those of files; a server that does not say how long it keeps samples is worth a word."""
    asked = Asked(series=[{"__name__": "http_requests"}], retention=None)
    path = tmp_path / "slo.yaml"
    path.write_text(RATIO)

    def answer(seen: Seen) -> Reply:
        status, body = asked.ask(seen.path, dict(parse_qsl(seen.query)))
        return Reply(status, body=body.encode())

    with serving() as server:
        for one in ("query", "labels", "label/__name__/values", "status/runtimeinfo"):
            server.on(f"/api/v1/{one}", answer)
        code, output = run("check", str(path), "--prometheus", server.url)
    text = "the server has no metric 'http_requests_total'; did you mean 'http_requests'?"
    assert (code, re.findall(r"slo\.yaml:(\d+):\d+: (.*)", output)) == (1, [("15", text), ("16", text)])
    assert f"worth knowing: {server.url} does not say for how long it keeps samples" in output
    assert output.endswith("2 problems\n")


def test_check_says_that_no_prometheus_answers(tmp_path: Path) -> None:
    """In one sentence, with 1; an address that is none is a mistake of usage, with 2."""
    path = tmp_path / "slo.yaml"
    path.write_text(RATIO)
    with serving() as server:
        url = server.url
    code, output = run("check", str(path), "--prometheus", url)
    assert code == 1
    said = f"GET /api/v1/query of prometheus: {url.removeprefix('http://')}: Connection refused"
    instead = "correct --prometheus, or see why it does not answer"
    assert output.splitlines()[1:] == [f"Error: {url} could not be asked: {said}; {instead}"]
    code, output = run("check", str(path), "--prometheus", "nonsense")
    assert (code, "Invalid value for --prometheus: url 'nonsense' is no http address" in output) == (2, True)
    code, output = run("check", str(path), "--prometheus", "")
    assert (code, "no address; write such as http://127.0.0.1:9090" in output) == (2, True)


def test_check_asks_no_prometheus_for_what_it_does_not_count(tmp_path: Path) -> None:
    """Nobody has to be there."""
    path = tmp_path / "slo.yaml"
    path.write_text(STORED)
    code, output = run("check", str(path), "--prometheus", "http://127.0.0.1:9")
    assert (code, output.splitlines()[1]) == (
        0,
        "http://127.0.0.1:9: no SLO here is counted by Prometheus, so it was not asked",
    )


def test_init_writes_what_check_understands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The starting file is whole YAML: `check` finds nothing in it, or only what a person has to fill in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert run("init")[0] == 0
    _, output = run("check")
    assert "platform-meter.yaml" in output
    assert "unknown key" not in output
