"""When there is anything new to look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.delivery import deployed, merged, scene

from platform_meter.measures.news import floor, mark
from platform_meter.model.facts.delivery import Change, Deployment

FIVE = timedelta(minutes=5)


@pytest.mark.parametrize(("minute", "second"), [(10, 0), (14, 59)])
def test_a_moment_lies_in_the_stretch_that_begins_before_it(minute: int, second: int) -> None:
    """At its very beginning too."""
    assert floor(datetime(2026, 6, 1, 12, minute, second, tzinfo=UTC), FIVE) == datetime(2026, 6, 1, 12, 10, tzinfo=UTC)


def test_a_fact_of_the_kind_and_time_are_news() -> None:
    """A fact of another kind is none, nor is time within the stretch."""
    before = scene(deployed(1, "a" * 40))
    seen = mark(before, [Deployment], FIVE)
    assert mark(scene(deployed(1, "a" * 40), merged(1, "b" * 40)), [Deployment], FIVE) == seen
    assert mark(scene(deployed(1, "a" * 40), merged(1, "b" * 40)), [Deployment, Change], FIVE) != seen
    assert mark(scene(deployed(1, "a" * 40), deployed(2, "b" * 40)), [Deployment], FIVE) != seen
    assert mark(replace(before, now=before.now + timedelta(minutes=4)), [Deployment], FIVE) == seen
    assert mark(replace(before, now=before.now + FIVE), [Deployment], FIVE) != seen
