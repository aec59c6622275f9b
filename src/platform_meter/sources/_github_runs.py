"""Workflow runs of one repository: new ones, those still going, and old ones that were run again.

A steady poll costs one call, which is free while nothing changed (304). GitHub sorts runs by creation, so a re-run
stands at its old place: spans of the list are read again at fixed times (`RECHECKS`). A search with a `created` range
returns at most 1,000 runs; the range is then cut at the oldest run seen, until all is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from platform_meter.model.facts import Event, PipelineJob, PipelineRun
from platform_meter.model.source import Answer, Gap, Unexpected
from platform_meter.sources._github_facts import FAILED, attempt_fact, fresh, job_facts, run_fact
from platform_meter.sources._github_poll import DETAIL, PER_PAGE, Visit
from platform_meter.sources._github_rows import Job, Jobs, Run, Runs, more, stamp
from platform_meter.sources._github_state import OpenRun
from platform_meter.sources._github_state import Runs as RunsState

RESULT_CAP = 1_000
"""Most results GitHub gives to one search of runs."""
RECHECKS = {"2d": (timedelta(days=2), timedelta(hours=1)), "30d": (timedelta(days=30), timedelta(days=1))}
"""Span of creation times and how often it is read again. GitHub lets a run be re-run for 30 days."""
LONGEST = timedelta(days=40)
"""No run goes on for longer: GitHub ends it after 35 days."""


def read_runs(visit: Visit, runs: RunsState) -> Iterator[list[Event]]:
    """Facts of runs in steps; after each, `runs` holds exactly what was told so far."""
    seen: set[str] = set()
    changed = True
    if runs.began is None:
        spans = _due(visit.now, runs)
        answer = visit.page("actions/runs", Runs, 1, "" if spans else runs.etag)
        changed = answer.changed
        if answer.changed:
            runs.begin(visit.now, min([visit.start(runs), *(visit.now - span for span in spans)]), answer.etag)
            yield from _newest(visit, runs, answer, seen)
        else:
            runs.unchanged(visit.now, visit.overlap)
    if runs.began is not None:
        yield from _windows(visit, runs, seen)
    yield _still_open(visit, runs, seen, changed=changed)


def _due(now: datetime, runs: RunsState) -> list[timedelta]:
    """Spans to read again now: none while the first page reaches back far enough, its validator tells of re-runs."""
    if runs.read is None or runs.floor is None:
        return []
    return [
        span
        for name, (span, every) in RECHECKS.items()
        if runs.floor > now - span and now - runs.rechecked.get(name, now - every) >= every
    ]


def _newest(visit: Visit, runs: RunsState, answer: Answer[Runs], seen: set[str]) -> Iterator[list[Event]]:
    """The unfiltered list, which has no cap; should a server cap it, what is left is read by `_windows`."""
    got = 0
    for number in range(1, 1_000_000):
        page = answer if number == 1 else visit.page("actions/runs", Runs, number)
        body = page.body or Runs(total_count=got, workflow_runs=[])
        rows = body.workflow_runs
        got += len(rows)
        has_more = bool(rows) and got < body.total_count and more(page.headers, len(rows), PER_PAGE)
        if number == 1:
            runs.floor = rows[-1].created_at if rows and has_more else None
        facts = _tell_all(visit, runs, rows, seen)
        if rows:
            runs.at = stamp(rows[-1].created_at)
        old = bool(rows) and runs.start is not None and rows[-1].created_at < runs.start
        if old or (not has_more and got >= body.total_count):
            _finish(visit, runs)
        yield facts
        if runs.began is None or not has_more:
            return


def _windows(visit: Visit, runs: RunsState, seen: set[str]) -> Iterator[list[Event]]:
    """Ranges of creation time from `runs.at` down to `runs.start`, each cut where the cap fell."""
    while runs.began is not None and runs.start is not None:
        start, upper = stamp(runs.start), runs.at or stamp(runs.began)
        if upper < start:
            _finish(visit, runs)
            break
        got, total, has_more, number = 0, 0, True, 1
        while has_more:
            page = visit.page("actions/runs", Runs, number, created=f"{start}..{upper}")
            body = page.body or Runs(total_count=got, workflow_runs=[])
            rows, total = body.workflow_runs, body.total_count
            got, number = got + len(rows), number + 1
            has_more = bool(rows) and more(page.headers, len(rows), PER_PAGE)
            facts = _tell_all(visit, runs, rows, seen)
            if rows:
                runs.at = min(upper, stamp(rows[-1].created_at))
            if has_more:
                yield facts
        if got < min(total, RESULT_CAP) or got >= total:
            _finish(visit, runs)
        elif runs.at == upper:
            second = datetime.fromisoformat(upper)
            text = f"{visit.ref.id}: {total} runs created in one second, {got} can be read"
            visit.outside.gap(Gap(start=second, end=second + timedelta(seconds=1), reason="result_cap", text=text))
            runs.at = stamp(second - timedelta(seconds=1))
        yield facts


def _finish(visit: Visit, runs: RunsState) -> None:
    for name, (span, _) in RECHECKS.items():
        if runs.began and runs.start and (runs.read is None or runs.start <= runs.began - span):
            runs.rechecked[name] = runs.began
    runs.end(visit.overlap)


def _still_open(visit: Visit, runs: RunsState, seen: set[str], *, changed: bool) -> list[Event]:
    """Runs that had not ended and that this poll's pages did not show, one conditional call each."""
    facts: list[Event] = []
    for id_, held in list(runs.open.items()):
        vouched = not changed and (runs.floor is None or held.created > runs.floor)
        if id_ in seen or vouched:
            continue
        try:
            answer = visit.outside.get(f"/repos/{visit.ref.id}/actions/runs/{id_}", Run, etag=held.etag)
        except Unexpected as error:
            if error.status != 404:
                raise
            del runs.open[id_]  # deleted: it will never end
            continue
        if answer.body is not None:
            facts += _tell(visit, runs, answer.body)
            if id_ in runs.open:
                runs.open[id_].etag = answer.etag
        if id_ in runs.open and held.created < visit.now - LONGEST:
            del runs.open[id_]
            text = f"{visit.ref.id}: run {id_} never ended"
            visit.outside.gap(Gap(start=held.created, end=visit.now, reason="expired", text=text))
    return facts


def _tell_all(visit: Visit, runs: RunsState, rows: Iterable[Run], seen: set[str]) -> list[Event]:
    facts: list[Event] = []
    for row in rows:
        # Later reads take all that a page shows: an older run on it may have been run again.
        before = runs.read is None and runs.start is not None and row.created_at < runs.start
        if str(row.id) in seen or (before and row.ended):
            continue
        seen.add(str(row.id))
        facts += _tell(visit, runs, row)
    return facts


def _tell(visit: Visit, runs: RunsState, run: Run) -> Iterator[Event]:
    """The attempts of one run that ended; the run itself is remembered while it goes on."""
    id_, held = str(run.id), runs.open.pop(str(run.id), None)
    mark = f"{stamp(run.updated_at)} {run.run_attempt}"
    if run.ended and (runs.told(run.id, mark) or (held is None and _told_earlier(visit, runs, run))):
        return
    if held is None or held.attempt != run.run_attempt:
        yield from _earlier_attempts(visit, runs, run)
    if not run.ended:
        going = run.status == "in_progress"
        workflow = _workflow(run)
        runs.open[id_] = OpenRun(created=run.created_at, workflow=workflow, running=going, attempt=run.run_attempt)
        return
    jobs: list[Job] = []
    if _wants_jobs(visit, run, failed=(run.conclusion or "").lower() in FAILED):
        jobs = fresh(_jobs(visit, run, run.run_attempt), run.run_attempt, run.run_started_at)
    yield from _attempt(visit, runs, run, run_fact(visit.ref, run, jobs, visit.infra_steps), jobs)
    if run.updated_at >= visit.now - visit.overlap:
        runs.done[id_] = mark


def _earlier_attempts(visit: Visit, runs: RunsState, run: Run) -> Iterator[Event]:
    """Attempts before the current one: without them a flaky run would look like one that always went well."""
    if run.updated_at < visit.now - DETAIL:
        return
    ended = None
    for attempt in range(1, run.run_attempt):
        jobs = fresh(_jobs(visit, run, attempt), attempt, ended)
        if fact := attempt_fact(visit.ref, run, attempt, jobs, visit.infra_steps):
            ended = fact.at
            wanted = _wants_jobs(visit, run, failed=any(job.result in FAILED for job in jobs))
            yield from _attempt(visit, runs, run, fact, jobs if wanted else [])


def _attempt(
    visit: Visit, runs: RunsState, run: Run, fact: PipelineRun, jobs: Iterable[Job]
) -> Iterator[PipelineRun | PipelineJob]:
    if fact.pool:
        runs.pools[_workflow(run)] = fact.pool
    yield fact
    yield from job_facts(visit.ref, run, fact.attempt, jobs, visit.infra_steps)


def _workflow(run: Run) -> str:
    return run.path or str(run.workflow_id)


def _told_earlier(visit: Visit, runs: RunsState, run: Run) -> bool:
    """Whether an earlier read told this run as it is: it ended before that read and was not run again since."""
    if runs.read is None or run.updated_at >= runs.read - visit.overlap:
        return False
    checks = [
        runs.rechecked[name]
        for name, (span, _) in RECHECKS.items()
        if name in runs.rechecked and runs.began and runs.start and runs.start <= runs.began - span
    ]
    return run.run_attempt == 1 or run.updated_at < min(checks, default=runs.read) - visit.overlap


def _wants_jobs(visit: Visit, run: Run, *, failed: bool) -> bool:
    if visit.jobs == "none":
        return False
    new = visit.jobs == "recent" and run.updated_at >= visit.first - visit.overlap
    return new or (failed and run.updated_at >= visit.now - DETAIL)


def _jobs(visit: Visit, run: Run, attempt: int) -> list[Job]:
    """All jobs of one attempt; empty when GitHub has deleted them."""
    jobs: list[Job] = []
    for number in range(1, 1_000):
        try:
            answer = visit.page(f"actions/runs/{run.id}/attempts/{attempt}/jobs", Jobs, number)
        except Unexpected as error:
            if error.status == 404:
                return jobs
            raise
        got = answer.body.jobs if answer.body else []
        jobs += got
        if not got or not more(answer.headers, len(got), PER_PAGE):
            break
    return jobs
