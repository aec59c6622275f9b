"""How far a long read is, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from platform_meter.model.progress import Progress


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, "repositories of acme"),
        ({"of": 1308}, "repositories of acme"),
        ({"done": 0}, "0 repositories of acme"),
        ({"done": 120, "of": 1308}, "120 of 1,308 repositories of acme"),
        ({"back_to": datetime(2026, 3, 5, 23, 59, tzinfo=UTC)}, "repositories of acme, back to 2026-03-05"),
    ],
)
def test_progress_in_words(said: dict[str, Any], text: str) -> None:
    """What is not known is left out."""
    assert str(Progress(what="repositories of acme", **said)) == text
