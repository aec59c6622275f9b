"""Tekton's runs as facts: whose failure one was (domain section 7), and what it was about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.sources.tekton.rows import Condition, Run, Step

SYSTEM = "tekton"
PIPELINE, PIPELINE_RUN, TASK = "tekton.dev/pipeline", "tekton.dev/pipelineRun", "tekton.dev/pipelineTask"
AS_CODE = "pipelinesascode.tekton.dev/"
"""Labels of Pipelines-as-Code, which tell repository and commit, begin so."""
CANCELLED = frozenset(
    {
        "Cancelled",
        "CancelledRunFinally",
        "CancelledRunningFinally",
        "StoppedRunFinally",
        "StoppedRunningFinally",
        "TaskRunCancelled",
    }
)
USERS = frozenset(
    {
        "CELEvaluationFailed",
        "CreateContainerConfigError",
        "InvalidGraph",
        "InvalidMatrixParameterTypes",
        "InvalidParamValue",
        "InvalidPipelineResultReference",
        "InvalidServiceAccountMappings",
        "InvalidTaskResultReference",
        "InvalidTaskRunSpecs",
        "InvalidWorkspaceBindings",
        "ObjectParameterMissKeys",
        "ParamArrayIndexingInvalid",
        "ParamKeyNotFound",
        "ParameterMissing",
        "ParameterTypeMismatch",
        "PipelineValidationFailed",
        "RequiredWorkspaceMarkedOptional",
        "TaskRunResultLargerThanAllowedLimit",
        "TaskRunValidationFailed",
        "TaskValidationFailed",
    }
)
"""Reasons that speak of what the user wrote."""
PLATFORM = frozenset({"CreateRunFailed", "PodCreationFailed", "TaskRunStopSidecarFailed", "PVCNotFound"})
"""Reasons that speak of the cluster."""
PULLS = frozenset({"TaskRunImagePullFailed"})
TIMEOUTS = frozenset({"PipelineRunTimeout", "TaskRunTimeout"})
_LOST = re.compile(r"evict|low on resource|preempt|node .*(?:lost|shut ?down|not ready)|no space left", re.IGNORECASE)
_NO_TIME = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say of whose failure one is."""

    infra_tasks: tuple[str, ...]
    """Globs of names of a pipeline's tasks that the platform answers for."""
    registries: tuple[str, ...]
    """Beginnings of names of images that come from the platform's registry."""

    def task(self, run: Run) -> tuple[Outcome, str]:
        """How a TaskRun ended, and why, in a word."""
        verdict = run.verdict
        if verdict is None or verdict.status == "True":
            return Outcome.SUCCESS, ""
        found = self.reason(verdict)
        if found is not None:
            return found, verdict.reason
        name, steps = run.metadata.labels.get(TASK, ""), run.status.steps
        failed = next((step for step in steps if step.terminated and step.terminated.exit_code), None)
        if failed is not None or (verdict.reason in TIMEOUTS and any(step.started for step in steps)):
            ours = any(fnmatchcase(name, glob) for glob in self.infra_tasks)
            return (Outcome.INFRA_FAILURE if ours else Outcome.USER_FAILURE), _why(verdict, name, failed)
        if verdict.reason in TIMEOUTS:
            return Outcome.INFRA_FAILURE, f"{verdict.reason} before a step ran"
        return Outcome.UNKNOWN, verdict.reason

    def reason(self, verdict: Condition) -> Outcome | None:
        """Whose failure one is by its reason and message alone; None where they don't tell."""
        if verdict.reason in CANCELLED:
            return Outcome.CANCELLED
        if verdict.reason in USERS:
            return Outcome.USER_FAILURE
        if verdict.reason in PLATFORM or _LOST.search(verdict.message):
            return Outcome.INFRA_FAILURE
        if verdict.reason in PULLS:
            ours = any(f'"{registry}' in verdict.message for registry in self.registries)
            return Outcome.INFRA_FAILURE if ours else Outcome.UNKNOWN
        return None


def _why(verdict: Condition, task: str, step: Step | None) -> str:
    where = "/".join(part for part in (task, step.name if step else "") if part)
    what = step.terminated.reason if step and step.terminated else ""
    said = what if what not in {"", "Error"} else verdict.reason
    return f"{said} in {where}" if where else said


def of_run(run: Run, rules: Rules, tasks: Iterable[Run]) -> tuple[Outcome, str]:
    """How a PipelineRun ended, and why: by the task of it that failed first, where its own reason does not tell."""
    verdict = run.verdict
    if verdict is None or verdict.status == "True":
        return Outcome.SUCCESS, ""
    found = rules.reason(verdict)
    if found is not None:
        return found, verdict.reason
    ended = sorted((at, task.metadata.name, task) for task in tasks if (at := task.status.completion_time))
    for _, _, task in ended:
        outcome, why = rules.task(task)
        if outcome not in {Outcome.SUCCESS, Outcome.CANCELLED}:
            return outcome, why
    if verdict.reason in TIMEOUTS and ended:
        return Outcome.USER_FAILURE, verdict.reason
    return Outcome.UNKNOWN, verdict.reason


def pipeline_run(run: Run, cluster: str, keep: tuple[str, ...], how: tuple[Outcome, str]) -> PipelineRun | None:
    """An ended PipelineRun; None while it goes on."""
    end = run.status.completion_time
    if run.verdict is None or end is None:
        return None
    labels = run.metadata.labels
    sha = labels.get(f"{AS_CODE}sha", "")
    inputs = hashlib.sha256(msgspec.json.format(run.spec.params, indent=-1)).hexdigest()[:16]
    about, outcome = about_of(run, cluster, keep), how[0]
    return PipelineRun(
        key=f"pipelinerun/{run.metadata.uid}",
        at=end.astimezone(UTC),
        about=about,
        pipeline=_pipeline(run),
        outcome=outcome,
        ran=max(end - (run.status.start_time or end), _NO_TIME),
        # Without its commit nobody knows whether two runs had the same inputs.
        group=f"{about.id}|{sha}|{inputs}" if sha else f"{about.id}|{run.metadata.uid}",
        sha=sha,
        trigger=labels.get(f"{AS_CODE}event-type", ""),
        reason=how[1],
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
        outcome=rules.task(run)[0],
        ran=max(end - (began or end), _NO_TIME),
        queued=queued if queued is not None and queued >= _NO_TIME else None,
    )


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
