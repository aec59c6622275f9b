"""docs/correctness.md names tests that are there."""

from __future__ import annotations

import re

import pytest
from tests.support.places import DOCS, ROOT

NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (DOCS / "correctness.md").read_text("utf-8"))))


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_what_holds_a_row_is_there(path: str, test: str) -> None:
    """The module, and the test in it where one is named."""
    text = (ROOT / path).read_text("utf-8")
    assert not test or f"def {test}(" in text


def test_rows_are_found() -> None:
    """An empty list would prove nothing."""
    assert len(NAMED) > 15
