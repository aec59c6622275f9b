"""Linkerd: the case of the contract test, and what only Linkerd does (classification, its own door, recorded metrics)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.kit.mesh.proxies import Prometheus
from tests.sources.kubernetes.kubernetes_server import CREATED, Cluster, thing

from platform_meter.model.facts import Fact, Reading, Ref
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import (
    MemberState,
    MeshLatency,
    MeshMember,
    MeshPolicy,
    MeshRequests,
    MeshSecurity,
)
from platform_meter.model.proposal import Surroundings
from platform_meter.sources.kit.mesh.standing import Container, Noted, Pod, PodSpec, Space
from platform_meter.sources.kit.mesh.traffic import Place
from platform_meter.sources.linkerd import SOURCE, Config
from platform_meter.sources.linkerd.counters import mutual, place, verdict
from platform_meter.sources.linkerd.standing import inside, stays_out
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = NOON + timedelta(seconds=90)
ONCE = datetime(1970, 1, 1, tzinfo=UTC)
PODS, SPACES = "/api/v1/pods", "/api/v1/namespaces"
PROFILES, SERVERS = "/apis/linkerd.io/v1alpha2/serviceprofiles", "/apis/policy.linkerd.io/v1beta3/servers"
SETTINGS: dict[str, Any] = {
    "cluster": "eu",
    "in_cluster": True,
    "page_size": 2,
    "prometheus": {"url": "https://prometheus.example", "window": "1m", "delay": "30s"},
}
VOTES = {"direction": "inbound", "namespace": "vote", "deployment": "voting", "target_port": "8080"}
TLS, PLAIN = {"tls": "true"}, {"tls": "no_identity", "no_tls_reason": "no_tls_from_remote"}


@dataclass(slots=True)
class World:
    """A cluster with Linkerd, and the Prometheus that scrapes its proxies."""

    cluster: Cluster = field(default_factory=Cluster)
    prometheus: Prometheus = field(default_factory=Prometheus)
    refused: str = ""

    def __call__(self, call: Call) -> Reply:
        if self.refused and call.path.endswith(self.refused):
            return Reply(status=403)
        return self.prometheus(call) if call.beside == "prometheus" else self.cluster(call)


def at(minutes: dict[int, float | str]) -> Any:
    """Amounts by the slice that ends so many minutes after noon; 0 in all others."""
    ends = {int(NOON.timestamp()) + 60 * minute: amount for minute, amount in minutes.items()}
    return lambda end: ends.get(end, 0.0)


def pod(name: str, *containers: str, space: str = "vote") -> dict[str, Any]:
    owners = [{"kind": "DaemonSet", "name": name, "controller": True, "uid": f"uid-{name}"}]
    spec = {"containers": [{"name": one} for one in containers]}
    return thing(f"{name}-x", space, owners=owners, spec=spec, status={"phase": "Running"})


def small_world(good: dict[int, float | str] | None = None) -> World:
    world = World()
    grew, total = world.prometheus.grew, "response_total"
    fine = {"status_code": "200", "classification": "success"}
    grew(total, at(good or {0: 90.0}), **VOTES, **TLS, **fine)
    grew(total, at({0: 4.0}), **VOTES, **PLAIN, **fine)
    grew(total, at({0: 2.0}), **VOTES, **TLS, status_code="500", classification="failure")
    grew(total, at({0: 3.0}), **VOTES, **TLS, status_code="404", classification="success")
    grew(total, at({0: 5.0}), **{**VOTES, "target_port": "4191"}, **PLAIN, **fine)
    grew(total, at({0: 6.0}), **VOTES, **PLAIN, **fine, route_name="probe")
    grew(total, at({0: 7.0}), **{**VOTES, "direction": "outbound"}, **TLS, **fine)
    for bound, amount in {"1": 50.0, "50": 95.0, "+Inf": 96.0}.items():
        grew("response_latency_ms_bucket", at({0: amount}), **VOTES, **TLS, status_code="200", le=bound)
        grew("response_latency_ms_bucket", at({0: 3.0}), **VOTES, **TLS, status_code="404", le=bound)
    grew("response_latency_ms_sum", at({0: 700.0}), **VOTES, **TLS, status_code="200")
    world.cluster.put(SPACES, thing("vote"), thing("out", annotations={"linkerd.io/inject": "disabled"}))
    world.cluster.put(
        PODS,
        pod("in", "app", "linkerd-proxy"),
        pod("bare", "app"),
        pod("out", "app", space="out"),
        pod("dns", "dns", space="kube-system"),
    )
    world.cluster.put(PROFILES, thing("voting.vote.svc.cluster.local", "vote"))
    world.cluster.put(SERVERS, thing("voting-grpc", "vote"))
    return world


def later_world() -> World:
    """A slice has a number that is none; a pod is odd, `bare` is gone, and policies may not be listed any more."""
    world = small_world({0: 90.0, 1: 8.0, 5: "many"})
    odd = pod("odd", "app")
    odd["metadata"]["annotations"] = ["none"]
    world.cluster.put(PODS, odd)
    world.cluster.delete(PODS, "bare-x")
    world.refused = "servers"
    return world


def counted(kind: str, minutes: int, total: float) -> dict[str, Any]:
    """What facts of a slice have in common; `updated` is how much was counted."""
    links = ("kubernetes:eu/vote/Deployment/voting", "kubernetes:eu/vote")
    return {
        "key": f"{kind}/eu/vote/voting/{int(NOON.timestamp()) + 60 * minutes}",
        "at": NOON + timedelta(minutes=minutes),
        "about": Ref(system="linkerd", kind="service", id="eu/vote/voting", links=links),
        "updated": ONCE + timedelta(seconds=total),
        "cluster": "eu",
    }


def member(id_: str, state: MemberState) -> MeshMember:
    links = (f"kubernetes:eu/{id_.partition('/')[0]}",)
    about = Ref(system="kubernetes", kind="workload", id=f"eu/{id_}", links=links)
    return MeshMember(about=about, cluster="eu", state=state)


def policy(kind: str, name: str) -> MeshPolicy:
    about = Ref(system="linkerd", kind="policy", id=f"eu/vote/{kind}/{name}", links=("kubernetes:eu/vote",))
    return MeshPolicy(about=about, since=datetime.fromisoformat(CREATED), cluster="eu", policy=kind)


EXPECTED: tuple[Fact, ...] = (
    MeshRequests(**counted("requests", 0, 96.0), good=94.0, bad=2.0),
    MeshLatency(**counted("latency", 0, 96.0), within={"0.005": 50.0, "0.05": 45.0, "+Inf": 1.0}, seconds=0.7),
    MeshSecurity(**counted("security", 0, 99.0), mutual=95.0, plain=4.0),
    member("vote/DaemonSet/in", MemberState.IN_MESH),
    member("vote/DaemonSet/bare", MemberState.OUTSIDE),
    member("out/DaemonSet/out", MemberState.EXEMPT),
    member("kube-system/DaemonSet/dns", MemberState.EXEMPT),
    policy("ServiceProfile", "voting.vote.svc.cluster.local"),
    policy("Server", "voting-grpc"),
)
STANDS: tuple[type[Fact], ...] = (MeshMember, MeshPolicy)
OVER: tuple[type[Reading], str] = (MeshMember, "workload/eu/vote/DaemonSet/bare")
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOW,
    since=NOW - timedelta(minutes=3),
    expected=EXPECTED,
    later=Later(
        answers=later_world,
        after=timedelta(minutes=5),
        expected=(
            MeshRequests(**counted("requests", 1, 8.0), good=8.0, bad=0.0),
            MeshSecurity(**counted("security", 1, 8.0), mutual=8.0, plain=0.0),
        ),
        over=frozenset({OVER}),
        failing=frozenset({"policies"}),
        # Once as an answer, once as what came with mutual TLS, and the pod.
        rejected=3,
    ),
    without=[
        ({"prometheus": None}, frozenset({MeshRequests, MeshLatency, MeshSecurity})),
        ({"in_cluster": False}, frozenset(STANDS)),
    ],
)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"classification": "success", "status_code": "200"}, Verdict.GOOD),
        ({"classification": "failure", "status_code": "502"}, Verdict.BAD),
        ({"classification": "success", "status_code": "404"}, None),
        ({"classification": "failure", "grpc_status": "14"}, Verdict.BAD),
        ({"classification": "failure", "grpc_status_code": "13"}, Verdict.BAD),
        ({"classification": "success", "grpc_status": "5"}, None),
        ({"classification": "failure", "error": "reset"}, Verdict.BAD),
        ({}, None),
    ],
)
def test_linkerds_word_stands_but_for_what_the_client_got_wrong(
    labels: dict[str, str], expected: Verdict | None
) -> None:
    """It calls 404 a success; what it does not classify is nothing."""
    assert verdict(labels) is expected


def test_a_proxy_that_nobody_named_is_nobodys() -> None:
    """The scrape configuration writes whose it is; of one that has another kind of owner the kind is that one's."""
    assert place({"namespace": "vote"}) is None
    assert place({"deployment": "voting"}) is None
    found = place({"namespace": "vote", "statefulset": "db"})
    assert found == Place(namespace="vote", name="db", workload="StatefulSet/db")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"tls": "true"}, True),
        ({"tls": "no_identity", "no_tls_reason": "no_tls_from_remote"}, False),
        ({"tls": "disabled"}, False),
        ({"tls": "no_identity", "no_tls_reason": "loopback"}, None),
    ],
)
def test_what_never_left_its_pod_is_in_no_share(labels: dict[str, str], expected: bool | None) -> None:
    """All else came with mutual TLS or without."""
    assert mutual(labels) is expected


@pytest.mark.parametrize(
    ("pod_says", "space_says", "expected"),
    [
        ("", "", False),
        ("disabled", "enabled", True),
        ("enabled", "disabled", False),
        ("ingress", "disabled", False),
        ("", "disabled", True),
    ],
)
def test_what_is_written_on_the_pod_goes_before_its_namespace(pod_says: str, space_says: str, expected: bool) -> None:
    """Without a word it should be in the mesh and is outside."""
    inject = "linkerd.io/inject"
    one = Pod(metadata=Noted(annotations={inject: pod_says} if pod_says else {}))
    space = Space(metadata=Noted(annotations={inject: space_says} if space_says else {}))
    assert stays_out(one, space) is expected


def test_a_proxy_that_starts_first_is_an_init_container() -> None:
    """As native sidecars are."""
    assert inside(Pod(metadata=Noted(), spec=PodSpec(init_containers=[Container(name="linkerd-proxy")])))
    assert not inside(Pod(metadata=Noted(), spec=PodSpec(init_containers=[Container(name="linkerd-init")])))


def test_check_says_what_may_not_be_listed() -> None:
    """Of Linkerd's resources those count that are installed."""
    world = small_world()
    world.refused = "servers"
    assert list(SOURCE.check(Config.model_validate(SETTINGS), FakeOutside(world))) == [
        'the credential may not list servers (apiGroups: ["policy.linkerd.io"]); grant it as deploy/kubernetes/rbac.yaml does'
    ]


def test_it_proposes_a_prometheus_to_fill_in() -> None:
    """Nothing around tells of a mesh."""
    proposal = SOURCE.propose(Surroundings())
    assert proposal is not None
    assert (proposal.found, proposal.sample[0]) == ({}, "linkerd")
