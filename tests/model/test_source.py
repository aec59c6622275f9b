"""What settings every source has, and what a source raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from platform_meter.model.source import (
    Expired,
    Limited,
    Page,
    Refused,
    SourceConfig,
    SourceError,
    TimedOut,
    Unexpected,
    Unreachable,
)


def test_settings_by_default() -> None:
    """A poll a minute, 30 s for one request, 90 days back; overlap and staleness follow from the interval."""
    found = SourceConfig()
    assert (found.every, found.timeout, found.history) == (
        timedelta(minutes=1),
        timedelta(seconds=30),
        timedelta(days=90),
    )
    assert (found.lookback, found.stale_after) == (None, None)


@pytest.mark.parametrize("key", ["every", "timeout", "stale_after", "history"])
def test_no_interval_is_0(key: str) -> None:
    """A poll every 0 s would be a flood; only the overlap may be nothing."""
    with pytest.raises(ValidationError, match="shorter than a second; write 1s or more"):
        SourceConfig.model_validate({key: "0s"})
    assert SourceConfig.model_validate({"lookback": "0s"}).lookback == timedelta()


def test_errors_are_grouped_by_what_happens_next() -> None:
    """Every one is a SourceError; a time-out is tried again like any silence; a quota says when, an answer its status."""
    for kind in (Unreachable, TimedOut, Refused, Expired, Unexpected, Limited):
        assert issubclass(kind, SourceError)
    assert issubclass(TimedOut, Unreachable)
    back = datetime(2026, 6, 1, tzinfo=UTC)
    assert (str(Limited("used up", back)), Limited("used up", back).until) == ("used up", back)
    assert (Unexpected("no JSON").status, Unexpected("gone", 404).status) == (0, 404)


def test_an_empty_page_changes_nothing() -> None:
    """No fact, no place, nothing over, nothing complete."""
    page = Page()
    assert (page.facts, page.checkpoint, page.gone, page.complete) == ((), None, (), frozenset())
    assert (page.caught_up, page.progress) == (False, None)
