"""The running platform: what meshes, clouds, clusters and probes tell of the simulated company, against `/metrics` and the store."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.company import Running
from tests.support.imported import end

from platform_meter.demo.apis.kubernetes import conflicts
from platform_meter.demo.company.mesh import meshes
from platform_meter.model.facts import practices
from platform_meter.model.facts.practices import Practice
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import MeshLatency, MeshRequests, MeshSecurity

SLICE, DELAY, PAST = 300, timedelta(minutes=1), timedelta(hours=6)
MESHES = [("istio", "eu"), ("linkerd", "us")]


def slices(running: Running) -> tuple[datetime, datetime]:
    """The whole slices of five minutes that are read: the first one's beginning, and the last one's end."""

    def floor(at: datetime) -> datetime:
        return datetime.fromtimestamp(at.timestamp() // SLICE * SLICE, UTC)

    return floor(running.first - PAST), floor(running.clock.at - DELAY)


@pytest.mark.parametrize(("mesh", "cluster"), MESHES)
def test_requests_through_a_mesh(imported: Running, mesh: str, cluster: str) -> None:
    """Six hours before the first poll and all since, by service: a Prometheus tells them within a thousandth."""
    begin, until = slices(imported)
    found: Counter[tuple[str, str]] = Counter()
    with imported.service.history() as history:
        for row in history.rows(MeshRequests, begin, end(imported), source=f"{mesh}-{cluster}"):
            service = history.owner(row.object).service
            found.update({(service, Verdict.GOOD): row.event.good, (service, Verdict.BAD): row.event.bad})
    # What a rule gives to another team is no service's.
    taken = {match.rpartition("/")[2] for match in conflicts(imported.world.company)} if cluster == "eu" else set()
    truth = imported.truth.mesh_requests(cluster, begin, until)
    told = {name: one for name, one in truth.items() if name not in taken}
    assert {s for s, _ in found} - {"_unowned"} == told.keys()
    for name, one in told.items():
        assert (found[name, "good"], found[name, "bad"]) == pytest.approx((one.good, one.failed), rel=1e-3)
    assert sum(found.values()) == pytest.approx(sum(one.valid for one in truth.values()), rel=1e-3)
    assert len(told) > 3


@pytest.mark.parametrize(("mesh", "cluster"), MESHES)
def test_durations_and_mutual_tls(imported: Running, mesh: str, cluster: str) -> None:
    """As many were timed as were valid, and of all requests the share came with mutual TLS that clients in the mesh have."""
    begin, until = slices(imported)
    timed = mutual = plain = 0.0
    with imported.service.history() as history:
        for took in history.rows(MeshLatency, begin, end(imported), source=f"{mesh}-{cluster}"):
            timed += sum(took.event.within.values())
        for secure in history.rows(MeshSecurity, begin, end(imported), source=f"{mesh}-{cluster}"):
            mutual, plain = mutual + secure.event.mutual, plain + secure.event.plain
    truth = imported.truth.mesh_requests(cluster, begin, until)
    assert timed == pytest.approx(sum(one.valid for one in truth.values()), rel=1e-3)
    assert mutual / (mutual + plain) == pytest.approx(imported.truth.mesh_mutual(cluster, begin, until), rel=1e-4)


def test_who_is_in_a_mesh(imported: Running) -> None:
    """Workloads by whether their pods have its proxy."""
    found = imported.counter("platform_mesh_members", "mesh", "cluster", "state")
    for cluster, mesh in meshes(imported.world.company).items():
        truth = imported.truth.mesh_members(cluster, imported.clock.at)
        assert {k[2]: n for k, n in found.items() if k[:2] == (mesh, cluster)} == dict(truth)
        assert truth["in_mesh"] > 3


@pytest.mark.parametrize("cluster", ["eu", "us"])
def test_what_workloads_keep_to(imported: Running, cluster: str) -> None:
    """Golden images and what covers them: as many workloads as there are, and never all of them."""
    truth = imported.truth.covered(cluster, imported.clock.at)
    found: Counter[str] = Counter()
    with imported.service.history() as history:
        for name in truth:
            kind: type[Practice] = getattr(practices, name)
            found[name] = sum(held.reading.cluster == cluster for held in history.readings(kind))
    assert found == truth
    standing = sum(imported.truth.workloads(cluster, imported.clock.at).values())
    assert min(truth.values()) > 0
    assert max(truth.values()) < standing


def test_clusters_that_clouds_run(imported: Running) -> None:
    """One more than is measured."""
    found = imported.metrics()["platform_cluster_measured"]
    assert {(dict(k)["provider"], dict(k)["name"]): n for k, n in found.items()} == {
        ("eks", "eu"): 1,
        ("eks", "batch"): 0,
        ("gke", "us"): 1,
    }


def test_proxies_report(imported: Running) -> None:
    """Those of all members."""
    found = imported.metrics()["platform_instances"]
    told = {(dict(k)["cluster"], dict(k)["state"]): n for k, n in found.items() if dict(k)["kind"] == "proxy"}
    begin, until = slices(imported)
    truth = {name: len(imported.truth.mesh_requests(name, begin, until)) for name in ("eu", "us")}
    assert told == {
        (name, state): n for name, many in truth.items() for state, n in (("reporting", many), ("silent", 0))
    }


def test_probes_are_answered(imported: Running) -> None:
    """The portal with its own page, the doors of both nodes of the gateway, and the cluster of logs."""
    checks = imported.counter("platform_probe_checks_total", "target", "result")
    assert {key for key in checks if "readyz" not in key[0]} == {
        ("portal", "ok"),
        ("gateway/kong-1", "ok"),
        ("gateway/kong-2", "ok"),
        ("elasticsearch/health", "ok"),
    }
