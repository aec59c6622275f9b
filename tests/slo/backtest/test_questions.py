"""What Prometheus is asked, and in how many answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.slos import LATENCY, RATIO, SLICES, STORED, THRESHOLD, planned

from platform_meter.slo.backtest.questions import POINTS, questions, ranges

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "good", "minutes"), [(RATIO, False, 1), (LATENCY, True, 1), (SLICES, False, 1), (THRESHOLD, False, 5)]
)
def test_bad_or_good_and_valid_events_of_a_step(text: str, good: bool, minutes: int) -> None:
    """Both are PromQL; slices are as long as the SLO has them."""
    found = questions(planned(text))
    assert found is not None
    assert (found.good, found.step) == (good, minutes * MINUTE)
    for query in (found.valid, found.part):
        promql_parser.parse(query)


def test_what_the_exporter_counts_is_not_asked_for() -> None:
    """Its past is in the store."""
    assert questions(planned(STORED)) is None


@given(st.integers(0, 10**8), st.integers(1, 50_000), st.sampled_from([1, 5]))
def test_answers_hold_each_step_once(first: int, size: int, minutes: int) -> None:
    """Within the bound of one answer; the first may begin earlier, so that kept answers begin where they began before."""
    step = minutes * MINUTE
    start = datetime.fromtimestamp(first // (60 * minutes) * 60 * minutes, UTC)
    end = start + size * step
    found = list(ranges(start, end, step))
    assert all((last - begin) / step < POINTS for begin, last in found)
    assert found[0][0] <= start + step
    assert found[-1][1] == end
    assert all(later[0] == earlier[1] + step for earlier, later in pairwise(found))
    longer = list(ranges(start, end + POINTS * step, step))
    assert longer[: len(found) - 1] == found[:-1]
