"""Script files: files, a command, all that it prints, and its exit code (0 well, 1 problems found, 2 usage).

Each part of a file stands after a line `-- name --`. `command`, `output` and `exit` are the script; every other one
is a file that stands in the folder before the command runs, or, under `after/`, one that must stand there then.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.cases import parts

from platform_meter.cli import main

SCRIPTS = sorted(Path(__file__).with_name("scripts").glob("*.txt"))
AFTER = "after/"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.stem)
def test_script(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command prints just this, ends with this code, and leaves these files."""
    found = parts(script)
    command, output, code = found.pop("command"), found.pop("output"), found.pop("exit")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    for name in ("KUBECONFIG", "GITHUB_TOKEN", "JIRA_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, text in found.items():
        if not name.startswith(AFTER):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, "utf-8")
    words = shlex.split(command)
    assert words[0] == "platform-meter"
    done = CliRunner().invoke(main, words[1:], prog_name="platform-meter")
    assert (done.output, done.exit_code) == (output, int(code))
    for name, text in found.items():
        if name.startswith(AFTER):
            assert (tmp_path / name.removeprefix(AFTER)).read_text("utf-8") == text


def test_the_scripts_are_read() -> None:
    """An empty folder would prove nothing; the whole of a new user's first mistakes is one script."""
    assert {s.stem for s in SCRIPTS} >= {"check_new_user", "check_well", "serve_problems", "usage_unknown_command"}
