"""The company's developer portal: what its catalog lists, what its templates made, what people do in it.

All of it follows from the layout, the seed and the day: nothing that happens elsewhere changes it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from platform_meter.demo.company.days import moment, rhythm
from platform_meter.demo.company.layout import DELIVERY, Company, Repo, Service
from platform_meter.demo.company.lots import one_in

MONITORING = "add-monitoring"
TEMPLATES = {"new-service": 5, "new-library": 2, MONITORING: 3, "new-environment": 2}
"""Templates, and how often each is chosen."""
IN_PLACE = "new-environment"
"""The one that asks for no repository; what it made it says at its end."""
RUNS_PER_TEAM, VISITS_PER_TEAM = 0.15, 2.0
"""On a working day."""
DOCS = ("gateway", "ci", "clusters", "observability", "onboarding")
"""What the platform documents."""
AREAS = ("search", "techdocs", "catalog-import")
"""Where people search."""

Outcome = Literal["completed", "failed", "cancelled"]
Did = Literal["navigate", "docs", "search", "vote"]
OUTCOMES: tuple[Outcome, ...] = ("completed", "failed", "cancelled")
DEEDS: tuple[Did, ...] = ("navigate", "docs", "search", "vote")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the catalog; what is empty is not filled in."""

    kind: str
    name: str
    owner: str = ""
    """Its team."""
    type: str = ""
    lifecycle: str = ""
    system: str = ""
    description: str = ""
    repository: str = ""
    """Name of a repository that it has an annotation for."""
    template: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One run of a template."""

    id: str
    template: str
    team: str
    person: str
    began: datetime
    ended: datetime
    outcome: Outcome
    repository: str
    """Name of what it made, or was to make."""

    @property
    def asked(self) -> bool:
        """Whether it asked for the repository; others only tell of it at their end."""
        return self.template != IN_PLACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One thing that somebody did in the portal."""

    id: str
    at: datetime
    person: str
    did: Did
    area: str
    value: int = 0
    """Of a search how much it found; of a vote 1 for yes."""


def listed(service: Service) -> bool:
    """One service in ten never got into the catalog."""
    return not one_in(10, "listed", service.id)


def entries(company: Company) -> Iterator[Entry]:
    """The catalog: teams and their people apart, all that has an owner."""
    systems: dict[str, str] = {}
    for service in company.services:
        systems.setdefault(service.system, service.team)
        if listed(service):
            yield _component(service)
        if service.type == "service" and one_in(5, "api", service.id):
            yield Entry(
                kind="API",
                name=f"{service.id}-v1",
                owner=service.team,
                type="openapi",
                lifecycle=service.lifecycle,
                system=service.system,
                description=f"What {service.id} answers",
            )
    for system, team in sorted(systems.items()):
        yield Entry(kind="System", name=system, owner=team, description=f"All of {system}")
    for template in TEMPLATES:
        described = "" if template == IN_PLACE else f"Makes it: {template}"
        yield Entry(kind="Template", name=template, owner=DELIVERY, type="service", description=described)
    for repo in company.repos:
        if repo.template:
            yield _of_trial(repo, company)


def _component(service: Service) -> Entry:
    """Some lack something: one in seven a description, one in eleven the system, one in thirteen an owner."""
    return Entry(
        kind="Component",
        name=service.id,
        owner="" if one_in(13, "owner", service.id) else service.team,
        type=service.type,
        lifecycle=service.lifecycle,
        system="" if one_in(11, "system", service.id) else service.system,
        description="" if one_in(7, "description", service.id) else f"The {service.type} {service.id}",
        repository=service.id,
    )


def _of_trial(repo: Repo, company: Company) -> Entry:
    """What a template made is registered by it, whole."""
    return Entry(
        kind="Resource",
        name=repo.name,
        owner=repo.team,
        type="trial",
        system=company.services[0].system,
        description="A trial",
        repository=repo.name,
        template=repo.template,
    )


def runs(company: Company, now: datetime) -> list[Made]:
    """Runs that began by now, the newest first."""
    services = tuple(service.id for service in company.services)
    found = [
        made
        for day in range(company.day(now) + 1)
        for made in _runs_on(company.seed, _using(company, day), services, company.epoch + timedelta(days=day))
    ]
    found += [_trial_run(company, repo) for repo in company.repos if repo.template]
    return sorted((made for made in found if made.began <= now), key=lambda made: (made.began, made.id), reverse=True)


def _trial_run(company: Company, repo: Repo) -> Made:
    people = company.team[repo.team].people
    return Made(
        id=f"trial-run-{repo.name}",
        template=repo.template,
        team=repo.team,
        person=people[0],
        began=repo.created - timedelta(seconds=20),
        ended=repo.created + timedelta(seconds=10),
        outcome="completed",
        repository=repo.name,
    )


Teams = tuple[tuple[str, tuple[str, ...]], ...]
"""Names of teams with their people."""


@lru_cache(4096)
def _runs_on(seed: int, teams: Teams, services: tuple[str, ...], on: date) -> tuple[Made, ...]:
    rng, found = random.Random(f"{seed}/templates/{on}"), list[Made]()
    for number in range(round(rhythm(on) * RUNS_PER_TEAM * len(teams) + rng.random())):
        team, people = rng.choice(teams)
        template = rng.choices(tuple(TEMPLATES), tuple(TEMPLATES.values()))[0]
        began, took = moment(on, rng), timedelta(seconds=rng.randint(15, 150))
        outcome: Outcome = rng.choices(OUTCOMES, (84, 12, 4))[0]
        found.append(
            Made(
                id=f"run-{on:%Y%m%d}-{number}",
                template=template,
                team=team,
                person=rng.choice(people),
                began=began,
                ended=began + took,
                outcome=outcome,
                repository=rng.choice(services),
            )
        )
    return tuple(found)


@lru_cache(4096)
def _visits_on(seed: int, teams: Teams, on: date) -> tuple[Visit, ...]:
    rng, found = random.Random(f"{seed}/visits/{on}"), list[Visit]()
    for number in range(round(rhythm(on) * VISITS_PER_TEAM * len(teams))):
        did: Did = rng.choices(DEEDS, (45, 27, 22, 6))[0]
        area, value = rng.choice(DOCS), 0
        if did == "navigate":
            area = "catalog"
        elif did == "search":
            area, value = rng.choices(AREAS, (70, 20, 10))[0], rng.choice((0, 2, 5, 40))
        elif did == "vote":
            value = int(rng.random() < 0.8)
        person = rng.choice(rng.choice(teams)[1])
        at = moment(on, rng)
        found.append(Visit(id=f"visit-{on:%Y%m%d}-{number}", at=at, person=person, did=did, area=area, value=value))
    return tuple(found)


def _using(company: Company, day: int) -> Teams:
    """Teams that use the platform on that day, with their people."""
    return tuple((team.id, team.people) for team in company.teams if day < team.until)


def visits(company: Company, start: datetime, end: datetime) -> list[Visit]:
    """What people did from `start` on and before `end`, in order of time."""
    first, last = max(0, company.day(start)), company.day(end)
    found = [
        visit
        for day in range(first, last + 1)
        for visit in _visits_on(company.seed, _using(company, day), company.epoch + timedelta(days=day))
        if start <= visit.at < end
    ]
    return sorted(found, key=lambda visit: (visit.at, visit.id))
