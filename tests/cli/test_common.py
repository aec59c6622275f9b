"""What commands share: problems, the line of progress, and the end on a signal."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path

import click
import pytest

from platform_meter.cli import common
from platform_meter.model.definitions import Definitions
from platform_meter.runtime.check import Examined


class Terminal(io.StringIO):
    """An output that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is written over the last, wiping what was longer."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(common, "_last_line", "")
    common.progress("github", "2026-03 of acme/payments")
    common.progress("jira", "done")
    first = "importing github: 2026-03 of acme/payments"
    assert screen.getvalue() == "\r" + first + "\r" + "importing jira: done".ljust(len(first))


def test_progress_does_not_fill_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stderr is a file nothing is written."""
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    common.progress("github", "2026-03 of acme/payments")
    assert log.getvalue() == ""


def test_a_signal_is_an_event_for_the_time_of_the_block() -> None:
    """SIGTERM and SIGINT ask to stop; afterwards they do what they did before."""
    before = signal.getsignal(signal.SIGTERM)
    with common.stopping() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGTERM) is before


def test_problems_end_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every problem on stdout, their number on stderr, exit 1."""
    path = tmp_path / "platform-meter.yaml"
    path.write_text("zone: Mars\ntik: 1s\n")
    with pytest.raises(SystemExit) as ended:
        common.examined(path)
    out, err = capsys.readouterr()
    assert ended.value.code == 1
    assert out.count(f"{path}:") == 2
    assert err == "2 problems\n"


def test_without_a_configuration_there_is_no_service() -> None:
    """Definitions alone can't be served."""
    nothing = Examined(config=None, definitions=Definitions(), problems=(), slo_files=())
    with pytest.raises(click.ClickException, match="there is no configuration"):
        common.open_service(nothing)
