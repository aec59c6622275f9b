"""SLO objects as people write them and as an API server gives them."""

from __future__ import annotations

from typing import Any

from platform_meter.operator.kinds import CONFIG_MAP, LABEL, PYRRA, SLOTH, Kind
from platform_meter.operator.wanted import Seen

OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: ci-green}
spec:
  service: ci
  indicator:
    metadata: {name: ci-green}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'ci_runs_total{result="good"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: ci_runs_total}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""
SLOTH_SPEC: dict[str, Any] = {
    "service": "shop",
    "slos": [
        {
            "name": "availability",
            "objective": 99.9,
            "sli": {
                "events": {
                    "errorQuery": 'sum(rate(http_requests_total{job="shop",code=~"5.."}[{{.window}}]))',
                    "totalQuery": 'sum(rate(http_requests_total{job="shop"}[{{.window}}]))',
                }
            },
            "alerting": {"name": "ShopErrors"},
        }
    ],
}
PYRRA_SPEC: dict[str, Any] = {
    "target": "99",
    "window": "4w",
    "indicator": {
        "ratio": {
            "errors": {"metric": 'api_requests_total{job="api",code=~"5.."}'},
            "total": {"metric": 'api_requests_total{job="api"}'},
        }
    },
}


def sloth(name: str = "shop", **spec: Any) -> dict[str, Any]:
    """A PrometheusServiceLevel; `spec` replaces keys of its spec."""
    return _new(SLOTH, name, {}, spec={**SLOTH_SPEC, **spec})


def pyrra(name: str = "api", **spec: Any) -> dict[str, Any]:
    """A ServiceLevelObjective."""
    return _new(PYRRA, name, {}, spec={**PYRRA_SPEC, **spec})


def config_map(name: str = "slos", **data: str) -> dict[str, Any]:
    """A ConfigMap with SLO files; one of OpenSLO without any."""
    return _new(CONFIG_MAP, name, {LABEL: "true"}, data=data or {"ci.yaml": OPENSLO})


def _new(kind: Kind, name: str, labels: dict[str, str], **rest: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "shop", "labels": labels}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta, **rest}


def seen(value: dict[str, Any], *, generation: int = 1, age: int = 0, status: Any = None) -> Seen:
    """The object as it comes back; of two the one of higher `age` was made earlier."""
    kind = next(one for one in (SLOTH, PYRRA, CONFIG_MAP) if one.name == value["kind"])
    stamps = {"resourceVersion": str(100 + generation)}
    if kind is not CONFIG_MAP:
        stamps["generation"] = generation  # type: ignore[assignment]
    name = value["metadata"]["name"]
    made = {"uid": f"uid-{kind.word}-{name}", "creationTimestamp": f"2026-01-{20 - age:02}T00:00:00Z", **stamps}
    more = {} if status is None else {"status": status}
    return Seen(kind=kind, value={**value, **more, "metadata": {**value["metadata"], **made}})
