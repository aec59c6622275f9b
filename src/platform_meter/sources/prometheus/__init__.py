"""Prometheus, and all that speaks its query API: use of capabilities, SLI counts, instances that report, and checks by
blackbox_exporter, from queries in the config file.

Queries are read over whole slices that start at multiples of the window in UTC, in order: after downtime the missed ones
are read first. Those of the overlap are read again with the next one, for samples that came late. `{{window}}` in a query reaches over its slice and one scrape interval more, and what it
counts is scaled back, so that no event falls between two slices (domain section 5, tiles). An `instant` query tells how
things stand at the end of each slice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.instances import Instances
from platform_meter.model.facts.probes import ProbeCheck, ServedCertificate
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.source import Area, Outside, Page, Source, Stream, Unexpected, Unreachable
from platform_meter.model.typed import decode
from platform_meter.sources.kit.health import REFUSALS
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import LATE
from platform_meter.sources.kit.promql import SLICES, Reply, counted, read_to, slices
from platform_meter.sources.kit.querying import Querying, is_long
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.slis import slice_of
from platform_meter.sources.kit.windows import Windows
from platform_meter.sources.prometheus import blackbox, instances
from platform_meter.sources.prometheus.answers import ask
from platform_meter.sources.prometheus.config import (
    SYSTEM,
    Config,
    InstancesQuery,
    ProbesQuery,
    Query,
    SliQuery,
    UsageQuery,
    fill,
    stream_name,
)

UNNAMED = "_unknown"
"""Id of what a query counts without the label that would name it: kept, and shown as owned by nobody."""
_TENANTS = "no org id"
"""What Mimir and Cortex say, with 401, to who names no tenant."""
_BEYOND = 0.1
"""Share of the total by which a part may lie outside of it; the generated rules allow as much."""


def _usage(query: UsageQuery, outside: Sieve, ends: range) -> Iterator[Usage]:
    """Use of each object in each slice; none where nothing was counted.

    When in its slice it was is not known: it is dated by the middle, since most of the slice lies in that day, in any
    zone. The end is the first moment of the next slice: the use of a whole Friday would be Saturday's.
    """
    for values, amounts in ask(outside, query, query.query, query.by, ends).items():
        id_ = query.prefix + "/".join(value or UNNAMED for value in values)
        for end, amount in amounts.items():
            if amount > 0:
                yield Usage(
                    key=f"{stream_name(query)}/{id_}/{end}",
                    at=datetime.fromtimestamp(end, UTC) - query.window / 2,
                    about=Ref(system=query.system, kind=query.kind, id=id_),
                    updated=counted(amount),
                    action=query.action,
                    amount=amount,
                )


def _sli(query: SliQuery, outside: Sieve, ends: range, now: datetime) -> tuple[Sequence[SliCount], range]:
    """Good and bad of each slice with a total, and the slices of which that may be said already.

    Bad events are asked for before all and good ones after: what comes between the two calls makes nothing look worse. A
    part that is absent is 0 (domain section 5), but for good events of a slice that ended just now: they may be late.
    A part is held to 0..total: out of `increase` both are estimates, and one may come out above the other. Where it lies
    further outside than scrapes at the two ends of a slice explain, the counts contradict and the slice is rejected.
    """
    most = max(_BEYOND, 2 * (query.scrape_interval / query.window))

    def asked(text: str) -> Mapping[int, float]:
        return ask(outside, query, text, (), ends).get((), {})

    if query.good is None:
        parts, totals = asked(query.bad or ""), asked(query.total)
    else:
        totals, parts = asked(query.total), asked(query.good)
    may_lag = query.good is not None and not query.instant
    said: list[SliCount] = []
    for number, end in enumerate(ends):
        total, part = totals.get(end, math.nan), parts.get(end, 0.0)
        if may_lag and total > 0 and end not in parts and now.timestamp() - end < LATE.total_seconds():
            return said, ends[:number]
        if math.isnan(total) or math.isnan(part):
            continue
        all_ = max(total, 0.0)
        if not -most * all_ - 1 <= part <= (1 + most) * all_ + 1:
            outside.reject(SliCount, "contradiction")
            continue
        part = min(max(part, 0.0), all_)
        said.append(
            slice_of(
                SYSTEM,
                query.id,
                end,
                total=all_,
                part=part,
                part_is_good=query.good is not None,
                width=query.window,
                updated=counted(all_ + part),
            )
        )
    return said, ends


def _read(
    query: Query, config: Config, outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime
) -> Iterator[Page]:
    """All slices of one query that ended since the last one read, and those of the overlap before them; a page holds as
    many as the server takes at once.

    A range that fails may be too large for the server, or for the time it is given.
    """
    place = read_to(checkpoint, since)
    news = slices(place, now - config.delay, query.window)
    if not news:
        return
    again = checkpoint is not None and not query.instant
    until = now - config.delay
    left = slices(place - Again.of(config).before(place, until), until, query.window) if again else news
    windows = Windows(left, most=1 if query.instant else SLICES)
    for ends in windows:
        try:
            facts, settled = (
                _sli(query, outside, ends, now)
                if isinstance(query, SliQuery)
                else (tuple(_usage(query, outside, ends)), ends)
            )
        except (Unexpected, Unreachable):
            if not windows.halve():
                raise
            continue
        windows.whole()
        done = sum(1 for end in news if settled and end <= settled[-1])
        progress = Progress(what=f"slices of {stream_name(query)}", done=done, of=len(news))
        if len(settled) < len(ends):
            late = datetime.fromtimestamp(ends[len(settled)], UTC)
            progress = Progress(what=f"{stream_name(query)} waits for good events of the slice until {late:%H:%M} UTC")
        whole = not windows.left and settled == ends
        at = str(news[done - 1]).encode() if done else None
        yield Page(facts=tuple(facts), checkpoint=at, progress=None if whole else progress)
        if settled != ends:
            return


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One stream per query, group of instances, and set of probes."""
    del instance
    outside = Querying(outside, config.timeout)

    def read(query: Query, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: _read(query, config, sieve, checkpoint, since, now))

    def counts(one: InstancesQuery, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: instances.read(one, config.delay, sieve, checkpoint, since, now))

    def checks(one: ProbesQuery, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(
            outside, lambda sieve: blackbox.read(one, config.delay, config.overlap, sieve, checkpoint, since, now)
        )

    return (
        *(
            Stream(
                name=stream_name(query),
                read=partial(read, query),
                gives=frozenset({SliCount if isinstance(query, SliQuery) else Usage}),
                behind=config.delay,
                sli=query.id if isinstance(query, SliQuery) else "",
            )
            for query in config.queries
        ),
        *(
            Stream(
                name=stream_name(one),
                read=partial(counts, one),
                gives=frozenset({SliCount, Instances}),
                behind=config.delay,
            )
            for one in config.instances
        ),
        *(
            Stream(
                name=stream_name(one),
                read=partial(checks, one),
                gives=frozenset({ProbeCheck, ServedCertificate}),
                behind=config.delay,
            )
            for one in config.probes
        ),
    )


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Run every query once, now, without its history; one line for each that the server refuses or remarks on."""
    problems, asking = list[str](), Querying(outside, config.timeout)
    for name, query, text in _tried(config):
        if is_long({"query": text}):
            problems.extend(f"{name}: {problem}" for problem in _posted(asking, text))
            continue
        status, body = outside.text("/api/v1/query", params={"query": text})
        if status in REFUSALS and _TENANTS in body:
            return ("the server keeps series of several apart and is not told whose are meant; set tenant",)
        if status in REFUSALS:
            return (
                f"the server answers {status} to a query; the credential must be allowed to read /api/v1/query and /api/v1/query_range",
            )
        problems.extend(f"{name}: {problem}" for problem in _problems(query, status, body))
    return problems


def _posted(outside: Outside, text: str) -> Iterator[str]:
    """What the server says to a query that is too long for an address."""
    try:
        reply = outside.get("/api/v1/query", Reply, params={"query": text}).body or Reply()
    except Unexpected as error:
        yield str(error)
        return
    if reply.error:
        yield f"the server refuses the query: {reply.error}"
    yield from reply.warnings


def _tried(config: Config) -> Iterator[tuple[str, Query | None, str]]:
    """(name, query, text of one of its parts); a server that only pages ask is asked for a number."""
    if not (config.queries or config.instances or config.probes):
        yield "vector(1)", None, "vector(1)"
    for one in config.instances:
        yield stream_name(one), None, instances.heard(one)
        if one.expected_query is not None:
            yield stream_name(one), None, instances.expected(one)
    for probes in config.probes:
        yield stream_name(probes), None, f"probe_success{probes.select}"
    for query in config.queries:
        parts = [query.query] if isinstance(query, UsageQuery) else [query.good, query.bad, query.total]
        for text in parts:
            if text:
                yield stream_name(query), query, fill(text, int(query.window.total_seconds()))


def _problems(query: Query | None, status: int, body: str) -> Iterator[str]:
    try:
        reply = decode(body, Reply)
    except msgspec.DecodeError:
        yield f"the server answered {status} with no Prometheus answer; check that url is that of a query API: {body[:200]!r}"
        return
    if reply.error:
        yield f"the server refuses the query ({status}): {reply.error}"
    yield from reply.warnings
    if isinstance(query, UsageQuery) and reply.data is not None:
        for label in query.by:
            if reply.data.result and not any(series.metric.get(label) for series in reply.data.result):
                yield f"no series has the label {label}; objects would be called {UNNAMED}"


def propose(around: Surroundings) -> Proposal:
    """The server that a variable names."""
    variable, address = around.variable("PROMETHEUS_TOKEN"), around.addresses.get("PROMETHEUS_URL", "")

    def settings(url: str) -> Settings:
        return {"url": url, "token": {"env": variable}} if variable else {"url": url}

    return Proposal(
        about="Use and SLIs that a Prometheus already has; add usage and slis.",
        found={"prometheus": settings(address)} if address else {},
        sample=("prometheus", settings("http://localhost:9090")),
        fill_in="its address",
    )


SOURCE = Source(
    name="prometheus",
    title="Prometheus",
    area=Area.OBSERVABILITY,
    reads="your PromQL queries over whole slices, instances heard from, blackbox_exporter; of Prometheus, Thanos, Mimir, VictoriaMetrics",
    needs="read access to `/api/v1/query` and `/api/v1/query_range`",
    config=Config,
    gives=frozenset({Usage, SliCount, Instances, ProbeCheck, ServedCertificate}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    targets=lambda config, _: None if config.probes else (),
    propose=propose,
)
