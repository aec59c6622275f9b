"""What each number of delivery is made of: one selection for the samples and for what stands behind them (domain section 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from platform_meter.measures.delivery.book import Merged, Record
from platform_meter.measures.delivery.judged import Judged, Known, Reach, judged
from platform_meter.measures.delivery.release import Outage, Release
from platform_meter.model.catalogue.delivery import (
    DORA_DEPLOY_DAYS,
    DORA_DEPLOYMENTS,
    DORA_FAILURE,
    DORA_LEAD_TIME,
    DORA_OLDEST,
    DORA_OPEN,
    DORA_RECOVERY,
    DORA_REWORK,
    DORA_SAMPLES,
    DORA_UNLINKED,
)
from platform_meter.model.delivering import Start
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.measure import WINDOWS, Labels, Scene, window_label

QUANTILES = ("0.5", "0.9")
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_WEEKS = 13


class Part(NamedTuple):
    """One thing that a sample is made of."""

    adds: float
    """To the value; of a ratio to its whole; of a quantile it is one of the values."""
    part: float = 0.0
    """Of a ratio, to its part."""
    record: Record[Any] | None = None
    what: str = ""
    """Where no record tells it."""


Selection = dict[tuple[str, Labels], list[Part]]
"""By name of the metric and labels."""


@dataclass(slots=True, kw_only=True)
class Team:
    """What one team released, and what went wrong there."""

    releases: list[Release] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)

    def sources(self, kind: type[Event]) -> set[str]:
        """Which sources told of it."""
        if kind is Deployment:
            return {record.source for release in self.releases for record in release.parts}
        return {record.source for release in self.releases for record in release.changes}


def teams(found: Judged) -> dict[str, Team]:
    """By team, as each thing was owned when it happened; in order of name."""
    by_team: defaultdict[str, Team] = defaultdict(Team)
    for release in found.releases:
        by_team[release.owner.team].releases.append(release)
    for outage in found.outages:
        by_team[outage.owner.team].outages.append(outage)
    return dict(sorted(by_team.items()))


def select(scene: Scene, back: timedelta = timedelta(), only: str | None = None) -> Selection:
    """All series with what they are made of; of what is not known there is none.

    Args:
        scene: the store and the moment.
        back: so much earlier the windows end, for a look at the past as it is known now.
        only: this team alone.
    """
    reach = Reach(scene, back)
    incidents = reach.known(Incident)
    blind = incidents is None and reach.is_told(Incident)
    found: Selection = {}
    for name, team in teams(judged(scene)).items():
        if only not in (None, name):
            continue
        told = reach.known(Deployment, team.sources(Deployment))
        if told is not None:
            _frequency(found, scene, name, team, told)
            if reach.known(Change, team.sources(Change)) is not None:
                _lead_times(found, scene, name, team, told)
        if blind or (team.releases and told is None):
            continue
        ends = [one.until for one in (told, incidents) if one is not None]
        _failures(found, scene, name, team, min(ends))
    return found


def _frequency(found: Selection, scene: Scene, team: str, its: Team, told: Known) -> None:
    for window in WINDOWS:
        label = window_label(window)
        inside = [release for release in its.releases if told.until - window <= release.at < told.until]
        days = min(window, told.until - told.since) / _DAY
        found[DORA_SAMPLES.name, (team, "deployments", label)] = [_release(release) for release in inside]
        found[DORA_SAMPLES.name, (team, "rework", label)] = found[DORA_SAMPLES.name, (team, "deployments", label)]
        if days >= 1:
            found[DORA_DEPLOYMENTS.name, (team, label)] = [_release(release, 1 / days) for release in inside]
        found[DORA_REWORK.name, (team, label)] = [_release(release, part=float(release.rework)) for release in inside]
    weeks = list(_weeks(scene, told))
    if weeks:
        days_of = {release.at.astimezone(scene.zone).date() for release in its.releases}
        found[DORA_DEPLOY_DAYS.name, (team, window_label(WINDOWS[-1]))] = [_week(monday, days_of) for monday in weeks]


def _weeks(scene: Scene, told: Known) -> Iterator[date]:
    """Mondays of the last full weeks that are known."""
    today = told.until.astimezone(scene.zone).date()
    monday = today - timedelta(days=today.weekday())
    for n in range(_WEEKS, 0, -1):
        first = monday - n * _WEEK
        if datetime.combine(first, time(), scene.zone) >= told.since:
            yield first


def _week(monday: date, days: set[date]) -> Part:
    n = sum(monday + timedelta(days=day) in days for day in range(7))
    return Part(n / 7, what=f"week of {monday}: {n} of 7 days")


def _lead_times(found: Selection, scene: Scene, team: str, its: Team, told: Known) -> None:
    choice = scene.definitions.delivery.lead_time
    times = [
        (release.at, record, stages(record.part, release.at, choice.start))
        for release in its.releases
        if told.until - WINDOWS[-1] <= release.at < told.until
        for record in release.changes
        if choice.bots or not record.part.bot
    ]
    for window in WINDOWS:
        label, since = window_label(window), told.until - window
        by_stage: defaultdict[str, list[Part]] = defaultdict(list)
        dropped: list[Part] = []
        for _, record, taken in (one for one in times if one[0] >= since):
            for stage, seconds in taken.items():
                if seconds >= 0:
                    by_stage[stage].append(Part(seconds, 0.0, record))
            odd = [f"{stage} of {seconds:.0f} s" for stage, seconds in taken.items() if seconds < 0]
            if odd:
                dropped.append(Part(1.0, 0.0, record, ", ".join(odd)))
        for stage, parts in by_stage.items():
            for q in QUANTILES:
                found[DORA_LEAD_TIME.name, (team, stage, label, q)] = parts
        total = [Part(1.0, 0.0, part.record) for part in by_stage["total"]]
        found[DORA_SAMPLES.name, (team, "lead_time", label)] = total
        found[DORA_SAMPLES.name, (team, "dropped", label)] = dropped


def stages(change: Merged, deployed: datetime, start: Start) -> dict[str, float]:
    """Seconds of each stage of a change; of one whose moments nobody recorded there is none."""
    starts = {Start.FIRST_COMMIT: change.first_commit, Start.OPENED: change.opened, Start.MERGED: change.at}
    moments = {
        "coding": (change.first_commit, change.opened),
        "pickup": (change.opened, change.first_review),
        "review": (change.first_review, change.at),
        "deploy": (change.at, deployed),
        "total": (starts[start], deployed),
    }
    return {
        stage: (end - begin).total_seconds()
        for stage, (begin, end) in moments.items()
        if begin is not None and end is not None
    }


def _failures(found: Selection, scene: Scene, team: str, its: Team, until: datetime) -> None:
    old = until - scene.definitions.delivery.max_link_age
    for window in WINDOWS if its.releases else ():
        label = window_label(window)
        inside = [release for release in its.releases if until - window <= release.at < old]
        found[DORA_FAILURE.name, (team, label)] = [
            _release(release, part=float(bool(release.failures))) for release in inside
        ]
        found[DORA_SAMPLES.name, (team, "change_failure", label)] = [_release(release) for release in inside]
        recovered = [
            _release(release, (end - start).total_seconds())
            for release, start, end in _recoveries(its.releases)
            if until - window <= end < until
        ]
        for q in QUANTILES:
            found[DORA_RECOVERY.name, (team, label, q)] = recovered
        found[DORA_SAMPLES.name, (team, "recovery", label)] = [part._replace(adds=1.0) for part in recovered]
    still = [release for release in its.releases if release.failures and release.recovered is None]
    found[DORA_OPEN.name, (team,)] = [_release(release) for release in still]
    oldest = min(still, key=lambda release: release.failed_from or release.at, default=None)
    if oldest is not None:
        age = scene.now - (oldest.failed_from or oldest.at)
        found[DORA_OLDEST.name, (team,)] = [_release(oldest, age.total_seconds())]
    found[DORA_UNLINKED.name, (team,)] = [
        Part(1.0, record=outage.first)
        for outage in its.outages
        if outage.release is None and until - WINDOWS[0] <= outage.start < until
    ]


def _recoveries(releases: Sequence[Release]) -> Iterator[tuple[Release, datetime, datetime]]:
    """Those that failed and recovered, from when until when; a recovery belongs to the window of its end."""
    for release in releases:
        start, end = release.failed_from, release.recovered
        if start is not None and end is not None and start <= end:
            yield release, start, end


def _release(release: Release, adds: float = 1.0, *, part: float = 0.0) -> Part:
    return Part(adds, part, release.first)
