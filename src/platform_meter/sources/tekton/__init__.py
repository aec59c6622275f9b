"""Tekton: PipelineRuns and TaskRuns of one cluster, by list and watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.outcomes import LoggedRule, with_own
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import Area, Outside, Source, Stream, Unexpected
from platform_meter.sources.kit.clusters import ClusterConfig, access, lacking
from platform_meter.sources.kit.kubernetes_objects import Resource
from platform_meter.sources.kit.list_watch import Watched, pages
from platform_meter.sources.tekton.facts import PIPELINE_RUN, in_pool, of_run, pipeline_job, pipeline_run
from platform_meter.sources.tekton.outcomes import rules
from platform_meter.sources.tekton.rows import PipelineRunRow, Run, TaskRunRow
from platform_meter.sources.tekton.told import Told

T = TypeVar("T", bound=Run)
GROUP, VERSIONS = "tekton.dev", ("v1", "v1beta1")
RUNS = Resource(name="pipelineruns", group=GROUP, versions=VERSIONS)
TASKS = Resource(name="taskruns", group=GROUP, versions=VERSIONS)


class Config(ClusterConfig):
    """Settings of the Tekton of one cluster."""

    outcomes: tuple[LoggedRule, ...] = ()
    """Rules of one's own, before those of `outcomes.py`."""
    registries: tuple[str, ...] = ()
    """Beginnings of names of images from the platform's registry: what can't be pulled from there is its failure."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One watch for each of the two kinds."""
    del instance
    cluster, keep = config.cluster, config.kept_labels
    table = with_own(config.outcomes, rules(config.registries))

    def run(row: PipelineRunRow) -> PipelineRun | None:
        if config.skips(row.metadata.namespace):
            return None
        ending = of_run(row, table, ())
        if not ending.verdict.rule:
            ending = of_run(row, table, list(_tasks(outside, row, config.page_size)))
        return pipeline_run(row, cluster, keep, ending)

    def job(row: TaskRunRow) -> PipelineJob | None:
        return None if config.skips(row.metadata.namespace) else pipeline_job(row, cluster, keep, table)

    def queued(row: PipelineRunRow) -> PipelineActive | None:
        waits = row.pending and not config.skips(row.metadata.namespace)
        return in_pool(cluster, run=row.metadata.uid, queued=1) if waits else None

    def going(row: TaskRunRow) -> PipelineActive | None:
        if row.verdict is not None or config.skips(row.metadata.namespace):
            return None
        began = any(step.started for step in row.status.steps)
        return in_pool(cluster, run=row.metadata.uid, queued=int(not began), running=int(began))

    def watch(
        resource: Resource,
        shape: type[T],
        gives: type[Event],
        row: Callable[[T], Event | None],
        stands: Callable[[T], PipelineActive | None],
    ) -> Stream:
        return Watched(
            resource=resource,
            shape=shape,
            sayer=lambda _waiting, since: Told(
                row=row,
                stands=stands,
                cluster=cluster,
                idle=resource is TASKS,
                outside=outside,
                since=since,
            ),
            outside=outside,
            gives=frozenset({gives, PipelineActive}),
            resync=config.resync,
            page_size=config.page_size,
        ).stream

    return (
        watch(RUNS, PipelineRunRow, PipelineRun, run, queued),
        watch(TASKS, TaskRunRow, PipelineJob, job, going),
    )


def _tasks(outside: Outside, run: PipelineRunRow, page_size: int) -> Iterator[TaskRunRow]:
    """The TaskRuns of a run whose own words don't tell whose failure it was; none where their namespace is gone."""
    meta = run.metadata
    version = run.api_version.rpartition("/")[2] or VERSIONS[0]
    path = f"/apis/{GROUP}/{version}/namespaces/{meta.namespace}/{TASKS.name}"
    try:
        for page, _ in pages(outside, path, TaskRunRow, page_size, f"{PIPELINE_RUN}={meta.name}"):
            yield from page.items or ()
    except Unexpected as error:
        if error.status != 404:
            raise


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line for each verb and resource that RBAC refuses or the cluster does not have."""
    del config
    return lacking(outside, (RUNS, TASKS))


def propose(around: Surroundings) -> Proposal:
    """A sample: a kubeconfig tells nothing of what is installed behind it."""
    del around
    return Proposal(
        about="Tekton's PipelineRuns and TaskRuns of a cluster.",
        sample=("tekton", {"cluster": "prod", "context": "NAME"}),
        fill_in="of your kubeconfig",
    )


SOURCE = Source(
    name="tekton",
    title="Tekton",
    area=Area.CI_CD,
    reads="PipelineRuns and TaskRuns, ended, waiting and running, by list and watch",
    needs="a ClusterRole with `list` and `watch` on `pipelineruns` and `taskruns` of `tekton.dev`",
    config=Config,
    gives=frozenset({PipelineRun, PipelineJob, PipelineActive}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
