"""Deployments told by a rule: runs or jobs whose workflow and name people say are deployments (domain section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.sources.github.change_sets import brought, kind_of
from platform_meter.sources.github.config import DeploymentRule
from platform_meter.sources.github.facts import marked_kind, version_of
from platform_meter.sources.github.poll import STEP, Visit
from platform_meter.sources.github.rows import Job, Run, utc
from platform_meter.sources.github.served import remember
from platform_meter.sources.github.state import Rolled, Runs
from platform_meter.sources.kit.change_sets import UNTOLD, ChangeSet

_ENDS = {
    Outcome.SUCCESS: DeployResult.SUCCESS,
    **dict.fromkeys((Outcome.USER_FAILURE, Outcome.INFRA_FAILURE, Outcome.UNKNOWN), DeployResult.FAILED),
}
"""A skipped one rolled nothing out; how far a cancelled one came nobody tells."""


def names_jobs(rules: Iterable[DeploymentRule], path: str) -> bool:
    """Whether the jobs of this workflow have to be read to know its deployments."""
    return any(rule.job and rule.takes(path) for rule in rules)


def rolled(
    rules: Sequence[DeploymentRule], run: Run, fact: PipelineRun, jobs: Iterable[tuple[Job, PipelineJob]]
) -> Iterator[Rolled]:
    """The deployments among one attempt of a run, which is `fact`, and its jobs; of several rules the first that fits."""
    mine = [rule for rule in rules if rule.takes(run.path)]
    whole = next((rule for rule in mine if not rule.job), None)
    if whole and fact.outcome in _ENDS:
        started = fact.at - fact.ran - (fact.approval or timedelta(0))
        yield _rolled(whole, run, fact, fact, id_=run.id, started=started, url=run.html_url)
    for row, job in jobs:
        rule = next((rule for rule in mine if rule.job and fnmatchcase(row.name, rule.job)), None)
        if rule and job.outcome in _ENDS:
            yield _rolled(rule, run, fact, job, id_=row.id, started=row.started_at, url=row.html_url or run.html_url)


def _rolled(
    rule: DeploymentRule,
    run: Run,
    fact: PipelineRun,
    one: PipelineRun | PipelineJob,
    *,
    id_: int,
    started: datetime,
    url: str,
) -> Rolled:
    workflow = run.path.partition("@")[0]
    return Rolled(
        id=id_,
        sha=run.head_sha,
        environment=rule.environment,
        created=started,
        # Services of one repository are rolled out by workflows, or jobs, of their own.
        task=f"{workflow} {rule.job}".rstrip(),
        kind=marked_kind(workflow, run.head_branch or ""),
        version=version_of(run.head_branch or ""),
        failed=_ENDS[one.outcome] is DeployResult.FAILED,
        key=one.key,
        ended=one.at,
        updated=fact.updated or fact.at,
        url=url,
    )


def settle(visit: Visit, runs: Runs) -> Iterator[list[Event]]:
    """Tell what a whole read found, oldest first, so that each is seen against what served before it; in steps, after
    each of which `runs` holds what is left to tell.
    """
    found = sorted(runs.rollouts, key=lambda rollout: (rollout.created, rollout.id))
    for at in range(0, len(found), STEP):
        facts: list[Event] = [_settled(visit, runs, rollout) for rollout in found[at : at + STEP]]
        runs.rollouts = found[at + STEP :]
        yield facts


def _settled(visit: Visit, runs: Runs, rollout: Rolled) -> Deployment:
    if rollout.failed:
        return _fact(visit.ref, rollout, kind_of(runs.served, rollout), UNTOLD)
    kind, what = brought(visit, runs.served, rollout, again=runs.failing is not None)
    remember(runs.served, rollout)
    return _fact(visit.ref, rollout, kind, what)


def _fact(ref: Ref, rollout: Rolled, kind: DeployKind, what: ChangeSet) -> Deployment:
    return Deployment(
        key=rollout.key,
        at=utc(rollout.ended),
        about=ref,
        updated=utc(rollout.updated),
        environment=rollout.environment,
        sha=rollout.sha,
        result=DeployResult.FAILED if rollout.failed else DeployResult.SUCCESS,
        kind=kind,
        version=rollout.version,
        started=utc(rollout.created),
        way=DeployWay.JOB,
        task=rollout.task,
        after=what.after,
        changes=what.changes,
        url=rollout.url,
    )
