"""What GitHub's rows mean: one pure function per kind of row."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from msgspec import structs

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, Repository
from platform_meter.model.outcomes import Rules, Signs, classify
from platform_meter.sources.github.outcomes import QUEUE, RUNNER_LOST
from platform_meter.sources.github.rows import (
    Commit,
    Job,
    Pull,
    Repo,
    Review,
    Run,
    StatusRow,
    Step,
    User,
    utc,
)
from platform_meter.sources.github.waits import Held, approval, queued, ready_since
from platform_meter.sources.kit.change_sets import UNTOLD, ChangeSet
from platform_meter.sources.kit.links import link
from platform_meter.sources.kit.named_changes import Words, said, spelling

SYSTEM = "github"

FAILED = frozenset({"failure", "timed_out"})
RUN_LIMIT = timedelta(minutes=360)
"""How long a job may run where its workflow says nothing else."""
QUEUE_LIMIT = timedelta(hours=24)
"""How long a job waits for a runner of the platform's own."""

CODE_EVENTS = frozenset({"push", "merge_group"})
"""Events whose runs have no other inputs than the code."""

_HOTFIX = re.compile(r"\bhot-?fix", re.IGNORECASE)
_VERSION = re.compile(r"refs/tags/(.+)|(v?\d+(?:\.\d+)+(?:[-+][\w.+-]+)?)")
_NAMES = spelling("#", "pull")
_KIND = re.compile(r"[\W_]*\b(?:hot-?fix|roll-?back)\b[\W_]*", re.IGNORECASE)
_ROLLBACK = re.compile(r"\broll-?back", re.IGNORECASE)
_NO_TIME = timedelta(0)
_NOBODY: Held = MappingProxyType({})


def about(full_name: str, topics: Iterable[str]) -> Ref:
    labels = tuple(sorted((f"topic:{topic}", "true") for topic in topics))
    return Ref(system=SYSTEM, kind="repository", id=full_name, labels=labels)


def repository(row: Repo, owner: str = "") -> Repository:
    """As it stands; `owner` is the slug of the team that is its owner by its own word."""
    since = utc(datetime.fromisoformat(row.created_at)) if row.created_at else None
    return Repository(about=about(row.full_name, row.topics), since=since, archived=row.archived, codeowner=owner)


_COMMON = frozenset({"", "default", "github actions"})
"""Runner groups that every organisation has."""


def pool_of_own(group: str, labels: Sequence[str]) -> str:
    """The pool of runners of one's own: their group, or where that is one that everybody has, all labels."""
    return (group if group.lower() not in _COMMON else "") or ",".join(labels) or group


def pool_of(job: Job) -> str:
    """The first label its runner was asked for; of runners of one's own their group, or all labels beside `self-hosted`."""
    telling = [label for label in job.labels if label.lower() != "self-hosted"]
    group = job.runner_group_name or ""
    if len(telling) < len(job.labels):
        # Hosts of one's own are often all `linux`, and tell each other apart by what follows.
        return pool_of_own(group, telling) or job.labels[0]
    return next(iter(telling), "") or group


def _took(job: Job) -> bool:
    """Whether a runner ever took the job. Answers of before 2022 name no runner, but steps need one."""
    return bool(job.runner_id or job.runner_name or job.steps)


def _result(job: Job, held: Held) -> str:
    """How it ended: GitHub tells of a job that it ended at one of its limits as of one that somebody cancelled."""
    if job.result != "cancelled" or job.completed_at is None:
        return job.result
    if _took(job):
        late = job.completed_at - job.started_at >= RUN_LIMIT
    else:
        ready = ready_since(job, held)
        late = ready is not None and job.completed_at - ready >= QUEUE_LIMIT
    return "timed_out" if late else job.result


def _failed_step(job: Job, held: Held) -> Step | None:
    """The step that failed; of a job that ran out of time, the one then running."""
    late = _result(job, held) == "timed_out"
    ends = {"failure", "timed_out", *(("cancelled", "") if late else ())}
    return next((step for step in job.steps if (step.conclusion or "").lower() in ends), None)


def _cut_off(job: Job) -> bool:
    """Whether its steps stop in the middle: GitHub's own last step is missing or never ended."""
    return not any(step.name == "Complete job" and step.conclusion for step in job.steps)


def job_signs(job: Job, held: Held = _NOBODY) -> Signs:
    """What an ended job tells of its end."""
    result = _result(job, held)
    step = _failed_step(job, held) if result in FAILED else None
    if step is not None:
        return Signs(conclusion=result, step=step.name)
    if result == "timed_out" and not _took(job):
        return Signs(conclusion=result, reason=QUEUE)
    if result == "failure" and _took(job) and _cut_off(job):
        return Signs(conclusion=result, reason=RUNNER_LOST)
    return Signs(conclusion=result)


def may_have_failed(run: Run) -> bool:
    """Whether its jobs tell more than its conclusion: it failed, or was cancelled so late that a limit may have done it."""
    word = (run.conclusion or "").lower()
    took = run.updated_at - (run.run_started_at or run.created_at)
    return word in FAILED or (word == "cancelled" and took >= min(RUN_LIMIT, QUEUE_LIMIT))


def run_signs(conclusion: str | None, jobs: Sequence[Job], held: Held = _NOBODY) -> Signs:
    """What a run tells of its end: what its job that failed first does, since what fails later is often a consequence."""
    word = (conclusion or "").lower()
    # Whoever cancels a run ends its jobs in many ways; only those that came to a limit tell of the platform.
    bad = FAILED if word in FAILED else FAILED - {"failure"} if word == "cancelled" else frozenset()
    failed = [job for job in jobs if job.completed_at and _result(job, held) in bad]
    if failed:
        return job_signs(min(failed, key=lambda job: (job.completed_at or job.started_at, job.id)), held)
    return Signs(conclusion=word)


def pipeline_of(repo: str, run: Run) -> str:
    """Repository and workflow file: `acme/payments/.github/workflows/ci.yml`; a required workflow's `@ref` is cut."""
    return f"{repo}/{run.path.partition('@')[0] or run.name or run.workflow_id}"


def fresh(jobs: Iterable[Job], attempt: int, start: datetime | None) -> list[Job]:
    """The jobs that ran in this attempt: one that re-runs only what failed also lists the rest of the attempt before."""
    if attempt == 1 or start is None:
        return list(jobs)
    return [job for job in jobs if job.started_at >= start]


def run_fact(ref: Ref, run: Run, jobs: Sequence[Job], rules: Rules, held: Held = _NOBODY) -> PipelineRun:
    """The current attempt of a completed run. Without jobs its end is `updated_at`, the nearest the run itself tells."""
    waited = approval(jobs, held)
    signs = run_signs(run.conclusion, jobs, held)
    outcome, decided = classify(signs, rules)
    start = run.run_started_at or run.created_at
    end = max((job.completed_at for job in jobs if job.completed_at), default=run.updated_at)
    began = min((job.started_at for job in jobs if _took(job)), default=None)
    return PipelineRun(
        key=f"run/{run.id}/{run.run_attempt}",
        at=utc(end),
        about=ref,
        updated=utc(run.updated_at),
        pipeline=pipeline_of(ref.id, run),
        outcome=outcome,
        ran=max(end - start - (waited or _NO_TIME), _NO_TIME),
        approval=waited,
        group=_group(run),
        sha=run.head_sha,
        attempt=run.run_attempt,
        trigger=run.event,
        reason="" if outcome is Outcome.SUCCESS else signs.why,
        # Nobody tells whether an approval was waited for before the first job or between two.
        executing=max(end - began, _NO_TIME) if began is not None and waited is None else None,
        rule=decided,
        pool=next((pool for job in jobs if (pool := pool_of(job))), ""),
        url=run.html_url,
    )


def _group(run: Run) -> str:
    """Runs of one workflow with the same inputs. Where the code is not all of them, each run has its own."""
    code = f"{run.workflow_id}|{run.head_sha}|{run.event}"
    return code if run.event in CODE_EVENTS else f"{code}|{run.id}"


def attempt_fact(
    ref: Ref, run: Run, row: Run, attempt: int, jobs: Sequence[Job], rules: Rules, held: Held = _NOBODY
) -> PipelineRun:
    """An attempt before the current one; `row` is the run as it was then. It had ended when the current one began."""
    latest = min(row.updated_at, run.run_started_at or row.updated_at)
    end = max((job.completed_at for job in jobs if job.completed_at), default=latest)
    return run_fact(ref, structs.replace(row, run_attempt=attempt, updated_at=end), jobs, rules, held)


def job_facts(
    ref: Ref, run: Run, attempt: int, jobs: Iterable[Job], rules: Rules, held: Held = _NOBODY
) -> Iterator[PipelineJob]:
    for job in jobs:
        if not job.result or job.completed_at is None:
            continue
        yield PipelineJob(
            key=f"job/{job.id}",
            at=utc(job.completed_at),
            about=ref,
            run=f"run/{run.id}/{attempt}",
            pool=pool_of(job),
            outcome=classify(job_signs(job, held), rules).outcome,
            ran=max(job.completed_at - job.started_at, _NO_TIME),
            queued=queued(job, held) if _took(job) else None,
        )


def marked_kind(task: str, ref: str) -> DeployKind:
    """What a deployment calls itself: by its task, or by what its ref begins with. Else planned: a description, or
    the rest of a ref, may well be about rollbacks and hotfixes.
    """
    ref = ref.removeprefix("refs/heads/")
    for pattern, kind in ((_ROLLBACK, DeployKind.ROLLBACK), (_HOTFIX, DeployKind.HOTFIX)):
        if pattern.search(task) or pattern.match(ref):
            return kind
    return DeployKind.PLANNED


def service_of(task: str) -> str:
    """What is rolled out, as far as a task tells it: not how, nor whether as a hotfix or a rollback."""
    service = _KIND.sub("", task)
    return "" if service == "deploy" else service


def version_of(ref: str) -> str:
    """The tag that a ref is, where it says so or looks like a version; empty for a branch or a commit."""
    found = _VERSION.fullmatch(ref)
    return (found[1] or found[2]) if found else ""


def verdict(statuses: Iterable[StatusRow]) -> tuple[DeployResult, StatusRow] | None:
    """How a deployment ended; None while it has not.

    One that ever succeeded served, whatever came later: `inactive` only says that a newer one replaced it.
    """
    ordered = sorted(statuses, key=lambda status: (status.created_at, status.id))
    for status in ordered:
        if status.state == "success":
            return DeployResult.SUCCESS, status
    for status in ordered:
        if status.state in {"failure", "error"}:
            return DeployResult.FAILED, status
    return None


def never_served(statuses: Iterable[StatusRow]) -> bool:
    """Whether a deployment without a verdict will get none: it was made inactive, by who removed a preview or gave it up."""
    last = max(statuses, key=lambda status: (status.created_at, status.id), default=None)
    return last is not None and last.state == "inactive"


def deployment_fact(
    ref: Ref,
    *,
    id_: int,
    sha: str,
    environment: str,
    created: datetime,
    kind: DeployKind,
    ended: tuple[DeployResult, StatusRow],
    task: str = "",
    version: str = "",
    brought: ChangeSet = UNTOLD,
) -> Deployment:
    result, status = ended
    return Deployment(
        key=f"deployment/{id_}",
        at=utc(status.created_at),
        about=ref,
        updated=utc(status.updated_at),
        environment=environment,
        sha=sha,
        result=result,
        kind=kind,
        version=version,
        started=utc(created),
        task=task,
        after=brought.after,
        changes=brought.changes,
        url=link(status.log_url, status.target_url),
    )


def is_bot(user: User | None, bots: Iterable[str]) -> bool:
    return user is not None and (user.type == "Bot" or user.login.endswith("[bot]") or user.login in set(bots))


def change_fact(
    ref: Ref,
    pull: Pull,
    merged: datetime,
    commits: Sequence[Commit],
    bots: Collection[str],
    reviews: Iterable[Review] = (),
) -> Change:
    """A merged pull request; without its commits or its reviews the time of the first of them stays absent.

    Beside its own labels it gets `revert` where its title or its text say that it takes something back, and `hotfix`
    where its branch says so.
    """
    name = f"{ref.id}#{pull.number}"
    words = said(
        Words(
            repository=ref.id,
            name=name,
            title=pull.title,
            text=pull.body or "",
            branch=pull.head.ref,
            labels=(label.name for label in pull.labels),
            commits=[(c.sha, c.commit.message) for c in commits],
        ),
        _NAMES,
    )
    dates = [c.commit.author.date for c in commits if c.commit.author and c.commit.author.date]
    return Change(
        key=f"pull/{pull.id}",
        at=utc(merged),
        about=ref,
        updated=utc(pull.updated_at),
        sha=pull.merge_commit_sha or pull.head.sha,
        opened=utc(pull.created_at),
        first_commit=utc(min(dates)) if dates else None,
        first_review=_first_review(pull, merged, reviews, bots),
        labels=words.labels,
        bot=is_bot(pull.user, bots),
        name=name,
        branch=pull.base.ref if pull.base else "",
        undoes=words.undoes,
        mends=words.mends,
        url=link(pull.html_url),
    )


def _first_review(pull: Pull, merged: datetime, reviews: Iterable[Review], bots: Collection[str]) -> datetime | None:
    """By another person before the merge; None where it is not known who is another."""
    if pull.user is None:
        return None
    found = [
        review.submitted_at
        for review in reviews
        if review.submitted_at is not None
        and review.submitted_at <= merged
        and review.user is not None
        and review.user.login != pull.user.login
        and not is_bot(review.user, bots)
    ]
    return utc(min(found)) if found else None
