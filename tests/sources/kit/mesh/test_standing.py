"""What stands in a mesh is told of workloads that outlive their pods, and of policies wherever they are installed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster, thing

from platform_meter.model.facts.traffic import MemberState, MeshMember, MeshPolicy
from platform_meter.model.source import Page, Unexpected
from platform_meter.sources.istio import SOURCE, Config
from platform_meter.sources.kit.mesh.standing import together
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PODS, SPACES = "/api/v1/pods", "/api/v1/namespaces"
IN, OUT, EXEMPT = MemberState.IN_MESH, MemberState.OUTSIDE, MemberState.EXEMPT


def read(cluster: Any, stream: str, **said: Any) -> Page:
    config = Config.model_validate({"cluster": "eu", "in_cluster": True, "page_size": 2, **said})
    outside = cluster if isinstance(cluster, FakeOutside) else FakeOutside(cluster)
    found = next(s for s in SOURCE.connect(config, outside, "istio") if s.name == stream)
    (page,) = found.read(None, NOON, NOON)
    return page


def pod(name: str, *owner: str, space: str = "shop", sidecar: bool = False, **spec: Any) -> dict[str, Any]:
    owners = [{"kind": owner[0], "name": owner[1], "controller": True, "uid": f"uid-{owner[1]}"}] if owner else []
    containers = [{"name": "app"}, *([{"name": "istio-proxy"}] if sidecar else [])]
    return thing(name, space, owners=owners, spec={"containers": containers, **spec}, status={"phase": "Running"})


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([IN, IN], IN),
        ([IN, OUT], OUT),
        ([IN, EXEMPT], IN),
        ([EXEMPT, OUT], OUT),
        ([EXEMPT, EXEMPT], EXEMPT),
    ],
)
def test_a_workload_is_inside_when_all_that_should_be_is(states: list[MemberState], expected: MemberState) -> None:
    """One pod without the proxy is one that others reach past the mesh."""
    assert together(states) is expected


def test_workloads_that_outlive_their_pods_are_members() -> None:
    """Bare pods and single jobs are none; what the cluster keeps for itself and what has the node's network stays out."""
    cluster = Cluster().put(SPACES, thing("shop"), thing("kube-system"))
    cluster.put(
        PODS,
        pod("web-0", "StatefulSet", "web", sidecar=True),
        pod("bare"),
        pod("once-x", "Job", "once"),
        pod("dns-x", "DaemonSet", "dns", space="kube-system"),
        pod("net-x", "DaemonSet", "net", hostNetwork=True),
        pod("lone-0", "StatefulSet", "lone", space="left"),
    )
    page = read(cluster, "members")
    assert page.complete == {MeshMember}
    assert [(fact.about.id, fact.state) for fact in page.facts if isinstance(fact, MeshMember)] == [
        ("eu/shop/StatefulSet/web", IN),
        ("eu/kube-system/DaemonSet/dns", EXEMPT),
        ("eu/shop/DaemonSet/net", EXEMPT),
        ("eu/left/StatefulSet/lone", OUT),
    ]


def test_where_nothing_is_installed_nothing_is_told() -> None:
    """And all that was is over; of a kind that is served in another version than its group prefers all are told."""
    assert read(Cluster(), "policies") == Page(complete=frozenset({MeshPolicy}))
    groups = [
        {
            "name": "security.istio.io",
            "versions": [{"version": "v1"}, {"version": "v1beta1"}],
            "preferredVersion": {"version": "v1"},
        }
    ]
    cluster = Cluster().put("/apis/security.istio.io/v1beta1/peerauthentications", thing("strict", "shop"))

    def served(call: Call) -> Reply:
        if call.path == "/apis":
            return Reply(body={"groups": groups})
        return cluster(call) if "v1beta1/peerauthentications" in call.path else Reply(status=404)

    (fact,) = read(served, "policies").facts
    assert fact.about.id == "eu/shop/PeerAuthentication/strict"


def test_a_list_that_fails_ends_nothing() -> None:
    """A cluster that has no pods at all has another API than ours: no member is taken for gone."""
    with pytest.raises(Unexpected, match="404"):
        read(lambda call: Reply(status=404) if call.path == PODS else Cluster()(call), "members")


def test_a_list_that_is_begun_again_counts_from_there() -> None:
    """What its first beginning said may be gone."""
    cluster = Cluster().put(PODS, *(pod(f"web-{n}", "StatefulSet", f"web{n}") for n in range(4)))

    def moving(call: Call) -> Reply:
        if call.params.get("continue") and cluster.forgotten == 0:
            cluster.delete(PODS, "web-0")
            cluster.forget()
        return cluster(call)

    page = read(moving, "members")
    assert [fact.about.id.rpartition("/")[2] for fact in page.facts] == ["web1", "web2", "web3"]
