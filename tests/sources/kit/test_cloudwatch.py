"""CloudWatch's two operations in their documented forms: pages, what is not whole, what is odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from platform_meter.model.source import Forbidden, Unexpected, Unreachable
from platform_meter.sources.kit.cloudwatch import Query, counted, metrics
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import Call, FakeOutside, Reply

ENDS = range(1_060, 1_241, 60)
"""Four slices: those that begin at 1,000, 1,060, 1,120 and 1,180."""
COUNT = Query(namespace="AWS/X", metric="Count", dimensions=(("Api", "a"), ("Stage", "s")), statistic="Sum")
TWO = (COUNT, Query(namespace="AWS/X", metric="Errors", dimensions=(), statistic="SampleCount"))


def result(id_: str, values: Mapping[int, float], status: str = "Complete") -> dict[str, Any]:
    """`values` by the beginnings of slices."""
    return {"Id": id_, "StatusCode": status, "Timestamps": list(values), "Values": list(values.values())}


def page(*results: dict[str, Any], more: str = "", **others: Any) -> dict[str, Any]:
    return {"MetricDataResults": list(results), **({"NextToken": more} if more else {}), **others}


def ask(*pages: Any, queries: Sequence[Query] = TWO) -> tuple[list[Mapping[int, float] | None], list[Call]]:
    """What is made of these answers, and the calls that got them."""
    answers = iter(pages)
    outside = FakeOutside(lambda _: Reply(body=next(answers)))
    return counted(Sieve(outside), queries, ENDS), outside.calls


def test_what_is_asked_and_told() -> None:
    """Slices are asked for by their beginnings and told by their ends; one without a value is not there."""
    found, calls = ask(page(result("q1", {1_000: 2.0}), result("q0", {1_060: 5.0, 1_180: 0.0})))
    assert found == [{1_120: 5.0, 1_240: 0.0}, {1_060: 2.0}]
    assert [(call.method, call.path) for call in calls] == [("POST", "/")]
    assert calls[0].body == {
        "StartTime": 1_000,
        "EndTime": 1_240,
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            {
                "Id": "q0",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/X",
                        "MetricName": "Count",
                        "Dimensions": [{"Name": "Api", "Value": "a"}, {"Name": "Stage", "Value": "s"}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            },
            {
                "Id": "q1",
                "MetricStat": {
                    "Metric": {"Namespace": "AWS/X", "MetricName": "Errors", "Dimensions": []},
                    "Period": 60,
                    "Stat": "SampleCount",
                },
            },
        ],
    }


def test_a_metric_may_come_in_parts() -> None:
    """The same one on two pages, the first of which says that there is more."""
    found, calls = ask(
        page(result("q0", {1_000: 1.0}, "PartialData"), more="next"),
        page(result("q0", {1_060: 2.0}), result("q1", {})),
    )
    assert found == [{1_060: 1.0, 1_120: 2.0}, {}]
    assert [call.body.get("NextToken") for call in calls] == [None, "next"]


def test_a_slice_that_was_not_asked_for_is_not_taken() -> None:
    """It may be another one than it says."""
    found, _ = ask(page(result("q0", {940: 1.0, 1_000: 2.0, 1_030: 3.0, 1_240: 4.0})), queries=[COUNT])
    assert found == [{1_060: 2.0}]


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            page(result("q0", {}), result("q1", {}, "PartialData")),
            Unreachable,
            "1 of 2 metrics are not whole (PartialData",
        ),
        (page(result("q0", {}, "InternalError"), result("q1", {})), Unreachable, "not whole (InternalError)"),
        (page(result("q0", {})), Unreachable, "1 of 2 metrics are not whole (left out)"),
        (page(result("q0", {}), result("q1", {}, "Forbidden")), Forbidden, "allow cloudwatch:GetMetricData"),
        (
            page(result("q0", {}), result("q1", {}), Messages=[{"Code": "MaxMetricsExceeded", "Value": "too many"}]),
            Unreachable,
            "the answer is not whole: MaxMetricsExceeded too many",
        ),
        ({"Message": "no"}, Unexpected, "MetricDataResults"),
    ],
)
def test_what_is_not_whole_is_not_taken(answer: Any, error: type[Exception], says: str) -> None:
    """It would stand for fewer than there were."""
    with pytest.raises(error) as caught:
        ask(answer)
    assert says in str(caught.value)


def test_pages_that_never_end_are_an_error() -> None:
    """The same page again and again."""
    with pytest.raises(Unexpected, match="GetMetricData: the same page again and again"):
        ask(*[page(result("q0", {1_000: 1.0}, "PartialData"), more="next")] * 3)


def test_of_an_odd_metric_nothing_is_known() -> None:
    """It is counted as odd; the other is told."""
    odd = {**result("q0", {1_000: 1.0}), "Values": [1.0, 2.0]}
    outside = FakeOutside({"/": page(odd, result("q1", {1_000: 2.0}))})
    sieve = Sieve(outside)
    assert counted(sieve, TWO, ENDS) == [None, {1_060: 2.0}]
    with pytest.raises(Unexpected, match="`Timestamps` and `Values` are not equally many"):
        counted(outside, TWO, ENDS)


def test_metrics_are_listed_to_the_end() -> None:
    """By their dimensions, page after page."""
    first = {"Metrics": [{"Dimensions": [{"Name": "Api", "Value": "a"}]}], "NextToken": "t"}
    second = {"Metrics": [{"Dimensions": [{"Name": "Api", "Value": "b"}, {"Name": "Stage", "Value": "s"}]}, {}]}
    outside = FakeOutside(lambda call: Reply(body=second if "NextToken" in call.body else first))
    assert list(metrics(Sieve(outside), "AWS/X", "Count")) == [{"Api": "a"}, {"Api": "b", "Stage": "s"}, {}]
    assert [call.body for call in outside.calls] == [
        {"Namespace": "AWS/X", "MetricName": "Count"},
        {"Namespace": "AWS/X", "MetricName": "Count", "NextToken": "t"},
    ]
