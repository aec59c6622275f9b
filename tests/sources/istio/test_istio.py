"""Istio: the case of the contract test, and what only Istio does (codes of gRPC, flags, ambient meshes)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
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
from platform_meter.sources.istio import SOURCE, Config
from platform_meter.sources.istio.counters import mutual, place, verdict
from platform_meter.sources.istio.standing import inside, stays_out
from platform_meter.sources.kit.mesh.standing import Container, Noted, Pod, PodSpec, Space
from platform_meter.sources.kit.mesh.traffic import Place
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 1, 30, tzinfo=UTC)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ONCE = datetime(1970, 1, 1, tzinfo=UTC)
CREATED_AT = datetime.fromisoformat(CREATED)
PODS, SPACES, SETS = "/api/v1/pods", "/api/v1/namespaces", "/apis/apps/v1/replicasets"
ROUTES = "/apis/networking.istio.io/v1/virtualservices"
SETTINGS: dict[str, Any] = {
    "cluster": "eu",
    "context": "eu",
    "labels": ["team"],
    "skip_namespaces": ["tmp-*"],
    "page_size": 2,
    "prometheus": {"url": "https://prometheus.example", "select": {"cluster": "eu"}},
}
CART = {
    "cluster": "eu",
    "destination_service_namespace": "shop",
    "destination_service_name": "cart",
    "destination_workload": "cart",
}


@dataclass(slots=True)
class World:
    """A cluster with Istio, and the Prometheus that scrapes its proxies."""

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


def pod(name: str, owner: str, kind: str = "StatefulSet", space: str = "shop", **more: Any) -> dict[str, Any]:
    sidecar = [{"name": "istio-proxy"}] if more.pop("sidecar", False) else []
    owners = [{"kind": kind, "name": owner, "controller": True, "uid": f"uid-{owner}"}]
    spec = {"containers": [{"name": "app"}], "initContainers": sidecar, **more.pop("spec", {})}
    return thing(name, space, owners=owners, spec=spec, status={"phase": more.pop("phase", "Running")}, **more)


def small_world(cart: dict[int, float | str] | None = None) -> World:
    world = World()
    grew, total = world.prometheus.grew, "istio_requests_total"
    client, server = {**CART, "reporter": "source"}, {**CART, "reporter": "destination"}
    grew(total, at(cart or {-5: 50.0, 0: 96.0}), **client, response_code="200", response_flags="-")
    grew(total, at({0: 3.0}), **client, response_code="503", response_flags="UF,URX")
    grew(total, at({0: 4.0}), **client, response_code="404", response_flags="-")
    grew(total, at({0: 5.0}), **client, response_code="0", response_flags="DC")
    grew(total, at({0: 1.0}), **client, response_code="200", grpc_response_status="0")
    grew(total, at({0: 2.0}), **client, response_code="200", grpc_response_status="14")
    grew(total, at({0: 6.0}), **client, response_code="200", grpc_response_status="5")
    grew(total, at({0: 7.0}), **{**client, "cluster": "us"}, response_code="200")
    nowhere = {"destination_service_namespace": "unknown", "destination_service_name": "PassthroughCluster"}
    grew(total, at({0: 8.0}), **{**client, **nowhere}, response_code="200")
    for bound, amount in {"5": 40.0, "10": 90.0, "+Inf": 100.0}.items():
        name = "istio_request_duration_milliseconds_bucket"
        grew(name, at({0: amount}), **client, response_code="200", le=bound)
    grew("istio_request_duration_milliseconds_sum", at({0: 1500.0}), **client, response_code="200")
    grew(total, at({0: 95.0}), **server, response_code="200", connection_security_policy="mutual_tls")
    grew(total, at({0: 5.0}), **server, response_code="200", connection_security_policy="none")
    world.cluster.put(SPACES, thing("shop"), thing("quiet", labels={"istio-injection": "disabled"}))
    made_by = [{"kind": "Deployment", "name": "cart", "controller": True, "uid": "uid-d"}]
    world.cluster.put(SETS, thing("cart-5d8f", "shop", owners=made_by))
    world.cluster.put(
        PODS,
        pod("cart-1", "cart-5d8f", "ReplicaSet", sidecar=True, labels={"team": "pay"}),
        pod("db-0", "db", sidecar=True),
        pod("db-1", "db"),
        pod("db-2", "db", phase="Failed"),
        pod("old-0", "old"),
        pod("job-x", "night", "Job"),
        pod("batch-0", "batch", space="quiet"),
        pod("try-0", "try", space="tmp-1"),
    )
    world.cluster.put(ROUTES, thing("cart", "shop", labels={"team": "pay"}), thing("x", "tmp-1"))
    world.cluster.put("/apis/security.istio.io/v1/peerauthentications", thing("strict", "shop"))
    return world


def later_world() -> World:
    """One request of noon came late, and a slice has a number that is none; `db` is in the mesh as a whole, `old` is gone,
    a pod is odd, and policies may not be listed any more.
    """
    world = small_world({-5: 50.0, 0: 97.0, 5: "many", 10: 7.0})
    odd = pod("odd-0", "odd")
    odd["spec"] = "none"
    world.cluster.put(PODS, pod("db-1", "db", sidecar=True), odd)
    world.cluster.delete(PODS, "old-0")
    world.refused = "virtualservices"
    return world


def service() -> Ref:
    links = ("kubernetes:eu/shop/Deployment/cart", "kubernetes:eu/shop")
    return Ref(system="istio", kind="service", id="eu/shop/cart", links=links)


def counted(minutes: int, total: float) -> dict[str, Any]:
    """What facts of a slice have in common; `updated` is how much was counted."""
    return {
        "at": NOON + timedelta(minutes=minutes),
        "about": service(),
        "updated": ONCE + timedelta(seconds=total),
        "cluster": "eu",
    }


def requests(minutes: int, good: float, bad: float) -> MeshRequests:
    key = f"requests/eu/shop/cart/{int(NOON.timestamp()) + 60 * minutes}"
    return MeshRequests(key=key, **counted(minutes, good + bad), good=good, bad=bad)


def member(id_: str, state: MemberState, *labels: tuple[str, str]) -> MeshMember:
    space = id_.partition("/")[0]
    about = Ref(system="kubernetes", kind="workload", id=f"eu/{id_}", labels=labels, links=(f"kubernetes:eu/{space}",))
    return MeshMember(about=about, cluster="eu", state=state)


def policy(kind: str, name: str, *labels: tuple[str, str]) -> MeshPolicy:
    id_ = f"eu/shop/{kind}/{name}"
    about = Ref(system="istio", kind="policy", id=id_, labels=labels, links=("kubernetes:eu/shop",))
    return MeshPolicy(about=about, since=CREATED_AT, cluster="eu", policy=kind)


EXPECTED: tuple[Fact, ...] = (
    requests(-5, 50.0, 0.0),
    requests(0, 97.0, 5.0),
    MeshLatency(
        key=f"latency/eu/shop/cart/{int(NOON.timestamp())}",
        **counted(0, 100.0),
        within={"0.005": 40.0, "0.01": 50.0, "+Inf": 10.0},
        seconds=1.5,
    ),
    MeshSecurity(key=f"security/eu/shop/cart/{int(NOON.timestamp())}", **counted(0, 100.0), mutual=95.0, plain=5.0),
    member("shop/Deployment/cart", MemberState.IN_MESH, ("team", "pay")),
    member("shop/StatefulSet/db", MemberState.OUTSIDE),
    member("shop/StatefulSet/old", MemberState.OUTSIDE),
    member("quiet/StatefulSet/batch", MemberState.EXEMPT),
    policy("VirtualService", "cart", ("team", "pay")),
    policy("PeerAuthentication", "strict"),
)
STANDS: tuple[type[Fact], ...] = (MeshMember, MeshPolicy)
OVER: tuple[type[Reading], str] = (MeshMember, "workload/eu/shop/StatefulSet/old")
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOW,
    since=NOW - timedelta(minutes=8),
    expected=EXPECTED,
    later=Later(
        answers=later_world,
        after=timedelta(minutes=10),
        expected=(
            requests(0, 98.0, 5.0),
            requests(10, 7.0, 0.0),
            member("shop/StatefulSet/db", MemberState.IN_MESH),
        ),
        over=frozenset({OVER}),
        failing=frozenset({"policies"}),
        rejected=2,
    ),
    without=[
        ({"prometheus": None}, frozenset({MeshRequests, MeshLatency, MeshSecurity})),
        ({"context": ""}, frozenset(STANDS)),
    ],
)


@pytest.mark.parametrize(
    ("code", "grpc", "expected"),
    [
        ("200", "", Verdict.GOOD),
        ("304", "", Verdict.GOOD),
        ("404", "", None),
        ("429", "", None),
        ("500", "", Verdict.BAD),
        ("503", "", Verdict.BAD),
        ("0", "", Verdict.BAD),
        ("", "", None),
        ("200", "0", Verdict.GOOD),
        ("200", "1", None),
        ("200", "4", Verdict.BAD),
        ("200", "8", None),
        ("200", "14", Verdict.BAD),
        ("200", "16", None),
    ],
)
def test_an_answer_is_good_bad_or_valid_for_nobody(code: str, grpc: str, expected: Verdict | None) -> None:
    """What the client got wrong is neither; of gRPC its own status tells, since the code of HTTP is 200 in any case."""
    assert verdict({"response_code": code, "grpc_response_status": grpc}) is expected


def test_what_goes_to_no_service_of_the_mesh_is_left_out() -> None:
    """Envoy's own names for it, and what nobody could name; a server that was not reached has no workload."""
    labels = {"destination_service_namespace": "shop", "destination_service_name": "cart"}
    assert place({**labels, "destination_workload": "unknown"}) == Place(namespace="shop", name="cart")
    for name in ("BlackHoleCluster", "PassthroughCluster", "InboundPassthroughClusterIpv4"):
        assert place({**labels, "destination_service_name": name}) is None
    assert place({**labels, "destination_service_namespace": "unknown"}) is None


@pytest.mark.parametrize(
    ("policy_", "expected"), [("mutual_tls", True), ("none", False), ("unknown", None), ("", None)]
)
def test_who_can_tell_says_whether_it_was_mutual(policy_: str, expected: bool | None) -> None:
    """What is unknown is in no share."""
    assert mutual({"connection_security_policy": policy_}) is expected


def a_pod(*containers: str, labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None) -> Pod:
    spec = PodSpec(containers=[Container(name=name) for name in containers])
    return Pod(metadata=Noted(labels=labels or {}, annotations=annotations or {}), spec=spec)


def test_an_ambient_pod_is_inside_without_a_sidecar() -> None:
    """Its node's proxy has its traffic once the redirection is in place; being asked for is not enough."""
    assert inside(a_pod("app", annotations={"ambient.istio.io/redirection": "enabled"}))
    assert not inside(a_pod("app", labels={"istio.io/dataplane-mode": "ambient"}))
    assert inside(a_pod("app", "istio-proxy"))


@pytest.mark.parametrize(
    ("pod_labels", "space_labels", "expected"),
    [
        ({}, {}, False),
        ({"sidecar.istio.io/inject": "false"}, {"istio-injection": "enabled"}, True),
        ({"sidecar.istio.io/inject": "true"}, {"istio-injection": "disabled"}, False),
        ({}, {"istio-injection": "disabled"}, True),
        ({"istio.io/dataplane-mode": "none"}, {"istio.io/dataplane-mode": "ambient"}, True),
        ({}, {"istio.io/dataplane-mode": "none"}, True),
    ],
)
def test_what_is_written_on_the_pod_goes_before_its_namespace(
    pod_labels: dict[str, str], space_labels: dict[str, str], expected: bool
) -> None:
    """Without a word it should be in the mesh and is outside."""
    space = Space(metadata=Noted(labels=space_labels))
    assert stays_out(a_pod("app", labels=pod_labels), space) is expected


def test_the_annotation_of_before_is_read_too() -> None:
    """The label took its place."""
    assert stays_out(a_pod("app", annotations={"sidecar.istio.io/inject": "false"}), Space(metadata=Noted()))


def test_a_waypoint_tells_of_both_sides() -> None:
    """The proxy in the middle knows how it was reached too."""
    world = World()
    labels = {**CART, "reporter": "waypoint", "response_code": "200", "connection_security_policy": "mutual_tls"}
    world.prometheus.grew("istio_requests_total", at({0: 3.0}), **labels)
    config = Config.model_validate({**SETTINGS, "context": "", "reporter": "waypoint"})
    (stream,) = SOURCE.connect(config, FakeOutside(world), "istio")
    told = [fact for page in stream.read(None, CASE.since, NOW) for fact in page.facts]
    assert [(type(fact).__name__, fact.about.id) for fact in told] == [
        ("MeshRequests", "eu/shop/cart"),
        ("MeshSecurity", "eu/shop/cart"),
    ]


def test_check_says_what_the_prometheus_lacks() -> None:
    """A counter without a series is one that nobody scrapes, or `select` names another cluster."""
    world = small_world()
    config = Config.model_validate({**SETTINGS, "prometheus": {"url": "https://p.example", "select": {"cluster": "x"}}})
    said = list(SOURCE.check(config, FakeOutside(world)))
    assert said[0] == (
        "istio_requests_total: it has no series with cluster=x of late; check that it scrapes the proxies, "
        "and what `select` says"
    )
    assert len(said) == 4


def test_check_says_what_may_not_be_listed() -> None:
    """Of Istio's resources those count that are installed."""
    world = small_world()
    world.refused = "/pods"
    said = list(SOURCE.check(Config.model_validate(SETTINGS), FakeOutside(world)))
    assert said == ['the credential may not list pods (apiGroups: [""]); grant it as deploy/kubernetes/rbac.yaml does']


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"prometheus": None, "context": ""}, "nothing is read; write `prometheus: {url: ADDRESS}` for the traffic"),
        ({"scrape": [{"url": "http://10.0.0.1:15020/stats/prometheus"}]}, "would count the same requests twice"),
        ({"prometheus": {"url": "http://p", "window": "2m"}}, "a slice is one minute or five; write 1m or 5m"),
        ({"prometheus": {"url": "http://p", "select": {"a-b": "x"}}}, "'a-b' is no label"),
        ({"in_cluster": True}, "more than one of kubeconfig/context"),
    ],
)
def test_wrong_settings_are_told(said: dict[str, Any], text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=text):
        Config.model_validate({**SETTINGS, **said})


def test_it_proposes_a_prometheus_to_fill_in() -> None:
    """Nothing around tells of a mesh."""
    proposal = SOURCE.propose(Surroundings())
    assert proposal is not None
    assert (proposal.found, proposal.sample[0]) == ({}, "istio")
