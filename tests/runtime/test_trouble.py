"""What the log hears of failing polls."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from tests.support.stores import NOON

from platform_meter.runtime.trouble import Trouble

REFUSED = "GET /orgs/acme/repos of gh: 401, the credential is not accepted"


@dataclass
class Clock:
    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


def test_the_same_failure_is_said_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    """A token refused each minute of a day: 9 lines instead of 1,440, each with how often it was."""
    clock = Clock()
    trouble = Trouble("gh", clock)
    said: dict[int, str] = {}
    for minute in range(24 * 60):
        trouble.failed("api", REFUSED)
        said[minute] = "".join(lines(caplog))
        clock.at += timedelta(minutes=1)
    found = {minute: text for minute, text in said.items() if text}
    assert list(found) == [0, 10, 30, 70, 150, 310, 630, 990, 1350]
    assert found[0] == f"gh/api: {REFUSED}"
    assert found[10] == f"gh/api: {REFUSED} (11 times since 2026-06-01 12:00 UTC)"


def test_another_failure_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """But not for another moment in the same text, nor for one that was said before."""
    trouble = Trouble("gh", Clock())
    for text in (
        "the quota is used up until 2026-06-01 12:10:00 UTC",
        "the quota is used up until 2026-06-02 07:20:59.5 UTC",
        "502 Bad Gateway",
        "503 Slow",
        "502 Bad Gateway",
    ):
        trouble.failed("api", text)
    assert lines(caplog) == [
        "gh/api: the quota is used up until 2026-06-01 12:10:00 UTC",
        "gh/api: 502 Bad Gateway",
        "gh/api: 503 Slow",
    ]


def test_what_all_streams_say_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """And that it is over, once the last of them is read."""
    trouble = Trouble("eu", Clock())
    for stream in ("pods", "nodes", "pods"):
        trouble.failed(stream, REFUSED)
    trouble.worked("events")
    trouble.worked("pods")
    assert lines(caplog) == [f"eu/pods: {REFUSED}"]
    trouble.worked("nodes")
    trouble.worked("nodes")
    assert lines(caplog) == ["eu/nodes: is read again, after 3 failures since 2026-06-01 12:00 UTC"]
    trouble.failed("nodes", REFUSED)
    assert lines(caplog) == [f"eu/nodes: {REFUSED}"]


def test_the_trace_of_what_nobody_declared_is_shown_once(caplog: pytest.LogCaptureFixture) -> None:
    """Its text goes on being counted."""
    clock = Clock()
    trouble = Trouble("gh", clock)
    for _ in range(2):
        try:
            int("status")
        except ValueError:
            trouble.failed("api", "ValueError: status", odd=True)
        clock.at += timedelta(minutes=10)
    traces = [bool(record.exc_info) for record in caplog.records if record.levelno == logging.ERROR]
    assert traces == [True, False]


def test_few_failures_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Of a source that says another thing each time the oldest is forgotten."""
    trouble = Trouble("gh", Clock())
    for number in range(102):
        trouble.failed("api", f"no repository {number:03}")
    lines(caplog)
    trouble.failed("api", "no repository 101")
    assert lines(caplog) == []
    trouble.failed("api", "no repository 000")
    assert lines(caplog) == ["gh/api: no repository 000"]
