"""Adoption of observability: how many monitors, dashboards and alert rules each team has, how the monitors stand, and which
dashboards nobody looks at (domain section 13).
"""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.census import Share, census
from platform_meter.model.catalogue.observability import ALERT_RULES, DASHBOARDS, MONITORS
from platform_meter.model.facts.observability import AlertMonitor, AlertRule, Dashboard, MonitorState, Used
from platform_meter.model.history import Held, SourceState
from platform_meter.model.measure import Measures, Scene


def _monitors(scene: Scene, source: SourceState, held: Held[AlertMonitor]) -> Iterator[Share]:
    """A monitor in its state, of the team that owns it; the other states stand at 0 beside it."""
    team = scene.history.owner(held.object).team
    for state in MonitorState:
        yield Share((source.instance, team, state), float(held.reading.state is state))


def _alert_rules(scene: Scene, source: SourceState, held: Held[AlertRule]) -> Iterator[Share]:
    yield Share((source.instance, scene.history.owner(held.object).team))


def _dashboards(scene: Scene, source: SourceState, held: Held[Dashboard]) -> Iterator[Share]:
    """A dashboard of the team that owns it, used or not; the other answers stand at 0 beside it."""
    team = scene.history.owner(held.object).team
    for used in Used:
        yield Share((source.instance, team, used), float(held.reading.used is used))


WATCHING = census(MONITORS, AlertMonitor, _monitors)
ALERTING = census(ALERT_RULES, AlertRule, _alert_rules)
SHOWING = census(DASHBOARDS, Dashboard, _dashboards)

MEASURES = Measures(standing=(WATCHING, ALERTING, SHOWING))
