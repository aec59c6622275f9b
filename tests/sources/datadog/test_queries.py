"""Metric queries: which count, which give levels, and what is asked for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tests.sources.datadog.datadog_server import Datadog
from tests.sources.datadog.test_datadog import ERRORS, HITS, SETTINGS, read

from platform_meter.sources.datadog.config import Config
from platform_meter.sources.datadog.queries import minutely
from platform_meter.testing.outside import FakeOutside

HOW = "write for example sum:trace.http.request.hits{service:checkout}.as_count()"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hits", f"the query has no metric with its tags; {HOW}"),
        ("avg:hits{*}.as_count()", f"avg:hits{{*}}.as_count() is no sum over its hosts; {HOW}"),
        ("hits{*}.as_count()", f"hits{{*}}.as_count() is no sum over its hosts; {HOW}"),
        ("sum:hits{*}", "sum:hits{*} is a rate or an average; add .as_count() behind it"),
        ("sum:hits{*}.as_rate()", "sum:hits{*}.as_rate() is a rate or an average; add .as_count() behind it"),
        (
            "sum:hits{*} by {host}.as_count()",
            "sum:hits{*} by {host}.as_count() gives a series for each group, of which one is no count of all; remove by {}",
        ),
        (
            "sum:a{*}.as_count() + avg:b{x:y}.as_count()",
            f"avg:b{{x:y}}.as_count() is no sum over its hosts; {HOW}",
        ),
        (
            "sum:hits{*}.as_count().rollup(avg, 300)",
            (
                "sum:hits{*}.as_count().rollup(avg, 300) says how minutes are made, which of counts is their sum; "
                "remove .rollup(avg, 300)"
            ),
        ),
        ("sum:hits{*}.as_count().fill(linear)", "the query has fill(), which makes other numbers of counts; remove it"),
        (
            "per_second(sum:hits{*}.as_count())",
            "the query has per_second(), which makes other numbers of counts; remove it",
        ),
        (
            "abs(cumsum (sum:hits{*}.as_count()))",
            "the query has cumsum(), which makes other numbers of counts; remove it",
        ),
        (
            "1 - abs(sum:bad{path:/a}.as_count()) / (abs(sum:hits{*}.as_count()))",
            "the query divides by a metric, and a ratio is no count; write good or bad, and total",
        ),
    ],
)
def test_a_query_that_counts_no_minutes_is_refused(text: str, problem: str) -> None:
    """Before anything is asked for, with what to write."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({**SETTINGS, "slis": [{"id": "x", "bad": ERRORS, "total": text}]})
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {problem}"]


def test_each_metric_of_a_query_is_summed_by_the_minute() -> None:
    """Of sums, differences and functions too, whatever tags say."""
    text = 'default_zero(sum:a.b{env:prod AND (x:1 OR y:"2")}.as_count()) - count:c_d{!z:/3,*}.as_count() / 2'
    outside = FakeOutside(Datadog(counted={}))
    list(read(outside, "sli/x", slis=[{"id": "x", "bad": text, "total": HITS}]))
    assert outside.calls[0].params["query"] == (
        'default_zero(sum:a.b{env:prod AND (x:1 OR y:"2")}.as_count().rollup(sum, 60))'
        " - count:c_d{!z:/3,*}.as_count().rollup(sum, 60) / 2"
    )


LEVEL_HOW = "write for example p95:trace.http.request{service:checkout}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("latency", f"the query has no metric with its tags; {LEVEL_HOW}"),
        ("latency{*}", f"latency{{*}} does not say how its series are made one; {LEVEL_HOW}"),
        (
            "avg:latency{*} by {host}",
            "avg:latency{*} by {host} gives a series for each group, of which none is the level of all; remove by {}",
        ),
        ("avg:latency{*}.rollup(max, 300)", ".rollup(max, 300) is not of a minute; write .rollup(max, 60)"),
        (
            "avg:latency{*}.rollup(last, 60)",
            ".rollup(last, 60) is no way to make a minute of its points; write .rollup(max, 60)",
        ),
        ("ewma_5(avg:latency{*})", "the query has ewma_5(), which makes other numbers of a minute's; remove it"),
    ],
)
def test_a_query_that_gives_no_level_of_each_minute_is_refused(text: str, problem: str) -> None:
    """Before anything is asked for, with what to write."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({**SETTINGS, "levels": [{"id": "x", "level": text, "op": "lt", "value": 1}]})
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {problem}"]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("p99.5:trace.http.request{env:prod}", "p99.5:trace.http.request{env:prod}.rollup(avg, 60)"),
        ("max:queue.length{*}.rollup(max)", "max:queue.length{*}.rollup(max, 60)"),
        ("max:queue.length{*}.rollup( max , 60 )", "max:queue.length{*}.rollup(max, 60)"),
        (
            "100 * sum:bad{*}.as_count() / sum:all{*}.as_rate()",
            "100 * sum:bad{*}.as_count().rollup(sum, 60) / sum:all{*}.as_rate().rollup(avg, 60)",
        ),
    ],
)
def test_a_level_is_asked_for_by_the_minute(text: str, asked: str) -> None:
    """The mean of its points, the sum of counts, unless it says otherwise; a ratio is a level."""
    found = Config.model_validate({**SETTINGS, "levels": [{"id": "x", "level": text, "op": "lt", "value": 1}]})
    assert minutely(found.levels[0].level) == asked
