"""Rows that are feedback: what they are about, and whether somebody was told. What was said is not kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.facts.roadmap import Feedback
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import Config, FeedbackRows
from platform_meter.sources.documents.facts import told

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LOOK = Look(start=NOON - timedelta(days=2), now=NOON, delay=timedelta(minutes=1), hashed=str)
ENTRY: dict[str, Any] = {
    "id": "interviews", "path": "/x", "key": ["/round", "/id"], "at": "/at", "theme": "/theme",
    "persona": "/persona", "told": "/told", "closed": {"value": "/state", "among": ["closed", "rejected"]},
}  # fmt: skip


def entry(**more: Any) -> FeedbackRows:
    return Config.model_validate({"url": "http://x", "feedback": [{**ENTRY, **more}]}).feedback[0]


def row(**more: Any) -> dict[str, Any]:
    return {"round": 3, "id": "a", "at": (NOON - timedelta(days=1)).isoformat(), "theme": "docs", **more}


def test_a_row_is_named_by_its_key() -> None:
    """By the values of all of it; what is missing or empty says nothing."""
    (one,) = told(entry(), [row(persona="", told=None, text="Ada waits for builds")], LOOK).facts
    assert isinstance(one, Feedback)
    assert (one.name, one.theme, one.persona, one.told, one.closed) == ("3/a", "docs", "", None, False)
    assert "Ada" not in repr(one)


@pytest.mark.parametrize(("state", "closed"), [("closed", True), ("rejected", True), ("open", False), ("", False)])
def test_values_that_the_file_names_close_it(state: str, closed: bool) -> None:
    """No others do."""
    (one,) = told(entry(), [row(state=state, persona="developer", told=NOON.isoformat())], LOOK).facts
    assert isinstance(one, Feedback)
    assert (one.closed, one.persona, one.told) == (closed, "developer", NOON)


def test_what_can_not_be_is_left_out() -> None:
    """Somebody told before it was said, or tomorrow, or a theme that is none; what is older than history is not told."""
    early = (NOON - timedelta(days=1, hours=1)).isoformat()
    late = (NOON + timedelta(days=1)).isoformat()
    found = told(entry(), [row(told=early), row(id="b", told=late), row(id="c", theme=[])], LOOK)
    assert (found.facts, dict(found.odd)) == ([], {"contradiction": 1, "future": 1, "invalid": 1})
    assert told(entry(), [row(at=(NOON - timedelta(days=3)).isoformat())], LOOK).facts == []


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"at": "now"}, "somebody said it before it was read; write where the moment of a row stands"),
        ({"by": ["/who"]}, "feedback is nobody's service; remove by"),
        ({"key": []}, "at least 1 item"),
    ],
)
def test_settings_that_can_not_be_are_refused(more: dict[str, Any], text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=text):
        entry(**more)
