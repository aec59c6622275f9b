from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from tests.support.waiting import PATIENCE
from werkzeug.test import Client

from platform_meter.demo.stage.pager import Alert, pager, read

LABELS = {"alertname": "SLOBurn", "slo": "ci-success", "level": "page", "window": "1h"}
FIRING = {
    "status": "firing",
    "labels": LABELS,
    "annotations": {"summary": "ci-success burns its 28-day budget 25.0 times too fast"},
    "startsAt": "2026-05-20T09:30:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://127.0.0.1:9090/graph",
    "fingerprint": "a1",
}


def webhook(*alerts: dict[str, Any]) -> bytes:
    return json.dumps({"version": "4", "receiver": "pages", "status": "firing", "alerts": alerts}).encode()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "PAGE ci-success burns its 28-day budget 25.0 times too fast"),
        ({"status": "resolved"}, "OVER ci-success: SLOBurn (page, 1h)"),
        ({"annotations": {}}, "PAGE ci-success SLOBurn"),
        ({"labels": {"alertname": "SourceDown"}, "annotations": {}}, "ALERT SourceDown"),
        ({"labels": {"alertname": "SourceDown"}, "status": "resolved"}, "OVER SourceDown: SourceDown"),
        ({"annotations": {"summary": "two\nlines \x1b[31m in red"}}, "PAGE two lines [31m in red"),
    ],
)
def test_one_line_for_each_alert(changes: dict[str, Any], line: str) -> None:
    """Level and summary while it fires, its name when it is over; control characters never reach the terminal."""
    (alert,) = read(webhook(FIRING | changes))
    assert alert.line == line


def test_from_when_to_when() -> None:
    """Beginning and end are those of the alert, not the moments when somebody was told."""
    (alert,) = read(webhook(FIRING | {"status": "resolved", "endsAt": "2026-05-20T09:41:30.123456789Z"}))
    assert alert.starts_at == datetime(2026, 5, 20, 9, 30, tzinfo=UTC)
    assert alert.ends_at == datetime(2026, 5, 20, 9, 41, 30, 123457, tzinfo=UTC)


def test_every_alert_of_a_webhook_is_told_in_order() -> None:
    """One webhook tells of a whole group."""
    told: list[Alert] = []
    answer = Client(pager(told.append)).post("/", data=webhook(FIRING, FIRING | {"status": "resolved"}))
    assert (answer.status_code, answer.text) == (200, "told\n")
    assert [alert.status for alert in told] == ["firing", "resolved"]


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"alerts": [{"labels": {"a": 1}}]}'])
def test_anything_else_is_refused(body: bytes) -> None:
    """What is no webhook gets 400 with the reason, and nobody is told."""
    told: list[Alert] = []
    answer = Client(pager(told.append)).post("/", data=body)
    assert answer.status_code == 400
    assert answer.text.startswith("no webhook of Alertmanager: ")
    assert told == []


def test_a_browser_is_told_what_this_is() -> None:
    """GET is not for pagers."""
    answer = Client(pager(lambda _: None)).get("/")
    assert answer.status_code == 405
    assert answer.text == "this is a pager: Alertmanager posts its webhooks here\n"


def test_alone() -> None:
    """As a program it says where it waits, prints each page, and ends well on SIGTERM."""
    command = [sys.executable, "-m", "platform_meter.demo.stage.pager", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.readline()
        assert first.startswith("waiting for pages at http://127.0.0.1:")
        answer = requests.post(first.split()[-1], data=webhook(FIRING), timeout=PATIENCE)
        assert answer.status_code == 200
        assert process.stdout.readline() == "PAGE ci-success burns its 28-day budget 25.0 times too fast\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
        assert process.wait(PATIENCE) == 0
