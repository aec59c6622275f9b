"""The page of one team: its five numbers beside its own past, and all that they are made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from platform_meter.measures.delivery.book import Merged, Record
from platform_meter.measures.delivery.judged import Judged, judged
from platform_meter.measures.delivery.release import Outage, Release
from platform_meter.measures.delivery.selection import Team, stages, teams
from platform_meter.model.catalogue.delivery import DORA_OPEN, DORA_UNLINKED
from platform_meter.model.facts.delivery import DeployKind
from platform_meter.model.metric import quantile
from platform_meter.web.charts import Chart, Form, Series, Tone
from platform_meter.web.pages import slos
from platform_meter.web.pages.delivery import told
from platform_meter.web.pages.delivery.numbers import WINDOW, Numbers, numbers
from platform_meter.web.view import Tile, View, span, whole

SHOWN = 20
"""Rows of a table, at most."""
WEEKS = 13
PATIENCE = 2.0
"""Seconds for Prometheus to tell of SLOs that it counts: the rest of the page waits for it."""
ENOUGH = 5
"""Fewer samples give no quantile (domain section 1)."""


class Waiting(NamedTuple):
    """Changes that are merged and not in production."""

    n: int
    oldest: Record[Merged] | None


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """None for a team that nothing is known of."""
    found = judged(view.scene)
    its = teams(found).get(name)
    if its is None:
        return None
    seen = numbers(view, name)
    since, names = view.now - WINDOW, {one.id: one.name for one in view.history.objects()}
    recent = [release for release in reversed(_ordered(its.releases)) if release.at >= since]
    failed = [release for release in reversed(_ordered(its.releases)) if release.failures]
    shown = [release for release in failed if release.at >= since or release.recovered is None]
    unlinked = [one for one in reversed(its.outages) if one.release is None and one.start >= since]
    changes = [(record, release) for release in recent for record in release.changes]
    choice = view.definitions.delivery.lead_time
    return {
        "team": name,
        "tiles": _tiles(view, seen, name, waiting(view, found, name)),
        "charts": [_deployments(view, its.releases), _lead_times(view, its)],
        "stages": seen.stages(name),
        "services": list(_services(view, its, names)),
        "failed": [told.failed(view, release, names) for release in shown[:SHOWN]],
        "unlinked": [told.incident(view, outage, names) for outage in unlinked[:SHOWN]],
        "releases": [told.deployment(view, release, names) for release in recent[:SHOWN]],
        "changes": [
            told.change(view, record, release, stages(record.part, release.at, choice.start))
            for record, release in changes[:SHOWN]
        ],
        "more": {"releases": len(recent) - SHOWN, "changes": len(changes) - SHOWN, "failed": len(shown) - SHOWN},
        "start": choice.start.replace("_", " "),
        "bots": choice.bots,
        "link_age": span(view.definitions.delivery.max_link_age.total_seconds()),
    }


def _services(view: View, its: Team, names: Mapping[int, str]) -> Iterator[Mapping[str, Any]]:
    """In order of name: what each released in 28 days and in the 28 before."""
    by_service = defaultdict[str, list[Release]](list)
    for release in its.releases:
        if release.at >= view.now - 2 * WINDOW:
            by_service[told.service(release.owner, names.get(release.first.object, ""))].append(release)
    for service, releases in sorted(by_service.items()):
        recent = [release for release in releases if release.at >= view.now - WINDOW]
        yield {
            "service": service,
            "n": len(recent),
            "before": len(releases) - len(recent),
            "changes": sum(len(release.changes) for release in recent),
            "failed": sum(bool(release.failures) for release in recent),
            "rework": sum(release.rework for release in recent),
        }


def _ordered(releases: Sequence[Release]) -> list[Release]:
    return sorted(releases, key=lambda release: release.first.order)


def waiting(view: View, found: Judged, team: str) -> Waiting:
    """What branches that production is made of took in 28 days, after the newest change that came to production."""
    newest: dict[tuple[str, int, str], datetime] = {}
    for release in found.releases:
        for record in release.changes:
            branch = (record.source, record.object, record.part.branch)
            newest[branch] = max(record.part.at, newest.get(branch, record.part.at))
    still = [
        record
        for record in found.records.changes
        if record.owner.team == team
        and record.part.at > newest.get((record.source, record.object, record.part.branch), view.now)
        and record.part.at >= view.now - WINDOW
        and (view.definitions.delivery.lead_time.bots or not record.part.bot)
    ]
    return Waiting(len(still), still[0] if still else None)


def _tiles(view: View, seen: Numbers, team: str, still: Waiting) -> list[Tile]:
    tiles = [
        Tile(
            name=figure.name,
            value=figure.value,
            more=f"of {whole(figure.n)} {figure.of}" + (f"; {figure.before} the 28 d before" if figure.before else ""),
            href=figure.href,
        )
        for figure in seen.figures(team)
    ]
    opened, unlinked = seen.one(DORA_OPEN, team), seen.one(DORA_UNLINKED, team)
    oldest = None if still.oldest is None else (view.now - still.oldest.part.at).total_seconds()
    return [
        *tiles,
        Tile(
            name="Open failures",
            value=whole(opened),
            more="nobody has recovered from yet",
            level="warn" if opened else "",
            href="#failed",
        ),
        Tile(name="Unlinked incidents", value=whole(unlinked), more="of 28 d, of no deployment", href="#unlinked"),
        Tile(
            name="On their way",
            value=whole(still.n),
            more="changes merged in 28 d and not deployed" + (f", the oldest for {span(oldest)}" if oldest else ""),
        ),
        *_reliability(view, team),
    ]


def _reliability(view: View, team: str) -> Iterator[Tile]:
    """SLOs of the team that are met, of those with data; none where it keeps no SLO (domain section 6)."""
    mine = [one for one in slos.standings(view, patience=PATIENCE)[0] if one.plan.owner == team]
    budgets = [one.budget for one in mine if one.budget is not None]
    met = sum(left >= 0 for left in budgets)
    if mine:
        yield Tile(
            name="Reliability",
            value=f"{met} of {len(budgets)}" if budgets else whole(None),
            more="of its SLOs are met"
            + (f"; {len(mine) - len(budgets)} without data" if len(mine) > len(budgets) else ""),
            level="bad" if met < len(budgets) else "",
            href="/slos",
        )


def _weeks(view: View) -> list[date]:
    """Mondays, the running week last."""
    today = view.now.astimezone(view.zone).date()
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=n) for n in range(WEEKS - 1, -1, -1)]


def _week(view: View, release: Release | Outage) -> date:
    moment = release.at if isinstance(release, Release) else release.start
    day = moment.astimezone(view.zone).date()
    return day - timedelta(days=day.weekday())


def _deployments(view: View, releases: Sequence[Release]) -> Chart:
    weeks, counted = _weeks(view), defaultdict[str, Counter[date]](Counter)
    for release in releases:
        kind = "rollback" if release.kind is DeployKind.ROLLBACK else "hotfix" if release.rework else "planned"
        counted["failed" if release.failures else kind][_week(view, release)] += 1
    tones = {"failed": Tone.BAD}
    order = [kind for kind in ("planned", "hotfix", "rollback", "failed") if kind in counted]
    return Chart(
        title="Deployments to production",
        caption="By week (from Monday) and kind; hotfix: also the remedies of incidents. A failed one counts as failed alone. "
        "The running week is not over.",
        labels=tuple(f"{week:%d %b}" for week in weeks),
        series=tuple(
            Series(name=kind, values=tuple(float(counted[kind][week]) for week in weeks), tone=tones.get(kind))
            for kind in order
        ),
        form=Form.BARS,
        running=True,
        absence="No data: no deployment to production in these weeks.",
    )


def _lead_times(view: View, its: Team) -> Chart:
    weeks, choice = _weeks(view), view.definitions.delivery.lead_time
    hours = defaultdict[tuple[str, date], list[float]](list)
    for release in its.releases:
        for record in release.changes:
            if record.part.bot and not choice.bots:
                continue
            for stage, seconds in stages(record.part, release.at, choice.start).items():
                if stage in ("deploy", "total") and seconds >= 0:
                    hours[stage, _week(view, release)].append(seconds / 3600)

    def half(stage: str) -> tuple[float | None, ...]:
        found = (hours.get((stage, week), []) for week in weeks)
        return tuple(quantile(values, 0.5) if len(values) >= ENOUGH else None for values in found)

    return Chart(
        title="Lead time, median hours",
        caption="Of the changes that came to production in each week; deploy: from merged to production, the platform's own "
        "share. A week of fewer than 5 changes has no value.",
        labels=tuple(f"{week:%d %b}" for week in weeks),
        series=(Series(name="total", values=half("total")), Series(name="deploy", values=half("deploy"))),
        running=True,
        absence="No data: in no week 5 changes came to production.",
    )
