"""What is a rollback."""

from __future__ import annotations

import pytest

from platform_meter.sources.kit.served import goes_back


@pytest.mark.parametrize(
    ("before", "version", "back"),
    [
        ("", "a", False),
        ("ab", "c", False),
        ("ab", "a", True),
        ("ab", "b", False),
        ("aba", "a", False),
        ("aba", "b", False),
        ("abc", "b", True),
    ],
)
def test_what_served_before_the_present_one_goes_back(before: str, version: str, back: bool) -> None:
    """By when each served first: what a rollback has just undone is no rollback when it is tried again."""
    assert goes_back(before, version) is back
