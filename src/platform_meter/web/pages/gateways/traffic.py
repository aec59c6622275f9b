"""Requests that gateways and meshes counted in a window: by gateway and route, by mesh and service."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from platform_meter.model.facts import Tallied
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import (
    LATENCY_BUCKETS,
    Consumer,
    GatewayLatency,
    GatewayRequests,
    MeshLatency,
    MeshRequests,
    Plugin,
    Route,
)
from platform_meter.model.history import DayCount, Held, SourceState
from platform_meter.web.bounds import ENOUGH, Took, failed_words
from platform_meter.web.related import DAYS, given, tallied, why_none
from platform_meter.web.view import View, whole

R = TypeVar("R", Route, Consumer, Plugin)


class Mesh(NamedTuple):
    """One mesh in one cluster."""

    mesh: str
    """Type of its source: `istio`."""
    cluster: str


@dataclass(slots=True)
class Flow:
    """Requests and how long they took."""

    good: float = 0.0
    bad: float = 0.0
    took: Took = field(default_factory=Took)
    """Of all that were timed, errors of clients with them."""

    @property
    def requests(self) -> float:
        return self.good + self.bad

    @property
    def failed(self) -> float | None:
        """Share of the requests; None where there are too few."""
        return self.bad / self.requests if self.requests >= ENOUGH else None

    @property
    def bad_words(self) -> str:
        """How bad it is: `10 of 5,000 failed, 0.200 %`."""
        share = "" if self.failed is None else f", {failed_words(self.failed)}"
        return f"{whole(self.bad)} of {whole(self.requests)} failed{share if self.bad else ''}"

    @property
    def half(self) -> str:
        """The bound within which half of them were done, in words."""
        return self.took.most(0.5, LATENCY_BUCKETS)

    @property
    def most(self) -> str:
        """The same of 95 %."""
        return self.took.most(0.95, LATENCY_BUCKETS)


@dataclass(slots=True)
class Traffic:
    """Of one gateway or mesh: all of it, and by object."""

    all: Flow = field(default_factory=Flow)
    parts: dict[int, Flow] = field(default_factory=lambda: defaultdict(Flow))
    types: set[str] = field(default_factory=set)
    """Types of the sources that told it."""
    sources: set[str] = field(default_factory=set)

    def flows(self, object_: int) -> tuple[Flow, Flow]:
        """Those that what was counted of an object adds to."""
        return self.all, self.parts[object_]


def by_gateway(view: View, window: timedelta) -> dict[str, Traffic]:
    """Of those that had any."""
    found = defaultdict[str, Traffic](Traffic)
    for source, object_, dim, amount in _counted(view, GatewayRequests, window):
        _told(found[dim.gateway], source, object_, amount, good=dim.verdict is Verdict.GOOD)
    for _, object_, took, amount in _counted(view, GatewayLatency, window):
        for flow in found[took.where].flows(object_):
            flow.took.add(took.bucket, amount)
    return found


def by_mesh(view: View, window: timedelta) -> dict[Mesh, Traffic]:
    """Of those that had any."""
    found = defaultdict[Mesh, Traffic](Traffic)
    for source, object_, dim, amount in _counted(view, MeshRequests, window):
        traffic = found[Mesh(source.type, dim.cluster)]
        _told(traffic, source, object_, amount, good=dim.verdict is Verdict.GOOD)
    for source, object_, took, amount in _counted(view, MeshLatency, window):
        for flow in found[Mesh(source.type, took.where)].flows(object_):
            flow.took.add(took.bucket, amount)
    return found


def _counted(view: View, kind: type[Tallied[Any]], window: timedelta) -> Iterator[tuple[SourceState, int, Any, float]]:
    """(source, object, dim, amount) of all fresh sources, up to where each was read."""
    for state in view.history.sources(kind):
        for object_, dim, count in tallied(view, kind, [state.instance], window):
            yield state, object_, dim, count.amount


def _told(traffic: Traffic, source: SourceState, object_: int, amount: float, *, good: bool) -> None:
    traffic.types.add(source.type)
    traffic.sources.add(source.instance)
    for flow in traffic.flows(object_):
        if good:
            flow.good += amount
        else:
            flow.bad += amount


@dataclass(slots=True)
class Gateway:
    """One gateway that is read, or was."""

    name: str
    sources: set[str] = field(default_factory=set)
    traffic: Traffic | None = None
    """None where no fresh source counts its requests."""
    routes: dict[str, int] = field(default_factory=dict)
    """Objects by name, of fresh sources."""
    teams: Counter[str] = field(default_factory=Counter)
    """Routes by owner."""
    consumers: int | None = None
    """None where no fresh source tells them."""
    plugins: Counter[str] | None = None
    """By kind; None where no fresh source tells them."""


def gateways(view: View, window: timedelta) -> list[Gateway]:
    """All that routes, consumers, plugins or requests are known of, by name."""
    history = view.history
    configured = {s.instance for s in history.sources()}
    found: dict[str, Gateway] = {}

    def of(name: str, source: str) -> Gateway:
        one = found.setdefault(name, Gateway(name=name))
        one.sources.add(source)
        return one

    def standing(kind: type[R]) -> Iterator[Held[R]]:
        fresh = {s.instance for s in given(view, kind, configured)}
        for held in sorted(history.readings(kind), key=lambda held: held.source):
            if held.source in configured:
                of(held.reading.gateway, held.source)
            if held.source in fresh:
                yield held

    for route in standing(Route):
        found[route.reading.gateway].routes[route.reading.about.name] = route.object
    consumers = {(held.reading.gateway, held.reading.about.name) for held in standing(Consumer)}
    called = Counter(name for name, _ in consumers)
    works = Counter((held.reading.gateway, held.reading.plugin) for held in standing(Plugin))
    traffic = by_gateway(view, window)
    for name, told in traffic.items():
        for source in told.sources:
            of(name, source)
    for one in found.values():
        one.teams = Counter(history.owner(object_).team for object_ in one.routes.values())
        one.consumers = called[one.name] if given(view, Consumer, one.sources) else None
        if given(view, Plugin, one.sources):
            one.plugins = Counter({plugin: n for (name, plugin), n in works.items() if name == one.name})
        if one.name in traffic or any(_looked_twice(s) for s in given(view, GatewayRequests, one.sources)):
            one.traffic = traffic.get(one.name, Traffic())
    return [found[name] for name in sorted(found)]


def _looked_twice(source: SourceState) -> bool:
    """Whether a source that has counted nothing can know that there was nothing: counters tell by their second reading."""
    return source.since is None or source.watermark is None or source.watermark > source.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one route or service did, and whose it is."""

    where: str
    """Its gateway, or its cluster."""
    mesh: str
    name: str
    team: str
    flow: Flow


def lines(view: View, told: Iterable[tuple[str, str, Traffic]], *, most: int, bad: bool = True) -> Sequence[Line]:
    """The routes or services with most failures of these (where, mesh, traffic); with `bad` none without any."""
    flows = [
        (flow, where, mesh, object_, traffic)
        for where, mesh, traffic in told
        for object_, flow in traffic.parts.items()
        if flow.bad or not bad
    ]
    flows.sort(key=lambda one: (-one[0].bad, -one[0].requests, one[1], one[3]))
    shown = flows[:most]
    names = _objects(view, {type_ for *_, traffic in shown for type_ in traffic.types})
    return [
        Line(
            where=where,
            mesh=mesh,
            name=names.get(object_, "").removeprefix(f"{where}/"),
            team=view.history.owner(object_).team,
            flow=flow,
        )
        for flow, where, mesh, object_, _ in shown
    ]


def _objects(view: View, types: Iterable[str]) -> Mapping[int, str]:
    """Names of objects of sources of these types, as the source has them."""
    return {o.id: o.name.partition(":")[2] for type_ in sorted(types) for o in view.history.objects(source_type=type_)}


def daily(view: View, kind: type[Tallied[Any]], sources: Iterable[str]) -> Iterable[DayCount[Any]]:
    """What fresh ones of the sources counted on each of the last days, in no order."""
    days = view.days(DAYS)
    fresh = [s.instance for s in given(view, kind, set(sources))]
    return view.history.daily(kind, fresh, days[0], days[-1] + timedelta(days=1))


def missing(view: View, gateway: Gateway) -> str:
    """Why requests of a gateway are missing, in words; empty where all that counts them is fresh."""
    return why_none(view, GatewayRequests, gateway.sources)
