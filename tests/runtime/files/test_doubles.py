"""Sources that read the same thing. The messages stand in tests/problems/cases/read_twice.txt."""

from __future__ import annotations

import pytest

from platform_meter.runtime.files.config import load_config
from platform_meter.runtime.files.doubles import doubled
from platform_meter.sources import load

TYPES = {name: source.config for name, source in load().items()}
USAGE = "{action: a, by: [s], kind: k, query: 'sum by (s) (increase(x[{{window}}]))'}"
JIRA = "type: jira, url: 'https://j.example', token: {env: T}"
HUB = "type: github, org: acme, token: {env: T}"
EKS = "eks: {name: prod, region: eu-west-1}"
GKE = "gke: {project: p, location: l, name: prod}"
METRICS = f"type: prometheus, url: 'http://p:9090', usage: [{USAGE}]"


def told(one: str, other: str, files: dict[str, bytes] | None = None) -> list[str]:
    """Names of the sources that are told, of two."""
    loaded = load_config(f"sources:\n  a: {{{one}}}\n  b: {{{other}}}\n", "c.yaml", TYPES)
    assert loaded.problems == ()
    return [p.source_line.split(":")[0].strip() for p in doubled(loaded, (files or {}).get, {})]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HUB, HUB),
        (HUB, f"{HUB}, every: 10m, jobs: none, bots: [x], url: 'https://api.github.com/'"),
        (HUB, HUB.replace("token: {env: T}", "app: {id: 7, key_file: app.pem}")),
        (f"{HUB}, deployments: [{{job: a, environment: e}}]", f"{HUB}, deployments: [{{job: b, environment: e}}]"),
        (f"{HUB}, repositories: [pay-*]", f"{HUB}, repositories: ['*-api']"),
        (f"{HUB}, issues: [a]", f"{HUB}, issues: [a], incidents: {{labels: [incident]}}"),
        (JIRA, f"{JIRA}, email: me@acme.example, projects: [A]"),
        (JIRA, f"{JIRA}, select: 'type = Bug'"),
        (f"{JIRA}, projects: [A, B]", f"{JIRA}, projects: [b]"),
        (METRICS, f"{METRICS}, user: me, password: {{env: T}}, delay: 5m"),
        ("type: kubernetes, cluster: a, in_cluster: true", "type: kubernetes, cluster: b, in_cluster: true"),
        (
            "type: kubernetes, cluster: a, url: 'https://k:443', token: {env: T}",
            "type: kubernetes, cluster: b, url: 'https://k/', token: {file: t}",
        ),
        ("type: kubernetes, cluster: a, kubeconfig: k", "type: kubernetes, cluster: b, kubeconfig: k, context: x"),
        (f"type: kubernetes, cluster: a, {EKS}", f"type: kubernetes, cluster: b, {EKS}"),
        (f"type: kubernetes, cluster: a, {GKE}", f"type: kubernetes, cluster: b, {GKE[:-1]}, endpoint: dns}}"),
        ("type: nginx, access_log: /a.log", "type: nginx, access_log: /a.log, status: 'http://n/s'"),
        ("type: nginx, metrics: ['http://n:10254/m', 'http://o/m']", "type: nginx, metrics: ['http://o/m']"),
    ],
)
def test_what_nothing_proves_different_is_the_same(one: str, other: str) -> None:
    """Who asks, how often and with which details changes nothing of what is read."""
    assert told(one, other, {"k": b"current-context: x\ncontexts: [{name: x}]"}) == ["b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HUB, HUB.replace("acme", "acme-asia")),
        (HUB, f"{HUB}, url: 'https://hub.example/api/v3'"),
        (f"{HUB}, repositories: [pay-*]", f"{HUB}, repositories: [shop-*, payroll]"),
        (JIRA, JIRA.replace("j.example", "k.example")),
        (f"{JIRA}, projects: [A]", f"{JIRA}, projects: [B]"),
        (f"{JIRA}, select: 'type = Bug'", f"{JIRA}, select: 'type = Task'"),
        (METRICS, METRICS.replace("action: a", "action: b").replace("increase(x", "increase(y")),
        (METRICS, f"{METRICS}, headers: {{X-Scope-OrgID: other}}"),
        ("type: prometheus, url: 'http://p'", "type: prometheus, url: 'http://p'"),
        ("type: kubernetes, cluster: a, kubeconfig: k", "type: kubernetes, cluster: b, kubeconfig: k, context: y"),
        (f"type: kubernetes, cluster: a, {EKS}", f"type: kubernetes, cluster: b, {EKS[:-1]}, profile: other}}"),
        (f"type: kubernetes, cluster: a, {GKE}", f"type: kubernetes, cluster: b, {GKE.replace('p,', 'q,')}"),
        (f"type: kubernetes, cluster: a, {EKS}", f"type: kubernetes, cluster: b, {GKE}"),
        ("type: nginx, access_log: /a.log", "type: nginx, access_log: /b.log"),
        ("type: nginx, access_log: /a.log", "type: nginx, status: 'http://n/s'"),
        ("type: nginx, metrics: ['http://n:10254/m']", "type: nginx, metrics: ['http://o:10254/m']"),
        (HUB, JIRA),
        ("type: push", "type: push"),
    ],
)
def test_what_is_proved_different_is_no_double(one: str, other: str) -> None:
    """Another address, organisation, tenant or cluster; parts that cannot meet; a source that reads nothing."""
    assert told(one, other, {"k": b"current-context: x\ncontexts: [{name: x}, {name: y}]"}) == []
