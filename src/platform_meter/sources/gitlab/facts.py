"""From GitLab's rows to facts: how a pipeline ended and whose failure it was (domain section 7), and what was delivered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, Repository
from platform_meter.sources.gitlab.rows import (
    Commit,
    DeploymentRow,
    JobRow,
    MergeRequest,
    Note,
    Person,
    Pipeline,
    Project,
)

SYSTEM = "gitlab"
ENDED = {
    "success": Outcome.SUCCESS,
    "failed": Outcome.UNKNOWN,
    "canceled": Outcome.CANCELLED,
    "skipped": Outcome.SKIPPED,
}
"""All other states go on, `manual` and `scheduled` too, which wait for a person or a time."""
PLATFORM = frozenset(
    {
        "api_failure",
        "data_integrity_failure",
        "runner_system_failure",
        "runner_unsupported",
        "scheduler_failure",
        "stuck_or_timeout_failure",
    }
)
"""Reasons of failed jobs that are the platform's: no runner took them, or what should run them broke."""
USERS = frozenset(
    {
        "archived_failure",
        "downstream_bridge_project_not_found",
        "forward_deployment_failure",
        "insufficient_bridge_permissions",
        "invalid_bridge_trigger",
        "job_execution_timeout",
        "protected_environment_failure",
        "script_failure",
        "user_blocked",
    }
)
"""Those that are the user's. What is in neither tells of nobody."""
DEPLOYED = {"success": DeployResult.SUCCESS, "failed": DeployResult.FAILED}
_HOTFIX = re.compile(r"\bhot-?fix", re.IGNORECASE)
_BOT = re.compile(r"(?:project|group)_\d+_bot|.*\[bot\]$")
"""Accounts that GitLab makes for access tokens of projects and groups."""


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def about(project: Project) -> Ref:
    labels = tuple(sorted((f"topic:{topic}", "true") for topic in set(project.topics)))
    return Ref(system=SYSTEM, kind="repository", id=project.path_with_namespace, labels=labels)


def repository(project: Project) -> Repository:
    return Repository(about=about(project), since=utc(project.created_at) if project.created_at else None)


def job_outcome(job: JobRow, infra_jobs: Sequence[str]) -> Outcome:
    """How an ended job ended."""
    if job.status != "failed":
        return ENDED[job.status]
    reason = job.failure_reason or ""
    if reason in PLATFORM or any(fnmatchcase(job.name, glob) for glob in infra_jobs):
        return Outcome.INFRA_FAILURE
    return Outcome.USER_FAILURE if reason in USERS else Outcome.UNKNOWN


def pool_of(job: JobRow) -> str:
    """The tags it asks for; without any, the runner of one's own that took it, or `shared`."""
    if job.tag_list or job.runner is None:
        return ",".join(sorted(job.tag_list))
    return "shared" if job.runner.is_shared else job.runner.description or ""


def superseded(jobs: Sequence[JobRow]) -> list[JobRow]:
    """Those that were retried: of each name all but the newest."""
    newest = {job.name: job.id for job in sorted(jobs, key=lambda job: job.id)}
    return [job for job in jobs if job.id != newest[job.name]]


def pipeline_facts(
    ref: Ref, project: int, pipeline: Pipeline, jobs: Sequence[JobRow], infra_jobs: Sequence[str]
) -> Iterator[PipelineRun | PipelineJob]:
    """An ended pipeline and its jobs, retried ones too. Nothing while it goes on.

    Each retry of a job makes the pipeline's next attempt. A retry keeps commit, variables and configuration, so that the
    attempts are one group; of other pipelines only those of a push to one branch have the same inputs.
    """
    if pipeline.status not in ENDED:
        return
    retried = superseded(jobs)
    old = {job.id for job in retried}
    how, why = _verdict(pipeline, [job for job in jobs if job.id not in old], infra_jobs)
    by_push = pipeline.source == "push"
    yield PipelineRun(
        key=f"pipeline/{pipeline.id}/{1 + len(retried)}",
        at=utc(pipeline.finished_at or pipeline.updated_at),
        about=ref,
        updated=utc(pipeline.updated_at),
        pipeline=ref.id,
        outcome=how,
        ran=timedelta(seconds=pipeline.duration or 0),
        group=f"{project}|{pipeline.ref}|{pipeline.sha}" if by_push else f"{project}|{pipeline.id}",
        sha=pipeline.sha,
        attempt=1 + len(retried),
        trigger=pipeline.source or "",
        reason=why,
        pool=next((pool_of(job) for job in jobs), ""),
    )
    for job in jobs:
        if job.finished_at is None or job.status not in ENDED or (job.started_at is None and job.status != "failed"):
            continue
        before = sum(o.finished_at is not None and o.finished_at <= job.created_at for o in retried)
        yield PipelineJob(
            key=f"job/{job.id}",
            at=utc(job.finished_at),
            about=ref,
            run=f"pipeline/{pipeline.id}/{1 + before}",
            pool=pool_of(job),
            outcome=job_outcome(job, infra_jobs),
            ran=timedelta(seconds=job.duration or 0),
            queued=timedelta(seconds=job.queued_duration)
            if job.started_at is not None and job.queued_duration is not None
            else None,
        )


def _verdict(pipeline: Pipeline, jobs: Iterable[JobRow], infra_jobs: Sequence[str]) -> tuple[Outcome, str]:
    """How it ended and why: as the first of its jobs that failed and may not, or by its configuration."""
    if pipeline.status != "failed":
        return ENDED[pipeline.status], "" if pipeline.status == "success" else pipeline.status
    if pipeline.yaml_errors:
        return Outcome.USER_FAILURE, "configuration"
    failed = [job for job in jobs if job.status == "failed" and not job.allow_failure]
    if not failed:
        return Outcome.UNKNOWN, "failed"
    first = min(failed, key=lambda job: (job.finished_at or pipeline.updated_at, job.id))
    return job_outcome(first, infra_jobs), f"{first.name}: {first.failure_reason or 'failed'}"


def deployment_fact(ref: Ref, row: DeploymentRow, result: DeployResult, *, rollback: bool) -> Deployment:
    ended = row.deployable.finished_at if row.deployable else None
    marked = DeployKind.HOTFIX if _HOTFIX.match(row.ref or "") else DeployKind.PLANNED
    return Deployment(
        key=f"deployment/{row.id}",
        at=utc(ended or row.updated_at),
        about=ref,
        updated=utc(row.updated_at),
        environment=row.environment.name,
        sha=row.sha,
        result=result,
        kind=DeployKind.ROLLBACK if rollback else marked,
        started=utc(row.created_at),
    )


def is_bot(person: Person | None, bots: Iterable[str]) -> bool:
    return person is not None and (bool(_BOT.match(person.username)) or person.username in set(bots))


def change_fact(
    ref: Ref,
    row: MergeRequest,
    merged: datetime,
    commits: Iterable[Commit],
    notes: Iterable[Note],
    bots: Sequence[str],
) -> Change:
    """A merged request; its first review is the first comment or approval of another person before the merge."""
    labels = set(row.labels)
    if row.title.startswith('Revert "'):
        labels.add("revert")
    if _HOTFIX.search(row.source_branch):
        labels.add("hotfix")
    dates = [commit.authored_date for commit in commits if commit.authored_date]
    author = row.author.id if row.author else None
    reviews = [
        note.created_at
        for note in notes
        if note.author.id != author
        and note.created_at <= merged
        and not is_bot(note.author, bots)
        and (not note.system or note.body.startswith("approved this merge request"))
    ]
    return Change(
        key=f"merge_request/{row.id}",
        at=utc(merged),
        about=ref,
        updated=utc(row.updated_at),
        sha=row.merge_commit_sha or row.squash_commit_sha or row.sha or "",
        opened=utc(row.created_at),
        first_commit=utc(min(dates)) if dates else None,
        first_review=utc(min(reviews)) if reviews and author is not None else None,
        labels=tuple(sorted(labels)),
        bot=is_bot(row.author, bots),
    )
