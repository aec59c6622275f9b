"""What GitLab's webhooks tell sooner than polls: deployments that ended and merge requests that were merged.

Each becomes the fact that polls make of the same object, under the same key, as far as one delivery knows it: neither
commits, notes and change sets, nor what served before. Polls fill that in. All other webhooks tell nothing alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec import Struct, field

from platform_meter.model.access import Secret
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.push import Pushed, Receiver, Scheme, Unreadable
from platform_meter.sources.gitlab.config import Config
from platform_meter.sources.gitlab.facts import DEPLOYED, SYSTEM, change_fact, marked_kind, utc
from platform_meter.sources.gitlab.rows import MergeRequest, Person
from platform_meter.sources.kit.links import link
from platform_meter.sources.kit.pushed import LESS, decoded
from platform_meter.sources.kit.rows import sound

_COMMIT = re.compile(r".*/commit/([0-9a-f]+)")
_ZONE = re.compile(r" (?=[+-]\d\d:?\d\d$)| UTC$")


class Project(Struct):
    path_with_namespace: str


class Kind(Struct):
    object_kind: str = ""


class DeploymentHook(Struct):
    project: Project
    status: str
    deployment_id: int
    status_changed_at: str
    environment: str
    commit_url: str | None = None
    """The only place of the whole commit."""
    deployable_url: str | None = None
    ref: str | None = None


class Label(Struct):
    title: str


class LastCommit(Struct):
    id: str


class Attributes(Struct):
    id: int
    iid: int
    title: str
    created_at: str
    updated_at: str
    action: str = ""
    merged_at: str | None = None
    author_id: int | None = None
    description: str | None = None
    source_branch: str = ""
    target_branch: str = ""
    url: str | None = None
    merge_commit_sha: str | None = None
    last_commit: LastCommit | None = None


class MergeRequestHook(Struct):
    project: Project
    object_attributes: Attributes
    user: Person | None = None
    """Who merged it."""
    labels: list[Label] = field(default_factory=list)


def read(config: Config, pushed: Pushed) -> Sequence[Event]:
    """What one delivery says of a project that the settings select.

    Raises:
        Unreadable: it is no delivery of GitLab.
    """
    kind = decoded(pushed.body, Kind).object_kind
    if not kind:
        raise Unreadable("`object_kind` is missing; send webhooks of GitLab here")
    told = READ.get(kind)
    return () if told is None else told(config, pushed.body)


def _selected(config: Config, project: Project) -> Ref | None:
    path = project.path_with_namespace
    if not path.lower().startswith(f"{config.group.lower()}/") or not config.selects(path):
        return None
    return Ref(system=SYSTEM, kind="repository", id=path)


def _deployment(config: Config, body: bytes) -> Sequence[Event]:
    """A deployment that ended. Nothing where it does not tell its commit."""
    hook = decoded(body, DeploymentHook)
    ref, result = _selected(config, hook.project), DEPLOYED.get(hook.status)
    commit = _COMMIT.fullmatch(hook.commit_url or "")
    if ref is None or result is None or commit is None:
        return ()
    changed = _moment(hook.status_changed_at, "status_changed_at")
    return [
        Deployment(
            key=f"deployment/{hook.deployment_id}",
            at=changed,
            about=ref,
            updated=changed - LESS,
            environment=hook.environment,
            sha=commit[1],
            result=result,
            kind=marked_kind(hook.ref),
            url=link(hook.deployable_url),
        )
    ]


def _merge_request(config: Config, body: bytes) -> Sequence[Event]:
    """A merge request that was merged just now."""
    hook = decoded(body, MergeRequestHook)
    ref, told = _selected(config, hook.project), hook.object_attributes
    if ref is None or told.action != "merge":
        return ()
    updated = _moment(told.updated_at, "object_attributes.updated_at")
    merged = _moment(told.merged_at, "object_attributes.merged_at") if told.merged_at else updated
    author = hook.user if hook.user is not None and hook.user.id == told.author_id else None
    row = MergeRequest(
        id=told.id,
        iid=told.iid,
        title=told.title,
        created_at=_moment(told.created_at, "object_attributes.created_at"),
        updated_at=updated,
        author=author,
        labels=[label.title for label in hook.labels],
        description=told.description,
        source_branch=told.source_branch,
        target_branch=told.target_branch,
        web_url=told.url or "",
        sha=told.last_commit.id if told.last_commit else None,
        merge_commit_sha=told.merge_commit_sha,
    )
    return [replace(change_fact(ref, row, merged, (), (), config.bots), updated=updated - LESS)]


def _moment(text: str, where: str) -> datetime:
    """A time as webhooks have it: `2026-05-04 12:00:00 UTC`, `... +0200`, or as the API writes it.

    Raises:
        Unreadable: anything else.
    """
    try:
        return utc(
            sound(datetime.fromisoformat(_ZONE.sub(lambda found: found[0].replace(" UTC", "Z").strip(), text)), where)
        )
    except (ValueError, OverflowError):
        raise Unreadable(
            f"{where} is '{text[:60]}', no time with a zone; send webhooks of GitLab as they are"
        ) from None


READ: Mapping[str, Callable[[Config, bytes], Sequence[Event]]] = {
    "deployment": _deployment,
    "merge_request": _merge_request,
}
"""What is read, by `object_kind`."""


def _secret(config: Config) -> Secret | None:
    return config.webhook


RECEIVER = Receiver(read=read, scheme=Scheme.GITLAB, secret=_secret)
