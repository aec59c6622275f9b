"""What of a week can be held against the four before: goals of support, pipelines, delivery."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from platform_meter.measures.delivery.judged import Reach, judged
from platform_meter.measures.delivery.release import Release
from platform_meter.measures.delivery.selection import stages
from platform_meter.measures.support.queues import reads
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Change as Merged
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.tickets import SlaCycle, SlaResult, TicketEvent
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.weeks import Week
from platform_meter.web.report.compare import WEEKS, Change, counts, medians, shares

_VALID = (Outcome.SUCCESS, Outcome.USER_FAILURE, Outcome.INFRA_FAILURE)
_GOOD = {
    "Pipeline runs that succeeded": (Outcome.SUCCESS,),
    "Pipeline runs not broken by the platform": (Outcome.SUCCESS, Outcome.USER_FAILURE),
}
"""Of valid runs, as `measures.ci.success_shares` has them (domain section 7)."""


def changes(then: Scene, week: Week) -> list[Change]:
    """Everything that is measured at all; what is not known enough has no words.

    Args:
        then: the store as it stood when the week was over.
        week: that one.
    """
    moments = tuple(one.start(then.zone) for one in (week.back(WEEKS), week, week.back(-1)))
    return [*_support(then, moments), *_pipelines(then, moments), *_delivery(then, moments)]


Moments = tuple[datetime, ...]
"""Where the weeks before begin, where the week does, and where it ends."""


def _whole(source: SourceState, moments: Moments) -> bool:
    """Whether all five weeks are known."""
    return source.fresh and source.begun is not None and source.begun <= moments[0]


def _support(then: Scene, moments: Moments) -> Iterator[Change]:
    """Share of decided SLA cycles that were met, by queue and SLA, as each was decided."""
    found: defaultdict[tuple[str, str], list[Counter[bool]]] = defaultdict(lambda: [Counter(), Counter()])
    for row in then.history.rows(SlaCycle, moments[0], moments[-1]):
        of_week = row.event.at >= moments[1]
        found[row.event.queue, row.event.sla][of_week][row.event.result is SlaResult.MET] += 1
    for queue in sorted(then.definitions.ticketing, key=lambda q: q.id):
        sources = [s for s in then.history.sources(TicketEvent) if reads(queue, s)]
        known = bool(sources) and all(_whole(s, moments) for s in sources)
        for sla in queue.slas:
            what = f"SLA {sla.id.replace('_', ' ')} met, {queue.id}"
            if not known:
                yield Change(what=what, said="")
                continue
            before, now = ((float(n[True]), float(n.total())) for n in found[queue.id, sla.id])
            yield shares(what, "cycles", now, before)


def _pipelines(then: Scene, moments: Moments) -> Iterator[Change]:
    """Success as users feel it, and as far as the platform answers for it."""
    sources = then.history.sources(PipelineRun)
    if not sources:
        return
    found = [Counter[str](), Counter[str]()]
    for source in sources:
        for n, (start, end) in enumerate(pairwise(moments)):
            for (_, dim), count in then.history.counts(PipelineRun, source.instance, start, end).items():
                found[n][dim.outcome] += count.n
    known = all(_whole(s, moments) for s in sources)
    for what, good in _GOOD.items():
        before, now = (_part(by, good) if known else (0.0, 0.0) for by in found)
        yield shares(what, "runs", now, before)


def _part(by_outcome: Counter[str], good: tuple[Outcome, ...]) -> tuple[float, float]:
    return float(sum(by_outcome[o] for o in good)), float(sum(by_outcome[o] for o in _VALID))


def _delivery(then: Scene, moments: Moments) -> Iterator[Change]:
    """Deployments, lead time, change failure and recovery of all teams together: none is held against another."""
    reach = Reach(then)
    if not reach.is_told(Deployment):
        return
    known = reach.known(Deployment)
    enough = known is not None and known.since <= moments[0]
    releases = [r for r in judged(then).releases if moments[0] <= r.at < moments[-1]] if enough else []
    weeks = [[r for r in releases if (r.at >= moments[1]) is of_week] for of_week in (False, True)]
    yield counts("Deployments to production", "deployments", len(weeks[1]), len(weeks[0]))
    lead = enough and reach.known(Merged) is not None
    before, now = (_lead_times(then, some) if lead else [] for some in weeks)
    yield medians("Lead time, half take no longer than", "changes", now, before)
    blind = reach.is_told(Incident) and reach.known(Incident) is None
    # A deployment is judged once an incident can no longer be linked to it.
    old = moments[-1] - then.definitions.delivery.max_link_age
    parts = [[bool(r.failures) for r in some if r.at < old and not blind] for some in weeks]
    before_share, now_share = ((float(sum(some)), float(len(some))) for some in parts)
    yield shares("Change failure", "deployments", now_share, before_share)


def _lead_times(then: Scene, releases: list[Release]) -> list[list[float]]:
    """Seconds of the changes of each release that brought any."""
    choice = then.definitions.delivery.lead_time
    told = (
        [
            seconds
            for change in release.changes
            if choice.bots or not change.part.bot
            if (seconds := stages(change.part, release.at, choice.start).get("total", -1.0)) >= 0
        ]
        for release in releases
    )
    return [some for some in told if some]
