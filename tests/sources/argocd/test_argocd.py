"""Argo CD: the case of the contract test, both ways into one, and what only Argo CD does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from tests.sources.argocd.argocd_server import API as API_PATH
from tests.sources.argocd.argocd_server import APPS, ROLLOUTS, Argo, app, completed, entry, operation, rollout

from platform_meter.model.access import InCluster, Secret, Token
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.gitops import (
    GitopsApp,
    GitopsSync,
    Health,
    RolloutEnded,
    RolloutResult,
    SyncReason,
    SyncResult,
    SyncState,
)
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Source, Unreachable
from platform_meter.sources.argocd import APPS as APPS_GIVE
from platform_meter.sources.argocd import SOURCE, Config, access
from platform_meter.testing import CHECKS, Case, Later
from platform_meter.testing.case import poll, world
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
CREATED = datetime(2026, 5, 1, 8, tzinfo=UTC)
CLUSTER: dict[str, Any] = {
    "cluster": "eu",
    "in_cluster": True,
    "labels": ["team"],
    "skip_namespaces": ["tmp-*"],
    "page_size": 2,
}
API: dict[str, Any] = {
    "in_cluster": False, "url": "https://argocd.acme.example", "token": {"env": "ARGOCD_AUTH_TOKEN"},
}  # fmt: skip


def small_world() -> Argo:
    """One that serves its second version, one that failed, one under way, one not well, one of applications alone."""
    world = Argo(commits={"bbb2": "10:18:00", "abc6": "10:36:00"})
    world.put(
        APPS,
        app(
            "shop",
            entry(0, "aaa1", "09:00:10"),
            entry(1, "bbb2", "10:20:20"),
            health=("Healthy", "10:21:00"),
            last=operation("Succeeded", "bbb2", "10:20:00", "10:20:20"),
            labels={"team": "pay", "noise": "x"},
            owners=[{"kind": "ApplicationSet", "name": "shops"}],
        ),
        app(
            "cart",
            entry(4, "ccc3", "09:10:00"),
            sync=("OutOfSync", "ddd4"),
            last=operation("Failed", "ddd4", "10:10:00", "10:12:30", message="one or more objects failed to apply", person="jo@acme.example"),
            auto=False,
        ),
        app("mail", entry(0, "eee5", "09:20:00"), last=operation("Running", "fff6", "10:28:00")),
        app("pay", entry(7, "abc7", "09:30:00"), health=("Degraded", "09:40:00")),
        app("all", entry(0, "fed8", "09:15:00"), status={"resources": [{"group": "argoproj.io", "kind": "Application"}]}),
        app("trial", entry(0, "fed9", "09:15:00"), namespace="tmp-1"),
    )  # fmt: skip
    world.put(
        ROLLOUTS,
        rollout("web", 3, "9c8", stableRS="9c8", conditions=[completed("10:05:00")]),
        rollout("api", 2, "7d7", stableRS="5b5", abort=True, abortedAt="2026-05-04T10:07:00Z"),
        rollout("job", 2, "8e8", stableRS="5b5", conditions=[completed("10:07:00", "False")]),
    )
    return world


def later_world() -> Argo:
    """What was under way was deleted, what was not well is superseded, what failed went well; one more is odd."""
    world = small_world()
    world.delete(APPS, "mail")
    world.put(
        APPS,
        app(
            "cart",
            entry(4, "ccc3", "09:10:00"),
            entry(5, "ddd4", "10:35:30"),
            health=("Healthy", "10:36:00"),
            last=operation("Succeeded", "ddd4", "10:35:00", "10:35:30", person="jo@acme.example"),
            reconciled="10:36:10",
            auto=False,
        ),
        app(
            "pay",
            entry(7, "abc7", "09:30:00"),
            entry(8, "abc6", "10:37:00"),
            health=("Progressing", "10:37:00"),
            last=operation("Succeeded", "abc6", "10:36:50", "10:37:00"),
            reconciled="10:37:10",
        ),
        app("odd", health=("Healthy", "09:00:00"), status={"reconciledAt": "0001-01-01T00:00:00Z"}),
    )
    odd = rollout("job", 2, "8e8", stableRS="8e8", conditions=[completed("10:38:00")])
    world.put(ROLLOUTS, odd)
    return world


def ref(name: str, *labels: tuple[str, str]) -> Ref:
    return Ref(
        system="argocd",
        kind="application",
        id=f"argocd/{name}",
        labels=labels,
        links=(f"github:acme/{name}", "kubernetes:eu/shop"),
    )


SHOP = ref("shop", ("applicationset", "shops"), ("team", "pay"))


def moment(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-05-04T{time}+00:00")


def stands(about: Ref, sync: SyncState, health: Health, since: str, *, auto: bool = True) -> GitopsApp:
    return GitopsApp(
        about=about,
        since=CREATED,
        project="store",
        cluster="eu",
        namespace="shop",
        auto_sync=auto,
        sync=sync,
        health=health,
        health_since=moment(since),
    )


def synced(about: Ref, result: SyncResult, start: str, end: str, revision: str, **more: Any) -> GitopsSync:
    own: dict[str, Any] = {"reason": SyncReason.NONE, "automated": True, **more}
    return GitopsSync(
        key=f"sync/uid-{about.id.removeprefix('argocd/')}/2026-05-04T{start}Z",
        at=moment(end),
        about=about,
        result=result,
        started=moment(start),
        revisions=(revision,),
        dry_run=False,
        project="store",
        cluster="eu",
        namespace="shop",
        **own,
    )


def deployed(about: Ref, id_: int, sha: str, end: str, start: str, **more: Any) -> Deployment:
    own: dict[str, Any] = {"result": DeployResult.SUCCESS, **more}
    return Deployment(
        key=f"deployment/uid-{about.id.removeprefix('argocd/')}/{id_}",
        at=moment(end),
        about=about,
        environment="eu/shop",
        sha=sha,
        version=sha,
        started=moment(start),
        way=DeployWay.GITOPS,
        **own,
    )


def ended(name: str, revision: str, version: str, end: str, result: RolloutResult) -> RolloutEnded:
    about = Ref(system="argocd", kind="rollout", id=f"eu/shop/{name}", links=("kubernetes:eu/shop",))
    return RolloutEnded(
        key=f"rollout/uid-{name}/{revision}", at=moment(end), about=about, result=result, version=version
    )


PROMOTED = ended("web", "3/promoted", "9c8", "10:05:00", RolloutResult.PROMOTED)
ABORTED = ended("api", "2/aborted/2026-05-04T10:07:00Z", "7d7", "10:07:00", RolloutResult.ABORTED)


def without_commit(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """As a cluster tells them: what Argo CD asks Git for stands in no object."""
    return tuple(replace(f, committed=None, updated=None) if isinstance(f, GitopsSync) else f for f in facts)


BY_API: tuple[Fact, ...] = (
    stands(SHOP, SyncState.SYNCED, Health.HEALTHY, "10:21:00"),
    stands(ref("cart"), SyncState.OUT_OF_SYNC, Health.HEALTHY, "09:00:00", auto=False),
    stands(ref("mail"), SyncState.SYNCED, Health.HEALTHY, "09:00:00"),
    stands(ref("pay"), SyncState.SYNCED, Health.DEGRADED, "09:40:00"),
    stands(ref("all"), SyncState.SYNCED, Health.HEALTHY, "09:00:00"),
    synced(
        SHOP,
        SyncResult.SUCCESS,
        "10:20:00",
        "10:20:20",
        "bbb2",
        committed=moment("10:18:00"),
        updated=moment("10:20:20"),
    ),
    synced(
        ref("cart"),
        SyncResult.FAILED,
        "10:10:00",
        "10:12:30",
        "ddd4",
        reason=SyncReason.NOT_APPLIED,
        automated=False,
    ),
    deployed(SHOP, 1, "bbb2", "10:21:00", "10:20:00"),
)
LATER_BY_API: tuple[Fact, ...] = (
    stands(ref("cart"), SyncState.SYNCED, Health.HEALTHY, "10:36:00", auto=False),
    stands(ref("pay"), SyncState.SYNCED, Health.PROGRESSING, "10:37:00"),
    synced(ref("cart"), SyncResult.SUCCESS, "10:35:00", "10:35:30", "ddd4", automated=False),
    synced(
        ref("pay"),
        SyncResult.SUCCESS,
        "10:36:50",
        "10:37:00",
        "abc6",
        committed=moment("10:36:00"),
        updated=moment("10:37:00"),
    ),
    deployed(ref("cart"), 5, "ddd4", "10:36:00", "10:35:00"),
    deployed(ref("pay"), 7, "abc7", "10:37:00", "09:30:00", result=DeployResult.FAILED),
)
CASE = Case(
    settings=CLUSTER,
    answers=small_world,
    now=NOW,
    since=NOW - timedelta(days=7),
    expected=(*without_commit(BY_API), PROMOTED, ABORTED),
    people=("jo@acme.example",),
    later=Later(
        answers=later_world,
        after=timedelta(minutes=15),
        expected=(*without_commit(LATER_BY_API), ended("job", "2/promoted", "8e8", "10:38:00", RolloutResult.PROMOTED)),
        over=frozenset({(GitopsApp, "application/argocd/mail")}),
        gaps=("argocd/mail is gone, and its sync had not ended",),
        rejected=1,
    ),
    without=((API, frozenset({RolloutEnded})),),
)


def api_case() -> Case:
    """The same world through Argo CD's own API."""
    assert CASE.later is not None
    later = replace(CASE.later, expected=LATER_BY_API)
    return replace(CASE, settings={**CLUSTER, **API}, expected=BY_API, later=later, without=())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_api_keeps_the_promise_of_a_source(check: Callable[[Source[Any], Case], None]) -> None:
    """The contract holds by the other way in too; that way knows no Rollouts."""
    check(replace(SOURCE, gives=APPS_GIVE), api_case())


def test_both_ways_say_the_same_under_the_same_keys() -> None:
    """Whoever changes the way in doubles nothing: what one way left is a beginning for the other."""
    by_cluster = poll(SOURCE, CASE, world(CASE))
    by_api = poll(SOURCE, api_case(), world(CASE), before=by_cluster)
    assert set(by_cluster.facts) - {PROMOTED, ABORTED} == set(without_commit(by_api.facts))
    back = poll(SOURCE, CASE, world(CASE), before=by_api)
    assert set(back.facts) == set(by_cluster.facts) - {PROMOTED, ABORTED}
    # Nothing stands twice: the stream of applications is one, whichever way reads it.
    assert len(back.standing) == len({key for _, _, key in back.standing}) == 5


def test_a_commit_is_asked_for_once_and_of_young_changes_alone() -> None:
    """What did not answer is asked again; what Argo CD can't tell is left out, and stops nothing."""
    system = small_world()
    told = poll(SOURCE, api_case(), outside := FakeOutside(system))
    assert [call.path for call in outside.calls] == [API_PATH, f"{API_PATH}/shop/revisions/bbb2/metadata"]
    assert outside.calls[1].params == {"appNamespace": "argocd", "project": "store"}
    again = poll(SOURCE, api_case(), outside := FakeOutside(system), before=told)
    assert [call.path for call in outside.calls] == [API_PATH]
    assert set(again.facts) == set(told.facts)

    broken = poll(SOURCE, api_case(), FakeOutside(system, fail_at=1, error=Unreachable("down")))
    assert (broken.error, set(broken.facts)) == (None, set(without_commit(BY_API)))
    assert set(poll(SOURCE, api_case(), FakeOutside(system), before=broken).facts) == set(BY_API)

    newer = operation("Succeeded", "abc6", "10:31:00", "10:31:20")
    versions = (entry(0, "aaa1", "09:00:10"), entry(1, "bbb2", "10:20:20"), entry(2, "abc6", "10:31:20"))
    system.put(APPS, app("shop", *versions, last=newer))
    poll(SOURCE, api_case(), outside := FakeOutside(system), before=told, later=timedelta(minutes=2))
    assert [call.path for call in outside.calls] == [API_PATH, f"{API_PATH}/shop/revisions/abc6/metadata"]

    system = small_world()
    system.commits = {}
    left_out = poll(SOURCE, api_case(), FakeOutside(system))
    assert (left_out.error, set(left_out.facts)) == (None, set(without_commit(BY_API)))
    poll(SOURCE, api_case(), outside := FakeOutside(system), before=left_out)
    assert len(outside.calls) == 1


@pytest.mark.parametrize(
    "shown",
    [
        {"last": operation("Succeeded", "bbb2", "10:20:00", "10:20:20", person="jo@acme.example")},
        {"last": operation("Succeeded", "bbb2", "10:20:00", "10:20:20", dry=True)},
        {"last": operation("Failed", "bbb2", "10:20:00", "10:20:20")},
        {"last": operation("Succeeded", "bbb2", "10:10:00", "10:10:20")},
        {"last": operation("Succeeded", "ccc3", "10:20:00", "10:20:20")},
        {"spec": {"source": {"repoURL": "https://charts.acme.example", "chart": "web"}}},
        {"status": {"history": [entry(1, "bbb2", "10:20:20")]}},
        {"status": {"history": [entry(0, "bbb2", "10:00:20"), entry(1, "bbb2", "10:20:20")]}},
    ],
    ids=["by a person", "dry run", "failed", "old", "another one", "a chart", "the first", "the same again"],
)
def test_whose_commit_is_not_asked_for(shown: dict[str, Any]) -> None:
    """It is no change that came by itself, or Git does not know it."""
    made: dict[str, Any] = {"last": operation("Succeeded", "bbb2", "10:20:00", "10:20:20"), **shown}
    system = Argo(commits={"bbb2": "10:18:00", "ccc3": "10:18:00"})
    system.put(APPS, app("shop", entry(0, "aaa1", "09:00:10"), entry(1, "bbb2", "10:20:20"), **made))
    poll(SOURCE, api_case(), outside := FakeOutside(system))
    assert [call.path for call in outside.calls] == [API_PATH]


def test_of_several_sources_the_commit_of_the_one_that_moved_is_asked_for() -> None:
    """By its place and the sync that it belongs to."""
    first = entry(0, "", "09:00:10", revisions=["1.0.0", "aaa1"])
    second = entry(1, "", "10:20:20", revisions=["1.0.0", "bbb2"])
    last = operation("Succeeded", "", "10:20:00", "10:20:20")
    last["syncResult"] = {"revisions": ["1.0.0", "bbb2"]}
    sources = [{"repoURL": "https://charts.acme.example", "chart": "web"}, {"repoURL": "https://github.com/acme/shop"}]
    system = Argo(commits={"bbb2": "10:18:00"})
    system.put(APPS, app("shop", first, second, last=last, spec={"source": None, "sources": sources}))
    poll(SOURCE, api_case(), outside := FakeOutside(system))
    assert [call.path for call in outside.calls] == [API_PATH, f"{API_PATH}/shop/revisions/bbb2/metadata"]
    place = {"sourceIndex": 1, "versionId": 1}
    assert outside.calls[1].params == {"appNamespace": "argocd", "project": "store", **place}


def said(*apps: dict[str, Any], **settings: Any) -> list[Fact]:
    """What one poll says of these applications."""
    told = poll(SOURCE, replace(CASE, settings={**CLUSTER, **API, **settings}), FakeOutside(Argo().put(APPS, *apps)))
    assert told.error is None
    return told.facts


def deployments_of(*apps: dict[str, Any]) -> list[tuple[str, DeployKind, str]]:
    """Sha, kind and time of each."""
    found = [fact for fact in said(*apps) if isinstance(fact, Deployment)]
    return [(fact.sha, fact.kind, f"{fact.at:%H:%M:%S}") for fact in found]


FIRST, SECOND = entry(0, "aaa1", "09:00:10"), entry(1, "bbb2", "10:00:20")
WELL = ("Healthy", "10:01:00")


@pytest.mark.parametrize(
    "shown",
    [
        {"sync": ("Synced", "aaa1")},
        {"sync": ("OutOfSync", "")},
        {"reconciled": "10:00:19"},
        {"status": {"reconciledAt": None}},
        {"health": ("Progressing", "10:00:30")},
        {"health": ("Suspended", "10:00:30")},
        {"last": operation("Running", "ccc3", "10:28:00")},
        {"operation": {"sync": {"revision": "ccc3"}}},
    ],
    ids=str,
)
def test_only_what_is_synced_at_its_revision_and_healthy_was_served(shown: dict[str, Any]) -> None:
    """A status that speaks of the sync before, or was not renewed since, tells nothing of this one."""
    assert deployments_of(app("shop", FIRST, SECOND, **{"health": WELL, **shown})) == []


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ((FIRST, SECOND), [("bbb2", DeployKind.PLANNED, "10:01:00")]),
        ((FIRST, SECOND, entry(2, "aaa1", "10:05:00")), [("aaa1", DeployKind.ROLLBACK, "10:05:00")]),
        ((FIRST, SECOND, entry(2, "aaa1", "10:05:00"), entry(3, "bbb2", "10:07:00")), [("bbb2", DeployKind.PLANNED, "10:07:00")]),
        ((FIRST, SECOND, entry(2, "bbb2", "10:05:00")), []),
        ((SECOND, FIRST), [("bbb2", DeployKind.PLANNED, "10:01:00")]),
        ((FIRST, entry(1, "aaa1", "10:00:20", source={"chart": "web", "targetRevision": "2"})),
         [("aaa1", DeployKind.PLANNED, "10:01:00")]),
    ],
    ids=["planned", "back to what was there before", "forward again", "synced again", "in any order", "other parameters"],
)  # fmt: skip
def test_what_a_sync_of_the_history_was(
    history: tuple[dict[str, Any], ...], expected: list[tuple[str, DeployKind, str]]
) -> None:
    """The same version again deploys nothing; one that was there before the present one is a rollback."""
    newest = max(history, key=lambda one: one["id"])
    assert deployments_of(app("shop", *history, health=WELL, sync=("Synced", newest["revision"]))) == expected


def test_of_several_sources_the_one_that_moved_is_the_change() -> None:
    """All of them have to be those that were synced."""
    first = entry(0, "", "09:00:10", revisions=["aaa1", "1.0.0"], sources=[{"repoURL": "x"}, {"chart": "web"}])
    second = entry(1, "", "10:00:20", revisions=["aaa1", "1.1.0"], sources=[{"repoURL": "x"}, {"chart": "web"}])
    status = {"sync": {"status": "Synced", "revisions": ["aaa1", "1.1.0"]}}
    sources = [
        {"repoURL": "git@gitlab.acme.example:pay/shop.git"},
        {"repoURL": "oci://registry.acme.example/charts", "chart": "web"},
    ]
    (found,) = (
        fact
        for fact in said(app("shop", first, second, status=status, spec={"source": None, "sources": sources}))
        if isinstance(fact, Deployment)
    )
    assert (found.sha, found.version) == ("1.1.0", "aaa1 1.1.0")
    assert found.about.links == ("gitlab:pay/shop", "kubernetes:eu/shop")
    status = {"sync": {"status": "Synced", "revisions": ["aaa1", "1.0.0"]}}
    assert deployments_of(app("shop", first, second, status=status)) == []


def test_an_operation_says_how_it_ended_once_it_has() -> None:
    """Between two tries it goes on; a dry run is told as one; an application made anew has its own."""
    running = operation("Running", "bbb2", "10:00:00", "10:00:05", message="failed. Retrying attempt #2", retryCount=2)
    assert [f for f in said(app("shop", last=running)) if isinstance(f, GitopsSync)] == []
    dry = operation("Error", "bbb2", "10:00:00", "10:00:03", dry=True, message="ComparisonError: failed to load")
    dry["syncResult"] = None
    anew = app("cart", last=operation("Failed", "bbb2", "10:00:00", "10:00:03"))
    anew["metadata"]["uid"] = "another"
    one, other = (f for f in said(app("shop", last=dry), anew) if isinstance(f, GitopsSync))
    assert (one.result, one.reason, one.dry_run, one.revisions) == (
        SyncResult.ERROR, SyncReason.MANIFESTS, True, ("bbb2",),
    )  # fmt: skip
    assert other.key == "sync/another/2026-05-04T10:00:00Z"


@pytest.mark.parametrize(
    ("parts", "n"),
    [
        ([("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet")], 0),
        ([("argoproj.io", "Application"), ("", "ConfigMap")], 1),
        ([("argoproj.io", "Rollout")], 1),
        ([("app.k8s.io", "Application")], 1),
        ([], 1),
    ],
)
def test_an_app_of_apps_deploys_no_service(parts: list[tuple[str, str]], n: int) -> None:
    """Its parts do; one that holds anything else does too."""
    resources = [{"group": group, "kind": kind} for group, kind in parts]
    status = {"resources": resources, "operationState": operation("Succeeded", "aaa1", "09:00:00", "09:00:10")}
    found = said(app("all", FIRST, status=status))
    assert [sum(isinstance(fact, kind) for fact in found) for kind in (Deployment, GitopsSync)] == [n, 1]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("one or more synchronization tasks are not valid (retried 5 times).", SyncReason.NOT_VALID),
        ("one or more objects failed to apply, reason: deployments is invalid", SyncReason.NOT_APPLIED),
        ("one or more synchronization tasks completed unsuccessfully", SyncReason.UNSUCCESSFUL),
        (
            "ComparisonError: Failed to load target state: failed to generate manifest for source 1",
            SyncReason.MANIFESTS,
        ),
        ("tasks are not valid: dial tcp 10.0.0.1:443: connect: connection refused", SyncReason.UNREACHABLE),
        ("Operation terminated", SyncReason.TERMINATED),
        ("something new", SyncReason.OTHER),
    ],
)
def test_a_message_tells_the_reason(message: str, reason: SyncReason) -> None:
    """In a word of a closed list."""
    failed = operation("Failed", "bbb2", "10:00:00", "10:01:00", message=message)
    (found,) = (fact for fact in said(app("shop", last=failed)) if isinstance(fact, GitopsSync))
    assert found.reason is reason


@pytest.mark.parametrize(
    ("to", "environment"),
    [
        ({"server": "https://kubernetes.default.svc", "namespace": "pay"}, "eu/pay"),
        ({"name": "in-cluster", "namespace": "pay"}, "eu/pay"),
        ({"name": "us-prod", "namespace": "pay"}, "us-prod/pay"),
        ({"server": "https://10.0.0.7:6443"}, "10.0.0.7"),
    ],
)
def test_an_environment_is_cluster_and_namespace(to: dict[str, str], environment: str) -> None:
    """By the name that Argo CD has for the cluster; its own one is called as the settings say."""
    (found,) = (f for f in said(app("shop", FIRST, spec={"destination": to})) if isinstance(f, Deployment))
    assert found.environment == environment


@pytest.mark.parametrize(
    ("policy", "auto"),
    [({"automated": {}}, True), ({"automated": {"enabled": True}}, True), ({"automated": {"enabled": False}}, False), ({}, False)],
)  # fmt: skip
def test_auto_sync_may_be_switched_off_where_it_stands(policy: dict[str, Any], auto: bool) -> None:
    """Older versions have no switch."""
    (found,) = (f for f in said(app("shop", spec={"syncPolicy": policy})) if isinstance(f, GitopsApp))
    assert found.auto_sync is auto


def test_only_selected_projects_are_read() -> None:
    """By globs of their names."""
    one, other = app("shop"), app("cart", spec={"project": "infra-net"})
    assert [fact.about.id for fact in said(one, other, projects=["infra-*"])] == ["argocd/cart"]


def test_what_nobody_looked_at_is_a_gap() -> None:
    """By the API after a longer silence than polls overlap; by the cluster once the watch's place is lost."""
    for case, pause, forget, gaps in (
        (api_case(), timedelta(minutes=15), False, 0),
        (api_case(), timedelta(minutes=16), False, 1),
        (CASE, timedelta(minutes=5), False, 0),
        (CASE, timedelta(minutes=5), True, 1),
        (CASE, timedelta(minutes=60), False, 0),
    ):
        system = small_world()
        before = poll(SOURCE, case, FakeOutside(system))
        if forget:
            system.forget()
        outside = FakeOutside(system)
        poll(SOURCE, case, outside, before=before, later=pause)
        found = [gap for gap in outside.gaps if "applications" in gap.text]
        assert [(gap.start, gap.end, gap.reason) for gap in found] == [(NOW, NOW + pause, "expired")] * gaps


def test_what_ended_before_it_is_wanted_is_not_told() -> None:
    """Nor is a gap told of an application that is deleted once its sync has ended."""
    late = replace(CASE, since=NOW)
    assert {type(fact) for fact in poll(SOURCE, late, world(late)).facts} == {GitopsApp}
    system = small_world()
    before = poll(SOURCE, CASE, FakeOutside(system))
    ended_well = operation("Succeeded", "fff6", "10:28:00", "10:31:00")
    system.put(APPS, app("mail", entry(0, "eee5", "09:20:00"), sync=("OutOfSync", "eee5"), last=ended_well))
    middle = poll(SOURCE, CASE, FakeOutside(system), before=before, later=timedelta(minutes=2))
    assert [fact.at for fact in middle.facts if isinstance(fact, GitopsSync)] == [moment("10:31:00")]
    system.delete(APPS, "mail")
    outside = FakeOutside(system)
    poll(SOURCE, CASE, outside, before=middle, later=timedelta(minutes=4))
    assert outside.gaps == []


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ({"stableRS": "9c8", "conditions": [completed("10:05:00")]}, [RolloutResult.PROMOTED]),
        ({"stableRS": "9c8", "conditions": [completed("10:05:00")], "abort": True}, []),
        ({"stableRS": "9c8", "conditions": [{"type": "Progressing", "reason": "RolloutPaused"}]}, []),
        ({"stableRS": "", "conditions": [completed("10:05:00")]}, []),
    ],
)
def test_a_rollout_was_promoted_once_its_version_is_the_stable_one(
    status: dict[str, Any], result: list[RolloutResult]
) -> None:
    """And all of it available; one that is being aborted has no time yet."""
    told = poll(SOURCE, CASE, FakeOutside(Argo().put(ROLLOUTS, rollout("web", 3, "9c8", **status))))
    assert [fact.result for fact in told.facts if isinstance(fact, RolloutEnded)] == result


def test_a_missing_rollouts_resource_stops_nothing() -> None:
    """Nor does a refused one; applications that are not installed are looked for again."""
    for without, refused, failing in (
        (frozenset({ROLLOUTS}), frozenset[str](), set[str]()),
        (frozenset[str](), frozenset({ROLLOUTS}), {"rollouts"}),
        (frozenset({APPS, ROLLOUTS}), frozenset[str](), set()),
    ):
        system = small_world()
        system.absent, system.refused = without, refused
        told = poll(SOURCE, CASE, FakeOutside(system), whole=True)
        assert set(told.errors) == failing
        assert {type(fact) for fact in told.facts} == (set() if APPS in without else set(APPS_GIVE))


def test_check_names_what_may_not_be_read() -> None:
    """Argo CD leaves out what a token may not see; Argo Rollouts need not be there."""
    config = Config.model_validate({**CLUSTER, **API})
    assert SOURCE.check(config, FakeOutside(small_world())) == []
    advice = "give its role `applications, get` on the projects to be measured"
    assert SOURCE.check(config, FakeOutside(Argo())) == [f"no application can be seen; {advice}"]
    refused = SOURCE.check(config, FakeOutside(Argo(refused=frozenset({API_PATH}))))
    assert refused == [f"GET {API_PATH}: 403; {advice}"]
    assert "must be the address of Argo CD's server" in SOURCE.check(config, FakeOutside({}))[0]

    config = Config.model_validate(CLUSTER)
    assert SOURCE.check(config, FakeOutside(small_world())) == []
    assert SOURCE.check(config, FakeOutside(Argo(absent=frozenset({ROLLOUTS})))) == []
    (line,) = SOURCE.check(config, FakeOutside(Argo(refused=frozenset({ROLLOUTS}))))
    assert 'may not list rollouts (apiGroups: ["argoproj.io"])' in line


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "none of url, kubeconfig/context, in_cluster, eks and gke is set"),
        ({"in_cluster": True, "url": "https://cd.example", "token": {"env": "T"}}, "more than one of url"),
        ({"in_cluster": True, "context": "prod"}, "more than one of url"),
        ({"url": "https://cd.example"}, "url needs a token of Argo CD"),
        ({"context": "prod", "token": {"env": "T"}}, "token and ca_file go with url only"),
    ],
)
def test_there_is_one_way_in(settings: dict[str, Any], text: str) -> None:
    """Both at once are refused, and what goes with the other one."""
    with pytest.raises(ValidationError, match=text):
        Config.model_validate(settings)


def test_each_way_brings_its_credential() -> None:
    """A token of Argo CD, or what its cluster takes; unnamed, the cluster is called as Argo CD calls it."""
    by_api = access(Config.model_validate(API))
    assert (by_api.url, by_api.credential) == (
        "https://argocd.acme.example",
        Token(secret=Secret(env="ARGOCD_AUTH_TOKEN")),
    )
    assert access(Config.model_validate({"in_cluster": True})).credential == InCluster()
    assert Config.model_validate(API).cluster == "in-cluster"


def test_init_proposes_the_server_that_variables_name() -> None:
    """`ARGOCD_SERVER` holds no scheme."""
    around = Surroundings(
        variables=frozenset({"ARGOCD_AUTH_TOKEN"}), addresses={"ARGOCD_SERVER": "argocd.acme.example"}
    )
    proposal = SOURCE.propose(around)
    assert proposal is not None
    token = {"env": "ARGOCD_AUTH_TOKEN"}
    assert proposal.found == {"argocd": {"url": "https://argocd.acme.example", "token": token}}
