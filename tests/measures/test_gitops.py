"""GitOps measures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures import gitops
from platform_meter.model.catalogue.gitops import (
    GITOPS_PROJECT_SYNCS,
    GITOPS_PROPAGATION,
    GITOPS_ROLLOUTS,
    GITOPS_SYNCS,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult
from platform_meter.model.facts.gitops import (
    GitopsApp,
    GitopsPropagation,
    GitopsSync,
    Health,
    RolloutEnded,
    RolloutResult,
    SyncReason,
    SyncResult,
    SyncState,
)
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve

NOW = datetime(2026, 6, 10, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CD = source("cd", "argocd", watermark=NOW)
GIVES = {"argocd": frozenset[type[Fact]]({GitopsApp, Deployment}), "github": frozenset[type[Fact]]({Change})}
Told = tuple[str, Owner, Fact]


def ref(name: str) -> Ref:
    return Ref(system="argocd", kind="application", id=f"argocd/{name}")


def sync(result: SyncResult, reason: SyncReason, *, dry_run: bool = False) -> GitopsSync:
    return GitopsSync(
        key="1", at=NOW, about=ref("shop"), result=result, reason=reason, started=NOW, revisions=("abc",),
        automated=True, dry_run=dry_run, project="store", cluster="eu", namespace="shop",
    )  # fmt: skip


def app(name: str, sync_: SyncState = SyncState.SYNCED, health: Health = Health.HEALTHY, **more: Any) -> GitopsApp:
    own: dict[str, Any] = {"auto_sync": True, **more}
    return GitopsApp(about=ref(name), project="store", cluster="eu", namespace="shop", sync=sync_, health=health, **own)


def scene(told: list[Told], *sources: SourceState, now: datetime = NOW, **more: Any) -> Scene:
    return Scene(
        history=MemoryHistory(told, sources=sources or (CD,), gives=GIVES, **more), definitions=Definitions(), now=now
    )


def test_a_sync_counts_by_instance_and_by_project() -> None:
    """With the reason of a failure; a dry run counts nowhere."""
    failed = sync(SyncResult.FAILED, SyncReason.NOT_APPLIED)
    assert [(i.metric, i.labels, i.amount) for i in gitops.count_sync(failed, NOBODY, CD)] == [
        (GITOPS_SYNCS, ("cd", "failed"), 1.0),
        (GITOPS_PROJECT_SYNCS, ("store", "eu", "failed", "not_applied"), 1.0),
    ]
    assert list(gitops.count_sync(sync(SyncResult.SUCCESS, SyncReason.NONE, dry_run=True), NOBODY, CD)) == []


def test_a_propagation_is_observed_and_a_rollout_counted() -> None:
    """By instance."""
    took = GitopsPropagation(key="1", at=NOW, about=ref("shop"), seconds=42.0, project="store", cluster="eu")
    (found,) = gitops.count_propagation(took, NOBODY, CD)
    assert (found.metric, found.labels, found.amount) == (GITOPS_PROPAGATION, ("cd",), 42.0)
    ended = RolloutEnded(key="1", at=NOW, about=ref("web"), result=RolloutResult.ABORTED, version="9c8")
    (found,) = gitops.count_rollout(ended, NOBODY, CD)
    assert (found.metric, found.labels, found.amount) == (GITOPS_ROLLOUTS, ("cd", "aborted"), 1.0)


def test_applications_stand_by_sync_and_health() -> None:
    """Of fresh sources alone: what a stale one last said is absent, not 0."""
    told: list[Told] = [
        ("cd", NOBODY, app("a")),
        ("cd", NOBODY, app("b")),
        ("cd", NOBODY, app("c", SyncState.OUT_OF_SYNC, Health.DEGRADED)),
        ("us", NOBODY, app("d")),
    ]
    stale = source("us", "argocd", watermark=NOW, fresh=False)
    found = {s.labels: resolve(s.value) for s in gitops.APPS.compute(scene(told, CD, stale))}
    assert found == {("cd", "synced", "healthy"): 2.0, ("cd", "out_of_sync", "degraded"): 1.0}


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        ([app("a"), app("b", SyncState.OUT_OF_SYNC)], (1.0, 1.0)),
        ([app("a"), app("b", SyncState.UNKNOWN)], (1.0, 1.0)),
        ([app("a"), app("b", health=Health.DEGRADED)], (1.0, 1.0)),
        ([app("a"), app("b", health=Health.SUSPENDED)], (1.0, 0.0)),
        ([app("a"), app("b", SyncState.OUT_OF_SYNC, auto_sync=False)], (1.0, 0.0)),
        ([app("a", health=Health.PROGRESSING, health_since=NOW - 9 * MINUTE)], (1.0, 0.0)),
        ([app("a", health=Health.PROGRESSING, health_since=NOW - 12 * MINUTE)], (0.0, 1.0)),
        ([app("a", auto_sync=False)], None),
        ([], None),
    ],
    ids=["out of sync", "unknown", "degraded", "suspended", "by hand", "progressing", "for too long", "none", "empty"],
)
def test_minutes_in_sync_are_of_applications_that_sync_by_themselves(
    standing: list[GitopsApp], expected: tuple[float, float] | None
) -> None:
    """Good and bad ones of the last whole minute; none where none counts."""
    found = [d.event for d in gitops.in_sync(scene([("cd", NOBODY, one) for one in standing]))]
    counts = [event for event in found if isinstance(event, SliCount)]
    last = [(event.good, event.bad) for event in counts if event.at == datetime(2026, 6, 10, 12, tzinfo=UTC)]
    assert last == ([] if expected is None else [expected])
    assert {(event.sli, event.width) for event in counts} == (set() if expected is None else {("cd/in-sync", MINUTE)})


def test_a_minute_is_counted_once_and_as_it_stood() -> None:
    """The two last whole minutes before the watermark; what is stored is not said again."""
    noon = datetime(2026, 6, 10, 12, tzinfo=UTC)
    held = [
        ("cd", NOBODY, app("a"), noon - 2 * MINUTE, noon - timedelta(seconds=20)),
        ("cd", NOBODY, app("a", SyncState.OUT_OF_SYNC), noon - timedelta(seconds=20), None),
    ]
    first = [d.event for d in gitops.in_sync(scene([], held=held))]
    assert [(e.key, e.good, e.bad) for e in first if isinstance(e, SliCount)] == [
        ("in-sync/2026-06-10T11:59Z", 1.0, 0.0),
        ("in-sync/2026-06-10T12:00Z", 0.0, 1.0),
    ]
    assert list(gitops.in_sync(scene([("cd", NOBODY, event) for event in first], held=held))) == []
    unread = source("cd", "argocd", watermark=None)
    stale = source("cd", "argocd", watermark=NOW, fresh=False)
    assert [list(gitops.in_sync(scene([], one, held=held))) for one in (unread, stale)] == [[], []]


def served(sha: str, **more: Any) -> Deployment:
    own: dict[str, Any] = {"result": DeployResult.SUCCESS, **more}
    return Deployment(key=f"d/{sha}", at=NOW, about=ref("shop"), environment="eu/shop", sha=sha, **own)


def merged(sha: str, minutes: float) -> Told:
    at = NOW - minutes * MINUTE
    about = Ref(system="github", kind="repository", id="acme/shop")
    return ("gh", NOBODY, Change(key=sha, at=at, about=about, sha=sha, opened=at - timedelta(hours=1)))


def propagations(told: list[Told]) -> list[tuple[str, str, float]]:
    found = gitops.Propagations().derive(scene(told, CD, source("gh", "github", watermark=NOW)))
    return [(d.source, d.event.key, d.event.seconds) for d in found if isinstance(d.event, GitopsPropagation)]


def test_a_change_took_from_its_merge_to_being_served() -> None:
    """Whatever source told the merge, and in whatever order."""
    told: list[Told] = [
        ("cd", NOBODY, app("shop")), ("cd", NOBODY, served("abc")), merged("abc", 7.5), merged("other", 9),
    ]  # fmt: skip
    assert propagations(told) == [("cd", "propagation/d/abc", 450.0)]
    assert propagations([*reversed(told), *told]) == [("cd", "propagation/d/abc", 450.0)]


def test_of_two_merges_of_a_commit_the_last_counts_and_none_of_long_ago() -> None:
    """Two sources may tell of one, and a commit may be merged again; 28 days back it explains nothing."""
    both: list[Told] = [("cd", NOBODY, app("shop")), ("cd", NOBODY, served("abc")), merged("abc", 5)]
    earlier = merged("abc", 9)
    assert isinstance(earlier[2], Change)
    both += [("gl", NOBODY, replace(earlier[2], key="other"))]
    assert propagations(both) == propagations(both[::-1]) == [("cd", "propagation/d/abc", 300.0)]
    assert propagations([*both[:2], merged("abc", 28 * 24 * 60 + 1)]) == []


@pytest.mark.parametrize(
    ("standing", "deployment", "change"),
    [
        (app("shop", auto_sync=False), served("abc"), merged("abc", 5)),
        (app("cart"), served("abc"), merged("abc", 5)),
        (app("shop"), served("abc", kind=DeployKind.ROLLBACK), merged("abc", 5)),
        (app("shop"), served("abc", result=DeployResult.FAILED), merged("abc", 5)),
        (app("shop"), served("abc"), merged("abc", -0.5)),
        (app("shop"), served("abc"), merged("other", 5)),
    ],
    ids=["a person syncs", "gone", "rollback", "failed", "served before it was merged", "merge not told"],
)
def test_what_has_no_propagation(standing: GitopsApp, deployment: Deployment, change: Told) -> None:
    """It is absent and not 0."""
    assert propagations([("cd", NOBODY, standing), ("cd", NOBODY, deployment), change]) == []


def test_without_a_merge_the_commit_has_to_do() -> None:
    """A quarter of an hour later: until then a source may still tell the merge, which is what counts."""
    early = replace(served("abc"), at=NOW - 20 * MINUTE)
    known = replace(sync(SyncResult.SUCCESS, SyncReason.NONE), committed=NOW - 23 * MINUTE)
    told: list[Told] = [("cd", NOBODY, app("shop")), ("cd", NOBODY, known), ("cd", NOBODY, early)]
    assert propagations(told) == [("cd", "propagation/d/abc", 180.0)]
    assert propagations([*told, merged("abc", 21)]) == [("cd", "propagation/d/abc", 60.0)]
    assert propagations([*told[:2], ("cd", NOBODY, replace(early, at=NOW - 14 * MINUTE))]) == []
    assert propagations([*told[1:], ("cd", NOBODY, app("cart"))]) == []


def test_propagations_are_looked_for_when_something_came() -> None:
    """Or five minutes later: how the application stands may be told after both."""
    held = [("cd", NOBODY, served("abc")), merged("abc", 5)]
    whole = [*held, ("cd", NOBODY, app("shop"))]
    found = gitops.Propagations()
    assert found.derive(scene(held)) == []
    assert found.derive(scene(whole)) == ()
    assert len(found.derive(scene(whole, now=NOW + 5 * MINUTE))) == 1
    assert found.derive(scene(whole, now=NOW + 5 * MINUTE)) == ()
