"""Who could adopt a capability: the known teams and services, eligibility by selector, exemptions (domain section 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase

from platform_meter.model.definitions import (
    Capability,
    Eligible,
    Selector,
    Service,
    ServiceSelector,
    Team,
    TeamSelector,
    Unit,
)
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.measure import Scene
from platform_meter.model.metric import UNOWNED

OwnerKey = tuple[str, str]
"""Service and team of an owner."""


def matches(patterns: tuple[str, ...], value: str) -> bool:
    """No pattern matches everything; else one of them is the value or a glob for it."""
    return not patterns or value in patterns or any(fnmatchcase(value, p) for p in patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Every known service and team by id."""

    services: Mapping[str, Service]
    teams: Mapping[str, Team]
    selected: dict[tuple[Eligible, date], frozenset[str]] = field(default_factory=dict, compare=False)
    """Services by what selects them and the day: many capabilities select the same."""

    def team_of(self, service: str) -> str:
        """The owning team; `_unowned` where nobody knows."""
        known = self.services.get(service)
        return known.team if known else UNOWNED


PEOPLE = frozenset({"group", "person"})
"""Kinds of object that a directory tells of."""


def roster(scene: Scene) -> Roster:
    """Declared services and teams, and those that ownership found: these are as a portal's entry says, else have the
    defaults of a declaration.

    A team or service that owned an object within retention is known, so units "gone" are those neither declared
    nor owning anything any more. A group or a person of a directory is nothing that it owns: a company has many that
    use no platform.
    """
    services = {s.id: s for s in scene.definitions.services}
    teams = {t.id: t for t in scene.definitions.teams}
    entries = {h.reading.service: h.reading for h in scene.history.readings(CatalogEntity) if h.reading.service}
    owners = {(row.owner.service, row.owner.team) for row in scene.history.objects() if row.kind not in PEOPLE}
    for service, team in sorted(owners):
        if service not in services and service != UNOWNED:
            services[service] = _found(service, team, entries.get(service))
    for team in sorted({t for _, t in owners} | {s.team for s in services.values()}):
        if team not in teams and team != UNOWNED:
            teams[team] = Team(kind="Team", id=team)
    return Roster(services=services, teams=teams)


def _found(service: str, team: str, entry: CatalogEntity | None) -> Service:
    told = {"type": entry.type, "lifecycle": entry.lifecycle, "system": entry.system} if entry else {}
    said = {name: text for name, text in told.items() if text}
    return Service.model_validate({"kind": "Service", "id": service, "team": team, **said})


def exempt(capability: Capability, day: date) -> frozenset[str]:
    """Units out of the denominator on `day`; `until` is the last such day."""
    return frozenset(e.unit for e in capability.exempt if day <= e.until)


def eligible_services(capability: Capability, known: Roster, day: date) -> frozenset[str]:
    """Services that some alternative selects; the alternative's team part is asked of the owning team."""
    asked = (capability.eligible, day)
    found = known.selected.get(asked)
    if found is None:
        found = known.selected[asked] = frozenset(
            service.id
            for service in known.services.values()
            if any(_selects(alternative, service, known, day) for alternative in capability.eligible.any)
        )
    return found


def eligible_teams(capability: Capability, known: Roster, day: date) -> frozenset[str]:
    """Teams that some alternative selects; its service part means a team that owns such a service."""
    found: set[str] = set()
    for alternative in capability.eligible.any:
        if alternative.service is None:
            found |= {t.id for t in known.teams.values() if _team_fits(alternative.team, t)}
        else:
            found |= {s.team for s in known.services.values() if _selects(alternative, s, known, day)}
    return frozenset(found - {UNOWNED})


def eligible_people(
    capability: Capability, known: Roster, day: date, homes: Mapping[str, Iterable[OwnerKey]]
) -> frozenset[str]:
    """People some of whose `homes` (owners of what they used) an alternative selects; no directory tells us more."""
    services = eligible_services(capability, known, day)
    teams = frozenset(
        t.id
        for t in known.teams.values()
        if any(a.service is None and _team_fits(a.team, t) for a in capability.eligible.any)
    )
    return frozenset(
        person
        for person, owners in homes.items()
        if any(service in services or team in teams for service, team in owners)
    )


def known_units(capability: Capability, known: Roster, homes: Mapping[str, Iterable[OwnerKey]]) -> frozenset[str]:
    """Every unit of the capability's kind, eligible or not."""
    match capability.unit:
        case Unit.TEAM:
            return frozenset(known.teams)
        case Unit.SERVICE:
            return frozenset(known.services)
        case Unit.PERSON:
            return frozenset(homes)


def eligible_units(
    capability: Capability, known: Roster, day: date, homes: Mapping[str, Iterable[OwnerKey]]
) -> frozenset[str]:
    """Units selected on `day`, less the exempt ones."""
    match capability.unit:
        case Unit.TEAM:
            selected = eligible_teams(capability, known, day)
        case Unit.SERVICE:
            selected = eligible_services(capability, known, day)
        case Unit.PERSON:
            selected = eligible_people(capability, known, day, homes)
    return selected - exempt(capability, day)


def _selects(alternative: Selector, service: Service, known: Roster, day: date) -> bool:
    return (
        (service.since is None or service.since.date() <= day)
        and _service_fits(alternative.service, service)
        and (
            alternative.team is None
            or (service.team in known.teams and _team_fits(alternative.team, known.teams[service.team]))
        )
    )


def _service_fits(selector: ServiceSelector | None, service: Service) -> bool:
    return selector is None or (
        matches(selector.kind, service.kind_)
        and matches(selector.lifecycle, service.lifecycle)
        and matches(selector.tier, service.tier)
        and matches(selector.system, service.system)
        and matches(selector.team, service.team)
        and matches(selector.id, service.id)
    )


def _team_fits(selector: TeamSelector | None, team: Team) -> bool:
    return selector is None or (
        matches(selector.org, team.org) and matches(selector.persona, team.persona) and matches(selector.id, team.id)
    )
