"""Slices of time whose counts are told as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, ValidationError

from platform_meter.sources.kit.slicing import Slice, begun


class Settings(BaseModel):
    slice: Slice


@pytest.mark.parametrize(("minutes", "expected"), [(1, (12, 34)), (5, (12, 30)), (15, (12, 30)), (60, (12, 0))])
def test_slices_are_cut_in_utc(minutes: int, expected: tuple[int, int]) -> None:
    """Each begins with a multiple of its length since the hour began, and holds its first moment."""
    width = timedelta(minutes=minutes)
    start = begun(datetime(2026, 6, 1, 12, 34, 56, tzinfo=UTC), width)
    assert start == datetime(2026, 6, 1, *expected, tzinfo=UTC)
    assert begun(start, width) == start


@pytest.mark.parametrize(("text", "good"), [("1m", True), ("20m", True), ("1h", True), ("90s", False), ("7m", False), ("2h", False), ("0m", False)])  # fmt: skip
def test_a_slice_fills_an_hour(text: str, good: bool) -> None:
    """In whole minutes, or it is refused with what can be written."""
    if good:
        assert Settings.model_validate({"slice": text}).slice > timedelta(0)
    else:
        with pytest.raises(ValidationError, match=r"write 1m, 5m|must be longer|0m"):
            Settings.model_validate({"slice": text})
