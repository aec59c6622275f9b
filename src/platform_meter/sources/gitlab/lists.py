"""The lists of one project: pipelines, deployments and merge requests, those changed last first.

What had not ended when it was listed changes as it ends, and is listed again; nothing has to be watched. While a pipeline
goes on, the jobs of its project that wait and run are asked for in each poll.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from msgspec import field

from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import DeployResult
from platform_meter.model.outcomes import Rules
from platform_meter.model.source import Answer, Forbidden, Unexpected
from platform_meter.sources.gitlab.change_sets import ORDER, Comparisons, Served
from platform_meter.sources.gitlab.facts import DEPLOYED, ENDED, about, change_fact, deployment_fact, pipeline_facts
from platform_meter.sources.gitlab.queue import SCOPE, Pipelines
from platform_meter.sources.gitlab.rows import (
    Asking,
    Commit,
    DeploymentRow,
    JobRow,
    MergeRequest,
    Note,
    Pipeline,
    PipelineRow,
    Project,
    more,
)
from platform_meter.sources.gitlab.waits import WAITING, keep
from platform_meter.sources.kit.change_sets import UNTOLD
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.served import brings_back, remember
from platform_meter.sources.kit.walk import Walk

PER_PAGE = 100
DETAIL = timedelta(days=28)
"""Commits and notes of a merge request, at a call each, are read of what was merged since then; how far back before the
first poll it is read why a pipeline failed."""
SCOPE_PAGES = 10
"""Pages of jobs that wait and run now which are read of one project; of one with more nothing is told."""
_SECOND = timedelta(seconds=1)
T = TypeVar("T")


class Changing(Protocol):
    id: int
    updated_at: datetime


C = TypeVar("C", bound=Changing)


class Deployments(Cursor, omit_defaults=True):
    served: dict[str, list[Served]] = field(default_factory=dict)
    """By environment, the last that served, oldest first: what a rollback goes back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One project in one poll."""

    outside: Sieve
    project: Project
    now: datetime
    since: datetime
    """Where a list that was never read starts."""
    overlap: timedelta
    young: datetime
    """Jobs are told of pipelines created after this, and of no others ever: attempts are counted by them."""
    jobs: bool
    queue: bool
    rules: Rules
    bots: tuple[str, ...]
    reviews: bool = True
    change_sets: bool = True

    @property
    def path(self) -> str:
        return f"/api/v4/projects/{self.project.id}"

    def pipelines(self, cursor: Pipelines) -> Iterator[list[Event]]:
        for rows in self._changed(cursor, "pipelines", list[PipelineRow]):
            yield [fact for row in rows for fact in self._pipeline(cursor, row)]
        if self.queue:
            cursor.forget_stuck(self.now)
            cursor.found(self._jobs_now() if cursor.going else ())

    def _jobs_now(self) -> list[Asking] | None:
        """Jobs of the project that wait for a runner or have one; None where not all can be read."""
        found: dict[int, Asking] = {}
        path = f"{self.path}/jobs"
        for number in range(1, SCOPE_PAGES + 1):
            ask = {"scope[]": SCOPE, "per_page": PER_PAGE, "page": number}
            try:
                answer = self.outside.get(path, list[Asking], params=ask)
            except (Forbidden, Unexpected):
                return None
            got = answer.body or []
            found |= {job.id: job for job in got}
            if answer.odd:
                return None
            if not more(answer.headers, len(got), PER_PAGE):
                return list(found.values())
        return None

    def _pipeline(self, cursor: Pipelines, row: PipelineRow) -> Iterator[Event]:
        young = row.created_at >= self.young
        if self.queue:
            cursor.goes_on(row)
        if row.status == WAITING and self.jobs and young:
            keep(cursor.held, row.id, row.updated_at)
        # A child is a part of its parent, whose end says how it ended.
        if row.status not in ENDED or row.source == "parent_pipeline":
            return
        path = f"{self.path}/pipelines/{row.id}"
        try:
            found = unless_gone(partial(self.outside.get, path, Pipeline))
        except Unexpected as error:
            if error.answer is None:
                raise
            self.outside.reject(PipelineRun)
            return
        if found is not None and found.body is not None:
            unexplained = row.status == "failed" and row.created_at >= self.young - DETAIL
            wanted = self.jobs and (young or unexplained)
            jobs = self._all(f"{path}/jobs", list[JobRow], include_retried="true") if wanted else []
            if any(job.status in SCOPE for job in jobs):
                # A job was retried since the pipeline was read: it is listed again as that ends.
                return
            if self.queue:
                cursor.asked_for(jobs)
            held = cursor.held.get(str(row.id), ())
            ref, id_ = about(self.project), self.project.id
            yield from pipeline_facts(ref, id_, found.body, jobs, self.rules, whole=young, held=held)

    def deployments(self, cursor: Deployments) -> Iterator[list[Event]]:
        """All in one step, oldest first, so that a rollback is seen against what served before it."""
        pages = self._changed(cursor, "deployments", list[DeploymentRow])
        rows = sorted((row for page in pages for row in page), key=lambda row: row.id)
        comparisons = Comparisons(outside=self.outside, path=self.path, young=self.now - DETAIL)
        facts: list[Event] = []
        for row in rows:
            one, place = Served(id=row.id, sha=row.sha), row.environment.name
            result, served = DEPLOYED.get(row.status), cursor.served.get(place, [])
            if result is None:
                continue
            back, what = brings_back(served, one, ORDER), UNTOLD
            if result is DeployResult.SUCCESS:
                if self.change_sets and not back:
                    what = comparisons.brought(served, one, row.created_at, again=cursor.failing is not None)
                remember(cursor.served, place, one, ORDER)
            facts.append(deployment_fact(about(self.project), row, result, rollback=back, brought=what))
        yield facts

    def merge_requests(self, cursor: Cursor) -> Iterator[list[Event]]:
        for rows in self._changed(cursor, "merge_requests", list[MergeRequest], state="merged"):
            yield [self._change(row, row.merged_at) for row in rows if row.merged_at is not None]

    def _change(self, row: MergeRequest, merged: datetime) -> Event:
        path, young = f"{self.path}/merge_requests/{row.iid}", merged >= self.now - DETAIL
        commits = self._all(f"{path}/commits", list[Commit]) if young else []
        wanted = young and self.reviews
        notes = self._all(f"{path}/notes", list[Note], order_by="created_at", sort="asc") if wanted else []
        return change_fact(about(self.project), row, merged, commits, notes, self.bots)

    def _changed(self, cursor: Cursor, name: str, type_: type[list[C]], **params: str) -> Iterator[list[C]]:
        if cursor.began is None:
            cursor.begin(self.now, cursor.next_start(self.since, self.overlap))
        pages = self._newest_first(name, type_, cursor.start or self.since, params)
        return cursor.changed(pages, lambda row: (row.id, row.updated_at), self.overlap, floor=cursor.start)

    def _newest_first(
        self, name: str, type_: type[list[C]], since: datetime, params: dict[str, str]
    ) -> Iterator[list[C]]:
        """Pages of what changed since then. Each begins with the moment of the last row before it, not with a number of
        rows: what is deleted meanwhile pulls no other past the reader.
        """
        path, before, number = f"{self.path}/{name}", None, 1
        walk = Walk(path)
        while True:
            ask: dict[str, Any] = {**params, "order_by": "updated_at", "sort": "desc", "per_page": PER_PAGE}
            ask |= {"updated_after": _stamp(since), "updated_before": before and _stamp(before), "page": number}
            answer = walk.page(_ids, partial(self.outside.get, path, type_, params=_given(ask)))
            rows = answer.body or []
            yield rows
            if not more(answer.headers, len(rows) + answer.odd, PER_PAGE):
                return
            # Up to a second later: bounds may be left out, and fractions dropped.
            last = rows[-1].updated_at + _SECOND if rows else None
            if last is not None and last < rows[0].updated_at:
                before, number = last, 1
            else:
                number += 1

    def _all(self, path: str, type_: type[list[T]], **params: str) -> list[T]:
        """Every page of a list that belongs to one object; empty when the object is gone."""
        rows: list[T] = []
        for number in range(1, 1_000):
            ask = partial(self.outside.get, path, type_, params={**params, "per_page": PER_PAGE, "page": number})
            answer = unless_gone(ask)
            if answer is None:
                return rows
            got = answer.body or []
            rows += got
            if not more(answer.headers, len(got) + answer.odd, PER_PAGE):
                return rows
        raise Unexpected(f"{path}: its end can't be read")


def readers(visit: Visit) -> dict[str, Callable[[Any], Iterator[list[Event]]]]:
    """The lists that the project has, by the names of their cursors."""
    found: dict[str, Callable[[Any], Iterator[list[Event]]]] = {
        "pipelines": visit.pipelines,
        "deployments": visit.deployments,
        "merge_requests": visit.merge_requests,
    }
    return {name: found[name] for name in visit.project.lists}


def _ids(answer: Answer[list[C]]) -> tuple[int, ...]:
    return tuple(row.id for row in answer.body or ())


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
