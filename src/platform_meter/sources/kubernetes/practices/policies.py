"""Policies: those that the API server itself admits by, and what policy engines report of workloads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts.practices import AdmissionPolicy, PolicyReport
from platform_meter.sources.kit.kubernetes_objects import Resource, Thing
from platform_meter.sources.kubernetes.practices.covered import (
    KINDS,
    Found,
    Kind,
    Lister,
    Look,
    Marks,
    Selector,
    Subject,
)

GROUP = "admissionregistration.k8s.io"
POLICIES = Resource(name="validatingadmissionpolicies", group=GROUP, verbs=("list",))
BINDINGS = Resource(name="validatingadmissionpolicybindings", group=GROUP, verbs=("list",))
REPORTS = Resource(
    name="policyreports", group="wgpolicyk8s.io", versions=("v1alpha2", "v1beta1", "v1alpha1"), verbs=("list",)
)
_ALL = "*"


class _Rule(Struct, rename="camel"):
    """What requests a policy is asked about."""

    api_groups: list[str] = msgspec.field(default_factory=list)
    resources: list[str] = msgspec.field(default_factory=list)
    operations: list[str] = msgspec.field(default_factory=list)
    resource_names: list[str] = msgspec.field(default_factory=list)

    def takes(self, resource: Resource) -> bool:
        """Whether it is asked when any object of this resource is made."""
        return (
            not self.resource_names
            and bool({_ALL, resource.group} & {*self.api_groups})
            and bool({_ALL, "*/*", resource.name} & {*self.resources})
            and bool({_ALL, "CREATE"} & {*self.operations})
        )

    def touches(self, resource: Resource) -> bool:
        """Whether it may be asked about one of this resource at all."""
        return bool({_ALL, resource.group} & {*self.api_groups}) and bool(
            {_ALL, "*/*", resource.name} & {*self.resources}
        )


class _Matching(Struct, rename="camel"):
    namespace_selector: Selector = msgspec.field(default_factory=Selector)
    object_selector: Selector = msgspec.field(default_factory=Selector)
    resource_rules: list[_Rule] = msgspec.field(default_factory=list)
    exclude_resource_rules: list[_Rule] = msgspec.field(default_factory=list)

    def fits(self, resource: Resource, labels: Marks, space: Marks) -> bool:
        """Whether it takes each such object; rules that exclude some of them exclude all."""
        return (
            self.namespace_selector.fits(space.labels)
            and self.object_selector.fits(labels.labels)
            and not any(rule.touches(resource) for rule in self.exclude_resource_rules)
        )


class _PolicySpec(Struct, rename="camel"):
    match_constraints: _Matching = msgspec.field(default_factory=_Matching)
    match_conditions: list[Any] = msgspec.field(default_factory=list)


class _Policy(Thing):
    becomes: ClassVar[str] = "AdmissionPolicy"
    spec: _PolicySpec = msgspec.field(default_factory=_PolicySpec)


class _BindingSpec(Struct, rename="camel"):
    policy_name: str = ""
    validation_actions: list[str] = msgspec.field(default_factory=list)
    match_resources: _Matching = msgspec.field(default_factory=_Matching)


class _Binding(Thing):
    becomes: ClassVar[str] = "AdmissionPolicy"
    spec: _BindingSpec = msgspec.field(default_factory=_BindingSpec)


PODS = Resource(name="pods")


def _admitted(lister: Lister, look: Look) -> Found:
    """Of bindings that deny. A policy with conditions is left out: what they say is known to the API server alone."""
    policies = {policy.metadata.name: policy.spec for policy in lister.all(POLICIES, _Policy)}
    for binding in lister.all(BINDINGS, _Binding):
        policy = policies.get(binding.spec.policy_name)
        if policy is None or policy.match_conditions or "Deny" not in binding.spec.validation_actions:
            continue
        both = (policy.match_constraints, binding.spec.match_resources)
        for subject in look.all:
            if any(_denied(*both, *one, subject.space) for one in _objects(subject)):
                yield subject, binding.spec.policy_name


def _objects(subject: Subject) -> Iterator[tuple[Resource, Marks]]:
    """The workload itself, and its pods."""
    yield KINDS[subject.kind], subject.own
    yield PODS, subject.pods


def _denied(policy: _Matching, binding: _Matching, resource: Resource, marks: Marks, space: Marks) -> bool:
    return (
        any(rule.takes(resource) for rule in policy.resource_rules)
        and (not binding.resource_rules or any(rule.takes(resource) for rule in binding.resource_rules))
        and policy.fits(resource, marks, space)
        and binding.fits(resource, marks, space)
    )


class _Named(Struct):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class _Result(Struct):
    policy: str = ""
    result: str = ""
    resources: list[_Named] = msgspec.field(default_factory=list)
    """What it is about; none of them where the report itself says."""


class _Report(Thing):
    becomes: ClassVar[str] = "PolicyReport"
    scope: _Named | None = None
    results: list[_Result] | None = None


def _reported(lister: Lister, look: Look) -> Found:
    """Policies with a rule that passes and none that fails; what is skipped or only warns says neither."""
    passed, failed = defaultdict[tuple[str, str, str], set[str]](set), defaultdict[tuple[str, str, str], set[str]](set)
    for report in lister.all(REPORTS, _Report):
        for result in report.results or ():
            for about in result.resources or ([report.scope] if report.scope else []):
                name = about.namespace or report.metadata.namespace, about.kind, about.name
                if result.result == "pass":
                    passed[name].add(result.policy)
                elif result.result in {"fail", "error"}:
                    failed[name].add(result.policy)
    for name, policies in passed.items():
        for subject in look.named(*name):
            yield from ((subject, policy) for policy in policies - failed[name])


ADMISSION_POLICIES = Kind(fact=AdmissionPolicy, resources=(POLICIES, BINDINGS), covers=_admitted)
POLICY_REPORTS = Kind(fact=PolicyReport, resources=(REPORTS,), covers=_reported)
