"""From GitLab's rows to facts: how a pipeline ended and whose failure it was (domain section 7), and what was delivered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, Repository
from platform_meter.model.outcomes import Rules, Signs, classify
from platform_meter.sources.gitlab.outcomes import CONFIGURATION
from platform_meter.sources.gitlab.rows import (
    Asking,
    Commit,
    DeploymentRow,
    JobRow,
    MergeRequest,
    Note,
    Person,
    Pipeline,
    Project,
)
from platform_meter.sources.gitlab.waits import waited
from platform_meter.sources.kit.change_sets import UNTOLD, ChangeSet
from platform_meter.sources.kit.links import link
from platform_meter.sources.kit.named_changes import Words, said, spelling

SYSTEM = "gitlab"
ENDED = frozenset({"success", "failed", "canceled", "skipped"})
"""All other states go on, `manual` and `scheduled` too, which wait for a person or a time."""
DEPLOYED = {"success": DeployResult.SUCCESS, "failed": DeployResult.FAILED}
_NAMES = spelling("!", "-/merge_requests")
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


def job_signs(job: JobRow) -> Signs:
    """What an ended job tells of its end."""
    if job.status != "failed":
        return Signs(conclusion=job.status)
    return Signs(conclusion=job.status, reason=job.failure_reason or "", step=job.name)


def pool_of(job: Asking) -> str:
    """The tags it asks for; without any, the runner of one's own that took it, or `shared`."""
    if job.tag_list or job.runner is None:
        return ",".join(sorted(job.tag_list))
    return "shared" if job.runner.is_shared else job.runner.description or ""


def superseded(jobs: Sequence[JobRow]) -> list[JobRow]:
    """Those that were retried: of each name all but the newest."""
    newest = {job.name: job.id for job in sorted(jobs, key=lambda job: job.id)}
    return [job for job in jobs if job.id != newest[job.name]]


def pipeline_facts(
    ref: Ref,
    project: int,
    pipeline: Pipeline,
    jobs: Sequence[JobRow],
    rules: Rules,
    *,
    whole: bool = True,
    held: Sequence[datetime] = (),
) -> Iterator[PipelineRun | PipelineJob]:
    """An ended pipeline and its jobs, retried ones too. Nothing while it goes on.

    Each retry of a job makes the pipeline's next attempt. A retry keeps commit, variables and configuration, so that the
    attempts are one group; of other pipelines only those of a push to one branch have the same inputs. Without `whole`,
    jobs say why it failed, and nothing more: it stays one attempt, whether they are read or not. `held` are moments at
    which it waited for a person.
    """
    if pipeline.status not in ENDED:
        return
    retried = superseded(jobs)
    old = {job.id for job in retried}
    signs = _signs(pipeline, [job for job in jobs if job.id not in old])
    outcome, decided = classify(signs, rules)
    attempt = 1 + len(retried) if whole else 1
    by_push = pipeline.source == "push"
    yield PipelineRun(
        key=f"pipeline/{pipeline.id}/{attempt}",
        at=utc(pipeline.finished_at or pipeline.updated_at),
        about=ref,
        updated=utc(pipeline.updated_at),
        pipeline=ref.id,
        outcome=outcome,
        ran=timedelta(seconds=pipeline.duration or 0),
        group=f"{project}|{pipeline.ref}|{pipeline.sha}" if by_push else f"{project}|{pipeline.id}",
        sha=pipeline.sha,
        attempt=attempt,
        trigger=pipeline.source or "",
        reason="" if outcome is Outcome.SUCCESS else _why(signs),
        executing=None if pipeline.duration is None else timedelta(seconds=pipeline.duration),
        rule=decided,
        pool=next((pool_of(job) for job in jobs), ""),
        approval=waited(jobs, retried, held) if whole else None,
        url=pipeline.web_url,
    )
    for job in jobs if whole else ():
        if job.finished_at is None or job.status not in ENDED or (job.started_at is None and job.status != "failed"):
            continue
        before = sum(o.finished_at is not None and o.finished_at <= job.created_at for o in retried)
        yield PipelineJob(
            key=f"job/{job.id}",
            at=utc(job.finished_at),
            about=ref,
            run=f"pipeline/{pipeline.id}/{1 + before}",
            pool=pool_of(job),
            outcome=classify(job_signs(job), rules).outcome,
            ran=timedelta(seconds=job.duration or 0),
            queued=timedelta(seconds=job.queued_duration)
            if job.started_at is not None and job.queued_duration is not None
            else None,
        )


def _signs(pipeline: Pipeline, jobs: Iterable[JobRow]) -> Signs:
    """What an ended pipeline tells: what the first of its jobs does that failed and may not, or that its file has errors."""
    if pipeline.status != "failed":
        return Signs(conclusion=pipeline.status)
    if pipeline.yaml_errors:
        return Signs(conclusion=pipeline.status, reason=CONFIGURATION)
    failed = [job for job in jobs if job.status == "failed" and not job.allow_failure]
    if not failed:
        return Signs(conclusion=pipeline.status)
    return job_signs(min(failed, key=lambda job: (job.finished_at or pipeline.updated_at, job.id)))


def _why(signs: Signs) -> str:
    return f"{signs.step}: {signs.reason or signs.conclusion}" if signs.step else signs.why


def marked_kind(ref: str | None) -> DeployKind:
    """What the ref of a deployment says of it: `hotfix/limit`."""
    return DeployKind.HOTFIX if _HOTFIX.match(ref or "") else DeployKind.PLANNED


def deployment_fact(
    ref: Ref, row: DeploymentRow, result: DeployResult, *, rollback: bool, brought: ChangeSet = UNTOLD
) -> Deployment:
    job = row.deployable
    ended = job.finished_at if job else None
    return Deployment(
        key=f"deployment/{row.id}",
        at=utc(ended or row.updated_at),
        about=ref,
        updated=utc(row.updated_at),
        environment=row.environment.name,
        sha=row.sha,
        result=result,
        kind=DeployKind.ROLLBACK if rollback or brought.back else marked_kind(row.ref),
        version=(row.ref or "") if job and job.tag else "",
        started=utc(row.created_at),
        after=brought.after,
        changes=brought.changes,
        url=link(job.web_url) if job else "",
    )


def is_bot(person: Person | None, bots: Iterable[str]) -> bool:
    return person is not None and (bool(_BOT.match(person.username)) or person.username in set(bots))


def change_fact(
    ref: Ref,
    row: MergeRequest,
    merged: datetime,
    commits: Sequence[Commit],
    notes: Iterable[Note],
    bots: Sequence[str],
) -> Change:
    """A merged request; its first review is the first comment or approval of another person before the merge."""
    name = f"{ref.id}!{row.iid}"
    words = said(
        Words(
            repository=ref.id,
            name=name,
            title=row.title,
            text=row.description or "",
            branch=row.source_branch,
            labels=row.labels,
            commits=[(commit.id, commit.message) for commit in commits],
        ),
        _NAMES,
    )
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
        labels=words.labels,
        bot=is_bot(row.author, bots),
        name=name,
        branch=row.target_branch,
        undoes=words.undoes,
        mends=words.mends,
        url=link(row.web_url),
    )
