"""Amazon CloudWatch: which metrics there are, and what they counted in whole slices (ListMetrics, GetMetricData).

Its JSON protocol, as docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference has the two operations. What is not whole
would stand for fewer events than there were, so an answer is taken in whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

from msgspec import Struct, field

from platform_meter.model.source import Answer, Forbidden, Gap, Outside, Unreachable
from platform_meter.sources.kit.rows import Row
from platform_meter.sources.kit.walk import Walk

BESIDE = "cloudwatch"
"""What `Access.beside` of a source calls the service."""
QUERIES = 500
"""GetMetricData takes no more in one call."""
POINTS = 100_800
"""It gives no more in one call; beyond that in several."""
KEPT = timedelta(days=15) - timedelta(hours=1)
"""Minutes are kept for 15 days, then joined to longer slices; the oldest would go while they are read."""
T = TypeVar("T")


class Dimension(Struct, rename="pascal", frozen=True):
    name: str
    value: str


class Metric(Row, rename="pascal"):
    dimensions: list[Dimension] = field(default_factory=list)


class Listing(Struct, rename="pascal"):
    metrics: list[Metric] = field(default_factory=list)
    next_token: str | None = None


class Result(Row, rename="pascal"):
    becomes: ClassVar[str] = "slice"
    id: str
    status_code: str
    timestamps: list[float] = field(default_factory=list)
    """Beginnings of slices in epoch seconds."""
    values: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.timestamps) != len(self.values):
            raise ValueError("`Timestamps` and `Values` are not equally many")


class Message(Struct, rename="pascal"):
    code: str = ""
    value: str = ""


class Data(Struct, rename="pascal"):
    metric_data_results: list[Result]
    next_token: str | None = None
    messages: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One statistic of one metric."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    """As the API writes it: `Sum`, `SampleCount`, `PR(:500)`."""


def from_kept(outside: Outside, told: datetime, now: datetime) -> datetime:
    """Where reading goes on that was told up to a moment; minutes that are not kept so long are a gap."""
    kept = now - KEPT
    if told < kept:
        text = "CloudWatch keeps what it counted in a minute for 15 days"
        outside.gap(Gap(start=told, end=kept, reason="pruned", text=text))
    return max(told, kept)


def metrics(cloudwatch: Outside, namespace: str, name: str) -> Iterator[Mapping[str, str]]:
    """The dimensions of each metric of that name that had a value within two weeks.

    A new one comes up to 15 minutes after its first value.
    """
    walk, token = Walk("ListMetrics"), ""
    while True:
        body = {"Namespace": namespace, "MetricName": name, **({"NextToken": token} if token else {})}
        answer = walk.page(_listed, partial(_ask, cloudwatch, "ListMetrics", Listing, body))
        page = answer.body or Listing()
        for metric in page.metrics:
            yield {dimension.name: dimension.value for dimension in metric.dimensions}
        token = page.next_token or ""
        if not token:
            return


def _listed(answer: Answer[Listing]) -> tuple[Any, ...]:
    return tuple(tuple(metric.dimensions) for metric in (answer.body or Listing()).metrics)


def counted(cloudwatch: Outside, queries: Sequence[Query], ends: range) -> list[Mapping[int, float] | None]:
    """What each query has for the slices that end at `ends`, in epoch seconds, by the end; no slice without a value.

    None for a query whose answer was odd: nothing is known of it.

    Raises:
        Unreachable: the answer is not whole; the slices are read again.
        Forbidden: some metric may not be read.
    """
    width = ends.step
    body = {
        "StartTime": ends[0] - width,
        "EndTime": ends[-1],
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [_query(f"q{number}", query, width) for number, query in enumerate(queries)],
    }
    found: dict[str, dict[int, float]] = {}
    ended: dict[str, str] = {}
    odd = 0
    walk = Walk("GetMetricData")
    while True:
        answer = walk.page(_points, partial(_ask, cloudwatch, "GetMetricData", Data, body))
        page, odd = answer.body or Data(metric_data_results=[]), odd + answer.odd
        if page.messages:
            said = "; ".join(f"{message.code} {message.value}".strip() for message in page.messages)
            raise Unreachable(f"GetMetricData: the answer is not whole: {said[:500]}")
        for result in page.metric_data_results:
            ended[result.id] = result.status_code
            held = found.setdefault(result.id, {})
            slices = zip((round(at) + width for at in result.timestamps), result.values, strict=True)
            held.update({end: value for end, value in slices if end in ends})
        if not page.next_token:
            break
        body = {**body, "NextToken": page.next_token}
    if "Forbidden" in ended.values():
        raise Forbidden("GetMetricData: a metric is forbidden; allow cloudwatch:GetMetricData on *")
    lacking = [f"q{number}" for number in range(len(queries)) if ended.get(f"q{number}") != "Complete"]
    if len(lacking) > odd:
        raise Unreachable(
            f"GetMetricData: {len(lacking)} of {len(queries)} metrics are not whole ({ended.get(lacking[0], 'left out')})"
        )
    return [None if f"q{number}" in lacking else found[f"q{number}"] for number in range(len(queries))]


def _points(answer: Answer[Data]) -> tuple[Any, ...]:
    """What a page is known by: another one of the same call has other slices of some metric."""
    rows = () if answer.body is None else answer.body.metric_data_results
    return tuple((row.id, row.status_code, *row.timestamps[:1], *row.timestamps[-1:]) for row in rows)


def _query(id_: str, query: Query, width: int) -> Mapping[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions]
    metric = {"Namespace": query.namespace, "MetricName": query.metric, "Dimensions": dimensions}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": width, "Stat": query.statistic}}


def _ask(cloudwatch: Outside, operation: str, type_: type[T], body: Mapping[str, Any]) -> Answer[T]:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"GraniteServiceVersion20100801.{operation}",
    }
    return cloudwatch.post("/", type_, body=body, headers=headers)
