"""The command as a whole: what it offers, its exit codes, and that asking for help is quick."""

from __future__ import annotations

import logging
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from tests.support.waiting import PATIENCE

from platform_meter import __version__
from platform_meter.cli import main

HEAVY = (
    "sqlalchemy",
    "pydantic",
    "numpy",
    "scipy",
    "grafanalib",
    "cheroot",
    "requests",
    "jinja2",
    "apscheduler",
    "yaml",
)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


ALL = commands(main)


def test_what_it_offers() -> None:
    """Written out: a command that is taken back or renamed breaks people's scripts."""
    assert sorted(" ".join(words) for words, _ in ALL) == [
        "check",
        "demo",
        "explain",
        "generate",
        "init",
        "metrics",
        "operator",
        "people",
        "people forget",
        "people rotate",
        "report",
        "serve",
        "slo",
        "slo backtest",
        "slo convert",
        "slo explain",
        "slo list",
        "sources",
        "sources list",
        "sources test",
        "store",
        "store check",
        "store prune",
        "survey",
        "survey invite",
    ]


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_every_command_says_what_it_does(words: tuple[str, ...], command: click.Command) -> None:
    """In a sentence, with a text for every option; `-h` and `--help` alike, with exit code 0."""
    done = [CliRunner().invoke(main, [*words, flag]) for flag in ("-h", "--help")]
    assert [d.exit_code for d in done] == [0, 0]
    assert done[0].output == done[1].output
    assert command.help
    assert command.help.partition("\n")[0].endswith(".")
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


@pytest.mark.parametrize("arguments", [["nothing"], ["--nothing"], ["sources", "nothing"], ["sources", "test"]])
def test_a_call_that_is_none_exits_2(arguments: list[str]) -> None:
    """Usage is no problem of the files: scripts can tell the two apart."""
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "Usage: " in done.output


def test_the_version_is_the_packages() -> None:
    """One number, in one place."""
    done = CliRunner().invoke(main, ["--version"], prog_name="platform-meter")
    assert (done.output, done.exit_code) == (f"platform-meter, version {__version__}\n", 0)


def test_the_schedulers_own_log_is_quiet() -> None:
    """A start that is skipped is said once, by the poller."""
    assert CliRunner().invoke(main, ["metrics"]).exit_code == 0
    assert logging.getLogger("apscheduler").level == logging.ERROR


def test_help_waits_for_nothing_it_does_not_need() -> None:
    """A fresh process that prints help has loaded no library but click."""
    script = f"import sys, platform_meter.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == "[]\n"
