"""The kinds people write under `slo-definitions/` (domain section 14), typed. SLOs are OpenSLO and live in `slo/`.

Every model forbids unknown keys; `problems.decode` turns what pydantic finds into messages with line and fix.
Queues stand in `ticketing`, surveys in `surveying`; personas, promises, campaigns, interventions and roadmaps in `programme`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from platform_meter.model.adopting import AdoptionGoal, apart
from platform_meter.model.delivering import BY_DEFAULT, Delivery
from platform_meter.model.objective import StoredObjective
from platform_meter.model.programme import Campaign, Intervention, PainPoint, Persona, Promise, RoadmapSource
from platform_meter.model.scalars import (
    Definition,
    Duration,
    LocalPath,
    Moment,
    Period,
    PlacedError,
    Zone,
    parse_duration,
    parse_zone,
)
from platform_meter.model.surveying import Survey
from platform_meter.model.ticketing import (
    WEEKDAYS,
    Calendar,
    CategoryFrom,
    Goal,
    Hours,
    Sla,
    StatusMap,
    Ticketing,
    TicketSource,
    parse_days,
    parse_goal,
    parse_hours,
)

__all__ = [
    "WEEKDAYS",
    "Active", "Adopted", "Calendar", "Campaign", "Capability", "CategoryFrom", "Churned", "Definition", "Definitions",
    "Delivery", "Duration", "Eligible", "Environment", "Every", "Exempt", "Goal", "Help", "Hours", "Intervention", "Journey", "JourneyStart",
    "LocalPath", "Moment", "Ownership", "OwnershipRule", "PainPoint", "Period", "Persona", "PlacedError", "Promise",
    "RoadmapSource", "Selector", "Service", "ServiceSelector", "Sla", "Stage", "StatusMap", "Survey", "Team",
    "TeamSelector", "TicketSource", "Ticketing", "Unit", "Zone", "parse_days", "parse_duration", "parse_goal",
    "parse_hours", "parse_zone",
]  # fmt: skip


class Unit(StrEnum):
    TEAM = "team"
    SERVICE = "service"
    PERSON = "person"


class ServiceSelector(Definition):
    """Every named field must match (one of its values); an empty selector matches all."""

    kind: tuple[str, ...] = ()
    lifecycle: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    id: tuple[str, ...] = ()
    """Names or globs."""


class TeamSelector(Definition):
    org: tuple[str, ...] = ()
    persona: tuple[str, ...] = ()
    id: tuple[str, ...] = ()


class Selector(Definition):
    """One alternative: services, teams or both (then both must hold). With `unit: team`, `service` means a team that owns one."""

    service: ServiceSelector | None = None
    team: TeamSelector | None = None


class Eligible(Definition):
    any: tuple[Selector, ...] = Field(min_length=1, examples=["[{service: {kind: [service]}}]"])


Select = dict[str, Annotated[tuple[str, ...], Field(min_length=1)]]
"""By name one of these values, or a glob for it; every name must fit."""


class Every(Definition):
    """Objects that all have to be among those counted, such as every workload of a service."""

    count: str = Field(examples=["workloads"])
    select: Select = Field(default_factory=dict)
    """Labels of these objects or fields of their reading."""


class Adopted(Definition):
    """Predicate over standing objects (`count`: kind of reading) or over any stored use (`verb`)."""

    source: str = Field(examples=["kubernetes"])
    count: str | None = None
    verb: str | None = None
    group_by: Literal["owner"] = "owner"
    min: float = 1
    select: Select = Field(default_factory=dict)
    """For `count`: labels of the object or fields of the reading; for `verb`: words of the use."""
    every: Every | None = None
    """For `count`: holds only where each of these objects is counted."""

    @model_validator(mode="after")
    def _one(self) -> Adopted:
        if (self.count is None) == (self.verb is None):
            raise ValueError("write either count: WORD (objects that stand) or verb: WORD (use that happened)")
        if self.every is not None and self.count is None:
            raise PlacedError("every asks that all objects are counted; write count: WORD in place of verb", "every")
        return self


class Active(Definition):
    """Use that happened (`verb`), or objects that stand (`count`): each is one a day on which it stood."""

    source: str = Field(examples=["github"])
    count: str | None = None
    verb: str | tuple[str, ...] | None = None
    select: Select = Field(default_factory=dict)
    """As of `Adopted`."""
    adopts: bool | None = None
    """Whether who is active has adopted, whatever `adopted` says; None unless `adopted` selects what this does not."""
    window: Period = timedelta(days=28)
    min_days: int = Field(default=1, ge=1)
    min_amount: float = Field(default=1, gt=0)

    @property
    def verbs(self) -> tuple[str, ...]:
        return (self.verb,) if isinstance(self.verb, str) else self.verb or ()

    @model_validator(mode="after")
    def _one(self) -> Active:
        if (self.count is None) == (self.verb is None):
            raise ValueError("write either verb: WORD (use that happened) or count: WORD (objects that stand)")
        return self


class Churned(Definition):
    inactive: Period | None = None
    """Silence that makes a unit churned; None is twice the active window."""


class Exempt(Definition):
    unit: str = Field(examples=["team-legacy"])
    until: date
    """The last day of the exemption."""
    reason: str = Field(examples=["decommission"])


class JourneyStart(Definition):
    source: str = Field(examples=["backstage"])
    verb: str = Field(examples=["view_docs"])
    subject: str | None = None
    select: Select = Field(default_factory=dict)
    """As of `Active`."""


class Journey(Definition):
    start: JourneyStart
    order: Literal["strict", "loose"] = "strict"
    window: Period = timedelta(days=60)


class Stage(Definition):
    """A step of the journey. `when` names a source and a verb; every further key must match the use (globs)."""

    own: ClassVar = frozenset({"source", "verb", "min_amount"})
    """Keys of `when` that are no words of the use."""

    id: str = Field(examples=["created"])
    when: dict[str, str | float] = Field(examples=["{source: backstage, verb: template_completed}"])

    @model_validator(mode="after")
    def _use(self) -> Stage:
        for key in ("source", "verb"):
            if not isinstance(self.when.get(key), str):
                raise PlacedError(f"a stage lacks its {key}; write when: {{source: NAME, verb: WORD}}", "when")
        for key, value in self.when.items():
            if key == "min_amount" and not (isinstance(value, float) and value > 0):
                raise PlacedError("min_amount is no number above 0; write one, such as 100", "when", key)
            if key != "min_amount" and not isinstance(value, str):
                raise PlacedError(f"{key} is a word of the use and no text here; write it in quotes", "when", key)
        return self


class Help(Definition):
    """Where help with a capability is asked for."""

    queue: str = Field(examples=["platform-support"])
    """Id of a Ticketing file."""
    category: str = Field(examples=["gateway"])
    """As the `category` label has it."""


class Capability(Definition):
    kind: Literal["Capability"]
    id: str = Field(examples=["api-gateway"])
    title: str = ""
    unit: Unit
    owner: str = Field(examples=["team-platform"])
    mandated: bool = False
    eligible: Eligible
    adopted: Adopted
    active: Active
    churned: Churned = Churned()
    exempt: tuple[Exempt, ...] = ()
    goals: tuple[AdoptionGoal, ...] = ()
    journey: Journey | None = None
    stages: tuple[Stage, ...] = ()
    tickets: Help | None = None
    """Who goes the journey without one of these helps himself."""

    @property
    def parted(self) -> bool:
        """Whether a unit may be active and not have adopted: the file says so, or adopting asks for more or other than use."""
        if self.active.adopts is not None:
            return not self.active.adopts
        return self.adopted.every is not None or any(
            self.active.select.get(name) != asked for name, asked in self.adopted.select.items()
        )

    @property
    def standard(self) -> bool:
        """Whether it is an order that objects tell of: each unit keeps to it or does not, whatever its use."""
        return self.mandated and self.adopted.count is not None and self.unit is not Unit.PERSON

    @property
    def inactive(self) -> timedelta:
        """How long a unit may go without any use before it is churned."""
        return self.churned.inactive or 2 * self.active.window

    @model_validator(mode="after")
    def _silence(self) -> Capability:
        if self.inactive < self.active.window:
            raise PlacedError(
                "inactive is shorter than active.window, so a unit would be churned while it is active; write at least "
                "that window, or leave inactive out for twice the window",
                "churned", "inactive",
            )  # fmt: skip
        return self

    @model_validator(mode="after")
    def _goals(self) -> Capability:
        apart(self.goals)
        return self

    @model_validator(mode="after")
    def _journey(self) -> Capability:
        if self.stages and self.journey is None:
            raise PlacedError(
                "stages are those of a journey; write journey: {start: {source: NAME, verb: WORD}}", "stages"
            )
        seen: set[str] = set()
        for i, stage in enumerate(self.stages):
            if stage.id in seen:
                raise PlacedError(f"stage '{stage.id}' stands twice; give it another id", "stages", i, "id")
            seen.add(stage.id)
        return self


class OwnershipRule(Definition):
    """Objects whose name matches (exact, then glob; the longest literal prefix wins)."""

    match: str = Field(examples=["github:acme/payments-*"])
    """`system:id` or `instance:id`; `*` stands for anything within a path segment, `**` across segments."""
    service: str | None = None
    team: str | None = None
    since: Moment | None = None
    """From when it holds; without it, it corrects the past too."""

    @model_validator(mode="after")
    def _one(self) -> OwnershipRule:
        if not self.service and not self.team:
            raise ValueError("a rule names whose the objects are; write service: NAME, team: NAME or both")
        scope, _, id_ = self.match.partition(":")
        if not scope or not id_ or "*" in scope:
            raise PlacedError(
                f"'{self.match}' names no system; write system:id, such as github:acme/payments-*", "match"
            )
        return self


class Ownership(Definition):
    kind: Literal["Ownership"]
    id: str = "ownership"
    team_label: str | None = None
    """The label on objects that names the team (rule 3)."""
    rules: tuple[OwnershipRule, ...] = Field(examples=["[{match: 'github:acme/payments-*', service: payments}]"])

    @model_validator(mode="after")
    def _unique(self) -> Ownership:
        seen: set[tuple[str, datetime | None]] = set()
        for i, rule in enumerate(self.rules):
            if (rule.match, rule.since) in seen:
                raise PlacedError(f"'{rule.match}' stands twice; keep one, or give each its since", "rules", i, "match")
            seen.add((rule.match, rule.since))
        return self


class Team(Definition):
    kind: Literal["Team"]
    id: str = Field(examples=["team-pay"])
    title: str = ""
    org: str = ""
    persona: str = ""
    members_count: int | None = Field(default=None, ge=0)


class Service(Definition):
    kind: Literal["Service"]
    id: str = Field(examples=["payments"])
    title: str = ""
    team: str = Field(examples=["team-pay"])
    system: str = ""
    tier: str = ""
    lifecycle: str = "production"
    kind_: str = Field(default="service", alias="type")
    """What sort of deployable: service, library, website; `type` in the file, `kind` in selectors."""
    since: Moment | None = None
    """From when the team owns it; before, nobody is known to."""


class Environment(Definition):
    kind: Literal["Environment"]
    id: str = Field(examples=["production"])
    production: bool = False
    match: tuple[str, ...] = ()
    """Names and globs that sources use for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """Everything people declared, by kind, ids unique within each."""

    capabilities: tuple[Capability, ...] = ()
    ticketing: tuple[Ticketing, ...] = ()
    ownership: tuple[Ownership, ...] = ()
    teams: tuple[Team, ...] = ()
    services: tuple[Service, ...] = ()
    environments: tuple[Environment, ...] = ()
    personas: tuple[Persona, ...] = ()
    surveys: tuple[Survey, ...] = ()
    promises: tuple[Promise, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    roadmaps: tuple[RoadmapSource, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    """At most one."""
    objectives: tuple[StoredObjective, ...] = ()
    """SLOs over stored events, made of SLO files by `slo.stored`."""

    @property
    def delivery(self) -> Delivery:
        """How delivery is judged."""
        return next(iter(self.deliveries), BY_DEFAULT)


KINDS: Mapping[str, tuple[type[Definition], str]] = MappingProxyType(
    {
        "Capability": (Capability, "capabilities"),
        "Ticketing": (Ticketing, "ticketing"),
        "Ownership": (Ownership, "ownership"),
        "Team": (Team, "teams"),
        "Service": (Service, "services"),
        "Environment": (Environment, "environments"),
        "Persona": (Persona, "personas"),
        "Survey": (Survey, "surveys"),
        "Promise": (Promise, "promises"),
        "Campaign": (Campaign, "campaigns"),
        "Intervention": (Intervention, "interventions"),
        "RoadmapSource": (RoadmapSource, "roadmaps"),
        "Delivery": (Delivery, "deliveries"),
    }
)
"""Every kind that is ours: its model, and its place in Definitions."""
