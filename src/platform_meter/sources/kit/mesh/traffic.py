"""Counters of a mesh's proxies into facts about its services (domain sections 5 and 13).

Counters are named here once, with what is taken of them: a Prometheus is asked by that, and pages of proxies are read by
that, so both ways tell the same.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import MeshLatency, MeshRequests, MeshSecurity, latency_within
from platform_meter.sources.kit.promql import counted

BOUND: Final = "le"
MILLISECONDS = 1_000
_DIGITS = 6
GRPC_BAD = frozenset({"2", "4", "12", "13", "14", "15"})
"""Statuses of gRPC that HTTP would answer with 5xx: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE,
DATA_LOSS."""
GRPC_CLIENT = frozenset({"1", "3", "5", "6", "7", "8", "9", "10", "11", "16"})
"""Those that it would answer with 4xx: the caller gave up, asked for what is not there or may not be, or too often."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """What the value of a label must be, as a pattern for all of it; an absent label is empty."""

    label: str
    pattern: str
    fits: bool = True
    """False for a value that must not fit."""

    def __str__(self) -> str:
        return f"{self.label}{'=~' if self.fits else '!~'}{quoted(self.pattern)}"

    def takes(self, labels: Labels) -> bool:
        return (re.fullmatch(self.pattern, labels.get(self.label, "")) is not None) is self.fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One counter of proxies, and what is taken of it."""

    name: str
    by: tuple[str, ...]
    """Labels that amounts are told by."""
    only: tuple[Fits, ...] = ()

    def query(self, select: Labels, window: int, interval: int) -> str:
        """PromQL of what it grew by in a window, both in seconds, of the series that have the labels of `select`.

        It reaches over a scrape interval more and is scaled back, so that nothing falls between two windows. A series
        that is new while its proxy is not began with its first request: all that it shows is counted, or else an error
        that is the first of its kind would never be seen.
        """
        proxy = [f"{label}={quoted(value)}" for label, value in sorted(select.items())]
        before, own = f"{{{', '.join(proxy)}}}", f"{{{', '.join([*proxy, *map(str, self.only)])}}}"
        x, then = f"{self.name}{own}", f"offset {window}s"
        new = f"({x} unless {x} {then}) and on (instance, job) {self.name}{before} {then}"
        grown = f"increase({x}[{window + interval}s]) * {window} / {window + interval}"
        return f"sum by ({', '.join(self.by)}) ({new} or {grown})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose requests they are: a service of the mesh."""

    namespace: str
    name: str
    workload: str = ""
    """What answers for it, as the cluster's own source names it in the namespace: `Deployment/cart`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """The counters of one kind of mesh, and what their labels mean."""

    system: str
    requests: Counted
    durations: Counted
    """Buckets, told by `le` in milliseconds too."""
    sums: Counted
    """Milliseconds in all."""
    security: Counted
    place: Callable[[Labels], Place | None]
    """None for what is no service of the mesh."""
    verdict: Callable[[Labels], Verdict | None]
    """None for what is valid for nobody."""
    mutual: Callable[[Labels], bool | None]
    """Whether it came with mutual TLS; None where the proxy that tells can't know."""
    born: str = ""
    """As of `sources.kit.scrape.Scrape`."""

    @property
    def counters(self) -> tuple[Counted, ...]:
        return (self.requests, self.durations, self.sums, self.security)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The time in which something was counted."""

    key: str
    at: datetime
    """Its end."""
    again: bool = False
    """Whether it may be counted again, and higher."""


@dataclass(slots=True)
class _Service:
    """What was counted of one service."""

    workloads: set[str] = field(default_factory=set)
    answers: dict[Verdict, float] = field(default_factory=lambda: defaultdict(float))
    up_to: dict[float, float] = field(default_factory=lambda: defaultdict(float))
    """Requests by the bound in milliseconds that they took at most."""
    milliseconds: float = 0.0
    mutual: dict[bool, float] = field(default_factory=lambda: defaultdict(float))


Amounts = Mapping[Counted, Iterable[tuple[Labels, float]]]
"""Labels and amount of all that a counter counted in one stretch."""


def quoted(text: str) -> str:
    """As PromQL writes a text."""
    return msgspec.json.encode(text).decode()


def facts(
    mesh: Mesh, cluster: str, stretch: Stretch, amounts: Amounts
) -> Iterator[MeshRequests | MeshLatency | MeshSecurity]:
    """What was counted of each service; nothing where nothing was, or where an amount is no number."""
    for (namespace, name), service in sorted(_services(mesh, amounts).items()):
        id_ = f"{cluster}/{namespace}/{name}"
        links = [f"kubernetes:{cluster}/{namespace}/{workload}" for workload in sorted(service.workloads)]
        about = Ref(system=mesh.system, kind="service", id=id_, links=(*links, f"kubernetes:{cluster}/{namespace}"))
        key = f"{id_}/{stretch.key}"
        good, bad = (round(service.answers[verdict], _DIGITS) for verdict in (Verdict.GOOD, Verdict.BAD))
        if good + bad > 0:
            yield MeshRequests(
                key=f"requests/{key}",
                at=stretch.at,
                about=about,
                updated=counted(good + bad) if stretch.again else None,
                cluster=cluster,
                good=good,
                bad=bad,
            )
        total = service.up_to.get(math.inf, 0.0)
        if total > 0:
            yield MeshLatency(
                key=f"latency/{key}",
                at=stretch.at,
                about=about,
                updated=counted(total) if stretch.again else None,
                cluster=cluster,
                within=_within(service.up_to),
                seconds=round(max(service.milliseconds, 0.0) / MILLISECONDS, _DIGITS),
            )
        mutual, plain = (round(service.mutual[word], _DIGITS) for word in (True, False))
        if mutual + plain > 0:
            yield MeshSecurity(
                key=f"security/{key}",
                at=stretch.at,
                about=about,
                updated=counted(mutual + plain) if stretch.again else None,
                cluster=cluster,
                mutual=mutual,
                plain=plain,
            )


def _services(mesh: Mesh, amounts: Amounts) -> Mapping[tuple[str, str], _Service]:
    found = defaultdict[tuple[str, str], _Service](_Service)
    for counter, told in amounts.items():
        for labels, amount in told:
            place = mesh.place(labels)
            if place is None:
                continue
            service = found[place.namespace, place.name]
            if place.workload:
                service.workloads.add(place.workload)
            if counter is mesh.requests and (verdict := mesh.verdict(labels)) is not None:
                service.answers[verdict] += amount
            elif counter is mesh.durations:
                service.up_to[float(labels[BOUND])] += amount
            elif counter is mesh.sums:
                service.milliseconds += amount
            elif counter is mesh.security and (mutual := mesh.mutual(labels)) is not None:
                service.mutual[mutual] += amount
    return found


def _within(up_to: Mapping[float, float]) -> Mapping[str, float]:
    """Requests by the smallest of our bounds that holds them; what rounds to none is left out."""
    within = latency_within({bound / MILLISECONDS: so_far for bound, so_far in up_to.items()})
    return {le: rounded for le, amount in within.items() if (rounded := round(amount, _DIGITS)) > 0}
