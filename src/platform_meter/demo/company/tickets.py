"""How support goes: tickets in two Jira projects with every step of their history, and a few GitHub issues."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from platform_meter.demo.company.days import office
from platform_meter.demo.company.layout import BAD_WEEK, Company, Repo, Team
from platform_meter.demo.company.records import Issue, Step, Ticket
from platform_meter.demo.company.scenarios import Scenario, Trouble

OPEN, PROGRESS, WAITING, RESOLVED, CLOSED = "Open", "In Progress", "Waiting for customer", "Resolved", "Closed"
PRIORITIES = ("P1", "P2", "P3", "P4")
RESOLUTIONS = ("Done", "Duplicate", "Won't Do", "Cannot Reproduce")
FIRST_RESPONSE_HOURS = {"P1": 0.25, "P2": 1.1, "P3": 2.5, "P4": 5.0}
"""Median working hours to the first answer."""
BOT = "automation"
FEEDBACK = "feedback:"
"""How labels of what people wish for begin; their topic follows."""
WISHES = 6
"""Every so manieth ticket is a wish."""
NOISY = 400
"""Every so manieth ticket has a bot that flips a label more often than an expanded changelog shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    key: str
    id: int
    name: str
    share: float
    topics: tuple[str, ...]
    by_team: bool
    """Whether a ticket's component is the team that asks; else it is the topic."""
    category_from: Literal["component", "issue_type"]
    """What its Ticketing file takes for categories: teams that ask are none."""
    agents: str
    """The team that answers."""


PROJECTS = (
    Project(
        key="PLAT",
        id=10_001,
        name="Platform support",
        share=0.72,
        topics=("ci", "kubernetes", "delivery", "gateway", "observability"),
        by_team=False,
        category_from="component",
        agents="platform-support",
    ),
    Project(
        key="HELP",
        id=10_002,
        name="Developer help",
        share=0.28,
        topics=("onboarding", "access", "docs", "tooling"),
        by_team=True,
        category_from="issue_type",
        agents="platform-delivery",
    ),
)
COMPONENT_OWNERS = {
    "ci": "platform-ci",
    "kubernetes": "platform-runtime",
    "delivery": "platform-delivery",
    "gateway": "platform-runtime",
}
"""Whose the topics of the first project are; `observability` has no owner, as happens."""
SUMMARIES = {
    "ci": "Builds wait for a runner",
    "kubernetes": "Pods of our service restart",
    "delivery": "Rollout stopped half way",
    "gateway": "Route answers 404",
    "observability": "Dashboard shows no data",
    "onboarding": "New repository from the template",
    "access": "Rights for a new namespace",
    "docs": "Guide does not match the portal",
    "tooling": "Command line tool fails after update",
}


def components(company: Company, project: Project) -> tuple[str, ...]:
    """The components of a project, in the order of their numbers."""
    return tuple(team.id for team in company.teams) if project.by_team else project.topics


def open_ticket(
    rng: random.Random,
    company: Company,
    scenario: Scenario,
    *,
    number: int,
    project: Project,
    team: Team,
    at: datetime,
) -> Ticket:
    """The whole life of one ticket."""
    flood = scenario.holds(Trouble.TICKET_FLOOD, at)
    bad = company.day(at) in BAD_WEEK
    pressed = rng.random() < 0.5 if flood or bad else False
    topic = project.topics[0] if pressed else rng.choice(project.topics)
    kind = rng.choices(("Service Request", "Bug", "Incident"), (60, 28, 12))[0]
    weights = (30, 40, 20, 10) if kind == "Incident" else (3, 17, 55, 25)
    priority = rng.choices(PRIORITIES, weights)[0]
    reporter = rng.choice(team.people)
    slow = 3.5 if flood or bad else 1.0
    agent = rng.choice(company.team[project.agents].people)
    steps = _steps(rng, agent=agent, reporter=reporter, priority=priority, created=at, slow=slow)
    if number % NOISY == NOISY - 1:
        steps = _noise(steps, at)
    return Ticket(
        number=number,
        project=project.key,
        type=kind,
        summary=SUMMARIES[topic],
        team=team.id,
        reporter=reporter,
        component=team.id if project.by_team else topic,
        priority=priority,
        labels=(
            f"team:{team.id}",
            *(("ci-slow",) if topic == "ci" and rng.random() < 0.6 else ()),
            *((f"{FEEDBACK}{topic}",) if number % WISHES == 0 else ()),
        ),
        created=at,
        steps=tuple(sorted(steps, key=lambda step: step.at)),
    )


def _steps(
    rng: random.Random, *, agent: str, reporter: str, priority: str, created: datetime, slow: float
) -> list[Step]:
    steps = [Step(at=created + timedelta(seconds=20), actor=BOT, comment="Thank you. We will look at this soon.")]

    def hours(median: float) -> timedelta:
        return timedelta(seconds=int(3600 * median * slow * rng.lognormvariate(0, 0.9)))

    at = office(office(created) + hours(FIRST_RESPONSE_HOURS[priority]))
    steps.append(Step(at=at, actor=agent, changes=(("status", OPEN, PROGRESS), ("assignee", "", agent))))
    if rng.random() < 0.2:
        steps.append(Step(at=at + timedelta(seconds=40), actor=agent, comment="Seen before?", public=False))
    at += timedelta(seconds=rng.randint(60, 900))
    steps.append(Step(at=at, actor=agent, comment="We are on it."))
    now = priority
    if rng.random() < 0.07:
        now = rng.choice([p for p in PRIORITIES if p != priority])
        steps.append(Step(at=at + timedelta(seconds=30), actor=agent, changes=(("priority", priority, now),)))
    if rng.random() < 0.35:
        at += timedelta(seconds=90)
        asked = Step(at=at, actor=agent, changes=(("status", PROGRESS, WAITING),))
        at = office(at + hours(5))
        answer = Step(at=at, actor=reporter, comment="Here is what you asked for.")
        resumed = Step(at=at + timedelta(seconds=5), actor=BOT, changes=(("status", WAITING, PROGRESS),))
        steps += [asked, answer, resumed]
    if rng.random() < 0.05:
        return steps  # nobody ever closes it
    return steps + _ending(rng, agent, reporter, office(at + hours(7 if now in {"P3", "P4"} else 3)))


def _ending(rng: random.Random, agent: str, reporter: str, at: datetime) -> list[Step]:
    how = rng.choices(RESOLUTIONS, (88, 5, 4, 3))[0]
    done = (("status", PROGRESS, RESOLVED), ("resolution", "", how))
    steps = [Step(at=at, actor=agent, changes=done)]
    if rng.random() < 0.06:
        at = office(at + timedelta(hours=rng.randint(2, 30)))
        steps.append(Step(at=at, actor=reporter, comment="It is back."))
        back = (("status", RESOLVED, PROGRESS), ("resolution", how, ""))
        steps.append(Step(at=at + timedelta(seconds=15), actor=reporter, changes=back))
        at = office(at + timedelta(hours=rng.randint(1, 16), seconds=60))
        steps.append(Step(at=at, actor=agent, changes=(done[0], ("resolution", "", "Done"))))
    steps.append(Step(at=at + timedelta(days=5), actor=BOT, changes=(("status", RESOLVED, CLOSED),)))
    return steps


def _noise(steps: list[Step], at: datetime) -> list[Step]:
    flips = [("", "needs-triage"), ("needs-triage", "")] * 60
    noise = [
        Step(at=at + timedelta(minutes=1 + n), actor=BOT, changes=(("labels", before, after),))
        for n, (before, after) in enumerate(flips)
    ]
    return steps + noise


def open_issue(rng: random.Random, repo: Repo, *, number: int, id_: int, team: Team, at: datetime) -> Issue:
    """A wish or bug on the platform's own repository."""
    kind = rng.choice(("bug", "feature", "question"))
    agent = rng.choice(team.people)
    events = [(at + timedelta(seconds=30), "labeled", "triage-bot")]
    commented = office(at + timedelta(seconds=int(3600 * rng.lognormvariate(1.5, 1))))
    events.append((commented, "commented", agent))
    if rng.random() < 0.75:
        closed = office(commented + timedelta(seconds=int(3600 * rng.lognormvariate(3, 1))))
        events.append((closed, "closed", agent))
        if rng.random() < 0.1:
            events.append((closed + timedelta(hours=3), "reopened", agent))
    return Issue(
        number=number,
        id=id_,
        repo=repo,
        author=rng.choice(team.people),
        title=f"{kind}: {rng.choice(tuple(SUMMARIES.values())).lower()}",
        labels=(kind,),
        opened=at,
        events=tuple(events),
    )
