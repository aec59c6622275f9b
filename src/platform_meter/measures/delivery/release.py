"""What delivery counts: releases, outages, and the failures that join them (domain section 6)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from platform_meter.measures.delivery.book import Broken, Deployed, Merged, Record
from platform_meter.model.facts.delivery import DeployKind
from platform_meter.model.facts.incidents import Link, Severity
from platform_meter.model.history import Owner


@dataclass(slots=True, kw_only=True, eq=False)
class Outage:
    """One incident, of however many records."""

    records: Sequence[Record[Broken]]
    """The one that counts first at the front."""
    service: Hashable
    """What has no service stands for itself."""
    start: datetime
    """The earliest of its records."""
    end: datetime | None
    """The latest end of a record; None while none has ended."""
    severity: Severity
    """The worst of its records."""
    link: Link = Link.NONE
    release: Release | None = None
    """What it is linked to."""

    @property
    def first(self) -> Record[Broken]:
        return self.records[0]

    @property
    def owner(self) -> Owner:
        return self.first.owner


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Failure:
    """One reason why a release failed."""

    link: Link
    outage: Outage | None = None
    remedy: Release | None = None
    """What was brought to production against it; None where nothing was yet, or nobody knows."""
    change: Record[Merged] | None = None
    """The revert or hotfix."""

    @property
    def end(self) -> datetime | None:
        """When it was over; None while it is not."""
        if self.outage is not None:
            return self.outage.end
        return None if self.remedy is None else self.remedy.at


@dataclass(slots=True, kw_only=True, eq=False)
class Release:
    """One version of a service in production, wherever it came to: what is counted as one deployment."""

    service: Hashable
    """What has no service stands for itself."""
    parts: list[Record[Deployed]]
    """Its deployments by environment, the first at the front; the release is dated by it."""
    kind: DeployKind
    before: Release | None
    """What served there before it came to its first environment."""
    undone: list[Release] = field(default_factory=list)
    """Of a rollback, what it took back."""
    changes: list[Record[Merged]] = field(default_factory=list)
    """Those that came to production with it, each at its first release."""
    failures: list[Failure] = field(default_factory=list)
    remedy: bool = False
    """Whether it was brought against a failure."""

    @property
    def first(self) -> Record[Deployed]:
        return self.parts[0]

    @property
    def at(self) -> datetime:
        return self.first.part.at

    @property
    def began(self) -> datetime:
        return self.first.part.began

    @property
    def owner(self) -> Owner:
        return self.first.owner

    @property
    def rework(self) -> bool:
        """Whether it brings back or mends something."""
        return self.remedy or self.kind in (DeployKind.ROLLBACK, DeployKind.HOTFIX)

    @property
    def failed_from(self) -> datetime | None:
        """When its failure began: with the first incident, or else when it came; None where it did not fail."""
        if not self.failures:
            return None
        return min((f.outage.start for f in self.failures if f.outage is not None), default=self.at)

    @property
    def recovered(self) -> datetime | None:
        """When the last of its failures was over; None while an incident is open, or where nothing has ended any.

        A revert that is merged and not deployed is no open failure where something else was the remedy.
        """
        if any(f.outage is not None and f.end is None for f in self.failures):
            return None
        return max((f.end for f in self.failures if f.end is not None), default=None)
