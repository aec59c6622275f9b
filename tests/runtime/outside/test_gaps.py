"""Gaps are told once, until they are filled or could not be kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.model.source import Gap
from platform_meter.runtime.outside.gaps import Gaps

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
GAP = Gap(start=NOON, end=NOON + timedelta(hours=1), reason="forbidden", text="closed", what="acme/api runs")


def test_a_gap_is_told_once() -> None:
    """In whatever words it comes again; another range is another gap."""
    told: list[Gap] = []
    gaps = Gaps(told.append, lambda *_: None)
    later = replace(GAP, end=NOON + timedelta(hours=2))
    for each in (GAP, replace(GAP, text="still closed"), later, GAP):
        gaps.tell(each)
    assert told == [GAP, later]


def test_a_gap_that_comes_again_after_it_was_filled_is_told_again() -> None:
    """Of what was read after all, and in that range alone."""
    told: list[Gap] = []
    filled: list[tuple[str, datetime, datetime]] = []
    gaps = Gaps(told.append, lambda *one: filled.append(one))
    other = replace(GAP, what="acme/web runs")
    for each in (GAP, other):
        gaps.tell(each)
    gaps.fill("acme/api runs", GAP.start, GAP.end)
    for each in (GAP, replace(GAP, text="closed again"), other):
        gaps.tell(each)
    assert told == [GAP, other, GAP]
    assert filled == [("acme/api runs", GAP.start, GAP.end)]


def test_a_gap_that_could_not_be_kept_is_told_again() -> None:
    """The store failed once: the next word of the same gap goes through, the one after is known."""
    told: list[Gap] = []

    def keep(gap: Gap) -> None:
        told.append(gap)
        if len(told) == 1:
            raise OSError("the disk is full")

    gaps = Gaps(keep, lambda *_: None)
    with pytest.raises(OSError, match="the disk is full"):
        gaps.tell(GAP)
    gaps.tell(GAP)
    gaps.tell(GAP)
    assert told == [GAP, GAP]
