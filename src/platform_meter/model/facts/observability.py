"""Facts of observability: monitors, dashboards and alert rules that stand in a tool (domain section 13)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from platform_meter.model.facts import Facts, Reading


class MonitorState(StrEnum):
    OK = "ok"
    ALERT = "alert"
    WARN = "warn"
    NO_DATA = "no_data"
    IGNORED = "ignored"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """Its tool does not tell, or in a word that is not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMonitor(Reading):
    """One monitor of a tool that alerts by itself. `about.id` is its number there."""

    state: MonitorState
    """The worst of all its groups, as the tool tells it."""


class Used(StrEnum):
    """Whether anybody looked at something of late."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """Its tool does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard(Reading):
    """One dashboard of a tool. `about.id` is its folder's path and its uid there."""

    used: Used = Used.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule(Reading):
    """One rule of a tool that alerts by itself, and is not paused. `about.id` is its folder's path and its uid there."""


FACTS = Facts(readings=(AlertMonitor, Dashboard, AlertRule))
