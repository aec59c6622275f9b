"""Requests that meshes and gateways saw, and what stands in them (domain sections 5, 11 and 13).

They count by themselves; a fact tells what they counted in a stretch of time that ends at `at`, about one service of a
mesh or one route of a gateway. Requests that a client gave up or got wrong are valid for nobody and left out by the source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally, UseWord
from platform_meter.model.facts.slis import Verdict, good_and_bad
from platform_meter.model.objective import Countable, StoredSli

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds, inclusive, for every mesh and gateway; metric and rollup share them.

What a system counted up to a bound of its own that is none of these stands under the next higher one: a share in time is
never told as larger than it was, and is exact at each bound that the system has too.
"""


def latency_bucket(seconds: float) -> str:
    """The smallest bound that holds `seconds`, as it is written in `le`."""
    return next((f"{bound:g}" for bound in LATENCY_BUCKETS if seconds <= bound), "+Inf")


def latency_within(up_to: Mapping[float, float]) -> dict[str, float]:
    """What a cumulative histogram counted, each observation once, under the smallest of our bounds that holds it.

    Args:
        up_to: how many took so many seconds at most, by the histogram's own bounds, infinity with them. Each may have been
            read or estimated by itself, so that one is below the one before it: then none is its own.
    """
    found: dict[str, float] = {}
    before = 0.0
    for bound, so_far in sorted(up_to.items()):
        if so_far > before:
            le = latency_bucket(bound)
            found[le] = found.get(le, 0.0) + so_far - before
            before = so_far
    return found


class MemberState(StrEnum):
    IN_MESH = "in_mesh"
    OUTSIDE = "outside"
    EXEMPT = "exempt"
    """It says itself that it stays outside, or its namespace does."""


class MeshDim(NamedTuple):
    """What requests in a mesh are tallied by."""

    cluster: str
    verdict: Verdict


class TookDim(NamedTuple):
    """What durations are tallied by: the mesh's cluster or the gateway, and the smallest bound that holds them."""

    where: str
    bucket: str
    """As written in `le`; `+Inf` past the last bound."""

    def within(self, seconds: float) -> bool:
        """Whether these requests took so many seconds at most; exact at each bound."""
        return float(self.bucket) <= seconds


class Security(StrEnum):
    MUTUAL = "mutual_tls"
    PLAIN = "plain"
    """Without TLS, or with that of one side only."""


class SecurityDim(NamedTuple):
    """What requests in a mesh are tallied by: with mutual TLS and without apart."""

    cluster: str
    security: Security


class GatewayDim(NamedTuple):
    """What requests through a gateway are tallied by."""

    gateway: str
    verdict: Verdict


def _took(where: str, within: Mapping[str, float]) -> tuple[Tally[TookDim], ...]:
    """Each bound by itself; all of them are one event."""
    there = [(le, amount) for le, amount in within.items() if amount]
    return tuple(
        Tally(dim=TookDim(where, le), n=int(place == 0), amount=amount) for place, (le, amount) in enumerate(there)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshRequests(Tallied[MeshDim]):
    """Requests to one service, as its mesh counted them: answered well, and badly. Each of them is use of the mesh."""

    elsewhere: ClassVar = True
    verb: ClassVar = "request"
    use_words: ClassVar = {"cluster": UseWord(of="cluster")}
    use_amount: ClassVar = ("good", "bad")

    cluster: str
    good: float
    bad: float

    def tallies(self) -> tuple[Tally[MeshDim], ...]:
        return good_and_bad(partial(MeshDim, self.cluster), self.good, self.bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshLatency(Tallied[TookDim]):
    """How long requests to one service took: how many by the smallest bound that holds them, as `le` writes it, and their sum."""

    elsewhere: ClassVar = True

    cluster: str
    within: Mapping[str, float] = field(hash=False)
    seconds: float
    """All of them together."""

    def tallies(self) -> tuple[Tally[TookDim], ...]:
        return _took(self.cluster, self.within)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshSecurity(Tallied[SecurityDim]):
    """Requests to one service that came with mutual TLS, and those that came without."""

    elsewhere: ClassVar = True

    cluster: str
    mutual: float
    plain: float

    def tallies(self) -> tuple[Tally[SecurityDim], ...]:
        return (
            Tally(dim=SecurityDim(self.cluster, Security.MUTUAL), amount=self.mutual),
            Tally(dim=SecurityDim(self.cluster, Security.PLAIN), n=0, amount=self.plain),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshMember(Reading):
    """Whether one workload is in the mesh. `about` is the workload as the cluster's own source names it."""

    cluster: str
    state: MemberState


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshPolicy(Reading):
    """What somebody told the mesh about a service: routes, rules, who may call. `about.id` is cluster/namespace/kind/name."""

    cluster: str
    policy: str
    """Its kind, as the mesh writes it: `VirtualService`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequests(Tallied[GatewayDim]):
    """Requests to one route of a gateway: answered well, and badly. Bad is what the platform or the service answers for (5xx).

    Each of them is use of the gateway.
    """

    elsewhere: ClassVar = True
    verb: ClassVar = "request"
    use_words: ClassVar = {"gateway": UseWord(of="gateway")}
    use_amount: ClassVar = ("good", "bad")

    gateway: str
    good: float
    bad: float

    def tallies(self) -> tuple[Tally[GatewayDim], ...]:
        return good_and_bad(partial(GatewayDim, self.gateway), self.good, self.bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLatency(Tallied[TookDim]):
    """How long requests to one route took: how many by the smallest bound that holds them, as `le` writes it, and their sum."""

    elsewhere: ClassVar = True

    gateway: str
    within: Mapping[str, float] = field(hash=False)
    seconds: float
    """All of them together."""

    def tallies(self) -> tuple[Tally[TookDim], ...]:
        return _took(self.gateway, self.within)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Reading):
    """One route that a gateway serves. `about.id` is gateway/route."""

    gateway: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin(Reading):
    """One plugin that works in a gateway, on a route, a service, a consumer or on all of them; what is switched off is none."""

    gateway: str
    plugin: str
    """Its kind, such as `rate-limiting`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer(Reading):
    """Who may call through a gateway: an application, not a person. `about.id` is gateway/consumer."""

    gateway: str


def _told_requests(counted: MeshRequests | GatewayRequests) -> tuple[str, str]:
    return counted.about.id, f"{counted.bad:,.6g} of {counted.good + counted.bad:,.6g} bad"


def _told_latency(counted: MeshLatency | GatewayLatency) -> tuple[str, str]:
    took = ", ".join(
        f"{n:,.6g} in {le} s" if le != "+Inf" else f"{n:,.6g} longer" for le, n in counted.within.items() if n
    )
    return counted.about.id, took


def _well_in_mesh(sli: StoredSli, dim: MeshDim) -> bool | None:
    return dim.verdict is Verdict.GOOD if sli.takes("cluster", dim.cluster) else None


def _well_in_gateway(sli: StoredSli, dim: GatewayDim) -> bool | None:
    return dim.verdict is Verdict.GOOD if sli.takes("gateway", dim.gateway) else None


def _in_time(word: str) -> Callable[[StoredSli, TookDim], bool | None]:
    def judge(sli: StoredSli, dim: TookDim) -> bool | None:
        if not sli.takes(word, dim.where):
            return None
        return sli.threshold is not None and dim.within(sli.threshold)

    return judge


MESH_REQUESTS = Countable(
    word="mesh_requests",
    event=MeshRequests,
    where=("cluster",),
    good=_well_in_mesh,
    told=_told_requests,
)

MESH_LATENCY = Countable(
    word="mesh_latency",
    event=MeshLatency,
    where=("cluster",),
    called="timed requests in the mesh",
    thresholds=LATENCY_BUCKETS,
    good=_in_time("cluster"),
    told=_told_latency,
)

GATEWAY_REQUESTS = Countable(
    word="gateway_requests",
    event=GatewayRequests,
    where=("gateway",),
    good=_well_in_gateway,
    told=_told_requests,
)

GATEWAY_LATENCY = Countable(
    word="gateway_latency",
    event=GatewayLatency,
    where=("gateway",),
    called="timed requests through gateways",
    thresholds=LATENCY_BUCKETS,
    good=_in_time("gateway"),
    told=_told_latency,
)

FACTS = Facts(
    events=(MeshRequests, MeshLatency, MeshSecurity, GatewayRequests, GatewayLatency),
    readings=(MeshMember, MeshPolicy, Route, Plugin, Consumer),
)
