"""The numbers of each team."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from math import floor

from platform_meter.demo.truth_delivery.happened import Reach, Release
from platform_meter.demo.truth_delivery.judgement import NEAR, Judgement

UNLINKED = timedelta(days=28)
WEEKS, FEWEST = 13, 5
DAY = timedelta(days=1)


def quantile(values: Iterable[float], q: float) -> float | None:
    """Between order statistics (type 7); None of too few."""
    found = sorted(values)
    if len(found) < FEWEST:
        return None
    place = (len(found) - 1) * q
    low = floor(place)
    high = min(low + 1, len(found) - 1)
    return found[low] + (found[high] - found[low]) * (place - low)


class Delivery:
    """The numbers of every team over one window that ends at the end of what is known."""

    def __init__(self, judgement: Judgement, reach: Reach, window: timedelta) -> None:
        self._judgement, self._until, self._from = judgement, reach.until, reach.until - window
        self._days = min(window, reach.until - reach.since) / DAY
        self.teams = sorted({release.team for release in judgement.releases})

    def _of(self, team: str) -> list[Release]:
        return [release for release in self._judgement.releases if release.team == team]

    def released(self, team: str) -> list[Release]:
        return [release for release in self._of(team) if self._from <= release.at < self._until]

    def per_day(self, team: str) -> float:
        return len(self.released(team)) / self._days

    def rework(self, team: str) -> float | None:
        return _share([release.rework for release in self.released(team)])

    def change_failure(self, team: str) -> float | None:
        old = [release for release in self.released(team) if release.at < self._until - NEAR]
        return _share([bool(release.causes) for release in old])

    def lead_times(self, team: str) -> dict[str, list[float]]:
        """Seconds by stage; what would be below 0 is left out."""
        found: dict[str, list[float]] = {}
        for release in self.released(team):
            for change in release.changes:
                moments = {
                    "coding": (change.first_commit, change.opened),
                    "pickup": (change.opened, change.reviewed),
                    "review": (change.reviewed, change.at),
                    "deploy": (change.at, release.at),
                    "total": (change.first_commit, release.at),
                }
                for stage, (start, end) in moments.items() if not change.bot else ():
                    if start is not None and end is not None and end >= start:
                        found.setdefault(stage, []).append((end - start).total_seconds())
        return found

    def recoveries(self, team: str) -> list[float]:
        """Seconds of each failure that was over in the window."""
        failures = [release.failure for release in self._of(team) if release.failure is not None]
        ended = [(start, end) for start, end in failures if end is not None and self._from <= end < self._until]
        return [(end - start).total_seconds() for start, end in ended if end >= start]

    def open_failures(self, team: str) -> int:
        return sum(release.failure is not None and release.failure[1] is None for release in self._of(team))

    def unlinked(self, team: str) -> int:
        """Of the last 28 days, whatever the window."""
        return sum(
            outage.release is None
            and outage.incident.repo.team == team
            and self._until - UNLINKED <= outage.start < self._until
            for outage in self._judgement.outages
        )

    def deploy_days(self, team: str, zone: tzinfo, since: datetime) -> float | None:
        """Median, over full weeks that are known, of the share of their days with a deployment."""
        today = self._until.astimezone(zone).date()
        monday = today - timedelta(days=today.weekday())
        days = {release.at.astimezone(zone).date() for release in self._of(team)}
        weeks = [monday - timedelta(weeks=n) for n in range(1, WEEKS + 1)]
        return quantile((_share_of(week, days) for week in weeks if _midnight(week, zone) >= since), 0.5)


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if len(found) >= FEWEST else None


def _share_of(monday: date, days: set[date]) -> float:
    return sum(monday + timedelta(days=n) in days for n in range(7)) / 7


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
