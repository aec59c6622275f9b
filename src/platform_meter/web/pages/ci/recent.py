"""The last week of CI, run by run: what failed and since when, what is flaky, who was waited for, what nobody could class.

One pass over the runs of each source in order of time; a week of them is all it holds.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct

from platform_meter.measures.ci import FAILURES
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import UNKNOWN_POOL, Outcome, PipelineJob, PipelineRun
from platform_meter.model.history import History, SourceState
from platform_meter.model.metric import quantile
from platform_meter.web.view import safe

DAY, WEEK = timedelta(days=1), timedelta(days=7)
SHOWN = 10
"""Rows of a table, at most."""
ENOUGH = 5
"""Fewer samples give no quantile (domain section 1)."""
TELLING = (Outcome.INFRA_FAILURE, Outcome.UNKNOWN)
"""Failures that a platform team looks at first: its own, and those that may be."""


class Ran(Struct, frozen=True, gc=False):
    """What the page asks of a run."""

    at: datetime
    pipeline: str
    outcome: Outcome
    group: str
    reason: str = ""
    rule: str = ""
    url: str = ""
    approval: timedelta | None = None


class Waited(Struct, frozen=True, gc=False):
    """What it asks of a job."""

    pool: str
    queued: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    at: datetime
    system: str
    team: str
    run: Ran
    since: datetime | None
    """The first failure after the pipeline's last success; None where it succeeded after this one."""

    @property
    def url(self) -> str:
        """The run's own page; empty where what its system says is no address of one."""
        return safe(self.run.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaky:
    """A pipeline with groups (commit and inputs) that failed and later succeeded."""

    system: str
    team: str
    pipeline: str
    flaky: int
    groups: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds of a wait; a quantile of few is None."""

    n: int
    half: float | None
    most: float | None
    """95 % wait no longer."""


@dataclass(slots=True, kw_only=True)
class Recent:
    """What a week of runs shows, over all fresh sources."""

    telling: list[Failure] = field(default_factory=list)
    """The newest of the platform's failures and of those that nobody could class."""
    users: list[Failure] = field(default_factory=list)
    """The newest of all others."""
    flaky: list[Flaky] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Failures that nobody could class, by system and reason."""
    approvals: dict[str, Waits] = field(default_factory=dict)
    """Waits for a person, by system; a system whose runs waited for nobody has none."""


def known(history: History, kind: type[Event]) -> Iterator[tuple[SourceState, datetime]]:
    """Fresh sources of a kind, with the end of their windows."""
    for source in history.sources(kind):
        if source.fresh and source.watermark is not None:
            yield source, source.watermark


def recent(history: History) -> Recent:
    """The last week up to each source's watermark."""
    found, approvals = Recent(), defaultdict[str, list[float]](list)
    for source, end in known(history, PipelineRun):
        _add(found, history, source, end, approvals[source.type])
    for name in ("telling", "users"):
        setattr(found, name, heapq.nlargest(SHOWN, getattr(found, name), key=lambda f: (f.at, f.run.pipeline)))
    found.flaky = sorted(found.flaky, key=lambda f: (-f.flaky, -f.flaky / f.groups, f.pipeline))[:SHOWN]
    found.approvals = {system: _waits(seconds) for system, seconds in sorted(approvals.items()) if seconds}
    return found


def queues(history: History) -> dict[tuple[str, str], Waits]:
    """Queue time of jobs that ended in the last day, by system and pool."""
    seconds = defaultdict[tuple[str, str], list[float]](list)
    for source, end in known(history, PipelineJob):
        for _, job in history.parts(PipelineJob, Waited, end - DAY, end, source=source.instance):
            if job.queued is not None:
                seconds[source.type, job.pool or UNKNOWN_POOL].append(job.queued.total_seconds())
    return {pool: _waits(found) for pool, found in sorted(seconds.items())}


def _add(found: Recent, history: History, source: SourceState, end: datetime, approvals: list[float]) -> None:
    streaks: dict[tuple[int, str], datetime] = {}
    telling: deque[tuple[int, Ran]] = deque(maxlen=SHOWN)
    users: deque[tuple[int, Ran]] = deque(maxlen=SHOWN)
    groups: dict[tuple[int, str], dict[str, bool]] = defaultdict(dict)
    flaky: dict[tuple[int, str], set[str]] = defaultdict(set)
    for object_, run in history.parts(PipelineRun, Ran, end - WEEK, end, source=source.instance):
        pipeline = object_, run.pipeline
        if run.approval is not None:
            approvals.append(run.approval.total_seconds())
        failed = groups[pipeline].get(run.group, False)
        groups[pipeline][run.group] = failed or run.outcome in FAILURES
        if run.outcome is Outcome.SUCCESS:
            streaks.pop(pipeline, None)
            if failed:
                flaky[pipeline].add(run.group)
        elif run.outcome in FAILURES:
            streaks.setdefault(pipeline, run.at)
            (telling if run.outcome in TELLING else users).append((object_, run))
            if run.outcome is Outcome.UNKNOWN:
                found.reasons[source.type, run.reason] += 1

    def failures(held: Sequence[tuple[int, Ran]]) -> Iterator[Failure]:
        for object_, run in held:
            since, team = streaks.get((object_, run.pipeline)), history.owner(object_, end).team
            open_ = since if since is not None and since <= run.at else None
            yield Failure(at=run.at, system=source.type, team=team, run=run, since=open_)

    found.telling += failures(telling)
    found.users += failures(users)
    found.flaky += [
        Flaky(
            system=source.type,
            team=history.owner(place[0], end).team,
            pipeline=place[1],
            flaky=len(some),
            groups=len(groups[place]),
        )
        for place, some in flaky.items()
    ]


def _waits(seconds: Sequence[float]) -> Waits:
    enough = len(seconds) >= ENOUGH
    return Waits(
        n=len(seconds),
        half=quantile(seconds, 0.5) if enough else None,
        most=quantile(seconds, 0.95) if enough else None,
    )
