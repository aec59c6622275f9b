"""What covers the workloads of a cluster: autoscalers, budgets of disruption, policies and more (domain sections 8 and 11).

Each reading is about one workload that something covers now. One that stands and has no such reading, of a source that
gives the kind and is fresh, is not covered. The words of the classes are those of the setting `practices` and of `count`
in Capability files.
"""

from __future__ import annotations

from dataclasses import dataclass

from platform_meter.model.facts import Facts, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice(Reading):
    """That something covers a workload. `about` is the workload as its `Workload` has it."""

    cluster: str
    namespace: str
    workload_kind: str
    by: tuple[str, ...]
    """Names of what covers it, sorted; with its namespace and a slash before it where that is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler(Practice):
    """A HorizontalPodAutoscaler scales it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptionBudget(Practice):
    """A PodDisruptionBudget selects its pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota(Practice):
    """A ResourceQuota without scopes bounds its namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy(Practice):
    """A NetworkPolicy selects its pods, whatever that allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRoute(Practice):
    """An HTTPRoute or GRPCRoute that a gateway has accepted leads to a Service of its pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor(Practice):
    """A ServiceMonitor or PodMonitor selects its pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy(Practice):
    """A ValidatingAdmissionPolicy is bound so that it denies it, or its pods, where they don't keep to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReport(Practice):
    """Policies that it passes, as their engine reports; those of which a rule fails are none of `by`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshInjection(Practice):
    """Its pods are to be injected into a mesh, as it and its namespace declare; `by` is the mesh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoDestination(Practice):
    """An application of Argo CD manages it; `by` is the application."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenImage(Practice):
    """All of its images fit the globs of golden ones; `by` is the globs, or the base that it names."""


FACTS = Facts(
    readings=(
        AdmissionPolicy,
        ArgoDestination,
        Autoscaler,
        DisruptionBudget,
        GatewayRoute,
        GoldenImage,
        MeshInjection,
        Monitor,
        NetworkPolicy,
        PolicyReport,
        Quota,
    )
)
