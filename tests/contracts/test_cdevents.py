"""The push source on the conformance events of the CDEvents specification, read where they lie."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.places import DOCS

from platform_meter.model.push import Pushed
from platform_meter.sources.push import Config, read

SAMPLES = sorted(Path(os.environ["PLATFORM_METER_CONTRACTS"], "samples/cdevents").glob("*.json"))
NOW = datetime(2026, 7, 1, tzinfo=UTC)
TOLD = {
    "change_merged": "Change",
    "incident_detected": "Incident",
    "incident_reported": "Incident",
    "incident_resolved": "Incident",
    "service_deployed": "Deployment",
    "service_rolledback": "Deployment",
    "service_upgraded": "Deployment",
}
DOCUMENTED = dict(
    re.findall(r"^\| (`[a-z]+\.[a-z.`, ]+) \| (.+?) \|$", (DOCS / "push.md").read_text("utf-8"), re.MULTILINE)
)


def said(body: bytes) -> list[str]:
    pushed = Pushed(headers={}, body=body, at=NOW, hashed=lambda person: person)
    return [type(fact).__name__ for fact in read(Config(), pushed)]


def test_they_are_there() -> None:
    """One of each type."""
    assert len(SAMPLES) > 40


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_each_is_a_fact_or_of_no_concern(path: Path) -> None:
    """Alone, in a CloudEvent, and with an older version of its type."""
    body = path.read_bytes()
    expected = [TOLD[path.stem]] if path.stem in TOLD else []
    assert said(body) == expected
    event = json.loads(body)
    cloud = {"specversion": "1.0", "id": "1", "source": "/", "type": event["context"]["type"], "data": event}
    assert said(json.dumps([cloud]).encode()) == expected
    event["context"]["version"] = "0.3.0"
    event["context"]["type"] = re.sub(r"\d+\.\d+\.\d+$", "0.1.0", event["context"]["type"])
    assert said(json.dumps(event).encode()) == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_each_is_documented(path: Path) -> None:
    """docs/push.md says what becomes of it, or that nothing does."""
    word = f"`{path.stem.replace('_', '.', 1)}`"
    (told,) = [becomes for names, becomes in DOCUMENTED.items() if word in names.split(", ")]
    assert told.startswith("nothing") == (path.stem not in TOLD)
