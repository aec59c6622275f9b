"""Amazon CloudWatch: good and bad events of SLIs by the minute, of anything that counts there: load balancers, queues,
functions, your own metrics. One entry is one account and region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import Area, Asking, Forbidden, Outside, Source, Stream, Unexpected
from platform_meter.sources.cloudwatch import counts
from platform_meter.sources.cloudwatch.config import SYSTEM, Config, Counted, Level, with_asked
from platform_meter.sources.kit.cloudwatch import Query, counted, metrics
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import LATE, stream_of
from platform_meter.sources.kit.slis import stream_name

_LONG_AGO = range(86_400, 86_401, 60)
"""A minute of which nothing is known but whether it may be asked for."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One stream for each SLI."""
    del instance

    by_minute, again = partial(stream_of, outside, delay=config.delay), Again.of(config, counts.AGAIN)
    counting = [by_minute(sli.id, partial(counts.events, sli, again)) for sli in config.slis]
    return [*counting, *(by_minute(sli.id, partial(counts.level, sli, again)) for sli in config.levels)]


def check(config: Config, outside: Outside) -> Sequence[str]:
    """A line for each total and level that CloudWatch lists nothing of, and for each permission that is lacking."""
    looked_for = {sli.id: sli.total.queries for sli in config.slis} | {
        one.id: (one.level.query,) for one in config.levels
    }
    if not looked_for:
        return ["nothing is read; write slis, or SLO files with type: cloudwatch"]
    problems: list[str] = []
    try:
        for name, queries in looked_for.items():
            problems += _unlisted(name, queries, outside)
    except Forbidden as error:
        problems.append(f"{error}; allow cloudwatch:ListMetrics to this identity, with which totals are looked for")
    try:
        counted(outside, next(iter(looked_for.values())), _LONG_AGO)
    except Forbidden as error:
        problems.append(f"{error}; allow cloudwatch:GetMetricData to this identity")
    except Unexpected:
        # What it says of a minute of long ago is no matter: it let us ask.
        pass
    return problems


def _unlisted(sli: str, queries: Sequence[Query], outside: Outside) -> Iterator[str]:
    one = queries[0]
    listed = [by for query in queries for by in metrics(outside, query.namespace, query.metric)]
    if dict(one.dimensions) in listed:
        return
    names = " and ".join(query.metric for query in queries)
    asked = ", ".join(f"{name}: {value}" for name, value in one.dimensions) or "no dimensions"
    others = sorted({", ".join(sorted(by)) for by in listed})
    hint = f"it has {' or '.join(others)}" if others else f"{one.namespace} has no such metric here"
    yield f"{stream_name(sli)}: {names} with {asked} had no value in two weeks; {hint}: correct namespace, metric or dimensions"


def propose(around: Surroundings) -> Proposal:
    """A sample: what an account counts nothing around tells."""
    del around
    return Proposal(
        about="SLOs over metrics in CloudWatch, as whom boto3 finds in the environment; add slis.",
        sample=(SYSTEM, {"region": "eu-central-1"}),
        fill_in="its region",
        by_hand=True,
    )


SOURCE = Source(
    name=SYSTEM,
    title="Amazon CloudWatch",
    area=Area.OBSERVABILITY,
    reads="good and bad events by the minute from your metrics: of load balancers, queues, functions, anything that counts there",
    needs="`cloudwatch:GetMetricData`; `cloudwatch:ListMetrics` to check settings",
    config=Config,
    gives=frozenset({SliCount}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    asked=Asking(spec=Counted, level=Level, settings=with_asked, behind=lambda config: config.delay, good_late=LATE),
    propose=propose,
)
