"""GitOps: syncs, applications as they stand, changes on their way, minutes in sync (domain section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from platform_meter.measures.census import Share, census
from platform_meter.measures.news import Mark, floor, mark
from platform_meter.model.catalogue.gitops import (
    GITOPS_APPS,
    GITOPS_PROJECT_SYNCS,
    GITOPS_PROPAGATION,
    GITOPS_ROLLOUTS,
    GITOPS_SYNCS,
)
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult
from platform_meter.model.facts.gitops import (
    GitopsApp,
    GitopsPropagation,
    GitopsSync,
    Health,
    RolloutEnded,
    SyncState,
)
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.history import Held, Owner, Row, SourceState
from platform_meter.model.measure import Counting, Derived, Deriving, Measures, Scene
from platform_meter.model.metric import Increment

MINUTE = timedelta(minutes=1)
PROGRESSING = timedelta(minutes=10)
"""For so long an application that progresses counts as well (domain section 8)."""
DEPLOYED = timedelta(days=1)
"""How far back deployments are looked at whose change may be told late."""
AGAIN = timedelta(minutes=5)
GRACE = timedelta(minutes=15)
"""For so long a merge may be told later than what it led to; then its commit has to do."""
MERGED = timedelta(days=28)
"""How far back changes are looked at."""


def count_sync(event: GitopsSync, _owner: Owner, source: SourceState) -> Iterator[Increment]:
    """One ended operation; a dry run changes nothing and is left out."""
    if event.dry_run:
        return
    yield Increment(metric=GITOPS_SYNCS, labels=(source.instance, event.result))
    labels = (event.project, event.cluster, event.result, event.reason)
    yield Increment(metric=GITOPS_PROJECT_SYNCS, labels=labels)


def count_propagation(event: GitopsPropagation, _owner: Owner, source: SourceState) -> Iterator[Increment]:
    """How long one change took."""
    yield Increment(metric=GITOPS_PROPAGATION, labels=(source.instance,), amount=event.seconds)


def count_rollout(event: RolloutEnded, _owner: Owner, source: SourceState) -> Iterator[Increment]:
    """One that was promoted or aborted."""
    yield Increment(metric=GITOPS_ROLLOUTS, labels=(source.instance, event.result))


def _apps(_scene: Scene, source: SourceState, held: Held[GitopsApp]) -> Iterator[Share]:
    """An application by sync state and health."""
    yield Share((source.instance, held.reading.sync, held.reading.health))


APPS = census(GITOPS_APPS, GitopsApp, _apps)


def in_sync(scene: Scene) -> Iterator[Derived]:
    """App-minutes of each instance as an SLI named `<instance>/in-sync`: the two last whole minutes before its watermark.

    What stood further back while nobody looked stays unknown.
    """
    for source in scene.history.sources(GitopsApp):
        if not source.fresh or source.watermark is None:
            continue
        last = floor(source.watermark, MINUTE)
        ends = (last - MINUTE, last)
        known = scene.history.rows(SliCount, ends[0], last + MINUTE, source=source.instance)
        told = {row.event.at for row in known if row.event.sli == _name(source.instance)}
        for end in ends:
            if end in told:
                continue
            held = scene.history.readings(GitopsApp, at=end, source=source.instance)
            count = app_minutes(source.instance, held, end)
            if count is not None:
                yield Derived(source=source.instance, event=count)


def _name(instance: str) -> str:
    """What SLO files call the minutes of an instance."""
    return f"{instance}/in-sync"


def app_minutes(instance: str, standing: Sequence[Held[GitopsApp]], end: datetime) -> SliCount | None:
    """Applications in sync and not, in the minute that ends at `end`; None when none counts.

    Those that a person syncs and suspended ones are left out; one that progresses is well for `PROGRESSING`.
    """
    counted = [held for held in standing if held.reading.auto_sync and held.reading.health is not Health.SUSPENDED]
    if not counted:
        return None
    good = sum(_well(held, end) for held in counted)
    return SliCount(
        key=f"in-sync/{end:%Y-%m-%dT%H:%MZ}",
        at=end,
        about=Ref(system="argocd", kind="instance", id=instance),
        sli=_name(instance),
        good=float(good),
        bad=float(len(counted) - good),
        width=MINUTE,
    )


def _well(held: Held[GitopsApp], end: datetime) -> bool:
    app = held.reading
    if app.sync is not SyncState.SYNCED:
        return False
    if app.health is Health.PROGRESSING:
        return end - (app.health_since or held.start) <= PROGRESSING
    return app.health is Health.HEALTHY


class Propagations:
    """Joins what came to be served with the merge of its commit, wherever that was told, or else the commit; each
    deployment once.
    """

    def __init__(self) -> None:
        self._seen: Mark | None = None

    def derive(self, scene: Scene) -> Sequence[Derived]:
        """Propagations that are known since the last call: the change and the deployment may come in either order."""
        # How applications stand may come later than both, so it is looked again now and then.
        seen = mark(scene, (Deployment, Change, GitopsSync), AGAIN)
        if seen == self._seen:
            return ()
        found = list(_propagations(scene))
        self._seen = seen
        return found


def _propagations(scene: Scene) -> Iterator[Derived]:
    sources = scene.history.sources(GitopsApp)
    rows = [
        row
        for source in sources
        for row in scene.history.rows(Deployment, scene.now - DEPLOYED, scene.now + MINUTE, source=source.instance)
        if row.event.result is DeployResult.SUCCESS and row.event.kind is DeployKind.PLANNED
    ]
    if not rows:
        return
    since, changes = scene.now - MERGED, scene.history.by_commit(Change, {row.event.sha for row in rows})
    merges = sorted((row.event.at, row.event.sha) for row in changes if row.event.at >= since)
    merged = {sha: at for at, sha in merges}
    committed = {
        (row.source, row.event.about.id, sha): row.event.committed
        for source in sources
        for row in scene.history.rows(GitopsSync, scene.now - 2 * DEPLOYED, scene.now + MINUTE, source=source.instance)
        for sha in row.event.revisions
        if row.event.committed is not None
    }
    standing = {
        (held.source, held.reading.about.id): held.reading
        for held in scene.history.readings(GitopsApp)
        if held.reading.auto_sync
    }
    for row in rows:
        name, sha = row.event.about.id, row.event.sha
        at, app = merged.get(sha), standing.get((row.source, name))
        if at is None and row.event.at <= scene.now - GRACE:
            at = committed.get((row.source, name, sha))
        if at is not None and app is not None and at <= row.event.at:
            yield Derived(source=row.source, event=_propagation(row, app, at))


def _propagation(row: Row[Deployment], app: GitopsApp, merged: datetime) -> GitopsPropagation:
    served = row.event
    return GitopsPropagation(
        key=f"propagation/{served.key}",
        at=served.at,
        about=served.about,
        seconds=(served.at - merged).total_seconds(),
        project=app.project,
        cluster=app.cluster,
    )


MEASURES = Measures(
    standing=(
        Counting(event=GitopsSync, metrics=(GITOPS_SYNCS, GITOPS_PROJECT_SYNCS), count=count_sync),
        Counting(event=GitopsPropagation, metrics=(GITOPS_PROPAGATION,), count=count_propagation),
        Counting(event=RolloutEnded, metrics=(GITOPS_ROLLOUTS,), count=count_rollout),
        APPS,
        Deriving(reads=frozenset({GitopsApp}), gives=SliCount, derive=lambda scene: list(in_sync(scene))),
    ),
    declared=lambda _: (Deriving(reads=frozenset({GitopsApp}), gives=GitopsPropagation, derive=Propagations().derive),),
)
