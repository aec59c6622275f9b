"""GitHub's JSON of workflow runs, their jobs, and deployments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from platform_meter.demo.apis.github.bodies import WEB, WORKFLOWS, Bodies, node_id, signature
from platform_meter.demo.apis.wsgi import stamp
from platform_meter.demo.company.records import CHECKOUT, CONTAINERS, SET_UP, Attempt, Deployment, Job, Run, sha_of


def run(b: Bodies, run: Run, now: datetime, attempt: Attempt | None = None) -> dict[str, Any]:
    """A run by its last attempt, or by the one given."""
    now_on = attempt or run.attempt_at(now)
    repo, me = run.repo, b.at(run.repo, "actions/runs", run.id)
    waits = now_on.started + timedelta(seconds=1 + (now_on.stages[0][0] if now_on.stages else 0))
    status = "completed" if now_on.ended <= now else "in_progress" if waits <= now else "queued"
    suite = run.id + 1
    workflow = repo.id * 10 + WORKFLOWS[run.workflow]
    small = b.small(repo)
    return {
        "id": run.id,
        "name": run.workflow,
        "node_id": node_id("WFR", run.id),
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": f".github/workflows/{run.workflow}.yml",
        "display_title": run.title,
        "run_number": run.number,
        "event": run.event,
        "status": status,
        "conclusion": now_on.conclusion if status == "completed" else None,
        "workflow_id": workflow,
        "check_suite_id": suite,
        "check_suite_node_id": node_id("CS", suite),
        "url": me,
        "html_url": f"{WEB}/{repo.full_name}/actions/runs/{run.id}",
        "pull_requests": [],
        "created_at": stamp(run.created),
        "updated_at": stamp(max(m for m in (now_on.started, waits, now_on.ended) if m <= now)),
        "actor": b.user(run.actor),
        "run_attempt": now_on.number,
        "referenced_workflows": [],
        "run_started_at": stamp(now_on.started),
        "triggering_actor": b.user(run.actor),
        "jobs_url": f"{me}/jobs",
        "logs_url": f"{me}/logs",
        "check_suite_url": b.at(repo, "check-suites", suite),
        "artifacts_url": f"{me}/artifacts",
        "cancel_url": f"{me}/cancel",
        "rerun_url": f"{me}/rerun",
        "previous_attempt_url": f"{me}/attempts/{now_on.number - 1}" if now_on.number > 1 else None,
        "workflow_url": b.at(repo, "actions/workflows", workflow),
        "head_commit": {
            "id": run.sha,
            "tree_id": sha_of("tree", run.sha),
            "message": run.title,
            "timestamp": stamp(run.created),
            "author": signature(run.actor),
            "committer": signature(run.actor),
        },
        "repository": small,
        "head_repository": small,
    }


def jobs(b: Bodies, run: Run, attempt: Attempt, now: datetime) -> list[dict[str, Any]]:
    """The jobs of one attempt that exist by now."""
    return [_job(b, run, attempt, job, now) for job in run.jobs(attempt) if job.created <= now]


def _job(b: Bodies, run: Run, attempt: Attempt, job: Job, now: datetime) -> dict[str, Any]:
    skipped = job.conclusion == "skipped"
    done, begun = job.ended <= now, job.started <= now
    taken = begun and job.runner
    me = b.at(run.repo, "actions/jobs", job.id)
    return {
        "id": job.id,
        "run_id": run.id,
        "workflow_name": run.workflow,
        "head_branch": run.branch,
        "run_url": b.at(run.repo, "actions/runs", run.id),
        "run_attempt": attempt.number,
        "node_id": node_id("CR", job.id),
        "head_sha": run.sha,
        "url": me,
        "html_url": f"{WEB}/{run.repo.full_name}/actions/runs/{run.id}/job/{job.id}",
        "status": "completed" if done else "in_progress" if begun else "queued",
        "conclusion": job.conclusion if done else None,
        "created_at": stamp(job.created),
        "started_at": stamp(job.started if begun else job.created),
        "completed_at": stamp(job.ended) if done else None,
        "name": job.name,
        "steps": [] if skipped or not begun else list(_steps(job, now)),
        "check_run_url": b.at(run.repo, "check-runs", job.id),
        "labels": [] if skipped else [run.repo.pool, "self-hosted"],
        "runner_id": job.runner if taken else None,
        "runner_name": f"{run.repo.pool}-{job.runner:02d}" if taken else None,
        "runner_group_id": 1 if taken else None,
        "runner_group_name": run.repo.pool if taken else None,
    }


def _steps(job: Job, now: datetime) -> Iterator[dict[str, Any]]:
    """What ran before the broken step went well; what came after it was skipped, clean-up excepted."""
    work = f"Run make {job.name}"
    names = [SET_UP, CONTAINERS, CHECKOUT, work, "Complete job"]
    end = names.index(job.broken) if job.broken in names else None
    quick = job.started + (job.ended - job.started) / 10
    for index, name in enumerate(names):
        start = job.started if index == 0 else min(quick, job.ended)
        stop = job.ended if index >= (3 if end is None else end) else quick
        if end == 3 and index == 3:
            conclusion = "failure" if job.conclusion == "failure" else "cancelled"
        elif index == end:
            conclusion = "failure" if job.conclusion != "cancelled" else "cancelled"
        else:
            conclusion = "success" if end is None or index < end or index == 4 else "skipped"
        done = stop <= now
        yield {
            "name": name,
            "status": "completed" if done else "in_progress",
            "conclusion": conclusion if done else None,
            "number": index + 1,
            "started_at": stamp(start),
            "completed_at": stamp(stop) if done else None,
        }


def deployment(b: Bodies, deployment: Deployment, now: datetime) -> dict[str, Any]:
    last = max([deployment.created, *(at for _, at in states(b, deployment, now))])
    return {
        "url": b.at(deployment.repo, "deployments", deployment.id),
        "id": deployment.id,
        "node_id": node_id("DE", deployment.id),
        "task": deployment.task,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": None,
        "created_at": stamp(deployment.created),
        "updated_at": stamp(last),
        "statuses_url": b.at(deployment.repo, "deployments", deployment.id, "statuses"),
        "repository_url": b.at(deployment.repo),
        "creator": b.user(deployment.creator),
        "sha": deployment.sha,
        "ref": deployment.ref,
        "payload": {},
        "transient_environment": deployment.environment == "preview",
        "production_environment": deployment.environment.startswith("production"),
        "performed_via_github_app": None,
    }


def states(b: Bodies, deployment: Deployment, now: datetime) -> list[tuple[str, datetime]]:
    """(state, moment), newest first; a deployment that was replaced turns inactive after all else."""
    gone = b.history.inactive.get(deployment.id)
    found = [*deployment.statuses, *([("inactive", gone)] if gone else [])]
    return [(state, at) for state, at in reversed(found) if at <= now]


def status(b: Bodies, deployment: Deployment, index: int, state: str, at: datetime) -> dict[str, Any]:
    number = deployment.id * 10 + index
    me = b.at(deployment.repo, "deployments", deployment.id)
    return {
        "url": f"{me}/statuses/{number}",
        "id": number,
        "node_id": node_id("DES", number),
        "state": state,
        "creator": b.user(deployment.creator),
        "description": "",
        "environment": deployment.environment,
        "target_url": deployment.address,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "deployment_url": me,
        "repository_url": b.at(deployment.repo),
        "environment_url": "",
        "log_url": deployment.address,
        "performed_via_github_app": None,
    }
