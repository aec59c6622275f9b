"""What the company's workloads keep to: golden images, autoscalers, budgets of disruption, quotas, network policies.

All follow from names and sizes; some workloads keep to each and some don't, so that a standard has passes and fails.
"""

from __future__ import annotations

from platform_meter.demo.company.lots import one_in
from platform_meter.demo.company.objects import Workload

GOLDEN = "registry.acme.test/golden/*"
"""Images that may be built upon, as a glob."""
_OWN = ("registry.acme.test/golden/base:3", "docker.io/library/debian:stable")
_SCALED = frozenset({"deployments", "statefulsets"})


def base(name: str) -> str:
    """The image that a workload's own is built upon; one in five has taken another one than it should."""
    return _OWN[one_in(5, name)]


def scaled(workload: Workload) -> bool:
    """Whether an autoscaler names it."""
    return workload.kind == "deployments" and workload.wanted > 1 and one_in(3, "scaled", workload.name)


def budgeted(workload: Workload) -> bool:
    """Whether a budget of disruption selects it; with one pod there is nothing to budget."""
    return workload.kind in _SCALED and workload.wanted > 1 and not one_in(4, "budget", workload.name)


def bounded(namespace: str) -> bool:
    """Whether it has a quota."""
    return not one_in(5, "quota", namespace)


def isolated(namespace: str) -> bool:
    """Whether a network policy selects all of its pods."""
    return one_in(2, "network", namespace)
