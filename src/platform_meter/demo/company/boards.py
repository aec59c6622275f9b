"""What stands in the company's Grafana: folders of teams, dashboards that somebody looks at or nobody, alert rules.

All follow from the names of teams, so that some have much, some little and some nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from platform_meter.demo.company.layout import FOREVER, PLATFORM_TEAMS, Company, Team
from platform_meter.demo.company.lots import drawn

TEAMS, SHARED = "Teams", "Shared"
"""Folders at the top: in the first each team has one of its own, and in the other tags say whose a dashboard is."""
NOBODYS = 3
"""Dashboards that lie in no folder: copies of others, made in a hurry."""
MOST_VIEWED = 240
"""Views of a dashboard in 30 days."""
PAUSED = 2
"""The number of a team's rule that is paused, where it has so many."""
_UNSEEN = frozenset({0, 1})
"""Of five dashboards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    folder: str = ""
    """A team, `SHARED`, or empty for none."""
    team: str = ""
    """Whose it is; empty for nobody's."""
    views: int = 0
    """Of the last 30 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alert rule of a team."""

    uid: str
    title: str
    team: str
    paused: bool = False


def teams(company: Company) -> tuple[Team, ...]:
    """Those that have a folder: the platform's, and of others two in three."""
    return tuple(
        team
        for team in company.teams
        if team.id in PLATFORM_TEAMS or (team.until == FOREVER and drawn("folder", team.id) % 3)
    )


def boards(company: Company) -> Iterator[Board]:
    """Every dashboard."""
    for team in teams(company):
        for number in range(1 + drawn("boards", team.id) % 5):
            uid = f"{team.id}-{number}"
            title = f"{team.id} board {number + 1}"
            yield Board(uid=uid, title=title, folder=team.id, team=team.id, views=_views(uid))
    for team in company.teams[: len(PLATFORM_TEAMS)]:
        uid = f"shared-{team.id}"
        yield Board(uid=uid, title=f"All of {team.id}", folder=SHARED, team=team.id, views=_views(uid))
    for number in range(NOBODYS):
        yield Board(uid=f"copy-{number}", title=f"Copy {number + 1} of something", views=number)


def rules(company: Company) -> Iterator[Rule]:
    """Every alert rule; of some teams one is paused."""
    for team in teams(company):
        for number in range(drawn("rules", team.id) % 4):
            uid, title = f"{team.id}-alert-{number}", f"{team.id} alert {number + 1}"
            yield Rule(uid=uid, title=title, team=team.id, paused=number == PAUSED)


def _views(uid: str) -> int:
    """None of two in five."""
    return 0 if drawn("unseen", uid) % 5 in _UNSEEN else 1 + drawn("views", uid) % MOST_VIEWED
