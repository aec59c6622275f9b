"""Who sees what runs: dashboards, alert rules, monitors, logs and SLOs of each team, and the dashboards that nobody looks at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from platform_meter.model.facts import Reading
from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.facts.observability import AlertMonitor, AlertRule, Dashboard, Used
from platform_meter.model.history import Held
from platform_meter.web.view import View, first_of

KINDS: Mapping[str, type[Reading]] = {
    "Dashboards": Dashboard,
    "Alert rules": AlertRule,
    "Monitors": AlertMonitor,
    "Logs": LogIndex,
}
"""What stands in tools, by the heading of its column."""
SLOS = "SLOs"
MOST = 5
"""Names that are shown of each team."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one team has."""

    team: str
    has: Mapping[str, int | None]
    """By column; None where no tool tells."""
    unseen: Sequence[str]
    """Dashboards that nobody looks at, as their tool calls them."""

    @property
    def shown(self) -> str:
        """The first of these, and how many more there are."""
        return first_of(self.unseen, MOST)


def by_team(view: View) -> Sequence[Sight]:
    """Every team that is declared or owns some of it, those with the most unseen dashboards first; empty without any tool."""
    counts: dict[str, Counter[str] | None] = {name: _counted(view, kind) for name, kind in KINDS.items()}
    if not any(view.history.sources(kind) for kind in KINDS.values()):
        return ()
    counts[SLOS] = Counter(plan.owner for plan in view.plans)
    unseen = defaultdict[str, list[str]](list)
    for held in _standing(view, Dashboard):
        if isinstance(held.reading, Dashboard) and held.reading.used is Used.NO:
            unseen[view.history.owner(held.object).team].append(held.reading.about.id)
    teams = {team.id for team in view.definitions.teams}.union(*(count for count in counts.values() if count))
    found = [
        Sight(
            team=team,
            has={name: None if count is None else count[team] for name, count in counts.items()},
            unseen=sorted(unseen[team]),
        )
        for team in teams
        if team
    ]
    return sorted(found, key=lambda one: (-len(one.unseen), one.team))


def _counted(view: View, kind: type[Reading]) -> Counter[str] | None:
    """By team; None while no source tells, or one that does is not fresh: what it has would be missing."""
    sources = view.history.sources(kind)
    if not sources or not all(source.fresh for source in sources):
        return None
    return Counter(view.history.owner(held.object).team for held in _standing(view, kind))


def _standing(view: View, kind: type[Reading]) -> Sequence[Held[Reading]]:
    fresh = {source.instance for source in view.history.sources(kind) if source.fresh}
    return [held for held in view.history.readings(kind) if held.source in fresh]
