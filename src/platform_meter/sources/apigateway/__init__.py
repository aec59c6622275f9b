"""AWS API Gateway: REST and HTTP APIs of one account and region, and their requests as CloudWatch counted them.

CloudWatch counts by API and stage, without names of owners; those are tags, which API Gateway tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from platform_meter.model.access import Access, Aws
from platform_meter.model.facts import Fact
from platform_meter.model.facts.traffic import Consumer, GatewayLatency, GatewayRequests, Route
from platform_meter.model.facts.use import Usage
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.scalars import Duration, Period
from platform_meter.model.source import Area, Forbidden, Outside, Page, Source, SourceConfig, Stream, Unexpected
from platform_meter.sources.apigateway import counts
from platform_meter.sources.apigateway.apis import SYSTEM, consumers, routes
from platform_meter.sources.apigateway.counts import NAMESPACE
from platform_meter.sources.apigateway.plans import DAY, usage
from platform_meter.sources.kit.cloudwatch import BESIDE, Query, counted, metrics
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.ways import Named


class Config(SourceConfig):
    gateway: str = ""
    """What this account and region is called: the label `gateway`, and the first part of every id; else as its section."""
    region: Named
    """Such as `eu-central-1`."""
    role: str = ""
    """ARN of a role to assume."""
    profile: str = ""
    """Of the shared AWS configuration files."""
    tags: tuple[str, ...] = ()
    """Tags that say whose an API is."""
    latency: bool = False
    """How long requests took is read too."""
    consumers: bool = False
    """API keys are read too, by name."""
    plans: bool = False
    """How much API keys use of their usage plans is read too, by day."""
    delay: Duration = timedelta(minutes=3)
    """A minute is read this long after its end."""
    resync: Period = timedelta(hours=1)
    """How often routes, keys and plans are listed again."""
    every: Period = timedelta(minutes=5)
    history: Period = timedelta(days=14)


Pages = Callable[[Sieve, bytes | None, datetime, datetime], Iterator[Page]]


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """Requests; what is listed seldom; and what its settings switch on."""
    gateway = config.gateway or instance

    def stream(
        name: str,
        pages: Pages,
        *gives: type[Fact],
        every: timedelta | None = None,
        behind: timedelta = timedelta(0),
    ) -> Stream:
        def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
            return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

        return Stream(name=name, read=read, gives=frozenset(gives), every=every, behind=behind)

    def requests(sieve: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return counts.read(
            sieve,
            gateway,
            config.tags,
            checkpoint,
            since,
            now,
            again=Again.of(config, counts.LATE),
            delay=config.delay,
            latency=config.latency,
        )

    def listed(sieve: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        del since
        return routes(sieve, gateway, config.tags, checkpoint, now)

    def keys(sieve: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        del checkpoint, since, now
        return consumers(sieve, gateway)

    def plans(sieve: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return usage(sieve, gateway, checkpoint, since, now)

    counted_kinds = (GatewayRequests, GatewayLatency) if config.latency else (GatewayRequests,)
    streams = [
        stream("requests", requests, *counted_kinds, behind=config.delay),
        stream("routes", listed, Route, every=config.resync),
    ]
    if config.consumers:
        streams.append(stream("consumers", keys, Consumer, every=config.resync))
    if config.plans:
        streams.append(stream("plans", plans, Usage, every=config.resync, behind=DAY))
    return streams


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One small call of each kind that is made; a line for each that is refused."""
    cloudwatch = outside.beside(BESIDE)
    query = Query(namespace=NAMESPACE, metric="Count", dimensions=(), statistic="SampleCount")
    long_ago = range(86_400, 86_401, 60)
    calls: dict[str, Callable[[], object]] = {
        "apigateway:GET on /restapis": partial(outside.get, "/restapis", msgspec.Raw, params={"limit": 1}),
        "apigateway:GET on /apis": partial(outside.get, "/v2/apis", msgspec.Raw, params={"maxResults": 1}),
        "cloudwatch:ListMetrics": lambda: next(metrics(cloudwatch, NAMESPACE, "Count"), None),
        "cloudwatch:GetMetricData": lambda: counted(cloudwatch, [query], long_ago),
    }
    if config.plans:
        calls["apigateway:GET on /usageplans"] = partial(outside.get, "/usageplans", msgspec.Raw, params={"limit": 1})
    if config.consumers or config.plans:
        calls["apigateway:GET on /apikeys"] = partial(outside.get, "/apikeys", msgspec.Raw, params={"limit": 1})
    return [line for what, call in calls.items() for line in _refused(what, call)]


def _refused(what: str, call: Callable[[], object]) -> Iterator[str]:
    try:
        call()
    except Forbidden as error:
        yield f"{error}; allow {what} to this identity"
    except Unexpected:
        # What it says of a minute of long ago is no matter: it let us ask.
        if not what.startswith("cloudwatch:GetMetricData"):
            raise


def access(config: Config) -> Access:
    """Two services of Amazon, as one identity."""

    def way(service: str) -> Aws:
        return Aws(service=service, region=config.region, role=config.role, profile=config.profile)

    return Access(credential=way(SYSTEM), beside={BESIDE: Access(credential=way(BESIDE))})


def propose(around: Surroundings) -> Proposal:
    """A sample: whether an account has APIs nothing around tells."""
    del around
    return Proposal(
        about="APIs of AWS API Gateway and their requests in CloudWatch, as whom boto3 finds in the environment.",
        sample=("aws-eu", {"region": "eu-central-1"}),
        fill_in="its region",
        by_hand=True,
    )


SOURCE = Source(
    name=SYSTEM,
    title="AWS API Gateway",
    area=Area.GATEWAYS,
    reads="REST and HTTP APIs, their routes, API keys and usage plans, and their requests as CloudWatch counts them",
    needs="`apigateway:GET`, `cloudwatch:ListMetrics` and `cloudwatch:GetMetricData`",
    config=Config,
    gives=frozenset({GatewayRequests, GatewayLatency, Route, Consumer, Usage}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
