"""Prometheus, and all that speaks its query API: use of capabilities, and SLI counts, from queries in the config file.

Queries are read over whole slices that start at multiples of the window in UTC, each once and in order: after downtime
the missed ones are read first. `{{window}}` in a query reaches over its slice and one scrape interval more, and what it
counts is scaled back, so that no event falls between two slices (domain section 5, tiles). An `instant` query tells how
things stand at the end of each slice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar

import msgspec
from msgspec import Struct, field

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.source import (
    Access,
    Basic,
    Credential,
    Outside,
    Page,
    Source,
    Stream,
    Token,
    Unexpected,
    Unreachable,
)
from platform_meter.sources.kit.rows import Row, Sieve
from platform_meter.sources.kit.windows import Windows
from platform_meter.sources.prometheus.config import (
    SYSTEM,
    Config,
    Query,
    SliQuery,
    UsageQuery,
    fill,
    has_window,
    stream_name,
)

UNNAMED = "_unknown"
"""Id of what a query counts without the label that would name it: kept, and shown as owned by nobody."""
SLICES = 1_000
"""Points asked for in one call; servers refuse more than 11,000 per series."""
_DIGITS = 6
"""Decimals kept: scaling a count back leaves 12.000000000000002."""
_BEYOND = 0.1
"""Share of the total by which a part may lie outside of it; the generated rules allow as much."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Series(Row):
    becomes: ClassVar[str] = "Usage"
    metric: dict[str, str]
    values: list[tuple[float, str]] = field(default_factory=list)
    """Of a range: (epoch seconds, number as text), as the API writes them."""
    value: tuple[float, str] | None = None
    """Of one moment."""


class _Data(Struct):
    result: list[_Series]


class _Reply(Struct):
    data: _Data | None = None
    warnings: list[str] = []
    error: str = ""


Amounts = Mapping[tuple[str, ...], Mapping[int, float]]
"""Amount by label values, then by the end of its slice in epoch seconds. NaN and infinities of the server are absent;
NaN stands for what it said and nobody can read: of that slice nothing is known."""


def slices(first: datetime, last: datetime, window: timedelta) -> range:
    """Ends of the whole slices after `first` up to and with `last`, in epoch seconds."""
    step = int(window.total_seconds())
    return range(_floor(first, step) + step, _floor(last, step) + 1, step)


def _floor(moment: datetime, step: int) -> int:
    return int((moment - _EPOCH).total_seconds()) // step * step


def _ask(outside: Sieve, query: Query, text: str, by: Sequence[str], ends: range) -> Amounts:
    """Amounts in the slices that end at `ends`, by the query's `text`; of an instant query there is one slice."""
    wide = ends.step + (int(query.scrape_interval.total_seconds()) if has_window(text) else 0)
    path, when = (
        ("/api/v1/query", {"time": ends[0]})
        if query.instant
        else ("/api/v1/query_range", {"start": ends[0], "end": ends[-1], "step": ends.step})
    )
    answer = outside.get(path, _Reply, params={"query": fill(text, wide), **when})
    reply = answer.body
    if reply is None or reply.data is None:
        raise Unexpected(f"{path}: the answer holds no data; check that url is that of a Prometheus query API")
    _insist_on_whole(path, reply.warnings)
    if answer.odd and isinstance(query, SliQuery):
        return {(): dict.fromkeys(ends, math.nan)}  # the series itself was left out
    amounts: dict[tuple[str, ...], dict[int, float]] = {}
    for series in reply.data.result:
        held = amounts.setdefault(tuple(series.metric.get(label, "") for label in by), {})
        for end, number in series.values if series.value is None else [series.value]:
            amount, at = _amount(number), round(end) if math.isfinite(end) else 0
            if amount is None or at not in ends:
                outside.reject(SliCount if isinstance(query, SliQuery) else Usage)
            if at in ends and amount is None:
                held[at] = math.nan
            elif at in ends and amount is not None and math.isfinite(amount):
                held[at] = held.get(at, 0.0) + round(amount * ends.step / wide, _DIGITS)
    return amounts


def _amount(text: str) -> float | None:
    """A sample's number, as the API writes it; None for what is none."""
    try:
        return float(text)
    except ValueError:
        return None


def _insist_on_whole(path: str, warnings: Sequence[str]) -> None:
    """Take no fact from an answer that may be partial: it would stand for good. Remarks on the query itself pass.

    Raises:
        Unreachable: the slices are read again at the next poll.
    """
    partial_ = [w for w in warnings if not w.startswith("PromQL")]
    if partial_:
        raise Unreachable(f"{path}: the server says its answer may not be whole: {'; '.join(partial_)[:500]}")


def _usage(query: UsageQuery, outside: Sieve, ends: range) -> Iterator[Usage]:
    """Use of each object in each slice; none where nothing was counted.

    When in its slice it was is not known: it is dated by the middle, since most of the slice lies in that day, in any
    zone. The end is the first moment of the next slice: the use of a whole Friday would be Saturday's.
    """
    for values, amounts in _ask(outside, query, query.query, query.by, ends).items():
        id_ = query.prefix + "/".join(value or UNNAMED for value in values)
        for end, amount in amounts.items():
            if amount > 0:
                yield Usage(
                    key=f"{stream_name(query)}/{id_}/{end}",
                    at=datetime.fromtimestamp(end, UTC) - query.window / 2,
                    about=Ref(system=query.system, kind=query.kind, id=id_),
                    action=query.action,
                    amount=amount,
                )


def _sli(query: SliQuery, outside: Sieve, ends: range) -> Iterator[SliCount]:
    """Good and bad of each slice with a total; a part that is absent there is 0 (domain section 5).

    A part is held to 0..total: out of `increase` both are estimates, and one may come out above the other. Where it lies
    further outside than scrapes at the two ends of a slice explain, the counts contradict and the slice is rejected.
    """
    most = max(_BEYOND, 2 * (query.scrape_interval / query.window))
    text = query.bad if query.good is None else query.good
    totals = _ask(outside, query, query.total, (), ends).get((), {})
    parts = _ask(outside, query, text or "", (), ends).get((), {})
    for end, total in totals.items():
        if math.isnan(total) or math.isnan(parts.get(end, 0.0)):
            continue
        all_, part = max(total, 0.0), parts.get(end, 0.0)
        if not -most * all_ - 1 <= part <= (1 + most) * all_ + 1:
            outside.reject(SliCount, "contradiction")
            continue
        part = min(max(part, 0.0), all_)
        rest = all_ - part
        yield SliCount(
            key=f"{stream_name(query)}/{end}",
            at=datetime.fromtimestamp(end, UTC),
            about=Ref(system=SYSTEM, kind="sli", id=query.id),
            sli=query.id,
            good=rest if query.good is None else part,
            bad=part if query.good is None else rest,
            width=query.window,
        )


def _read(
    query: Query,
    delay: timedelta,
    outside: Sieve,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
) -> Iterator[Page]:
    """All slices of one query that ended since the last one read; a page holds as many as the server takes at once.

    A range that fails may be too large for the server, or for the time it is given.
    """
    first = since if checkpoint is None else datetime.fromtimestamp(int(checkpoint), UTC)
    windows = Windows(slices(first, now - delay, query.window), most=1 if query.instant else SLICES)
    total = len(windows.left)
    for ends in windows:
        try:
            facts = tuple(_sli(query, outside, ends) if isinstance(query, SliQuery) else _usage(query, outside, ends))
        except (Unexpected, Unreachable):
            if not windows.halve():
                raise
            continue
        windows.whole()
        left = windows.left
        yield Page(
            facts=facts,
            checkpoint=str(ends[-1]).encode(),
            progress=Progress(what=f"slices of {stream_name(query)}", done=total - len(left), of=total)
            if left
            else None,
        )


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One stream per query."""
    del instance

    def read(query: Query, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: _read(query, config.delay, sieve, checkpoint, since, now))

    return tuple(
        Stream(
            name=stream_name(query),
            read=partial(read, query),
            gives=frozenset({SliCount if isinstance(query, SliQuery) else Usage}),
        )
        for query in config.queries
    )


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Run every query once, now, without its history; one line for each that the server refuses or remarks on."""
    problems: list[str] = []
    for name, query, text in _tried(config):
        status, body = outside.text("/api/v1/query", params={"query": text})
        if status in _REFUSALS:
            return (
                f"the server answers {status} to a query; the credential must be allowed to read /api/v1/query and /api/v1/query_range",
            )
        problems.extend(f"{name}: {problem}" for problem in _problems(query, status, body))
    return problems


def _tried(config: Config) -> Iterator[tuple[str, Query | None, str]]:
    """(name, query, text of one of its parts); a server that only pages ask is asked for a number."""
    if not config.queries:
        yield "vector(1)", None, "vector(1)"
    for query in config.queries:
        parts = [query.query] if isinstance(query, UsageQuery) else [query.good, query.bad, query.total]
        for text in parts:
            if text:
                yield stream_name(query), query, fill(text, int(query.window.total_seconds()))


_REFUSALS = (401, 403)


def _problems(query: Query | None, status: int, body: str) -> Iterator[str]:
    try:
        reply = msgspec.json.decode(body, type=_Reply)
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


def access(config: Config) -> Access:
    credential: Credential | None = None
    if config.token is not None:
        credential = Token(secret=config.token)
    elif config.password is not None:
        credential = Basic(user=config.user, password=config.password)
    return Access(url=config.url, credential=credential, headers=config.headers, ca_file=config.ca_file)


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
    reads="your PromQL queries over whole slices, of Prometheus, Thanos, Mimir or VictoriaMetrics",
    needs="read access to `/api/v1/query` and `/api/v1/query_range`",
    config=Config,
    gives=frozenset({Usage, SliCount}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
