"""Kong: routes, consumers and plugins by its Admin API, and the requests that its nodes counted by route."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from platform_meter.model.access import Access, SecretHeaders
from platform_meter.model.facts import Reading
from platform_meter.model.facts.instances import Instances
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.traffic import Consumer, GatewayLatency, GatewayRequests, Plugin, Route
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.source import Area, Forbidden, Outside, Page, Source, Stream
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kong.checks import check
from platform_meter.sources.kong.config import Config
from platform_meter.sources.kong.lists import Place, Routes, Standing, workspaces
from platform_meter.sources.kong.metrics import Node
from platform_meter.sources.kong.planes import read as data_planes


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """The Admin API, and each node by itself: one that does not answer stops nothing else."""
    place, routes = Place(gateway=config.gateway or instance, cluster=config.cluster), Routes()
    stands: set[type[Reading]] = {Route, Plugin, *((Consumer,) if config.consumers else ())}

    def api(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: _standing(config, place, routes, sieve))

    def metrics(node: str, checkpoint: bytes | None, _since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: _counted(config, place, routes, node, sieve, checkpoint, now))

    def planes(_checkpoint: bytes | None, _since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: data_planes(config.data_planes, place, sieve, now))

    gives = frozenset({GatewayRequests, GatewayLatency})
    nodes = [
        Stream(name=_stream(name), read=partial(metrics, name), gives=gives, every=max(config.slice, config.every))
        for name in config.nodes
    ]
    heard = (
        [Stream(name="data planes", read=planes, gives=frozenset({Instances, SliCount}))] if config.data_planes else []
    )
    return (Stream(name="api", read=api, gives=frozenset(stands)), *heard, *nodes)


def _stream(node: str) -> str:
    return f"metrics {node}" if node else "metrics"


def _standing(config: Config, place: Place, routes: Routes, outside: Sieve) -> Iterator[Page]:
    """All of it, kind by kind: what can't be read of one is said after the others were."""
    spaces = [Standing(place=place, workspace=name) for name in workspaces(config.workspaces, outside)]
    yield Page(facts=_list_routes(spaces, routes, outside), complete=frozenset({Route}))
    refused: Forbidden | None = None
    if config.consumers:
        try:
            found = [consumer for space in spaces for consumer in space.consumers(outside)]
            yield Page(facts=found, complete=frozenset({Consumer}))
        except Forbidden as error:
            refused = error
    plugins = [plugin for space in spaces for plugin in space.plugins(outside)]
    yield Page(facts=plugins, complete=frozenset({Plugin}))
    if refused is not None:
        raise refused


def _list_routes(spaces: Sequence[Standing], routes: Routes, outside: Sieve) -> list[Route]:
    found: list[Route] = []
    for space in spaces:
        for name, route in space.routes(outside):
            routes.keep(space.workspace, name, route.about)
            found.append(route)
    return found


def _counted(
    config: Config,
    place: Place,
    routes: Routes,
    name: str,
    sieve: Sieve,
    checkpoint: bytes | None,
    now: datetime,
) -> Iterator[Page]:
    """One scrape of one node. Whose a route is, its tags tell: without them its requests would be nobody's."""
    node = Node(name=name, place=place, own=config.bad == "own", slice=max(config.slice, config.every))
    grown = node.scrape(sieve.beside(name) if name else sieve, checkpoint, now)
    if not node.knows(grown, routes):
        spaces = [Standing(place=place, workspace=space) for space in workspaces(config.workspaces, sieve)]
        _list_routes(spaces, routes, sieve)
    yield Page(facts=tuple(node.facts(grown, routes, now)), checkpoint=grown.checkpoint)


def access(config: Config) -> Access:
    """The token goes to the Admin API alone."""
    return Access(
        url=config.url,
        credential=SecretHeaders(headers={"Kong-Admin-Token": config.token}) if config.token else None,
        ca_file=config.ca_file,
        beside={name: Access(url=address, ca_file=config.ca_file) for name, address in config.nodes.items() if name},
    )


def propose(around: Surroundings) -> Proposal:
    """The Admin API that a variable names."""
    variable, address = around.variable("KONG_ADMIN_TOKEN"), around.addresses.get("KONG_ADMIN_URL", "")

    def settings(url: str) -> Settings:
        return {"url": url, "token": {"env": variable}} if variable else {"url": url}

    return Proposal(
        about="Kong's routes, consumers and plugins, and the requests that it counts; add metrics: [each node's Status API].",
        found={"kong": settings(address)} if address else {},
        sample=("kong", settings("http://localhost:8001")),
        fill_in="the address of its Admin API",
    )


SOURCE = Source(
    name="kong",
    title="Kong Gateway",
    area=Area.GATEWAYS,
    reads="routes, consumers and plugins of all workspaces; requests and their latency by route, as its nodes count them; data planes",
    needs="the Admin API to read; with RBAC `read` on `/workspaces`, `/services`, `/routes`, `/consumers`, `/plugins`, `/clustering`; the Status API of each node",
    config=Config,
    gives=frozenset({Route, Consumer, Plugin, Instances, SliCount, GatewayRequests, GatewayLatency}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
