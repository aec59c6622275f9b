"""`explain` on a store with something in it. What it says of names and labels that are not there stands in `scripts/`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.stores import Rules

from platform_meter import measures
from platform_meter.cli import main
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.measure import Counting
from platform_meter.model.source import Page
from platform_meter.store import Store

CONFIG = """\
zone: UTC
store: {{url: "sqlite:///{path}"}}
sources:
  code: {{type: github, org: acme, token: {{env: NO_TOKEN}}}}
"""
NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the command reads its own clock


def run(key: str, outcome: Outcome) -> PipelineRun:
    return PipelineRun(
        key=key,
        at=NOW - timedelta(minutes=5),
        about=Ref(system="github", kind="repository", id="acme/pay"),
        pipeline="ci",
        outcome=outcome,
        ran=timedelta(seconds=60),
        group=key,
        url=f"https://github.example/acme/pay/actions/runs/{key}",
    )


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_TOKEN", "none")
    path = tmp_path / "store.db"
    loaded = measures.load(Definitions())
    store = Store.open(
        f"sqlite:///{path}",
        zone="UTC",
        countings=[one for one in loaded if isinstance(one, Counting)],
        directory=Rules({"*": "payments"}),
    )
    poll = store.begin_poll(
        "code", "github", "runs", now=NOW, lookback=timedelta(minutes=15), history=timedelta(days=1)
    )
    store.write(poll, Page(facts=[run("1", Outcome.SUCCESS), run("2", Outcome.CANCELLED)]), now=NOW)
    store.end_poll(poll, now=NOW)
    store.close()
    file = tmp_path / "platform-meter.yaml"
    file.write_text(CONFIG.format(path=path), "utf-8")
    return file


def explained(config: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["explain", "-c", str(config), *words])
    return done.exit_code, done.output


def test_a_counter_is_told_with_the_runs_behind_it(config: Path) -> None:
    """Each with its page in the system that told it."""
    code, output = explained(config, "platform_pipeline_runs_total", "outcome=success")
    lines = output.splitlines()
    assert code == 0
    assert lines[0].startswith("platform_pipeline_runs_total{system=github, team=")
    assert lines[0].endswith("outcome=success} is 1")
    assert lines[2] == "  1 facts, which add up to 1:"
    assert lines[3].endswith("https://github.example/acme/pay/actions/runs/1")


def test_programs_get_json(config: Path) -> None:
    """The same, with all labels of the series that was meant."""
    code, output = explained(config, "--format", "json", "platform_pipeline_runs_total", "outcome=cancelled")
    told = json.loads(output)
    assert (code, told["value"], told["adds"], told["labels"]["outcome"]) == (0, 1.0, 1.0, "cancelled")
    assert [fact["object"] for fact in told["listed"]] == ["github:acme/pay"]


def test_labels_that_fit_several_are_told_apart(config: Path) -> None:
    """Nothing is guessed."""
    code, output = explained(config, "platform_pipeline_runs_total")
    assert code == 1
    assert output.startswith("2 series fit; say more labels: {system=github, team=")
