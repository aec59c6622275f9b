"""CI/CD, for SREs: what failed and whose fault it was, where jobs wait, and whether the numbers can be trusted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from platform_meter.measures.ci import FAILURES, Shares, success_shares
from platform_meter.model.catalogue.ci import PIPELINE_ACTIVE
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineJob, PipelineRun
from platform_meter.web.charts import Chart, Series, Tone
from platform_meter.web.page import WebPage
from platform_meter.web.pages.ci.recent import DAY, SHOWN, WEEK, Failure, Recent, Waits, known, queues, recent
from platform_meter.web.view import Tile, View, percent, sentence, span, whole

DAYS = 28
TRUSTED = 0.2
"""Share of unclassified failures above which platform success says nothing (domain section 7)."""
FEW = 5
"""Fewer failures are no share of anything."""

NONE = Waits(n=0, half=None, most=None)
Classes = Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The runs of a system, or of a team there, in one window."""

    classes: Classes

    @property
    def shares(self) -> Shares:
        return success_shares(self.classes)

    @property
    def trusted(self) -> bool:
        """Whether so many failures could be classed that platform success says something."""
        failed = sum(self.classes[outcome] for outcome in FAILURES)
        return failed < FEW or self.classes[Outcome.UNKNOWN] / failed <= TRUSTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    system: str
    team: str
    day: Part
    week: Part


def page(view: View) -> Mapping[str, Any]:
    week, found = _counted(view, WEEK), recent(view.history)
    lines = _lines(_counted(view, DAY), week)
    systems = [line for line in lines if not line.team]
    teams = sorted((line for line in lines if line.team), key=_worst)
    why = view.lacking(PipelineRun)
    return {
        "absence": why,
        "tiles": _tiles(view, systems, found),
        "chart": _chart(view, why),
        "systems": systems,
        "teams": teams[:SHOWN],
        "more_teams": len(teams[SHOWN:]),
        "distrusted": [line.system for line in systems if not line.week.trusted],
        "failures": [
            ("The platform's, and those nobody could class", [_told(view, f) for f in found.telling]),
            ("The users'", [_told(view, f) for f in found.users]),
        ],
        "pools": _pools(view),
        "no_pools": sentence(view.lacking(PipelineJob) or "no job ended in the last day"),
        "approvals": found.approvals,
        "flaky": found.flaky,
        "reasons": found.reasons.most_common(SHOWN),
        "nothing": sentence(why or "none in the last 7 days"),
        "shown": SHOWN,
    }


def _counted(view: View, window: timedelta) -> dict[tuple[str, str], Classes]:
    """Runs by class: of each system, and of each of its teams."""
    found = defaultdict[tuple[str, str], Classes](Counter)
    for source, end in known(view.history, PipelineRun):
        counts = view.history.counts(PipelineRun, source.instance, end - window, end)
        for (object_, dim), count in counts.items():
            for team in ("", view.history.owner(object_, end).team):
                found[source.type, team][dim.outcome] += count.n
    return found


def _lines(day: Mapping[tuple[str, str], Classes], week: Mapping[tuple[str, str], Classes]) -> list[Line]:
    return [
        Line(system=system, team=team, day=Part(classes=day.get((system, team), Counter())), week=Part(classes=classes))
        for (system, team), classes in sorted(week.items())
    ]


def _worst(line: Line) -> tuple[int, int, int, str, str]:
    """Those first whose builds the platform broke most often in the week."""
    classes = line.week.classes
    return (
        -classes[Outcome.INFRA_FAILURE],
        -classes[Outcome.UNKNOWN],
        -classes.total(),
        line.team,
        line.system,
    )


def _tiles(view: View, systems: Sequence[Line], found: Recent) -> list[Tile]:
    day = sum((line.day.classes for line in systems), Counter[str]())
    shares, failed = success_shares(day), sum(day[outcome] for outcome in FAILURES)
    given = bool(systems)
    waiting = [value for labels, value in view.get(PIPELINE_ACTIVE) if labels["state"] == "queued"]
    longest = max(found.approvals.values(), key=lambda waits: waits.most or 0.0, default=None)
    return [
        Tile(name="Runs", value=whole(day.total() if given else None), more="ended in 24 h, of all systems"),
        Tile(name="Platform success", value=percent(shares.platform), more="24 h, not broken by the platform"),
        Tile(name="Felt success", value=percent(shares.felt), more="24 h, whoever broke the others"),
        Tile(
            name="Broken by the platform",
            value=whole(day[Outcome.INFRA_FAILURE] if given else None),
            more=f"of {whole(failed)} failures in 24 h" if given else "",
            level="bad" if day[Outcome.INFRA_FAILURE] else "",
        ),
        Tile(
            name="Waiting for a runner",
            value=whole(sum(waiting) if waiting else None),
            more="now" if waiting else view.lacking(PipelineActive) or "not told",
        ),
        Tile(
            name="Waiting for a person",
            value=span(longest.most if longest else None),
            more=_approved(longest),
        ),
    ]


def _approved(longest: Waits | None) -> str:
    """What the wait for a person is of, in the system that waits longest, or why there is none."""
    if longest is None:
        return "no run waited in 7 d, or none was told"
    return "95 % take no longer, 7 d" if longest.most is not None else f"{longest.n} of 7 d, too few for a share"


def _chart(view: View, why: str) -> Chart:
    days = view.days(DAYS)
    daily = [Counter[str]() for _ in days]
    if view.known(PipelineRun):
        for classes, counted in zip(daily, view.daily(PipelineRun, days), strict=True):
            for dim, n in counted.items():
                classes[dim.outcome] += n
    shares = [success_shares(classes) for classes in daily]
    return Chart(
        title="Platform and felt success",
        caption="By day. Platform: runs that the platform did not break; felt: runs that succeeded. Both of the runs that "
        "ended as success, user or infrastructure failure. The running day is not over.",
        labels=tuple(f"{day:%d %b}" for day in days),
        series=(
            Series(name="platform", values=tuple(s.platform for s in shares)),
            Series(name="felt", values=tuple(s.felt for s in shares), tone=Tone.QUIET),
        ),
        percent=True,
        zoom=True,
        running=True,
        absence=f"No data: {why or 'no run ended in these days'}.",
    )


def _told(view: View, failure: Failure) -> Mapping[str, Any]:
    run = failure.run
    return {
        "at": failure.at.astimezone(view.zone),
        "system": failure.system,
        "team": failure.team,
        "pipeline": run.pipeline,
        "class": run.outcome.replace("_", " "),
        "level": "bad"
        if run.outcome is Outcome.INFRA_FAILURE
        else "warn"
        if run.outcome is Outcome.UNKNOWN
        else "soft",
        "reason": run.reason,
        "rule": run.rule,
        "url": failure.url,
        "since": _age(view.now, failure.since),
    }


def _age(now: datetime, since: datetime | None) -> str:
    return "no longer" if since is None else f"for {span((now - since).total_seconds())}"


def _pools(view: View) -> Sequence[Mapping[str, Any]]:
    """Those with the longest queues first."""
    waits, now = queues(view.history), defaultdict[tuple[str, str], dict[str, float]](dict)
    for labels, value in view.get(PIPELINE_ACTIVE):
        now[labels["system"], labels["pool"]][labels["state"]] = value

    def order(pool: tuple[str, str]) -> tuple[float, float, tuple[str, str]]:
        return -(waits.get(pool, NONE).most or 0.0), -now.get(pool, {}).get("queued", 0.0), pool

    return [
        {"system": pool[0], "pool": pool[1], "waits": waits.get(pool, NONE), **now.get(pool, {})}
        for pool in sorted({*waits, *now}, key=order)[:SHOWN]
    ]


PAGE = WebPage(path="/ci", title="CI/CD", place=4, template="ci/ci.html", fill=page)
