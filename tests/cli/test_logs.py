"""The log, as a program reads it and as people do."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from platform_meter.cli import main
from platform_meter.cli.logs import JsonLines, formatter


def record(text: str, *values: object, failed: bool = False) -> logging.LogRecord:
    made = logging.LogRecord("platform_meter.x", logging.WARNING, "x.py", 1, text, values, None)
    made.created = 1_780_000_000.25
    if failed:
        try:
            os.environ["A B"]
        except KeyError:
            made.exc_info = sys.exc_info()
    return made


def test_one_object_a_line() -> None:
    """With its time in UTC, and the whole trace inside; whatever the text holds, it stays one line."""
    line = JsonLines().format(record("a %s\nb \udcff", '"q"', failed=True))
    assert "\n" not in line
    said = json.loads(line)
    trace = said.pop("trace")
    assert said == {
        "time": "2026-05-28T20:26:40.250+00:00",
        "level": "WARNING",
        "logger": "platform_meter.x",
        "msg": 'a "q"\nb ?',
    }
    assert trace.startswith("Traceback (most recent call last):")
    assert trace.endswith("KeyError: 'A B'")


def test_without_a_trace_there_is_none() -> None:
    """Absent, not empty."""
    assert sorted(json.loads(JsonLines().format(record("a")))) == ["level", "logger", "msg", "time"]


def test_people_read_lines() -> None:
    """That is what there is without the option."""
    assert formatter("text").format(record("a %s", 1)).endswith(" WARNING a 1")


@pytest.mark.parametrize(("words", "code"), [(["--log-format", "json"], 0), (["--log-format", "xml"], 2)])
def test_the_option_is_that_of_every_command(words: list[str], code: int, tmp_path: Path) -> None:
    """Another word is a wrong call."""
    assert CliRunner().invoke(main, [*words, "metrics"]).exit_code == code
