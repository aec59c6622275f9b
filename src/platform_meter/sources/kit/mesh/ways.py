"""Where a mesh's counters are read: from a Prometheus, slice by slice, or from pages of its proxies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import msgspec

from platform_meter.model.facts import Fact
from platform_meter.model.facts.traffic import MeshLatency, MeshRequests, MeshSecurity
from platform_meter.model.progress import Progress
from platform_meter.model.source import Outside, SourceError, Stream, Unexpected, Unreachable
from platform_meter.model.source import Page as Told
from platform_meter.model.typed import decode
from platform_meter.sources.kit.health import REFUSALS
from platform_meter.sources.kit.mesh.config import PROMETHEUS, MeshConfig, Page, PrometheusWay
from platform_meter.sources.kit.mesh.traffic import Amounts, Counted, Labels, Mesh, Stretch, facts
from platform_meter.sources.kit.promql import Asked, Reply, ask, read_to, slices
from platform_meter.sources.kit.querying import Querying
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.scrape import LONGEST, Family, Scrape
from platform_meter.sources.kit.windows import Windows

GIVES: frozenset[type[Fact]] = frozenset({MeshRequests, MeshLatency, MeshSecurity})
SLICES = 12
"""Slices asked for in one call: a series for each service and bucket comes with every one of them."""


def streams(mesh: Mesh, config: MeshConfig, outside: Outside) -> Iterator[Stream]:
    """One that reads a Prometheus, or one for each page."""

    def asked(
        way: PrometheusWay, server: Querying, checkpoint: bytes | None, since: datetime, now: datetime
    ) -> Iterator[Told]:
        return Sieve.over(server, lambda sieve: _asked(mesh, config, way, sieve, checkpoint, since, now))

    def scraped(name: str, page: Page, checkpoint: bytes | None, _: datetime, now: datetime) -> Iterator[Told]:
        return Sieve.over(outside, lambda sieve: _scraped(mesh, config, page, sieve.beside(name), checkpoint, now))

    if config.prometheus is not None:
        way, server = config.prometheus, Querying(outside.beside(PROMETHEUS), config.timeout)
        yield Stream(name="traffic", read=partial(asked, way, server), gives=GIVES, behind=way.delay)
    for name, page in config.pages.items():
        yield Stream(name=f"traffic/{where(page)}", read=partial(scraped, name, page), gives=GIVES)


def where(page: Page) -> str:
    """Its address, as streams and keys have it."""
    parts = urlsplit(page.url)
    return f"{parts.netloc}{parts.path}".rstrip("/")


def _asked(
    mesh: Mesh,
    config: MeshConfig,
    way: PrometheusWay,
    outside: Sieve,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
) -> Iterator[Told]:
    """All slices that ended since the last one read, and those of the overlap before them.

    A range that fails may be too large for the server, or for the time it is given.
    """
    place = read_to(checkpoint, since)
    news = slices(place, now - way.delay, way.window)
    if not news:
        return
    left = news if checkpoint is None else slices(place - config.overlap, now - way.delay, way.window)
    windows = Windows(left, most=SLICES)
    for ends in windows:
        try:
            told = tuple(_told(mesh, config.cluster, way, outside, ends))
        except (Unexpected, Unreachable):
            if not windows.halve():
                raise
            continue
        windows.whole()
        done = sum(1 for end in news if end <= ends[-1])
        progress = Progress(what=f"slices of {mesh.system}", done=done, of=len(news)) if windows.left else None
        yield Told(facts=told, checkpoint=str(news[done - 1]).encode() if done else None, progress=progress)


def _told(mesh: Mesh, cluster: str, way: PrometheusWay, outside: Sieve, ends: range) -> Iterator[Fact]:
    interval = int(way.scrape_interval.total_seconds())
    by_end = defaultdict[int, defaultdict[Counted, list[tuple[Labels, float]]]](lambda: defaultdict(list))
    for counter in mesh.counters:
        text = counter.query(way.select, ends.step, interval)
        asked = Asked(text=text, by=counter.by, wide=ends.step, becomes=MeshRequests)
        amounts, odd = ask(outside, asked, ends)
        if odd:
            raise Unexpected(f"{odd} series of {counter.name} can't be read, and nobody knows whose they are")
        for values, by_slice in amounts.items():
            labels = dict(zip(counter.by, values, strict=True))
            for end, amount in by_slice.items():
                by_end[end][counter].append((labels, amount))
    for end in ends:
        stretch = Stretch(key=str(end), at=datetime.fromtimestamp(end, UTC), again=True)
        yield from facts(mesh, cluster, stretch, by_end[end])


def _scraped(
    mesh: Mesh, config: MeshConfig, page: Page, outside: Sieve, checkpoint: bytes | None, now: datetime
) -> Iterator[Told]:
    """One look at a page, with what it counted since the last one."""
    scrape = Scrape(
        path="",
        families=families(mesh.counters),
        becomes=MeshRequests,
        born=mesh.born,
        longest=max(LONGEST, 3 * config.every),
    )
    grown = scrape.read(outside, checkpoint, now)
    kept = {family.name: family.keep for family in scrape.families}
    seen = defaultdict[str, list[tuple[Labels, float]]](list)
    for (name, values), amount in grown.amounts.items():
        own = {label: value for label, value in zip(kept[name], values, strict=True) if value}
        seen[name].append(({**page.labels, **own}, amount))
    amounts: Amounts = {
        counter: [
            (labels, amount)
            for labels, amount in seen[counter.name]
            if all(fits.takes(labels) for fits in counter.only)
        ]
        for counter in mesh.counters
    }
    stretch = Stretch(key=f"{where(page)}/{grown.key}", at=now)
    yield Told(facts=tuple(facts(mesh, config.cluster, stretch, amounts)), checkpoint=grown.checkpoint)


def families(counters: Sequence[Counted]) -> tuple[Family, ...]:
    """What is read of a page: each counter once, with all the labels that anybody asks of it."""
    labels: dict[str, dict[str, None]] = {}
    for counter in counters:
        labels.setdefault(counter.name, {}).update(dict.fromkeys((*counter.by, *(fits.label for fits in counter.only))))
    return tuple(Family(name=name, keep=tuple(keep)) for name, keep in labels.items())


def lacking(mesh: Mesh, config: MeshConfig, outside: Outside) -> Sequence[str]:
    """What a small look finds wrong: a line for each counter that the Prometheus refuses or does not have, and for each
    page without requests.

    Raises:
        SourceError: the Prometheus does not answer.
    """
    way = config.prometheus
    if way is None:
        looked = (_unread(mesh, page, outside.beside(name)) for name, page in config.pages.items())
        return [problem for problem in looked if problem]
    problems: list[str] = []
    for counter in mesh.counters:
        query = counter.query(way.select, int(way.window.total_seconds()), int(way.scrape_interval.total_seconds()))
        status, body = outside.beside(PROMETHEUS).text("/api/v1/query", params={"query": query})
        if status in REFUSALS:
            return (f"the Prometheus answers {status} to a query; {_LET}",)
        problems.extend(_problems(counter, way.select, status, body))
    return problems


def _unread(mesh: Mesh, page: Page, outside: Outside) -> str:
    """Why a page tells of no requests; empty where it does."""
    try:
        status, body = outside.text("")
    except SourceError as error:
        return str(error)
    if status != _OK:
        return f"{page.url} answered {status}; write the address of a proxy's page of metrics"
    if f"{mesh.requests.name}{{" in body:
        return ""
    return f"{page.url} has no {mesh.requests.name}; nothing was asked through that proxy yet, or it is another page"


_OK = 200
_LET = "the credential must be allowed to read /api/v1/query and /api/v1/query_range"


def _problems(counter: Counted, select: Mapping[str, str], status: int, body: str) -> Iterator[str]:
    try:
        reply = decode(body, Reply)
    except msgspec.DecodeError:
        yield f"{counter.name}: it answered {status} with no Prometheus answer; check that url is that of a query API"
        return
    if reply.error:
        yield f"{counter.name}: it refuses the query ({status}): {reply.error}"
    elif reply.data is None or not reply.data.result:
        among = f" with {', '.join(f'{k}={v}' for k, v in sorted(select.items()))}" if select else ""
        yield (
            f"{counter.name}: it has no series{among} of late; check that it scrapes the proxies"
            + (", and what `select` says" if select else "")
        )
