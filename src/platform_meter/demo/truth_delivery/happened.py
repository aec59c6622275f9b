"""What happened, as it is judged: rollouts, changes, incidents, and what counts as one deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from platform_meter.demo.company.records import Incident
from platform_meter.model.facts.delivery import DeployKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a meter can know."""

    since: datetime
    """It read nothing that began before."""
    until: datetime
    """Windows end here; what is told later is not there yet."""
    details: datetime
    """Of changes merged before, nobody read commits and reviews; of rollouts begun before, nobody compared versions."""
    looks: Sequence[datetime] = ()
    """When Argo CD was asked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rollout:
    """One rollout that served in production."""

    thing: str
    """The service, or what has none: a project, an application."""
    team: str
    place: str
    version: str
    began: datetime
    at: datetime
    kind: DeployKind
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merged:
    """One merged change, and its place on the main branch."""

    thing: str
    place: int
    version: str
    name: str
    at: datetime
    opened: datetime
    first_commit: datetime | None
    reviewed: datetime | None
    bot: bool = False
    reverts: str = ""
    """Name of the change that it takes back."""
    hotfix: bool = False
    mends: str = ""
    """Name of the change that it mends, where it says so."""


@dataclass(slots=True, kw_only=True, eq=False)
class Outage:
    """One incident, with all that tells of it."""

    incident: Incident
    start: datetime
    end: datetime | None
    link: str = "none"
    release: Release | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Release:
    """What counts as one deployment."""

    parts: list[Rollout]
    changes: list[Merged] = field(default_factory=list)
    causes: list[tuple[str, Outage | None, Release | None]] = field(default_factory=list)
    """Why it failed: (rule, incident, remedy)."""
    remedy: bool = False

    @property
    def thing(self) -> str:
        return self.parts[0].thing

    @property
    def team(self) -> str:
        return self.parts[0].team

    @property
    def at(self) -> datetime:
        return self.parts[0].at

    @property
    def began(self) -> datetime:
        return self.parts[0].began

    @property
    def rework(self) -> bool:
        return self.remedy or self.parts[0].kind in {DeployKind.ROLLBACK, DeployKind.HOTFIX}

    @property
    def failure(self) -> tuple[datetime, datetime | None] | None:
        """From when until when it was failed; None where it never was."""
        if not self.causes:
            return None
        outages = [outage for _, outage, _ in self.causes if outage is not None]
        start = min((outage.start for outage in outages), default=self.at)
        ends = [remedy.at for _, _, remedy in self.causes if remedy is not None]
        ends += [outage.end for outage in outages if outage.end is not None]
        open_ = any(outage.end is None for outage in outages)
        return start, None if open_ or not ends else max(ends)
