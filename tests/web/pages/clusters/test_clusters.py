"""The pages of clusters: all of them, and each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from textwrap import indent
from typing import Any

from tests.support.history import MemoryHistory, owner, source
from tests.support.objectives import objective
from tests.support.views import examples, html, rows, site, tables, view
from werkzeug.test import Client

from platform_meter import sources
from platform_meter.model.catalogue.kubernetes import CLUSTER_MEASURED, CLUSTER_NODES, PODS_WAITING
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_SLI
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.gitops import GitopsApp, GitopsSync, Health, SyncReason, SyncResult, SyncState
from platform_meter.model.facts.instances import REPORTED, InstanceKind, Instances
from platform_meter.model.facts.kubernetes import (
    API_REQUESTS,
    NODE_MINUTES,
    POD_STARTS,
    ApiLatency,
    ApiRequests,
    CloudCluster,
    Namespace,
    Node,
    PodNeverReady,
    PodStarted,
    PodsWaiting,
    VerbClass,
    Workload,
)
from platform_meter.model.facts.practices import Autoscaler, DisruptionBudget, GoldenImage, Practice
from platform_meter.model.facts.probes import PROBE_CHECKS, ProbeCheck, ProbeResult
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.metric import UNOWNED
from platform_meter.runtime.files.config import load_config
from platform_meter.web.app import make_app
from platform_meter.web.pages.clusters import detail, page
from platform_meter.web.view import Tile, View

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
NOBODY = Owner(service=UNOWNED, team=UNOWNED, rule="6")
Told = tuple[str, Owner, Fact]
INVENTORY = frozenset({Node, Namespace, Workload, PodStarted, PodNeverReady, PodsWaiting, ProbeCheck, SliCount})
SERVED = frozenset({ApiRequests, ApiLatency})


def ref(kind: str, id_: str, system: str = "kubernetes") -> Ref:
    return Ref(system=system, kind=kind, id=id_)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def workload(name: str, team: str = "pay", *, kind: str = "Deployment", cluster: str = "eu") -> Told:
    about = ref("workload", f"{cluster}/shop/{kind}/{name}")
    whose = owner(team) if team else NOBODY
    return f"k-{cluster}", whose, Workload(about=about, cluster=cluster, namespace="shop", workload_kind=kind)


def covered(practice: type[Practice], told: Told) -> Told:
    """That this covers a workload."""
    where, whose, one = told
    assert isinstance(one, Workload)
    by = practice(
        about=one.about, cluster=one.cluster, namespace=one.namespace, workload_kind=one.workload_kind, by=("x",)
    )
    return where, whose, by


def started(seconds: float, hours: float = 1, *, kind: str = "deployment", cluster: str = "eu") -> Told:
    at = ago(hours)
    about = ref("workload", f"{cluster}/shop/Deployment/web")
    key = f"{cluster}/{at.isoformat()}/{seconds}/{kind}"
    return (
        f"k-{cluster}",
        owner("pay"),
        PodStarted(key=key, at=at, about=about, cluster=cluster, owner_kind=kind, seconds=seconds),
    )


def never(hours: float, cluster: str = "eu") -> Told:
    at = ago(hours)
    about = ref("workload", f"{cluster}/shop/Deployment/web")
    lost = PodNeverReady(key=f"n{at}", at=at, about=about, cluster=cluster, owner_kind="deployment", seconds=900.0)
    return f"k-{cluster}", owner("pay"), lost


def probe(result: ProbeResult, minutes: float, cluster: str = "eu", what: str = "readyz") -> Told:
    at = NOW - timedelta(minutes=minutes)
    check = ProbeCheck(
        key=f"{what}{at}",
        at=at,
        about=ref("cluster", cluster),
        target=f"{cluster}/{what}",
        result=result,
        seconds=0.1,
    )
    return f"k-{cluster}", NOBODY, check


def answered(verbs: VerbClass, good: float, bad: float, *, late: float, hours: float = 1) -> list[Told]:
    about, key = ref("cluster", "eu"), f"{verbs}/{hours}"
    requests = ApiRequests(
        key=f"r{key}", at=ago(hours), about=about, cluster="eu", verb_class=verbs, good=good, bad=bad
    )
    timed = ApiLatency(
        key=f"l{key}",
        at=ago(hours),
        about=about,
        cluster="eu",
        verb_class=verbs,
        good=good + bad - late,
        bad=late,
    )
    return [("k-eu", NOBODY, requests), ("k-eu", NOBODY, timed)]


def app(name: str, *, sync: SyncState = SyncState.SYNCED, health: Health = Health.HEALTHY, cluster: str = "eu") -> Told:
    reading = GitopsApp(
        about=ref("application", name, "argocd"),
        project="shop",
        cluster=cluster,
        namespace="shop",
        auto_sync=name != "by-hand",
        sync=sync,
        health=health,
        health_since=ago(3) if health is Health.DEGRADED else None,
        since=ago(5),
    )
    return "argo", owner("pay"), reading


def synced(result: SyncResult, hours: float, *, dry_run: bool = False) -> Told:
    sync = GitopsSync(
        key=f"{hours}/{result}/{dry_run}",
        at=ago(hours),
        about=ref("application", "web", "argocd"),
        result=result,
        reason=SyncReason.NONE,
        started=ago(hours + 0.1),
        revisions=(),
        automated=True,
        dry_run=dry_run,
        project="shop",
        cluster="eu",
        namespace="shop",
    )
    return "argo", owner("pay"), sync


def group(name: str, expected: int | None, reporting: int | None, cluster: str = "eu") -> Told:
    reading = Instances(
        about=ref("instances", f"{cluster}/gateway/{name}", "prometheus"),
        cluster=cluster,
        instance_kind=InstanceKind.GATEWAY,
        group=name,
        expected=expected,
        reporting=reporting,
    )
    return "prom", NOBODY, reading


SOURCES = (source("k-eu", "kubernetes", watermark=NOW), source("k-us", "kubernetes", watermark=NOW))


def seen(
    told: Sequence[Told],
    *,
    sources: Sequence[SourceState] = SOURCES,
    gives: Mapping[str, frozenset[type[Fact]]] | None = None,
    **more: Any,
) -> View:
    kinds = {"kubernetes": INVENTORY, "argo": frozenset({GitopsApp, GitopsSync}), "prom": frozenset({Instances})}
    return view(NOW, MemoryHistory(told, sources=sources, gives={**kinds, **(gives or {})}), **more)


def tile(made: Mapping[str, Any] | None, name: str) -> Tile:
    assert made is not None
    found: Tile = next(t for t in made["tiles"] if t.name == name)
    return found


def states(cluster: str, *, ready: int, not_ready: int = 0, cordoned: int = 0) -> list[Any]:
    numbers = {"ready": ready, "not_ready": not_ready, "cordoned": cordoned}
    return [(CLUSTER_NODES, (cluster, state), float(n)) for state, n in numbers.items()]


def test_each_cluster_has_a_line() -> None:
    """What its API answered, its nodes, how its pods start at bounds, what waits, whose its workloads are."""
    told = [
        workload("web"),
        workload("api", ""),
        workload("db", "data", kind="StatefulSet"),
        workload("us", cluster="us"),
    ]
    told += [started(s) for s in (2.0, 8.0, 9.0, 15.0, 300.0)] + [started(700.0, hours=24 * 8), never(2)]
    told += [probe(ProbeResult.OK, n) for n in range(1, 8)] + [probe(ProbeResult.TIMEOUT, 8)]
    told += [probe(ProbeResult.ERROR, n, what="else") for n in range(9)]
    told += [probe(ProbeResult.OK, n, "us") for n in range(1, 5)]  # too few for a share
    now = rows(*states("eu", ready=3, not_ready=1, cordoned=2), *states("us", ready=2), (PODS_WAITING, ("eu",), 4.0))
    shown = seen(told, rows=now)
    assert tables(shown, "/clusters")["Clusters that are read"].rows == (
        ("eu", "87.5 %", "3 of 4", "10 s", "5 min", "4", "1", "3", "33.3 %"),
        ("us", "–", "2 of 2", "–", "–", "–", "0", "1", "0.0 %"),
    )
    assert '<a href="/clusters/eu">' in html(shown, "/clusters")
    made = page(shown)
    assert (tile(made, "Nodes ready").value, tile(made, "Nodes ready").more) == ("5 of 6", "2 more cordoned")
    assert (tile(made, "Pods waiting").value, tile(made, "Clusters read").value) == ("4", "2")


def test_clusters_that_nobody_measures_are_named() -> None:
    """As the clouds list them; those that are read are in no row, and it is said where all are."""
    eks = ("eks", "123456789012", "eu-central-1", "prod", "1.31")
    gke = ("gke", "acme-prod", "europe-west1", "left-over", "1.29")
    clouds = source("clouds", "clusters", watermark=NOW)
    kinds = {"clouds": frozenset({CloudCluster})}
    some = seen(
        [], sources=[clouds], gives=kinds, rows=rows((CLUSTER_MEASURED, eks, 1.0), (CLUSTER_MEASURED, gke, 0.0))
    )
    assert tables(some, "/clusters")["Clusters that nobody measures"].rows == (
        ("left-over", "gke", "acme-prod", "europe-west1", "1.29"),
    )
    one = tile(page(some), "Measured by nobody")
    assert (one.value, one.more, one.level) == ("1", "of 2 that clouds list", "bad")
    every = seen([], sources=[clouds], gives=kinds, rows=rows((CLUSTER_MEASURED, eks, 1.0)))
    assert "Every cluster that the clouds list is read." in html(every, "/clusters")
    assert tile(page(every), "Measured by nobody").value == "0"


def test_what_nobody_reads_is_never_0() -> None:
    """Dashes with a reason, and an example of what to configure."""
    empty = seen([], sources=[])
    text = html(empty, "/clusters")
    assert {t.value for t in page(empty)["tiles"]} == {"–"}
    assert "No cluster is read: no configured source gives it." in text
    assert "type: kubernetes" in text
    assert "type: clusters" in text
    silent = seen([], sources=[source("clouds", watermark=NOW)], gives={"clouds": frozenset({CloudCluster})})
    assert "Nothing is said of clouds: the clouds list none." in html(silent, "/clusters")


def test_a_source_that_is_late_takes_its_numbers_with_it() -> None:
    """The cluster stays listed, with dashes and the name of the source."""
    told = [
        workload("web"),
        workload("us", cluster="us"),
        *[started(1.0, n) for n in range(1, 9)],
        probe(ProbeResult.OK, 1),
    ]
    late = [replace(SOURCES[0], fresh=False), SOURCES[1]]
    found = seen(told, sources=late)
    assert tables(found, "/clusters")["Clusters that are read"].rows == (
        ("eu no fresh data from k-eu", "–", "–", "–", "–", "–", "–", "–", "–"),
        ("us", "–", "–", "–", "–", "–", "0", "1", "0.0 %"),
    )
    made = detail(found, "eu")
    assert {t.value for t in (made or {})["tiles"]} == {"–"}
    assert "Not all is current: no fresh data from k-eu." in html(found, "/clusters/eu")
    assert "No data: no fresh data from k-eu." in html(found, "/clusters/eu")


def test_a_name_that_nothing_stands_under_is_no_page() -> None:
    """Of a source that is configured no more neither."""
    found = seen([workload("web")], sources=[SOURCES[1]])
    assert Client(make_app(site(found))).get("/clusters/eu").status_code == 404
    assert Client(make_app(site(seen([workload("web")])))).get("/clusters/eu").status_code == 200


def test_one_cluster_by_itself() -> None:
    """Tiles over a day and four weeks; pods by who owns them; the API server's own numbers by class of verbs."""
    told = [workload("web"), workload("api", ""), *[started(s) for s in (2.0, 8.0, 9.0, 15.0, 90.0)]]
    told += [started(1.0, kind="job"), never(2), never(3)]
    told += [probe(ProbeResult.OK, n) for n in range(1, 10)] + [probe(ProbeResult.ERROR, 10)]
    told += [probe(ProbeResult.OK, 60 * 24 * 2 + n) for n in range(10)]
    told += answered(VerbClass.READ, 990.0, 10.0, late=2.0) + answered(VerbClass.LIST, 3.0, 0.0, late=0.0)
    now = rows(*states("eu", ready=3, not_ready=1, cordoned=2), (PODS_WAITING, ("eu",), 0.0))
    found = seen(told, rows=now, gives={"kubernetes": INVENTORY | SERVED})
    made = detail(found, "eu")
    assert [(t.value, t.more) for t in (made or {})["tiles"]] == [
        ("90.0 %", "of 10 probes in 24 h; 95.0 % in 28 d"),
        ("3 of 4", "1 not ready, 2 cordoned"),
        ("2 min", "half within 10 s, of 6 in 7 d"),
        ("0", "2 never became ready in 7 d"),
        ("50.0 %", "1 of 2 workloads"),
    ]
    shown = tables(found, "/clusters/eu")
    assert shown["Pods"].rows == (
        ("deployment", "5", "10 s", "2 min", "80.0 %", "2"),
        ("job", "1", "–", "–", "–", "0"),
    )
    assert shown["What the API server counts itself"].rows == (
        ("read", "1,000", "1.0 %", "0.200 %"),
        ("list", "3", "–", "–"),
    )
    assert [row[:3] for row in shown["Whose workloads"].rows] == [("nobody's", "1", "50.0 %"), ("pay", "1", "50.0 %")]


def test_its_last_four_weeks_day_by_day() -> None:
    """Exact shares of each day; one without any has no value."""
    told = [workload("web"), probe(ProbeResult.OK, 60), probe(ProbeResult.TIMEOUT, 90), probe(ProbeResult.OK, 60 * 30)]
    told += [started(60.0), started(61.0), started(5.0, 30), *answered(VerbClass.WRITE, 75.0, 25.0, late=0.0, hours=30)]
    minutes = SliCount(
        key="m",
        at=ago(1),
        about=ref("cluster", "eu"),
        sli="eu/node-ready",
        good=95.0,
        bad=5.0,
        width=timedelta(minutes=1),
    )
    other = replace(minutes, key="o", sli="eu/other", bad=900.0)
    told += [("k-eu", NOBODY, minutes), ("k-eu", NOBODY, other)]
    shown = tables(seen(told, gives={"kubernetes": INVENTORY | SERVED}), "/clusters/eu")
    title = "Its last 28 days / "
    assert len(shown[f"{title}The API answers"].rows) == 28
    assert shown[f"{title}The API answers"].rows[-3:] == (
        ("08 Jun", "–", "–"),
        ("09 Jun", "100.000 %", "75.000 %"),
        ("10 Jun", "50.000 %", "–"),
    )
    assert shown[f"{title}Pods ready within a minute"].rows[-2:] == (("09 Jun", "100.0 %"), ("10 Jun", "50.0 %"))
    assert shown[f"{title}Node-minutes ready"].rows[-2:] == (("09 Jun", "–"), ("10 Jun", "95.000 %"))


def test_its_slos_are_linked() -> None:
    """Those that name it or its probe, and those of all clusters, which say so; never those of another."""
    made = (
        objective(POD_STARTS, "0.99", slo="pods-everywhere", threshold=60.0),
        objective(NODE_MINUTES, "0.999", slo="nodes-eu", where={"cluster": "eu"}),
        objective(API_REQUESTS, "0.999", slo="api-us", where={"cluster": "us"}),
        objective(PROBE_CHECKS, "0.9995", slo="eu-ready", where={"target": "eu/readyz"}),
        objective(PROBE_CHECKS, "0.9995", slo="portal", where={"target": "portal"}),
        objective(REPORTED, "0.99", slo="gateways-everywhere", where={"kind": "gateway"}),
        objective(REPORTED, "0.99", slo="gateways-eu", where={"kind": "gateway", "cluster": "eu"}),
    )
    now = rows((SLO_SLI, ("nodes-eu", "28d"), 0.9985), (SLO_BUDGET_REMAINING, ("nodes-eu", "28d"), -0.5))
    found = seen([workload("web")], rows=now, definitions=Definitions(objectives=made))
    assert tables(found, "/clusters/eu")["SLOs"].rows == (
        ("nodes-eu", "-50.0 %", "99.850 %", "99.9 % in 28d", "node minutes"),
        ("eu-ready", "–", "–", "99.95 % in 28d", "a probe in slices"),
        ("gateways-eu", "–", "–", "99 % in 28d", "instance minutes"),
        ("pods-everywhere", "–", "–", "99 % in 28d", "pod starts of all, not of this alone"),
    )
    assert '<a href="/slos/nodes-eu">nodes-eu</a>' in html(found, "/clusters/eu")


def test_what_covers_its_workloads() -> None:
    """Of all workloads, of those that can be scaled for autoscalers; what stands no more is in neither."""
    web, api, agent = workload("web"), workload("api"), workload("agent", kind="DaemonSet")
    gone = workload("gone")
    told = [web, api, agent, covered(Autoscaler, web), covered(GoldenImage, web), covered(GoldenImage, agent)]
    told += [covered(GoldenImage, gone)]
    kinds = {"kubernetes": INVENTORY | {Autoscaler, GoldenImage}}
    found = tables(seen(told, gives=kinds), "/clusters/eu")["What covers the workloads"].rows
    assert [row[:4] for row in found] == [
        ("runs golden images alone", "2", "3", "66.7 %"),
        ("is scaled by an autoscaler", "1", "2", "50.0 %"),
    ]
    none = html(seen([web], gives={"kubernetes": INVENTORY}), "/clusters/eu")
    assert "Nobody looks at what covers the workloads." in none
    assert "practices: [autoscalers" in none


def test_a_practice_that_is_not_told_now_has_no_number() -> None:
    """Its row says why."""
    late = [replace(SOURCES[0], fresh=False)]
    found = seen([workload("web")], sources=late, gives={"kubernetes": INVENTORY | {DisruptionBudget}})
    assert tables(found, "/clusters/eu")["What covers the workloads"].rows == (
        ("has a disruption budget", "–", "–", "–", "no fresh data from k-eu"),
    )


def test_gitops_in_it() -> None:
    """Applications by how they stand, the worst first, and the syncs of a day without dry runs."""
    told = [workload("web"), app("web"), app("by-hand", sync=SyncState.OUT_OF_SYNC), app("api", health=Health.DEGRADED)]
    told += [app("elsewhere", health=Health.MISSING, cluster="us"), synced(SyncResult.SUCCESS, 1)]
    told += [synced(SyncResult.FAILED, 2), synced(SyncResult.SUCCESS, 3, dry_run=True), synced(SyncResult.SUCCESS, 30)]
    found = seen(told, sources=[*SOURCES, source("argo", "argocd", watermark=NOW)])
    text = html(found, "/clusters/eu")
    assert "1 of 3 applications are in sync and healthy; 2 sync by themselves." in text
    assert "In 24 hours 1 sync ended as failed, 1 sync ended as success." in text
    assert tables(found, "/clusters/eu")["GitOps"].rows == (
        ("api", "pay", "synced", "degraded", "10 Jun 09:00"),
        ("by-hand", "pay", "out of sync", "healthy", "10 Jun 07:00"),
    )
    assert "No Argo CD that is read now" in html(seen(told[:1]), "/clusters/eu")


def test_instances_that_should_report() -> None:
    """Those of this cluster, silent ones first; where nobody listened there is no number."""
    told = [workload("web"), group("nginx", 3, 4), group("kong", 3, 1), group("edge", 2, None), group("us", 1, 0, "us")]
    found = seen(told, sources=[*SOURCES, source("prom", "prometheus", watermark=NOW)])
    assert tables(found, "/clusters/eu")["Instances that should report"].rows == (
        ("gateway", "kong", "eu", "3", "1", "2", ""),
        ("gateway", "edge", "eu", "2", "–", "–", "nobody listened"),
        ("gateway", "nginx", "eu", "3", "3", "0", ""),
    )


def test_their_examples_can_be_copied() -> None:
    """Those of the page of all are whole configurations; those of one cluster belong into its entry."""
    known = {name: one.config for name, one in sources.load().items()}
    whole = examples(seen([], sources=[]), "/clusters")
    parts = examples(seen([workload("web")]), "/clusters/eu")
    assert (len(whole), len(parts)) == (2, 2)
    entry = f"{whole[0]}\n{indent(chr(10).join(parts), '    ')}"
    for text in (*whole, entry):
        loaded = load_config(text, "x.yaml", known)
        assert (loaded.problems, loaded.config is not None) == ((), True)


def test_no_table_is_longer_than_its_bound() -> None:
    """Ten teams and ten applications, and it is said how many are left out."""
    told = [workload(f"w{n}", f"t{n}") for n in range(14)] + [app(f"a{n}", health=Health.DEGRADED) for n in range(12)]
    found = seen(told, sources=[*SOURCES, source("argo", "argocd", watermark=NOW)])
    shown, text = tables(found, "/clusters/eu"), html(found, "/clusters/eu")
    assert (len(shown["Whose workloads"].rows), len(shown["GitOps"].rows)) == (10, 10)
    assert "The 10 with most; 4 more have some." in text
    assert "2 more." in text
