"""Tekton's runs as facts: whose failure one was (domain section 7), and what it was about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.outcomes import Rules, Signs, Verdict, classify
from platform_meter.sources.tekton.outcomes import FAILED, SUCCEEDED
from platform_meter.sources.tekton.rows import Run

SYSTEM = "tekton"
PIPELINE, PIPELINE_RUN, TASK = "tekton.dev/pipeline", "tekton.dev/pipelineRun", "tekton.dev/pipelineTask"
AS_CODE = "pipelinesascode.tekton.dev/"
"""Labels of Pipelines-as-Code, which tell repository and commit, begin so."""
TIMEOUTS = frozenset({"PipelineRunTimeout", "TaskRunTimeout"})
_NO_TIME = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, and why, in a word."""

    verdict: Verdict
    why: str = ""


def of_task(run: Run, rules: Rules) -> Ending:
    """How a TaskRun ended: a time-out is that of the task whose step then ran."""
    said = _said(run)
    name, steps = run.metadata.labels.get(TASK, ""), run.status.steps
    failed = next((step for step in steps if step.terminated and step.terminated.exit_code), None)
    ran = failed is not None or (said.reason in TIMEOUTS and any(step.started for step in steps))
    if said.conclusion != FAILED or not ran:
        return Ending(verdict=classify(said, rules), why=_why(said))
    where = "/".join(part for part in (name, failed.name if failed else "") if part)
    what = failed.terminated.reason if failed and failed.terminated else ""
    short = what if what not in {"", "Error"} else said.reason
    signs = replace(said, step=name or run.metadata.name)
    return Ending(verdict=classify(signs, rules), why=f"{short} in {where}" if where else short)


def of_run(run: Run, rules: Rules, tasks: Iterable[Run]) -> Ending:
    """How a PipelineRun ended: by the task of it that failed first, where its own words don't tell."""
    said = _said(run)
    own = Ending(verdict=classify(said, rules), why=_why(said))
    if own.verdict.rule:
        return own
    ended = sorted((at, task.metadata.name, task) for task in tasks if (at := task.status.completion_time))
    for _, _, task in ended:
        ending = of_task(task, rules)
        if ending.verdict.outcome not in {Outcome.SUCCESS, Outcome.CANCELLED}:
            return ending
    if said.reason in TIMEOUTS and ended:
        last = ended[-1][-1]
        signs = replace(said, step=last.metadata.labels.get(TASK) or last.metadata.name)
        return Ending(verdict=classify(signs, rules), why=said.reason)
    return own


def _said(run: Run) -> Signs:
    """What the condition of an ended run tells."""
    verdict = run.verdict
    if verdict is None or verdict.status == "True":
        return Signs(conclusion=SUCCEEDED)
    return Signs(conclusion=FAILED, reason=verdict.reason, log=verdict.message)


def _why(said: Signs) -> str:
    return said.reason if said.conclusion == FAILED else ""


def pipeline_run(run: Run, cluster: str, keep: tuple[str, ...], ending: Ending) -> PipelineRun | None:
    """An ended PipelineRun; None while it goes on."""
    end = run.status.completion_time
    if run.verdict is None or end is None:
        return None
    labels = run.metadata.labels
    sha = labels.get(f"{AS_CODE}sha", "")
    inputs = hashlib.sha256(msgspec.json.format(run.spec.params, indent=-1)).hexdigest()[:16]
    about = about_of(run, cluster, keep)
    return PipelineRun(
        key=f"pipelinerun/{run.metadata.uid}",
        at=end.astimezone(UTC),
        about=about,
        pipeline=_pipeline(run),
        outcome=ending.verdict.outcome,
        ran=max(end - (run.status.start_time or end), _NO_TIME),
        # Without its commit nobody knows whether two runs had the same inputs.
        group=f"{about.id}|{sha}|{inputs}" if sha else f"{about.id}|{run.metadata.uid}",
        sha=sha,
        trigger=labels.get(f"{AS_CODE}event-type", ""),
        reason=ending.why,
        rule=ending.verdict.rule,
        pool=cluster,
    )


def pipeline_job(run: Run, cluster: str, keep: tuple[str, ...], rules: Rules) -> PipelineJob | None:
    """An ended TaskRun; None while it goes on. Its queue ends where its first step starts."""
    end, began = run.status.completion_time, _first_step(run)
    if run.verdict is None or end is None:
        return None
    created = run.metadata.creation_timestamp
    queued = began - created if began and created else None
    return PipelineJob(
        key=f"taskrun/{run.metadata.uid}",
        at=end.astimezone(UTC),
        about=about_of(run, cluster, keep),
        run=run.metadata.labels.get(PIPELINE_RUN, run.metadata.name),
        pool=cluster,
        outcome=of_task(run, rules).verdict.outcome,
        ran=max(end - (began or end), _NO_TIME),
        queued=queued if queued is not None and queued >= _NO_TIME else None,
    )


def in_pool(cluster: str, *, run: str = "", queued: int = 0, running: int = 0) -> PipelineActive:
    """What one run adds to the pool of its cluster; without `run` the pool itself, which is there also when it is idle."""
    about = Ref(system=SYSTEM, kind="pool", id=cluster)
    return PipelineActive(about=about, of=run, pool=cluster, queued=queued, running=running)


def _first_step(run: Run) -> datetime | None:
    return min((step.started for step in run.status.steps if step.started), default=None)


def _pipeline(run: Run) -> str:
    labels = run.metadata.labels
    named = labels.get(f"{AS_CODE}original-prname") or labels.get(PIPELINE) or run.spec.pipeline_ref.name
    if named:
        return named
    # A run that brings its own pipeline is called by what its name begins with: the rest differs from run to run.
    return re.sub(r"-[a-z0-9]{5}$", "", run.metadata.name)


def about_of(run: Run, cluster: str, keep: tuple[str, ...]) -> Ref:
    """The pipeline, with its repository where Pipelines-as-Code tells it, and its namespace."""
    labels, place = run.metadata.labels, f"{cluster}/{run.metadata.namespace}"
    org, repository = labels.get(f"{AS_CODE}url-org"), labels.get(f"{AS_CODE}url-repository")
    host = labels.get(f"{AS_CODE}git-provider", "github").partition("-")[0]
    links = (f"{host}:{org}/{repository}",) if org and repository else ()
    return Ref(
        system=SYSTEM,
        kind="pipeline",
        id=f"{place}/{_pipeline(run)}",
        labels=tuple((name, labels[name]) for name in keep if name in labels),
        links=(*links, f"kubernetes:{place}"),
    )
