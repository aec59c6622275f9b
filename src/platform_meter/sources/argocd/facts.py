"""Argo CD's objects as facts: how a sync ended, what came to be served, how an application stands (domain section 8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from platform_meter.model.facts import Ref
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
from platform_meter.sources.argocd.rows import Application, Condition, Entry, Rollout, revisions
from platform_meter.sources.kit.remotes import repository
from platform_meter.sources.kit.served import goes_back

SYSTEM = "argocd"
LOCAL_SERVER, LOCAL_NAME = "https://kubernetes.default.svc", "in-cluster"
"""What Argo CD calls the cluster that it runs in."""
ENDED = {"Succeeded": SyncResult.SUCCESS, "Failed": SyncResult.FAILED, "Error": SyncResult.ERROR}
"""Phases of an operation that are an end; in every other one it goes on, between two tries too."""
GOING = frozenset({"Running", "Terminating"})
SYNCS = {"Synced": SyncState.SYNCED, "OutOfSync": SyncState.OUT_OF_SYNC}
HEALTH = {state.title(): state for state in Health}
_SILENT = (
    r"dial tcp|i/o timeout|connection (?:refused|reset)|no such host|tls handshake|unauthorized|"
    r"unable to connect|failed to (?:load|get) (?:live|cluster)|repository not accessible"
)
REASONS: tuple[tuple[SyncReason, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        (SyncReason.TERMINATED, r"operation (?:was )?terminated|timed? ?out after|exceeded.*timeout"),
        (SyncReason.UNREACHABLE, _SILENT),
        (SyncReason.MANIFESTS, r"comparisonerror|failed to load target state|manifest generation|generate manifest"),
        (SyncReason.NOT_APPLIED, r"objects failed to apply"),
        (SyncReason.UNSUCCESSFUL, r"completed unsuccessfully"),
        (SyncReason.NOT_VALID, r"tasks are not valid|not permitted in project|invalidspecerror"),
    )
)
"""The first that the message of a sync tells."""
APPLICATION_SET = "applicationset"
"""Label of an application that an ApplicationSet made, with its name."""
REVISION = "rollout.argoproj.io/revision"
OWN_KINDS = frozenset({"Application", "ApplicationSet", "AppProject"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What settings say of where things stand."""

    cluster: str
    """Name of the cluster that Argo CD runs in."""
    keep: tuple[str, ...]
    """Labels that are kept."""


def cluster_of(app: Application, place: Place) -> str:
    """The cluster that an application is deployed to, by its name in Argo CD, or else its host."""
    to = app.spec.destination
    if to.server == LOCAL_SERVER or to.name == LOCAL_NAME:
        return place.cluster
    return to.name or urlsplit(to.server).hostname or to.server or place.cluster


def about_of(app: Application, place: Place) -> Ref:
    """The application, with its repositories and its namespace as what tells its owner (domain section 3, rule 4)."""
    meta, spec = app.metadata, app.spec
    labels = {name: meta.labels[name] for name in place.keep if name in meta.labels}
    made_by = next((owner.name for owner in meta.owner_references if owner.kind == "ApplicationSet"), "")
    if made_by:
        labels[APPLICATION_SET] = made_by
    origins = spec.sources or ([spec.source] if spec.source else [])
    repositories = (repository(origin.repo_url) for origin in origins)
    links = [name for name in repositories if name]
    if spec.destination.namespace:
        links.append(f"kubernetes:{cluster_of(app, place)}/{spec.destination.namespace}")
    return Ref(
        system=SYSTEM,
        kind="application",
        id=app.name,
        labels=tuple(sorted(labels.items())),
        links=tuple(dict.fromkeys(links)),
    )


def gitops_app(app: Application, place: Place) -> GitopsApp:
    """How it stands now."""
    policy = app.spec.sync_policy
    automated = policy.automated if policy else None
    since = app.status.health.last_transition_time
    return GitopsApp(
        about=about_of(app, place),
        since=_utc(app.metadata.creation_timestamp),
        project=app.spec.project or "default",
        cluster=cluster_of(app, place),
        namespace=app.spec.destination.namespace,
        auto_sync=automated is not None and automated.enabled is not False,
        sync=SYNCS.get(app.status.sync.status, SyncState.UNKNOWN),
        health=HEALTH.get(app.status.health.status, Health.UNKNOWN),
        health_since=_utc(since),
    )


def gitops_sync(app: Application, place: Place) -> GitopsSync | None:
    """The last operation, once it has ended; None for one that goes on and for what is no sync."""
    state = app.status.operation_state
    if state is None or state.operation.sync is None or state.phase not in ENDED:
        return None
    if state.started_at is None or state.finished_at is None:
        return None
    result = ENDED[state.phase]
    # A sync that did not get as far as its source knows only what it was asked for.
    told = state.sync_result or state.operation.sync
    return GitopsSync(
        key=f"sync/{app.metadata.uid}/{state.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        at=state.finished_at.astimezone(UTC),
        about=about_of(app, place),
        result=result,
        reason=SyncReason.NONE if result is SyncResult.SUCCESS else reason_of(state.message),
        started=min(state.started_at, state.finished_at).astimezone(UTC),
        revisions=revisions(told),
        automated=state.operation.initiated_by.automated,
        dry_run=state.operation.sync.dry_run,
        project=app.spec.project or "default",
        cluster=cluster_of(app, place),
        namespace=app.spec.destination.namespace,
    )


def reason_of(message: str) -> SyncReason:
    """Why a sync failed, by what it says."""
    return next((reason for reason, pattern in REASONS if pattern.search(message)), SyncReason.OTHER)


def goes_on(app: Application) -> bool:
    """Whether an operation is under way, or wanted."""
    state = app.status.operation_state
    return (state is not None and state.phase in GOING) or app.operation is not None


def settled_at_last(app: Application) -> Entry | None:
    """The last sync in the history, where the status speaks of it: synced at its very revisions, compared since then.

    What is shown as synced and healthy may be of the sync before: the status is renewed after the history is.
    """
    status = app.status
    last = max(status.history, key=lambda entry: entry.id, default=None)
    if last is None or last.deployed_at is None or goes_on(app) or status.sync.status != "Synced":
        return None
    renewed = status.reconciled_at is not None and status.reconciled_at >= last.deployed_at
    return last if renewed and last.shas and revisions(status.sync) == last.shas else None


def deploys_services(app: Application) -> bool:
    """Whether there is anything in it but applications: an app of apps deploys none itself."""
    parts = app.status.resources
    return not parts or any(part.group != "argoproj.io" or part.kind not in OWN_KINDS for part in parts)


def deployments(app: Application, place: Place, degraded: dict[str, int]) -> Iterator[Deployment]:
    """What came to be served, or is over without ever having been.

    `degraded` holds the sync of each application, by uid, that settled and was not well; it is kept up here.
    """
    if not deploys_services(app):
        return
    uid, history = app.metadata.uid, sorted(app.status.history, key=lambda entry: entry.id)
    held = degraded.get(uid)
    if held is not None and history and history[-1].id != held:
        del degraded[uid]
        found = next((n for n, entry in enumerate(history) if entry.id == held), None)
        if found is not None:
            yield from _deployment(app, place, history, found, history[found + 1].deployed_at, DeployResult.FAILED)
    last = settled_at_last(app)
    if last is None or _is_repeat(history, len(history) - 1):
        return
    health = app.status.health
    if health.status == "Healthy":
        degraded.pop(uid, None)
        since = health.last_transition_time
        at = max(since, last.deployed_at) if since and last.deployed_at else last.deployed_at
        yield from _deployment(app, place, history, len(history) - 1, at, DeployResult.SUCCESS)
    elif health.status == "Degraded":
        degraded[uid] = last.id


def _is_repeat(history: list[Entry], n: int) -> bool:
    """Whether it synced anew what was there already."""
    return n > 0 and history[n].version == history[n - 1].version


def _deployment(
    app: Application, place: Place, history: list[Entry], n: int, at: datetime | None, result: DeployResult
) -> Iterator[Deployment]:
    entry, to = history[n], app.spec.destination
    back = goes_back([one.version for one in history[:n]], entry.version)
    if at is None:
        return
    cluster = cluster_of(app, place)
    yield Deployment(
        key=f"deployment/{app.metadata.uid}/{entry.id}",
        at=at.astimezone(UTC),
        about=about_of(app, place),
        environment=f"{cluster}/{to.namespace}" if to.namespace else cluster,
        sha=entry.shas[moved(history, n)] if entry.shas else "",
        result=result,
        kind=DeployKind.ROLLBACK if back else DeployKind.PLANNED,
        version=" ".join(entry.shas),
        started=_utc(entry.deploy_started_at),
        way=DeployWay.GITOPS,
    )


def moved(history: list[Entry], n: int) -> int:
    """Of several sources the place of the first that moved: it is the change."""
    shas, before = history[n].shas, history[n - 1].shas if n else ()
    return next((i for i, sha in enumerate(shas) if i >= len(before) or before[i] != sha), 0)


def rollout_ended(rollout: Rollout, place: Place) -> RolloutEnded | None:
    """A Rollout that was aborted, or whose version is the stable one; None while it goes on."""
    status, meta = rollout.status, rollout.metadata
    revision = meta.annotations.get(REVISION, "")
    if not status.current_pod_hash or not revision:
        return None
    if status.abort and status.aborted_at is not None:
        result, at = RolloutResult.ABORTED, status.aborted_at
        key = f"{revision}/aborted/{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    elif not status.abort and status.stable == status.current_pod_hash:
        found = _completed(status.conditions)
        if found is None:
            return None
        result, at, key = RolloutResult.PROMOTED, found, f"{revision}/promoted"
    else:
        return None
    space = f"{place.cluster}/{meta.namespace}"
    labels = {name: meta.labels[name] for name in place.keep if name in meta.labels}
    return RolloutEnded(
        key=f"rollout/{meta.uid}/{key}",
        at=at.astimezone(UTC),
        about=Ref(
            system=SYSTEM,
            kind="rollout",
            id=f"{space}/{meta.name}",
            labels=tuple(sorted(labels.items())),
            links=(f"kubernetes:{space}",),
        ),
        result=result,
        version=status.current_pod_hash,
    )


def _completed(conditions: list[Condition]) -> datetime | None:
    """When all of it had become available; older controllers tell that by their progress alone."""
    by_type = {condition.type: condition for condition in conditions}
    completed, progressing = by_type.get("Completed"), by_type.get("Progressing")
    if completed is not None:
        return completed.last_transition_time if completed.status == "True" else None
    if progressing is not None and progressing.reason == "NewReplicaSetAvailable":
        return progressing.last_update_time
    return None


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
