"""What is refused before anything is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.sources.datadog.datadog_server import Datadog
from tests.sources.datadog.test_datadog import ERRORS, HITS, SETTINGS, read

from platform_meter.sources.datadog.config import Config
from platform_meter.testing.outside import FakeOutside

HOW = "write for example sum:trace.http.request.hits{service:checkout}.as_count()"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hits", f"the query has no metric with its tags; {HOW}"),
        ("avg:hits{*}.as_count()", f"avg:hits{{*}}.as_count() is no sum over its hosts; {HOW}"),
        ("hits{*}.as_count()", f"hits{{*}}.as_count() is no sum over its hosts; {HOW}"),
        ("sum:hits{*}", "sum:hits{*} is a rate or an average; add .as_count() behind it"),
        ("sum:hits{*}.as_rate()", "sum:hits{*} is a rate or an average; add .as_count() behind it"),
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
            "the query has rollup(), which makes other numbers of counts; remove it",
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


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"site": "https://app.datadoghq.eu"},
            (
                "'https://app.datadoghq.eu' is no site of Datadog; write it without https://, app. and api., "
                "for example datadoghq.eu or us5.datadoghq.com"
            ),
        ),
        (
            {"site": "api.datadoghq.eu"},
            (
                "'api.datadoghq.eu' is no site of Datadog; write it without https://, app. and api., "
                "for example datadoghq.eu or us5.datadoghq.com"
            ),
        ),
        (
            {"slis": [{"id": "x", "total": HITS}]},
            "an SLI needs exactly one of good and bad beside total; remove or add one",
        ),
        (
            {"slis": [{"id": "x", "bad": ERRORS, "total": HITS}] * 2},
            "x is there twice in slis; give one of them another name or remove it",
        ),
        (
            {"slos": [{"slo": "y", "id": "abc", "target": 0.9}] * 2},
            "y is there twice in slos; give one of them another name or remove it",
        ),
    ],
)
def test_settings_that_can_not_work_are_refused(settings: dict[str, Any], problem: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({**SETTINGS, **settings})
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {problem}"]
