"""What GitHub's webhooks tell sooner than polls: deployments that ended, pull requests that were merged, issues that are
incidents.

Each becomes the fact that polls make of the same rows, under the same key, as far as one delivery knows it: neither
commits, reviews and change sets, nor what served before. Polls fill that in. All other webhooks tell nothing alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from msgspec import Struct, field

from platform_meter.model.access import Secret
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import DeployResult
from platform_meter.model.push import Pushed, Receiver, Scheme, Unreadable
from platform_meter.sources.github.config import Config, matches
from platform_meter.sources.github.facts import (
    about,
    change_fact,
    deployment_fact,
    marked_kind,
    service_of,
    verdict,
    version_of,
)
from platform_meter.sources.github.incidents import incident
from platform_meter.sources.github.rows import DeploymentRow, Issue, Pull, StatusRow, utc
from platform_meter.sources.kit.pushed import LESS, decoded


class Repository(Struct):
    full_name: str
    topics: list[str] = field(default_factory=list)


class Hook(Struct):
    """What all of them carry that are about a repository."""

    repository: Repository


class DeploymentStatus(Hook):
    deployment: DeploymentRow
    deployment_status: StatusRow


class IssueHook(Hook):
    issue: Issue


class PullRequest(Hook):
    pull_request: Pull


def read(config: Config, pushed: Pushed) -> Sequence[Event]:
    """What one delivery says of a repository that the settings select.

    Raises:
        Unreadable: it is no delivery of GitHub.
    """
    event = pushed.headers.get("x-github-event")
    if event is None:
        raise Unreadable("the header X-GitHub-Event is missing; send webhooks of GitHub here")
    if "form" in pushed.headers.get("content-type", ""):
        raise Unreadable("the body is a form; set the webhook's content type to application/json")
    told = READ.get(event)
    return () if told is None else told(config, pushed.body)


def _selected(config: Config, repository: Repository) -> Ref | None:
    org = repository.full_name.partition("/")[0]
    if org.lower() != config.org.lower() or not config.selects(repository.full_name):
        return None
    return about(repository.full_name, repository.topics)


def _deployment(config: Config, body: bytes) -> Sequence[Event]:
    """A deployment that ended: one delivery is of one of its statuses.

    What ever succeeded served (`verdict`): so a failure is told as the deployment stood when it was created, and loses
    against each success, whichever comes last.
    """
    hook = decoded(body, DeploymentStatus)
    ref, row, status = _selected(config, hook.repository), hook.deployment, hook.deployment_status
    ended = verdict([status])
    if ref is None or ended is None:
        return ()
    fact = deployment_fact(
        ref,
        id_=row.id,
        sha=row.sha,
        environment=row.environment,
        created=row.created_at,
        kind=marked_kind(row.task, row.ref),
        ended=ended,
        task=service_of(row.task),
        version=version_of(row.ref),
    )
    changed = status.updated_at - LESS if fact.result is DeployResult.SUCCESS else row.created_at
    return [replace(fact, updated=utc(changed))]


def _pull(config: Config, body: bytes) -> Sequence[Event]:
    """A pull request that is merged, by the delivery that closes it or a later one."""
    hook = decoded(body, PullRequest)
    ref, pull = _selected(config, hook.repository), hook.pull_request
    if ref is None or pull.merged_at is None:
        return ()
    return [replace(change_fact(ref, pull, pull.merged_at, (), config.bots), updated=utc(pull.updated_at - LESS))]


def _issue(config: Config, body: bytes) -> Sequence[Event]:
    """An issue that is an incident, as it stands. That it is none any more, polls tell: it takes its history."""
    hook = decoded(body, IssueHook)
    ref, issue = _selected(config, hook.repository), hook.issue
    if ref is None or config.incidents is None or not matches(ref.id, config.issues) or issue.pull_request is not None:
        return ()
    one = incident(ref, issue, (), config.incidents)
    return () if one is None else [replace(one, updated=utc(issue.updated_at - LESS))]


READ: Mapping[str, Callable[[Config, bytes], Sequence[Event]]] = {
    "deployment_status": _deployment,
    "issues": _issue,
    "pull_request": _pull,
}
"""What is read, by the header X-GitHub-Event."""


def _secret(config: Config) -> Secret | None:
    return config.webhook


RECEIVER = Receiver(read=read, scheme=Scheme.GITHUB, secret=_secret)
