"""What commands share: problems, the line of progress, and the end on a signal."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import click
import pytest
from tests.support.waiting import PATIENCE

from platform_meter.cli import common
from platform_meter.model.definitions import Definitions
from platform_meter.runtime.files.check import Examined, examine
from platform_meter.store import Store, StoreError


def test_progress_is_a_line_beside_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, so that what a command prints stays its own."""
    common.progress("github", "importing 3 of 9 repositories")
    assert capsys.readouterr() == ("", "github: importing 3 of 9 repositories\n")


def test_a_signal_is_an_event_for_the_time_of_the_block() -> None:
    """SIGTERM and SIGINT ask to stop; afterwards they do what they did before."""
    before = signal.getsignal(signal.SIGTERM)
    with common.stopping() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(PATIENCE)
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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(13, "Permission denied", "/etc/salt"), "/etc/salt: Permission denied"),
        (OSError(98, "Address already in use"), "Address already in use"),
        (OSError("no socket"), "no socket"),
        (ValueError("the salt has 0 bytes"), "the salt has 0 bytes"),
        (StoreError("the store failed"), "the store failed"),
        (
            ImportError("No module named 'psycopg'"),
            "No module named 'psycopg'; install platform-meter with the extra that brings it, such as platform-meter[postgres]",
        ),
    ],
)
def test_what_the_machine_refuses_is_said_in_words(error: Exception, said: str) -> None:
    """The command ends with one line; a bug of ours keeps its trace."""
    with pytest.raises(click.ClickException) as told, common.in_words():
        raise error
    assert told.value.message == said
    with pytest.raises(KeyError), common.in_words():
        raise KeyError("x")


def test_an_address_that_is_taken_is_told_first() -> None:
    """Or one that is not ours, or that no host can have; an address that is free is free again afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(click.ClickException) as told:
            common.can_listen("127.0.0.1", port, "choose another")
    assert told.value.message == f"cannot listen at 127.0.0.1:{port}: Address already in use; choose another"
    common.can_listen("127.0.0.1", port, "")
    common.can_listen("127.0.0.1", port, "")
    common.can_listen("", 0, "")  # all addresses, of both families
    for host in ("192.0.2.1", "nosuch.invalid", "a..b"):
        with pytest.raises(click.ClickException, match=f"cannot listen at {host}:1234: .*; choose another"):
            common.can_listen(host, 1234, "choose another")


def test_settings_that_cannot_be_used_leave_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `check` could not foresee ends in words, and the store that was open by then is closed."""
    path = tmp_path / "platform-meter.yaml"
    path.write_text("salt: {env: SALT}\nsources: {p: {type: prometheus, url: 'http://127.0.0.1:1'}}\n")
    found = examine(path, (), {"SALT": "pepper and sixteen bytes"})
    assert found.problems == ()
    closed: list[Store] = []
    close = Store.close

    def closing(store: Store) -> None:
        closed.append(store)
        close(store)

    monkeypatch.setattr(Store, "close", closing)
    monkeypatch.setenv("SALT", "x" * 15)
    with pytest.raises(click.ClickException, match="the salt in variable SALT has 15 bytes and needs 16 or more"):
        common.open_service(found)
    assert len(closed) == 1


def test_a_salt_may_stand_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` means the same to `check` and to what runs."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "salt").write_text("pepper and sixteen bytes")
    path = tmp_path / "platform-meter.yaml"
    path.write_text("salt: {file: ~/salt}\n")
    found = examine(path)
    assert found.problems == ()
    common.open_service(found).close()


def test_without_a_configuration_there_is_no_service() -> None:
    """Definitions alone can't be served."""
    nothing = Examined(config=None, definitions=Definitions(), problems=(), slo_files=())
    with pytest.raises(click.ClickException, match="there is no configuration"):
        common.open_service(nothing)
