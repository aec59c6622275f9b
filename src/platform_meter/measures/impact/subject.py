"""What is judged: interventions, and campaigns for a capability, with the days before and after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from platform_meter.model.catalogue.adoption import ACTIVE_UNITS
from platform_meter.model.definitions import Definitions
from platform_meter.model.programme import EffectMetric, Windows


class Days(NamedTuple):
    """[begins, at) is before, [starts, ends) is after; what lies between is the washout. All midnights of the zone."""

    begins: datetime
    at: datetime
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One change."""

    id: str
    """As the `intervention` label has it."""
    title: str
    at: date
    metrics: Sequence[EffectMetric]
    windows: Windows
    units: Sequence[str] = ()
    control: Sequence[str] = ()
    capability: str = ""
    """What a campaign is for."""

    def days(self, zone: ZoneInfo) -> Days:
        """Its windows as moments."""
        first, starts = self.at - self.windows.pre, self.at + self.windows.washout
        edges = (first, self.at, starts, starts + self.windows.post)
        return Days(*(datetime.combine(day, time(), zone).astimezone(UTC) for day in edges))

    def disturbs(self, other: Subject) -> bool:
        """Whether it falls into the windows of the other, on units that both have.

        A campaign and what is about another capability, or about none, are not in each other's way.
        """
        if self is other or not (
            other.at - other.windows.pre <= self.at < other.at + other.windows.washout + other.windows.post
        ):
            return False
        if self.capability or other.capability:
            return bool({*_about(self)} & {*_about(other)})
        mine, theirs = {*self.units}, {*other.units, *other.control}
        return not self.units or not other.units or bool(mine & theirs)


def _about(subject: Subject) -> Iterator[str]:
    """Capabilities that its metrics are of."""
    for metric in subject.metrics:
        _, labels = metric.measured
        yield from (labels[name] for name in ("capability", "journey") if name in labels)


def subjects(definitions: Definitions) -> Iterator[Subject]:
    """All, in the order of the files; a campaign is held to how many use its capability in a week."""
    for one in definitions.interventions:
        yield Subject(
            id=one.id,
            title=one.title,
            at=one.at,
            metrics=one.judged,
            windows=one.windows,
            units=one.units,
            control=one.control_units,
        )
    for campaign in definitions.campaigns:
        if campaign.capability:
            labels = {"capability": campaign.capability}
            yield Subject(
                id=f"campaign/{campaign.id}",
                title=campaign.title,
                at=campaign.at,
                metrics=(EffectMetric(name=ACTIVE_UNITS.name, labels=labels),),
                windows=Windows(),
                capability=campaign.capability,
            )
