"""Workflow runs of one repository: new ones, those still going, and old ones that were run again or approved.

A steady poll costs one call, which is free while nothing changed (304). GitHub sorts runs by creation: a longer read
goes on by time, with those created up to the oldest run seen, so that neither the cap of 1,000 results nor a deleted
run makes it miss one. A re-run stands at its old place: spans of the list are read again at fixed times (`RECHECKS`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineJob, PipelineRun
from platform_meter.model.source import Answer, Gap, Unexpected
from platform_meter.sources.github.facts import attempt_fact, fresh, job_facts, may_have_failed, run_fact
from platform_meter.sources.github.poll import DETAIL, PER_PAGE, Visit
from platform_meter.sources.github.rolled import names_jobs, rolled, settle
from platform_meter.sources.github.rows import Job, Jobs, Run, Runs, more, stamp
from platform_meter.sources.github.state import OpenRun, Wait
from platform_meter.sources.github.state import Runs as RunsState
from platform_meter.sources.github.waits import WAITING, Held, held_jobs, wait_of
from platform_meter.sources.kit.cursor import mark
from platform_meter.sources.kit.open_things import Watch, unless_gone
from platform_meter.sources.kit.walk import Walk
from platform_meter.sources.kit.windows import Windows

RESULT_CAP = 1_000
"""Most results GitHub gives to one search of runs."""
RECHECKS = {"2d": (timedelta(days=2), timedelta(hours=1)), "30d": (timedelta(days=30), timedelta(days=1))}
"""Span of creation times and how often it is read again. GitHub lets a run be re-run or approved for 30 days."""
LONGEST = timedelta(days=40)
"""No run goes on for longer: GitHub ends it after 35 days."""
UNAPPROVED = "action_required"
"""Conclusion of a run that has not begun: it is from outside and waits for a member's word. Once approved it goes on."""
LATE = "late"
"""A run that has ended while the list of its jobs says that some go on: both are asked for again."""
IDLE = frozenset({WAITING, UNAPPROVED, LATE})
"""States in which no runner is missing: a person's approval is, or nothing."""
_APPROVABLE = timedelta(days=30)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One poll's look at the runs of one repository."""

    visit: Visit
    runs: RunsState
    floor: datetime | None
    """`runs.floor` of the read before."""
    seen: set[str] = field(default_factory=set)
    lacking: list[datetime] = field(default_factory=list)
    """Where the gaps begin that this look found."""

    @property
    def keep(self) -> timedelta:
        """How long a run is known as told: until the next look at those of its age."""
        return self.visit.overlap + RECHECKS["2d"][1]


def read_runs(visit: Visit, runs: RunsState) -> Iterator[list[Event]]:
    """Facts of runs in steps; after each, `runs` holds exactly what was told so far."""
    look = _Look(visit=visit, runs=runs, floor=runs.floor)
    changed = True
    if runs.began is None:
        spans = _due(visit.now, runs)
        answer = visit.page("actions/runs", Runs, 1, "" if spans else runs.etag)
        changed = answer.changed
        if answer.body is not None:
            runs.begin(visit.now, min([visit.start(runs), *(visit.now - span for span in spans)]), answer.etag)
            yield _newest(look, answer, answer.body)
        else:
            runs.unchanged(visit.now, look.keep)
    if runs.began is not None:
        yield from _back(look)
    yield _still_open(look, changed=changed)
    yield from settle(visit, runs)


def _due(now: datetime, runs: RunsState) -> list[timedelta]:
    """Spans to read again now: none while the first page reaches back far enough, its validator tells of re-runs."""
    if runs.read is None or runs.floor is None:
        return []
    return [
        span
        for name, (span, every) in RECHECKS.items()
        if runs.floor > now - span and now - runs.rechecked.get(name, now - every) >= every
    ]


def _newest(look: _Look, answer: Answer[Runs], page: Runs) -> list[Event]:
    """The first page, of the unfiltered list. It is all of it where neither its total nor its header promises more."""
    runs, rows = look.runs, page.workflow_runs
    got = len(rows) + answer.odd
    whole = got >= page.total_count and not more(answer.headers, got, PER_PAGE)
    runs.floor = None if whole or not rows else rows[-1].created_at
    facts = _tell_all(look, rows)
    if whole and runs.lacking and runs.start:
        runs.start = min(runs.start, runs.lacking)
    if whole or (rows and runs.start is not None and rows[-1].created_at < runs.start):
        _finish(look)
    elif rows:
        runs.at = rows[-1].created_at
    return facts


def _back(look: _Look) -> Iterator[list[Event]]:
    """Runs from `runs.at` back to `runs.start`, a search for each window; after each page `runs.at` is how far it is."""
    visit, runs = look.visit, look.runs
    windows = Windows(range(_second(runs.at or runs.began or visit.now), _second(runs.start or visit.since) - 1, -1))
    shown = runs.at is not None
    for window in windows:
        start, upper = datetime.fromtimestamp(window[-1], UTC), datetime.fromtimestamp(window[0], UTC)
        got, total, ids = 0, 0, set[int]()
        walk = Walk(f"/repos/{visit.ref.id}/actions/runs")
        for number in range(1, RESULT_CAP // PER_PAGE + 1):
            ask = partial(visit.page, "actions/runs", Runs, number, created=f"{stamp(start)}..{stamp(upper)}")
            answer = walk.page(_ids, ask, of=max(total - got, int(shown and number == 1)))
            rows, before = answer.body.workflow_runs if answer.body else [], total
            ids.update(row.id for row in rows)
            got, total = len(ids) + answer.odd, answer.body.total_count if answer.body else 0
            last = not more(answer.headers, len(rows) + answer.odd, PER_PAGE)
            facts, none = _tell_all(look, rows), not (rows or answer.odd)
            if total < before:
                # None can join this range, so some were deleted, and others took their places on pages that were read.
                windows.goes_on(_second(runs.at or upper))
                yield facts
                break
            if none and shown and number == 1:
                raise Unexpected(
                    f"{visit.ref.id}: a search finds no run where the list shows one; its end can't be read"
                )
            if none and got < total:
                text = f"{visit.ref.id}: {total} runs are promised, {got} can be read"
                _lacks(look, start, upper, "unreadable", text)
            if none or (got >= total and last):
                windows.whole()
                _finish(look)
                yield facts
                break
            if rows:
                runs.at = min(upper, rows[-1].created_at)
            yield facts
        else:
            if not windows.goes_on(_second(runs.at or upper)):
                text = f"{visit.ref.id}: {total} runs created in one second, {got} can be read"
                _lacks(look, upper, upper + _SECOND, "result_cap", text)
                windows.skip()
                runs.at, shown = upper - _SECOND, False
    if runs.began is not None:
        _finish(look)


def _lacks(look: _Look, start: datetime, end: datetime, reason: str, text: str) -> None:
    visit, runs = look.visit, look.runs
    visit.outside.gap(Gap(start=start, end=end, reason=reason, text=text, what=f"{visit.ref.id} runs"))
    runs.lacking = min(start, runs.lacking or start)
    look.lacking.append(start)


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _finish(look: _Look) -> None:
    runs = look.runs
    if runs.lacking and runs.start and runs.began and runs.start <= runs.lacking and not look.lacking:
        look.visit.outside.filled(f"{look.visit.ref.id} runs", runs.start, runs.began)
        runs.lacking = None
    for name, (span, _) in RECHECKS.items():
        if runs.began and runs.start and (runs.read is None or runs.start <= runs.began - span):
            runs.rechecked[name] = runs.began
    runs.end(look.keep)


def _still_open(look: _Look, *, changed: bool) -> list[Event]:
    """Runs that had not ended and that this poll's pages did not show, one conditional call each."""
    visit, runs = look.visit, look.runs

    def wanted(id_: str, held: OpenRun) -> bool:
        vouched = not changed and held.state != LATE and (runs.floor is None or held.created > runs.floor)
        # There may be many unapproved ones; approvals are found when the list is read again.
        unapproved = held.state == UNAPPROVED and held.created >= visit.now - _APPROVABLE
        return not (id_ in look.seen or vouched or unapproved)

    def ask(id_: str, held: OpenRun) -> Answer[Run]:
        etag = "" if held.state == LATE else held.etag
        return visit.outside.get(f"/repos/{visit.ref.id}/actions/runs/{id_}", Run, etag=etag)

    watch = Watch(
        outside=visit.outside, now=visit.now, what=f"{visit.ref.id}: run", becomes=PipelineRun, longest=LONGEST
    )
    return [fact for _, _, run in watch.look(runs.open, ask, wanted) for fact in _tell(look, run)]


def _tell_all(look: _Look, rows: Iterable[Run]) -> list[Event]:
    runs = look.runs
    facts: list[Event] = []
    for row in rows:
        # Later reads take all that a page shows: an older run on it may have been run again.
        before = runs.read is None and runs.start is not None and row.created_at < runs.start
        if str(row.id) in look.seen or (before and _over(look, row)):
            continue
        look.seen.add(str(row.id))
        facts += _tell(look, row)
    return facts


def _over(look: _Look, run: Run) -> bool:
    """Whether the attempt has ended for good."""
    unapproved = (run.conclusion or "").lower() == UNAPPROVED and run.created_at >= look.visit.now - _APPROVABLE
    return run.ended and not unapproved


def _tell(look: _Look, run: Run) -> Iterator[Event]:
    """The attempts of one run that ended; the run itself is remembered while it goes on."""
    visit, runs = look.visit, look.runs
    id_, held, over = str(run.id), runs.open.pop(str(run.id), None), _over(look, run)
    as_it_is = mark(run.updated_at, run.run_attempt)
    if over and (runs.told(run.id, as_it_is) or (held is None and _told_earlier(look, run))):
        return
    if held is None or held.attempt != run.run_attempt:
        yield from _earlier_attempts(look, run)
    jobs: list[Job] = []
    waited = held.waited if held and held.attempt == run.run_attempt else None
    if over and _wants_jobs(visit, run, failed=may_have_failed(run), waited=waited):
        jobs = fresh(_jobs(visit, run, run.run_attempt), run.run_attempt, run.run_started_at)
    late = any(not job.result for job in jobs) and run.updated_at >= visit.now - visit.overlap
    if late or not over:
        open_ = held or OpenRun(created=run.created_at, workflow=_workflow(run))
        open_.state = LATE if late else UNAPPROVED if run.ended else run.status or ""
        open_.waited = visit.now if run.status == WAITING else waited
        open_.attempt, runs.open[id_] = run.run_attempt, open_
        return
    waits = _held(visit, jobs, waited)
    yield from _attempt(look, run, run_fact(visit.ref, run, jobs, visit.rules, waits), jobs, waits)
    if run.updated_at >= visit.now - look.keep:
        runs.done[id_] = as_it_is


def _told_earlier(look: _Look, run: Run) -> bool:
    """Whether the last read that came to this run saw it as it is."""
    runs = look.runs
    if runs.read is None:
        return False
    checks = [
        at
        for name, (span, _) in RECHECKS.items()
        if (at := runs.rechecked.get(name)) is not None and run.created_at >= at - span
    ]
    on_first_page = look.floor is None or run.created_at >= look.floor
    last = runs.read if on_first_page or not checks else max(checks)
    return run.updated_at < last - look.visit.overlap


def _earlier_attempts(look: _Look, run: Run) -> Iterator[Event]:
    """Attempts before the current one: without them a flaky run would look like one that always went well."""
    visit = look.visit
    if run.updated_at < visit.now - DETAIL:
        return
    for number in range(1, run.run_attempt):
        path = f"/repos/{visit.ref.id}/actions/runs/{run.id}/attempts/{number}"
        try:
            answer = unless_gone(partial(visit.outside.get, path, Run))
        except Unexpected as error:
            if error.answer is None:
                raise
            visit.outside.reject(PipelineRun)
            continue
        if answer is not None and (row := answer.body) is not None:
            jobs = fresh(_jobs(visit, run, number), number, row.run_started_at)
            waits = _held(visit, jobs, None)
            fact = attempt_fact(visit.ref, run, row, number, jobs, visit.rules, waits)
            told = jobs if _wants_jobs(visit, run, failed=may_have_failed(row)) else []
            yield from _attempt(look, run, fact, told, waits)


def _held(visit: Visit, jobs: Iterable[Job], seen: datetime | None) -> Held:
    """Which of these a rule of their environment held. A deployment that still waited when it was read is asked again."""

    def again(id_: str, wait: Wait) -> Wait | None:
        answer = unless_gone(partial(visit.statuses, int(id_)))
        return None if answer is None else wait_of(wait.created, answer.body or [])

    return held_jobs(jobs, visit.waits, seen, again)


def _attempt(
    look: _Look, run: Run, fact: PipelineRun, jobs: Iterable[Job], held: Held
) -> Iterator[PipelineRun | PipelineJob]:
    if fact.pool:
        look.runs.pools[_workflow(run)] = fact.pool
    yield fact
    ended = [job for job in jobs if job.result and job.completed_at]
    facts = [*job_facts(look.visit.ref, run, fact.attempt, ended, look.visit.rules, held)]
    look.runs.rollouts += rolled(look.visit.deployments, run, fact, zip(ended, facts, strict=True))
    yield from facts


def _workflow(run: Run) -> str:
    return run.path or str(run.workflow_id)


def _wants_jobs(visit: Visit, run: Run, *, failed: bool, waited: datetime | None = None) -> bool:
    """Whether its jobs are worth a call: without them a run that waited for a person would have run all that time."""
    if visit.jobs == "none":
        return False
    if names_jobs(visit.deployments, run.path):
        return True
    new = visit.jobs == "recent" and run.updated_at >= visit.first - visit.overlap
    telling = failed or waited is not None or any(wait.run == run.id for wait in visit.waits.values())
    return new or (telling and run.updated_at >= visit.now - DETAIL)


def _jobs(visit: Visit, run: Run, attempt: int) -> list[Job]:
    """All jobs of one attempt; empty when GitHub has deleted them."""
    jobs: list[Job] = []
    path = f"actions/runs/{run.id}/attempts/{attempt}/jobs"
    walk = Walk(f"/repos/{visit.ref.id}/{path}")
    for number in range(1, 1_000):
        answer = unless_gone(partial(walk.page, _job_ids, partial(visit.page, path, Jobs, number)))
        if answer is None:
            return jobs
        got = answer.body.jobs if answer.body else []
        jobs += got
        if not more(answer.headers, len(got) + answer.odd, PER_PAGE):
            break
    return jobs


def _ids(answer: Answer[Runs]) -> tuple[int, ...]:
    return tuple(run.id for run in answer.body.workflow_runs) if answer.body else ()


def _job_ids(answer: Answer[Jobs]) -> tuple[int, ...]:
    return tuple(job.id for job in answer.body.jobs) if answer.body else ()
