"""Rows that tell who takes which course. Who it is leaves the source in no form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.facts.training import Enrolment
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import Config, TrainingRows
from platform_meter.sources.documents.facts import told

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LOOK = Look(start=NOON - timedelta(days=2), now=NOON, delay=timedelta(minutes=1), hashed=lambda who: f"h{len(who)}")
ENTRY: dict[str, Any] = {
    "id": "academy",
    "path": "/x",
    "at": "/began",
    "course": "/course",
    "person": "/who",
    "completed": "/ended",
}


def entry(**more: Any) -> TrainingRows:
    return Config.model_validate({"url": "http://x", "training": [{**ENTRY, **more}]}).training[0]


def row(hours: float = 10, **more: Any) -> dict[str, Any]:
    return {"began": (NOON - timedelta(hours=hours)).isoformat(), "course": "gateway", "who": "ada@x", **more}


def test_a_person_is_a_hash_and_their_course_may_go_on() -> None:
    """Nobody is named, in the key neither; what is empty is no end yet."""
    (one,) = told(entry(), [row(ended="")], LOOK).facts
    assert isinstance(one, Enrolment)
    assert (one.course, one.person, one.completed) == ("gateway", "h5", None)
    assert "ada" not in repr(one)
    (keyed,) = told(entry(key=["/who"]), [row(ended=NOON.isoformat())], LOOK).facts
    assert isinstance(keyed, Enrolment)
    assert (keyed.completed, "ada" in repr(keyed)) == (NOON, False)


def test_what_can_not_be_is_left_out() -> None:
    """An end before the beginning, or one that has not been; what is older than history is not told."""
    early, late = ((NOON + timedelta(hours=n)).isoformat() for n in (-11, 24))
    found = told(entry(), [row(ended=early), row(9, ended=late)], LOOK)
    assert (found.facts, dict(found.odd)) == ([], {"contradiction": 1, "future": 1})
    assert told(entry(), [row(72)], LOOK).facts == []


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"at": "now"}, "each poll would begin the course anew; write where the moment of a row stands"),
        ({"by": ["/team"]}, "a course is nobody's service; remove by"),
    ],
)
def test_settings_that_can_not_be_are_refused(more: dict[str, Any], text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=text):
        entry(**more)
