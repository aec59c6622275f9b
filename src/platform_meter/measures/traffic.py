"""Meshes and gateways: requests and how long they took, who is in the mesh, what came with mutual TLS, routes (domain section 13)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from platform_meter.measures.census import Share, census
from platform_meter.model.catalogue.traffic import (
    GATEWAY_DURATION,
    GATEWAY_REQUESTS,
    GATEWAY_ROUTES,
    MESH_DURATION,
    MESH_MEMBERS,
    MESH_MTLS,
    MESH_REQUESTS,
)
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import (
    GatewayLatency,
    GatewayRequests,
    MemberState,
    MeshLatency,
    MeshMember,
    MeshRequests,
    MeshSecurity,
    Route,
    Security,
)
from platform_meter.model.history import Held, Owner, SourceState
from platform_meter.model.measure import Counting, Gauging, Labels, Measures, Piece, Scene
from platform_meter.model.metric import Increment, Metric, Ratio, Sample

DAY = timedelta(days=1)
"""How far back the share of mutual TLS looks."""


def count_mesh_requests(event: MeshRequests, owner: Owner, source: SourceState) -> Iterator[Increment]:
    """Good and bad requests to one service, each as many as were counted; what was never bad stands at 0."""
    for result, amount in ((Verdict.GOOD, event.good), (Verdict.BAD, event.bad)):
        yield Increment(metric=MESH_REQUESTS, labels=(source.type, owner.team, result), amount=amount)


def count_mesh_latency(event: MeshLatency, _owner: Owner, source: SourceState) -> Iterator[Increment]:
    """All durations of one service at once, as the mesh counted them."""
    yield Increment(metric=MESH_DURATION, labels=(source.type,), amount=event.seconds, within=event.within)


def count_gateway_requests(event: GatewayRequests, owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """Good and bad requests to one route, each as many as were counted; what was never bad stands at 0."""
    for result, amount in ((Verdict.GOOD, event.good), (Verdict.BAD, event.bad)):
        yield Increment(metric=GATEWAY_REQUESTS, labels=(event.gateway, owner.team, result), amount=amount)


def count_gateway_latency(event: GatewayLatency, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """All durations of one route at once, as the gateway counted them."""
    yield Increment(metric=GATEWAY_DURATION, labels=(event.gateway,), amount=event.seconds, within=event.within)


def _members(_scene: Scene, source: SourceState, held: Held[MeshMember]) -> Iterator[Share]:
    """A workload, in its state; the others stand at 0 beside it."""
    for state in MemberState:
        yield Share((source.type, held.reading.cluster, state), float(held.reading.state is state))


MEMBERS = census(
    MESH_MEMBERS,
    MeshMember,
    _members,
    once=lambda source, member: (source.type, member.cluster, member.about.name),
)


def mutual_tls(scene: Scene) -> Iterator[Sample]:
    """Of the requests of 24 hours that a mesh told the security of, up to where each source was read; none under the minimum."""
    counted: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for source in scene.history.sources(MeshSecurity):
        if not source.fresh or source.watermark is None:
            continue
        counts = scene.history.counts(MeshSecurity, source.instance, source.watermark - DAY, source.watermark)
        for (_, dim), count in counts.items():
            counted[source.type, dim.cluster][dim.security is Security.PLAIN] += count.amount
    for labels, (mutual, plain) in sorted(counted.items()):
        share = Ratio(part=mutual, whole=mutual + plain, minimum=scene.minimum)
        yield Sample(metric=MESH_MTLS, labels=labels, value=share)


def _behind_mutual_tls(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    """What each event counted of the two."""
    for source in scene.history.sources(MeshSecurity):
        if source.type != labels[0] or not source.fresh or source.watermark is None:
            continue
        start = source.watermark - DAY
        for row in scene.history.rows(MeshSecurity, start, source.watermark, source=source.instance):
            if row.event.cluster == labels[1]:
                adds, part = row.event.mutual + row.event.plain, row.event.mutual
                yield Piece(source=source.instance, object=row.object, fact=row.event, adds=adds, part=part)


def _routes(scene: Scene, _source: SourceState, held: Held[Route]) -> Iterator[Share]:
    """A route, of the team that owns it."""
    yield Share((held.reading.gateway, scene.history.owner(held.object).team))


ROUTES = census(GATEWAY_ROUTES, Route, _routes, once=lambda _, route: route.about.name)

MEASURES = Measures(
    standing=(
        Counting(event=MeshRequests, metrics=(MESH_REQUESTS,), count=count_mesh_requests),
        Counting(event=MeshLatency, metrics=(MESH_DURATION,), count=count_mesh_latency),
        Counting(event=GatewayRequests, metrics=(GATEWAY_REQUESTS,), count=count_gateway_requests),
        Counting(event=GatewayLatency, metrics=(GATEWAY_DURATION,), count=count_gateway_latency),
        MEMBERS,
        Gauging(
            metrics=(MESH_MTLS,),
            reads=frozenset({MeshSecurity}),
            compute=mutual_tls,
            behind=_behind_mutual_tls,
            every=timedelta(minutes=1),
            at_once=False,
        ),
        ROUTES,
    )
)
