"""Policies: what the API server denies by itself, and what policy engines report."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster, thing
from tests.sources.kubernetes.practices.told import DEPLOYMENTS, NAMESPACES, By, told, workload

from platform_meter.sources.kubernetes.practices.policies import BINDINGS, POLICIES

REPORTS = "/apis/wgpolicyk8s.io/v1alpha2/policyreports"
WEB, TILL = "shop/Deployment/web", "pay/Deployment/till"
RULE = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}
ALL = {"apiGroups": ["*"], "operations": ["*"], "resources": ["*"]}


def cluster() -> Cluster:
    made = Cluster().put(NAMESPACES, thing("shop", labels={"env": "prod"}), thing("pay", labels={"env": "test"}))
    return made.put(DEPLOYMENTS, workload("web", labels={"tier": "front"}), workload("till", "pay"))


def denied(policy: dict[str, Any], binding: dict[str, Any] | None = None, **more: Any) -> By:
    """What one bound policy covers; `policy` are its constraints, `binding` those of its binding."""
    made = cluster().put(POLICIES.only_path, thing("limits", spec={"matchConstraints": policy, **more.pop("spec", {})}))
    spec = {"policyName": more.pop("named", "limits"), "validationActions": more.pop("actions", ["Deny"])}
    return told(
        made.put(BINDINGS.only_path, thing("b", spec={**spec, "matchResources": binding or {}})), "admissionpolicies"
    )


def test_a_bound_policy_that_denies_covers_what_it_is_asked_about() -> None:
    """Workloads themselves, or their pods."""
    assert denied({"resourceRules": [RULE]}) == {WEB: ("limits",), TILL: ("limits",)}
    assert denied({"resourceRules": [{**RULE, "apiGroups": [""], "resources": ["pods"]}]}) == {
        WEB: ("limits",),
        TILL: ("limits",),
    }
    assert denied({"resourceRules": [ALL]}, {"namespaceSelector": {"matchLabels": {"env": "prod"}}}) == {
        WEB: ("limits",)
    }
    assert denied({"resourceRules": [RULE], "objectSelector": {"matchLabels": {"tier": "front"}}}) == {WEB: ("limits",)}


@pytest.mark.parametrize(
    ("policy", "binding", "more"),
    [
        ({"resourceRules": [{**RULE, "resources": ["statefulsets"]}]}, {}, {}),
        ({"resourceRules": [{**RULE, "operations": ["DELETE"]}]}, {}, {}),
        ({"resourceRules": [{**RULE, "resourceNames": ["web"]}]}, {}, {}),
        ({"resourceRules": [RULE]}, {"resourceRules": [{**RULE, "apiGroups": ["batch"]}]}, {}),
        ({"resourceRules": [RULE]}, {"excludeResourceRules": [{**RULE, "resourceNames": ["web"]}]}, {}),
        ({"resourceRules": [RULE]}, {}, {"actions": ["Warn", "Audit"]}),
        ({"resourceRules": [RULE]}, {}, {"named": "other"}),
        ({"resourceRules": [RULE]}, {}, {"spec": {"matchConditions": [{"name": "c", "expression": "true"}]}}),
    ],
)
def test_what_is_not_sure_to_be_denied_is_not_covered(
    policy: dict[str, Any], binding: dict[str, Any], more: dict[str, Any]
) -> None:
    """Other resources, only some of them, only warned about, or on conditions that the API server alone can tell."""
    assert denied(policy, binding, **more) == {}


def test_reports_name_what_passes() -> None:
    """By the report's scope or by the resources of a result; of a policy one rule that fails is enough."""
    scope = {"kind": "Deployment", "name": "web", "namespace": "shop"}
    made = cluster()
    assert told(made, "policyreports") == {}
    made.put(
        REPORTS,
        thing(
            "one",
            "shop",
            scope=scope,
            results=[
                {"policy": "limits", "rule": "cpu", "result": "pass"},
                {"policy": "probes", "rule": "ready", "result": "pass"},
                {"policy": "probes", "rule": "live", "result": "fail"},
                {"policy": "tags", "result": "skip"},
            ],
        ),
        thing(
            "two",
            "pay",
            results=[{"policy": "limits", "result": "pass", "resources": [{"kind": "Deployment", "name": "till"}]}],
        ),
        thing("three", "pay"),
    )
    assert told(made, "policyreports") == {WEB: ("limits",), TILL: ("limits",)}
