"""How delivery is judged, where people want it otherwise than `domain.md` section 6 has it: the kind `Delivery`."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field

from platform_meter.model.facts.delivery import DeployWay
from platform_meter.model.facts.incidents import IncidentWay
from platform_meter.model.scalars import Definition, Period


class Start(StrEnum):
    """Where the lead time of a change begins."""

    FIRST_COMMIT = "first_commit"
    OPENED = "opened"
    MERGED = "merged"


class LeadTime(Definition):
    start: Start = Start.FIRST_COMMIT
    bots: bool = False
    """Whether changes of bots count."""


W = TypeVar("W", bound=StrEnum)


def _each_once(ways: tuple[W, ...]) -> tuple[W, ...]:
    if len(set(ways)) < len(ways):
        raise ValueError("a way stands twice; write each once, the one that counts first at the front")
    return ways


class Delivery(Definition):
    """Choices of which each has a default; at most one document says them."""

    kind: Literal["Delivery"]
    id: Literal["delivery"] = Field(examples=["delivery"])
    deployments: Annotated[tuple[DeployWay, ...], AfterValidator(_each_once)] = ()
    """Ways that count before all others, in this order."""
    incidents: Annotated[tuple[IncidentWay, ...], AfterValidator(_each_once)] = ()
    """The same of incidents."""
    lead_time: LeadTime = LeadTime()
    max_link_age: Period = timedelta(hours=24)
    """For so long after a deployment an incident of its service that names none is taken for its failure."""
    regions: Literal["together", "each"] = "together"
    """One version that reaches several production environments within a day is one deployment, or one in `each`."""

    @property
    def ways(self) -> tuple[DeployWay, ...]:
        """All ways of deployments, the one that counts first at the front."""
        return (*self.deployments, *(way for way in DeployWay if way not in self.deployments))

    @property
    def incident_ways(self) -> tuple[IncidentWay, ...]:
        """The same of incidents."""
        return (*self.incidents, *(way for way in IncidentWay if way not in self.incidents))


BY_DEFAULT = Delivery(kind="Delivery", id="delivery")
"""What holds where no document says otherwise."""
