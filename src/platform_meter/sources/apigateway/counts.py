"""Requests as CloudWatch counted them, by API and stage in slices of a minute.

docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html and http-api-metrics.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.traffic import LATENCY_BUCKETS, GatewayLatency, GatewayRequests, latency_within
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page
from platform_meter.sources.apigateway.apis import SYSTEM, Api, apis
from platform_meter.sources.kit.cloudwatch import BESIDE, KEPT, POINTS, QUERIES, Query, counted, from_kept, metrics
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.promql import counted as counts_so_far
from platform_meter.sources.kit.promql import read_to
from platform_meter.sources.kit.rows import Sieve

NAMESPACE = "AWS/ApiGateway"
WIDTH = 60
"""Seconds of a slice; the least that CloudWatch has of these metrics."""
SLICES = POINTS // QUERIES
"""Of one call, so that it has one answer even with all the queries that it may have."""
LATE = timedelta(minutes=30)
"""A slice that ended no longer ago is read again: for counts that came late, and those of a stage that CloudWatch did
not list yet, which takes up to 15 minutes from its first request.
"""
PAGE = 1_000
"""Facts of one transaction."""
_CLIENT_ERRORS = {"ApiName": "4XXError", "ApiId": "4xx"}
_ERRORS = {"ApiName": "5XXError", "ApiId": "5xx"}
_SECOND = 1_000
"""Milliseconds, which CloudWatch has durations in."""
_MOST = 1e11
"""No minute has as many of anything; in seconds, a time that can still be reckoned with."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What CloudWatch counts by: one stage of an API."""

    kind: str
    """`ApiName` of a REST API, `ApiId` of an HTTP API."""
    api: str
    stage: str

    def query(self, metric: str, statistic: str) -> Query:
        dimensions = ((self.kind, self.api), ("Stage", self.stage))
        return Query(namespace=NAMESPACE, metric=metric, dimensions=dimensions, statistic=statistic)

    def key(self, end: int) -> str:
        return f"{self.kind}/{self.api}/{self.stage}/{end}"


def read(
    outside: Sieve,
    gateway: str,
    tags: Sequence[str],
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
    *,
    again: Again,
    delay: timedelta,
    latency: bool,
) -> Iterator[Page]:
    """Every slice that ended since the last poll, `delay` ago, and again those before them."""
    cloudwatch = outside.beside(BESIDE)
    told = read_to(checkpoint, since)
    begin = told if checkpoint is None else told - again.before(told, now - delay)
    kept = now - KEPT
    left = range(_floor(max(begin, kept)) + WIDTH, _floor(now - delay) + 1, WIDTH)
    if not left:
        return
    called = {api.counted_as: api for api in apis(outside, tags)}
    stages = _stages(cloudwatch)
    from_kept(outside, told, now)
    about = {stage: _about(gateway, stage, called.get((stage.kind, stage.api))) for stage in stages}
    for at in range(0, len(left), SLICES):
        ends = left[at : at + SLICES]
        for kind in (_REQUESTS, _LATENCY) if latency else (_REQUESTS,):
            yield from _pages(cloudwatch, kind, gateway, about, ends)
        done = at + len(ends)
        progress = Progress(what="minutes of CloudWatch", done=done, of=len(left)) if done < len(left) else None
        yield Page(checkpoint=str(ends[-1]).encode(), progress=progress)


def _floor(moment: datetime) -> int:
    return int((moment - _EPOCH).total_seconds()) // WIDTH * WIDTH


def _moment(end: int) -> datetime:
    return datetime.fromtimestamp(end, UTC)


def _stages(cloudwatch: Sieve) -> list[Stage]:
    """All that were called within two weeks."""
    found = dict.fromkeys(
        Stage(kind=kind, api=by[kind], stage=by["Stage"])
        for by in metrics(cloudwatch, NAMESPACE, "Count")
        for kind in _ERRORS
        if by.keys() == {kind, "Stage"}
    )
    return sorted(found, key=lambda stage: (stage.kind, stage.api, stage.stage))


def _about(gateway: str, stage: Stage, api: Api | None) -> Ref:
    """A stage of an API that is deleted keeps what CloudWatch knows it by."""
    name, labels = (stage.api, ()) if api is None else (api.name, api.labels)
    return Ref(system=SYSTEM, kind="stage", id=f"{gateway}/{name}/{stage.stage}", labels=labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One kind of fact, and what is asked for it of a stage."""

    asks: Callable[[Stage], Sequence[Query]]
    tells: Callable[[Slice, Sequence[float]], Event | None]
    """A slice and its amounts, in order of what was asked, 0 for what is absent; None where these contradict."""
    type: type[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A minute of one stage."""

    gateway: str
    about: Ref
    key: str
    at: datetime


def _pages(cloudwatch: Sieve, kind: _Kind, gateway: str, stages: Mapping[Stage, Ref], ends: range) -> Iterator[Page]:
    """One kind of fact of all stages in these slices, as many stages at a time as fit into a call."""
    facts: list[Event] = []
    asked = [(stage, kind.asks(stage)) for stage in stages]
    at_once = QUERIES // len(asked[0][1]) if asked else 1
    for at in range(0, len(asked), at_once):
        batch = asked[at : at + at_once]
        answers = iter(counted(cloudwatch, [query for _, queries in batch for query in queries], ends))
        for stage, queries in batch:
            found = list(islice(answers, len(queries)))
            amounts = [each for each in found if each is not None]
            if len(amounts) < len(found):
                continue  # an odd row, which was counted: of this stage nothing is known
            for end in sorted(amounts[0]):
                slice_ = Slice(gateway=gateway, about=stages[stage], key=stage.key(end), at=_moment(end))
                values = [each.get(end, 0.0) for each in amounts]
                fact = kind.tells(slice_, values) if all(0 <= value < _MOST for value in values) else None
                if fact is None:
                    cloudwatch.reject(kind.type, "contradiction")
                else:
                    facts.append(fact)
    yield from (Page(facts=facts[at : at + PAGE]) for at in range(0, len(facts), PAGE))


def _requests(stage: Stage) -> Sequence[Query]:
    """All, errors of clients, errors of servers: of the first each request is a sample, of the others a 0 or a 1."""
    return (
        stage.query("Count", "SampleCount"),
        stage.query(_CLIENT_ERRORS[stage.kind], "Sum"),
        stage.query(_ERRORS[stage.kind], "Sum"),
    )


def _request_counts(slice_: Slice, amounts: Sequence[float]) -> GatewayRequests | None:
    """Good is neither 4xx nor 5xx."""
    total, client, bad = amounts
    if client + bad > total:
        return None
    return GatewayRequests(
        key=slice_.key,
        at=slice_.at,
        about=slice_.about,
        updated=counts_so_far(total + client + bad),
        gateway=slice_.gateway,
        good=total - client - bad,
        bad=bad,
    )


def _durations(stage: Stage) -> Sequence[Query]:
    """How many, their sum, and the share in percent that took no longer than each bound (percentile rank)."""
    ranks = (stage.query("Latency", f"PR(:{bound * _SECOND:g})") for bound in LATENCY_BUCKETS)
    return (stage.query("Latency", "SampleCount"), stage.query("Latency", "Sum"), *ranks)


def _duration_counts(slice_: Slice, amounts: Sequence[float]) -> GatewayLatency:
    """Whole requests by bound: CloudWatch tells shares of them."""
    total, sum_, *ranks = amounts
    up_to = {bound: float(round(total * rank / 100)) for bound, rank in zip(LATENCY_BUCKETS, ranks, strict=True)}
    return GatewayLatency(
        key=slice_.key,
        at=slice_.at,
        about=slice_.about,
        updated=counts_so_far(total),
        gateway=slice_.gateway,
        within=latency_within({**up_to, inf: total}),
        seconds=sum_ / _SECOND,
    )


_REQUESTS = _Kind(asks=_requests, tells=_request_counts, type=GatewayRequests)
_LATENCY = _Kind(asks=_durations, tells=_duration_counts, type=GatewayLatency)
