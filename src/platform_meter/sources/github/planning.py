"""What items of all roadmaps in GitHub have in common: how they end, and which feedback their texts name. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from platform_meter.model.facts.roadmap import ItemStatus
from platform_meter.model.periods import calendar_period, quarter_of
from platform_meter.model.programme import RoadmapSource
from platform_meter.sources.github.config import matches

_NUMBER = re.compile(r"(?<![\w/#.-])(?P<repo>[\w.-]+/[\w.-]+)?#(?P<number>[1-9][0-9]{0,9})\b")
_ADDRESS = re.compile(r"https?://[^/\s]+/(?P<repo>[\w.-]+/[\w.-]+)/issues/(?P<number>[1-9][0-9]{0,9})\b")
_UNDONE = frozenset({"not_planned", "duplicate"})
"""Reasons for which an issue is closed undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """How the items of one roadmap are read."""

    roadmap: RoadmapSource
    instance: str
    """Name of the source, as items name its tickets."""
    issues: tuple[str, ...] = ()
    """Globs of repositories whose issues are tickets: of these alone an issue that is named is feedback."""

    def feedback(self, body: str | None, repo: str) -> tuple[str, ...]:
        """Tickets that a text names: `#12`, `acme/support#12` or an address; the text is not kept. `#12` is one of `repo`."""
        if not self.roadmap.feedback.links or not body:
            return ()
        named = {
            f"{match['repo'] or repo}#{match['number']}"
            for pattern in (_NUMBER, _ADDRESS)
            for match in pattern.finditer(body)
        }
        return tuple(
            sorted(f"{self.instance}:{name}" for name in named if matches(name.partition("#")[0], self.issues))
        )


def status_of(state: str, reason: str | None, *, started: bool = False) -> ItemStatus:
    """How an issue stands: `state` and `reason` as GitHub has them, in either way that it writes them."""
    if state.lower() in {"closed", "merged"}:
        return ItemStatus.DROPPED if (reason or "").lower() in _UNDONE else ItemStatus.DONE
    return ItemStatus.STARTED if started else ItemStatus.PLANNED


def planned_for(named: str, due: date | None) -> str:
    """What an item is planned for: a name that is a calendar period, else the quarter of its day, else the name."""
    return named if due is None or calendar_period(named) else quarter_of(due).label


def ended(status: ItemStatus, closed: datetime | None) -> datetime | None:
    return closed if status in {ItemStatus.DONE, ItemStatus.DROPPED} else None
