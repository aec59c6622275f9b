"""Objects that name or select workloads: autoscalers, budgets of disruption, quotas, network policies, routes, monitors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts.practices import (
    Autoscaler,
    DisruptionBudget,
    GatewayRoute,
    Monitor,
    NetworkPolicy,
    Quota,
)
from platform_meter.sources.kit.kubernetes_objects import Resource, Thing
from platform_meter.sources.kubernetes.practices.covered import (
    SERVICES,
    Found,
    Kind,
    Lister,
    Look,
    Selector,
    Service,
    Subject,
    named,
)

BUDGETS = Resource(name="poddisruptionbudgets", group="policy", verbs=("list",))
HPAS = Resource(name="horizontalpodautoscalers", group="autoscaling", versions=("v2",), verbs=("list",))
NETWORK_POLICIES = Resource(name="networkpolicies", group="networking.k8s.io", verbs=("list",))
QUOTAS = Resource(name="resourcequotas", verbs=("list",))
GATEWAY = "gateway.networking.k8s.io"
ROUTES = (
    Resource(name="httproutes", group=GATEWAY, versions=("v1", "v1beta1"), verbs=("list",)),
    Resource(name="grpcroutes", group=GATEWAY, versions=("v1",), verbs=("list",)),
)
SERVICE_MONITORS = Resource(name="servicemonitors", group="monitoring.coreos.com", verbs=("list",))
POD_MONITORS = Resource(name="podmonitors", group="monitoring.coreos.com", verbs=("list",))


class _Target(Struct, rename="camel"):
    kind: str
    name: str
    api_version: str = ""


class _ScalerSpec(Struct, rename="camel"):
    scale_target_ref: _Target


class _Scaler(Thing):
    becomes: ClassVar[str] = "Autoscaler"
    spec: _ScalerSpec


def _scaled(lister: Lister, look: Look) -> Found:
    """What it names, of the group `apps`; those of other kinds (a Rollout) are no workloads here."""
    for scaler in lister.all(HPAS, _Scaler):
        target = scaler.spec.scale_target_ref
        if target.api_version.startswith("apps/"):
            for subject in look.named(scaler.metadata.namespace, target.kind, target.name):
                yield subject, scaler.metadata.name


class _BudgetSpec(Struct):
    selector: Selector | None = None
    """None selects nothing."""


class _Budget(Thing):
    becomes: ClassVar[str] = "DisruptionBudget"
    spec: _BudgetSpec = msgspec.field(default_factory=_BudgetSpec)


def _budgeted(lister: Lister, look: Look) -> Found:
    for budget in lister.all(BUDGETS, _Budget):
        if budget.spec.selector is not None:
            for subject in look.selected(budget.metadata.namespace, budget.spec.selector):
                yield subject, budget.metadata.name


class _QuotaSpec(Struct, rename="camel"):
    hard: dict[str, Any] = msgspec.field(default_factory=dict)
    scopes: list[str] = msgspec.field(default_factory=list)
    scope_selector: dict[str, Any] | None = None


class _Quota(Thing):
    becomes: ClassVar[str] = "Quota"
    spec: _QuotaSpec = msgspec.field(default_factory=_QuotaSpec)


def _bounded(lister: Lister, look: Look) -> Found:
    """All of the namespace; one with scopes bounds only some of its pods, and is none."""
    for quota in lister.all(QUOTAS, _Quota):
        if quota.spec.hard and not quota.spec.scopes and not quota.spec.scope_selector:
            for subject in look.spaces.get(quota.metadata.namespace, ()):
                yield subject, quota.metadata.name


class _NetworkSpec(Struct, rename="camel"):
    pod_selector: Selector = msgspec.field(default_factory=Selector)


class _Network(Thing):
    becomes: ClassVar[str] = "NetworkPolicy"
    spec: _NetworkSpec = msgspec.field(default_factory=_NetworkSpec)


def _isolated(lister: Lister, look: Look) -> Found:
    for policy in lister.all(NETWORK_POLICIES, _Network):
        for subject in look.selected(policy.metadata.namespace, policy.spec.pod_selector):
            yield subject, policy.metadata.name


class _Backend(Struct):
    name: str = ""
    kind: str = "Service"
    group: str = ""
    namespace: str = ""


class _RouteRule(Struct, rename="camel"):
    backend_refs: list[_Backend] = msgspec.field(default_factory=list)


class _RouteSpec(Struct):
    rules: list[_RouteRule] = msgspec.field(default_factory=list)


class _Condition(Struct):
    type: str
    status: str


class _ParentRef(Struct):
    kind: str = "Gateway"


class _Parent(Struct, rename="camel"):
    parent_ref: _ParentRef = msgspec.field(default_factory=_ParentRef)
    conditions: list[_Condition] = msgspec.field(default_factory=list)

    @property
    def serves(self) -> bool:
        """Whether a gateway, and no mesh, has taken the route, and all that this refers to is there and may be referred to."""
        return self.parent_ref.kind == "Gateway" and {("Accepted", "True"), ("ResolvedRefs", "True")} <= {
            (c.type, c.status) for c in self.conditions
        }


class _RouteStatus(Struct):
    parents: list[_Parent] = msgspec.field(default_factory=list)


class _Route(Thing):
    becomes: ClassVar[str] = "GatewayRoute"
    spec: _RouteSpec = msgspec.field(default_factory=_RouteSpec)
    status: _RouteStatus = msgspec.field(default_factory=_RouteStatus)

    @property
    def services(self) -> Iterator[tuple[str, str]]:
        """Namespace and name of what it leads to."""
        for backend in (one for rule in self.spec.rules for one in rule.backend_refs):
            if (backend.group, backend.kind) == ("", "Service"):
                yield backend.namespace or self.metadata.namespace, backend.name


def _routed(lister: Lister, look: Look) -> Found:
    routes = [one for resource in ROUTES for one in lister.all(resource, _Route)]
    serving = [route for route in routes if any(parent.serves for parent in route.status.parents)]
    services = _services(lister) if serving else {}
    for route in serving:
        for service in (services[name] for name in route.services if name in services):
            yield from ((subject, named(route, subject)) for subject in look.behind(service))


def _services(lister: Lister) -> dict[tuple[str, str], Service]:
    found = lister.all(SERVICES, Service)
    return {(service.metadata.namespace, service.metadata.name): service for service in found}


class _Spaces(Struct, rename="camel"):
    any: bool = False
    match_names: list[str] = msgspec.field(default_factory=list)


class _MonitorSpec(Struct, rename="camel"):
    selector: Selector = msgspec.field(default_factory=Selector)
    namespace_selector: _Spaces = msgspec.field(default_factory=_Spaces)


class _Monitor(Thing):
    becomes: ClassVar[str] = "Monitor"
    spec: _MonitorSpec

    def looks_in(self, namespace: str) -> bool:
        """Where it looks: everywhere, in those it names, else in its own namespace."""
        where = self.spec.namespace_selector
        return where.any or namespace in (where.match_names or [self.metadata.namespace])


def _monitored(lister: Lister, look: Look) -> Found:
    """What they select; whether a Prometheus takes them up is its own choice."""
    for monitor in lister.all(POD_MONITORS, _Monitor):
        for namespace in filter(monitor.looks_in, look.spaces):
            yield from _by(monitor, look.selected(namespace, monitor.spec.selector))
    monitors = lister.all(SERVICE_MONITORS, _Monitor)
    for service in _services(lister).values() if monitors else ():
        for monitor in monitors:
            meta = service.metadata
            if monitor.looks_in(meta.namespace) and monitor.spec.selector.fits(meta.labels):
                yield from _by(monitor, look.behind(service))


def _by(thing: Thing, subjects: Iterable[Subject]) -> Found:
    return ((subject, named(thing, subject)) for subject in subjects)


AUTOSCALERS = Kind(fact=Autoscaler, resources=(HPAS,), covers=_scaled)
DISRUPTION_BUDGETS = Kind(fact=DisruptionBudget, resources=(BUDGETS,), covers=_budgeted)
QUOTA = Kind(fact=Quota, resources=(QUOTAS,), covers=_bounded)
NETWORK = Kind(fact=NetworkPolicy, resources=(NETWORK_POLICIES,), covers=_isolated)
GATEWAY_ROUTES = Kind(fact=GatewayRoute, resources=(*ROUTES, SERVICES), covers=_routed)
MONITORS = Kind(fact=Monitor, resources=(SERVICE_MONITORS, POD_MONITORS, SERVICES), covers=_monitored)
