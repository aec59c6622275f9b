"""`report` on a store with something in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.http import Reply, serving

from platform_meter.cli import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A store without anything in it."""
    path = tmp_path / "platform-meter.yaml"
    url = f"sqlite:///{tmp_path / 'store.db'}"
    path.write_text(f"zone: UTC\nstore: {{url: '{url}'}}\nlinks: {{exporter: https://meter.example/}}\n")
    (tmp_path / "slo-definitions").mkdir()
    return path


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("md", "# The platform in week 2026-W02\n\nMonday 05 January 2026 to Sunday 11 January 2026, in UTC; "),
        ("html", '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'),
        ("text", "The platform in week 2026-W02\n=============================\n\nMonday 05 January 2026 to "),
    ],
)
def test_a_week_in_each_form(config: Path, form: str, begins: str) -> None:
    """With the address of its page."""
    ran = CliRunner().invoke(main, ["report", "-c", str(config), "--week", "2026-W02", "--format", form])
    assert (ran.exit_code, ran.output[: len(begins)]) == (0, begins)
    assert "https://meter.example/report/2026-W02" in ran.output


def test_into_a_file(config: Path, tmp_path: Path) -> None:
    """Then nothing is printed."""
    ran = CliRunner().invoke(main, ["report", "-c", str(config), "--week", "2026-01-07", "-o", str(tmp_path / "r.md")])
    assert (ran.exit_code, ran.output) == (0, "")
    assert (tmp_path / "r.md").read_text().startswith("# The platform in week 2026-W02\n")


@pytest.mark.parametrize(
    ("week", "why"), [("soon", "'soon' is no week; write one as 2026-W48"), ("2999-W01", "2999-W01 is not over before")]
)
def test_a_week_that_has_no_report(config: Path, week: str, why: str) -> None:
    """What is no week, and what is not over, is usage that is wrong."""
    ran = CliRunner().invoke(main, ["report", "-c", str(config), "--week", week])
    assert ran.exit_code == 2
    assert why in ran.output


def test_a_report_that_goes_nowhere(config: Path) -> None:
    """What has to be written is said; nothing is printed in its place."""
    ran = CliRunner().invoke(main, ["report", "-c", str(config), "--week", "2026-W02", "--mail"])
    assert ran.exit_code == 2
    assert "the configuration does not say where to; write report: {mail: ...} into it" in ran.output


def test_to_a_chat_and_by_mail(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chat gets the few lines that are worth most, although no mail server answers; that is said, and ends it with 1."""
    mail = "mail: {host: 127.0.0.1, port: 1, tls: none, from: a@example.org, to: b@example.org}"
    with config.open("a") as file:
        file.write(f"report: {{chat: {{url: {{env: HOOK}}}}, {mail}}}\n")
    with serving() as server:
        server.on("/hook", Reply(body=b"ok"))
        monkeypatch.setenv("HOOK", f"{server.url}/hook")
        ran = CliRunner().invoke(main, ["report", "-c", str(config), "--week", "2026-W02", "--mail", "--chat"])
    (seen,) = server.seen
    told = json.loads(seen.body)["text"].splitlines()
    assert (told[0], told[-1]) == ("The platform in week 2026-W02", "https://meter.example/report/2026-W02")
    assert ran.exit_code == 1
    assert "sent by chat\n" in ran.output
    assert ran.output.endswith("Error: the mail server 127.0.0.1:1: Connection refused\n")
