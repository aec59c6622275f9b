"""What breaks: incidents of services, how long they last, and what people write of them."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from platform_meter.demo.company.layout import Company, Repo
from platform_meter.demo.company.records import Deployment, Incident, Step, Ticket
from platform_meter.demo.company.tickets import BOT, CLOSED, OPEN, PRIORITIES, PROGRESS, PROJECTS, RESOLVED

PROJECT = PROJECTS[0]
"""Where tickets tell of incidents."""
LABEL = "production-incident"
"""Of tickets that tell of an incident too."""
NOTICED = 0.6
"""Share of what was rolled back that somebody was called for."""
LATE = 0.2
"""Share of what breaks slowly, so that other versions may be there by then."""
TOLD_TWICE, SEEN_TWICE = 0.25, 0.08
"""Shares of incidents that have a ticket as well, and that a second alert tells of."""
FORGOTTEN, LINGERING, REOPENED = 0.03, 0.12, 0.08
"""Shares that nobody ever resolves, that are acknowledged long before they end, and that come back."""
SYMPTOMS = ("answers with errors", "is slow", "lost messages", "does not start", "runs out of memory")


def watched(company: Company) -> tuple[Repo, ...]:
    """What somebody is on call for: all that runs."""
    return tuple(repo for repo in company.repos if repo.service and repo.service.type != "library")


def delay(rng: random.Random) -> timedelta:
    """From a rollout to what it broke: mostly within two hours, now and then on another day."""
    slow = timedelta(seconds=rng.randint(72_000, 324_000)) if rng.random() < LATE else timedelta()
    return slow + timedelta(seconds=60 + int(3600 * rng.lognormvariate(-0.5, 1.3)))


def outage(
    rng: random.Random,
    *,
    number: int,
    repo: Repo,
    people: tuple[str, ...],
    at: datetime,
    cause: Deployment | None,
    until: datetime | None,
) -> Incident:
    """The whole life of an incident; `until` is when its remedy is there, where there is one."""
    named = rng.choices(("sha", "address", ""), (35, 25, 40))[0] if cause else ""
    after = {"sha": f" since {cause.sha[:12]}", "address": f" since {cause.address}"}.get(named, "") if cause else ""
    return Incident(
        number=number,
        repo=repo,
        title=f"{repo.name} {rng.choice(SYMPTOMS)}{after}",
        priority=rng.choices(("", *PRIORITIES), (10, 15, 35, 30, 10))[0],
        begun=at,
        steps=_steps(rng, rng.choice(people), at, until),
        cause=cause.id if cause else 0,
        named=named,
    )


def _steps(rng: random.Random, who: str, at: datetime, until: datetime | None) -> tuple[tuple[datetime, str, str], ...]:
    def minutes(low: int, high: int) -> timedelta:
        return timedelta(seconds=rng.randint(60 * low, 60 * high))

    taken = at + minutes(1, 12)
    steps = [(taken, "acknowledged", who)]
    if rng.random() < FORGOTTEN:
        return tuple(steps)
    well = until or at + timedelta(seconds=int(3600 * rng.lognormvariate(0, 0.9)))
    end = max(taken, well) + minutes(2, 30)
    if rng.random() < LINGERING:
        end += minutes(300, 3000)
    steps.append((end, "resolved", who))
    if rng.random() < REOPENED:
        again = end + minutes(20, 120)
        steps += [(again, "reopened", who), (again + minutes(20, 240), "resolved", who)]
    return tuple(steps)


def second(rng: random.Random, first: Incident, number: int, at: datetime) -> Incident | None:
    """Another alert of the same, merged into the first; None where that was over by then."""
    merged = at + timedelta(seconds=rng.randint(120, 600))
    who = first.steps[0][2]
    if first.ended_at(merged) is not None:
        return None
    return Incident(
        number=number,
        repo=first.repo,
        title=f"{first.repo.name} {rng.choice(SYMPTOMS)}",
        priority="",
        begun=at,
        steps=((merged, "merged", who),),
        into=first.number,
    )


def ticket_of(rng: random.Random, incident: Incident, *, number: int, agent: str, at: datetime) -> Ticket:
    """The ticket in which the platform's people follow it; it ends after the incident has."""
    reporter = incident.steps[0][2]
    taken = at + timedelta(seconds=rng.randint(120, 1200))
    steps = [
        Step(at=taken, actor=agent, changes=(("status", OPEN, PROGRESS), ("assignee", "", agent))),
        Step(at=taken + timedelta(seconds=30), actor=agent, comment="We look at it together."),
    ]
    if (end := incident.ended_at(datetime.max.replace(tzinfo=at.tzinfo))) is not None:
        done = max(end, steps[-1].at) + timedelta(seconds=rng.randint(60, 5400))
        steps += [
            Step(at=done, actor=agent, changes=(("status", PROGRESS, RESOLVED), ("resolution", "", "Done"))),
            Step(at=done + timedelta(days=5), actor=BOT, changes=(("status", RESOLVED, CLOSED),)),
        ]
    return Ticket(
        number=number,
        project=PROJECT.key,
        type="Incident",
        summary=f"Production: {incident.address}",
        team=incident.repo.team,
        reporter=reporter,
        component="delivery",
        priority=incident.priority or PRIORITIES[2],
        labels=(f"team:{incident.repo.team}", LABEL),
        created=at,
        steps=tuple(steps),
    )
