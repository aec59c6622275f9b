"""Questions to a Prometheus: whole slices, and no answer that is not whole. What its source asks is tested there."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Unreachable
from platform_meter.sources.kit.promql import Asked, ask, counted, slices
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
ENDS = range(600, 1201, 300)
ASKED = Asked(text="sum by (a) (increase(x[360s]))", by=("a",), wide=360, becomes=Usage)


@given(
    st.integers(0, 5_000_000).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    st.lists(st.integers(0, 10_000), max_size=6),
    st.sampled_from([60, 300, 3600, 86_400]),
)
def test_slices_read_in_steps_are_those_read_at_once(first: datetime, pauses: list[int], step: int) -> None:
    """Polls at any moments read every whole slice once, in order: none is skipped, none read twice."""
    window = timedelta(seconds=step)
    whole: list[int] = []
    last = now = first
    for pause in pauses:
        now += timedelta(seconds=pause)
        ends = slices(last, now, window)
        whole += ends
        last = datetime.fromtimestamp(ends[-1], UTC) if ends else last
    assert whole == list(slices(first, now, window))
    assert all(end % step == 0 and first.timestamp() < end <= now.timestamp() for end in whole)


def answer(*series: dict[str, Any], **more: Any) -> FakeOutside:
    body = {"status": "success", "data": {"resultType": "matrix", "result": list(series)}, **more}
    return FakeOutside(lambda _: Reply(body=body))


def test_amounts_are_told_by_labels_and_slices() -> None:
    """Scaled back to their slice; series that differ in other labels alone are added up; what is no number is unknown."""
    outside = answer(
        {"metric": {"a": "1", "b": "x"}, "values": [[600, "6"], [900, "12"]]},
        {"metric": {"a": "1", "b": "y"}, "values": [[900, "24"], [1200, "many"]]},
        {"metric": {}, "values": [[600, "+Inf"]]},
    )
    amounts, odd = ask(Sieve(outside), ASKED, ENDS)
    assert (amounts["1",][600], amounts["1",][900], odd) == (5.0, 30.0, 0)
    assert math.isnan(amounts["1",][1200])
    assert math.isnan(amounts["",][600])
    assert dict(outside.calls[0].params) == {"query": ASKED.text, "start": 600, "end": 1200, "step": 300}


def test_a_row_that_is_none_is_left_out_and_counted() -> None:
    """Whoever asked decides what that means for the others."""
    amounts, odd = ask(Sieve(answer({"metric": "none"}, {"metric": {"a": "1"}, "values": [[600, "6"]]})), ASKED, ENDS)
    assert (dict(amounts["1",]), odd) == ({600: 5.0}, 1)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"warnings": ["No StoreAPIs matched for this query"]}, "No StoreAPIs matched for this query"),
        ({"warnings": ["receive series from Addr: store:10901: rpc error: code = Unavailable"]}, "receive series"),
        ({"warnings": ["Query result may contain partial data."]}, "Query result may contain partial data."),
        ({"infos": ["one of two regions did not answer"]}, "one of two regions did not answer"),
        ({"isPartial": True}, "isPartial"),
    ],
    ids=["Thanos", "a store of Thanos", "Cortex", "whoever says it as an info", "VictoriaMetrics"],
)
def test_a_partial_answer_is_no_answer(said: dict[str, Any], text: str) -> None:
    """What a server says may not be whole would stand for good."""
    whole = {"metric": {"a": "1"}, "values": [[600, "6"]]}
    with pytest.raises(Unreachable, match=f"the server says its answer may not be whole: {text}"):
        ask(Sieve(answer(whole, **said)), ASKED, ENDS)


def test_remarks_on_the_query_pass() -> None:
    """Prometheus marks them as its own; they say nothing of what is missing."""
    remarks = {
        "warnings": ["PromQL warning: bucket label missing"],
        "infos": ["PromQL info: metric might not be a counter"],
    }
    amounts, _ = ask(Sieve(answer({"metric": {"a": "1"}, "values": [[600, "6"]]}, **remarks)), ASKED, ENDS)
    assert dict(amounts["1",]) == {600: 5.0}


def test_that_which_counted_more_is_the_later_read() -> None:
    """Up to a bound that a date can bear."""
    assert counted(3.0) < counted(3.5)
    assert counted(1e30) == counted(1e12)
