"""What runs on the company's other CI systems: a Jenkins of legacy teams, the GitLab of a company that was bought, and
Tekton for those who train models.

A build is made once, when it comes in, with all that will ever happen to it, as the records of `records.py` are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from platform_meter.demo.company.layout import FOREVER, Company, Team
from platform_meter.demo.company.records import sha_of
from platform_meter.model.facts.ci import Outcome

BOUGHT = "bought"
"""The group of all projects on GitLab."""
BRANCH_STAGES, NIGHTLY_STAGES, RELEASE_STAGES = ("Checkout", "Build", "Test"), ("Nightly",), ("Checkout", "Publish")
GITLAB_JOBS, DEPLOY = ("build", "test"), "deploy"
MODEL_TASKS = ("prepare", "train", "evaluate")
DELIVERED_TO = "production-eu"
"""The environment that a pipeline of the main branch on GitLab ends in."""
KEPT = timedelta(hours=12)
"""How long Tekton's runs are kept after their end."""
SHARES = ((0.012, Outcome.INFRA_FAILURE), (0.1, Outcome.USER_FAILURE), (0.03, Outcome.CANCELLED))
"""Of all builds; the rest succeeds. The platform's own failures come in the first stage: later on its agents hold."""


class System(StrEnum):
    JENKINS = "jenkins"
    GITLAB = "gitlab"
    TEKTON = "tekton"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A job on Jenkins, by its full name; a project on GitLab, by its path; a pipeline of Tekton."""

    system: System
    name: str
    team: Team
    stages: tuple[str, ...]
    trigger: str
    """What starts it: push, schedule, manual."""
    pool: str
    id: int = 0
    service: str = ""
    """Whose it is beside the team; what was bought is no service yet."""
    place: str = ""
    """On Jenkins the multibranch project of which it is a branch, on Tekton its namespace."""

    @property
    def asks(self) -> bool:
        """Whether a person has to say yes before the last stage."""
        return self.stages == RELEASE_STAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """The merge request whose merge a build of the main branch came of."""

    iid: int
    author: str
    reviewer: str
    first_commit: datetime
    opened: datetime
    reviewed: datetime
    merged: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage that began."""

    name: str
    started: datetime
    ended: datetime
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build on Jenkins, a pipeline on GitLab, a PipelineRun."""

    pipeline: Pipeline
    number: int
    created: datetime
    queued: int
    """Seconds until an agent took it."""
    seconds: tuple[int, ...]
    """Of each stage that began; the last one decided."""
    paused: int
    """Seconds in which it waited for a person, before its last stage."""
    outcome: Outcome
    sha: str
    actor: str
    merge: Merge | None

    @property
    def id(self) -> int:
        """On GitLab, among all pipelines."""
        return self.pipeline.id * 100_000 + self.number

    @property
    def started(self) -> datetime:
        return self.created + timedelta(seconds=self.queued)

    @property
    def ended(self) -> datetime:
        return self.started + timedelta(seconds=sum(self.seconds) + self.paused)

    @property
    def pruned(self) -> datetime | None:
        """When the system forgets it; None where it never does."""
        return self.ended + KEPT if self.pipeline.system is System.TEKTON else None

    @property
    def failed(self) -> bool:
        return self.outcome in {Outcome.USER_FAILURE, Outcome.INFRA_FAILURE}

    @property
    def names(self) -> tuple[str, ...]:
        """Stages in their order: a merge is delivered once it is tested."""
        return (*self.pipeline.stages, DEPLOY) if self.merge else self.pipeline.stages

    def stages(self) -> Iterator[Stage]:
        """Those that began, in order."""
        at = self.started
        for index, (name, ran) in enumerate(zip(self.names, self.seconds, strict=False)):
            last = index == len(self.seconds) - 1
            at += timedelta(seconds=self.paused if index and last else 0)
            yield Stage(
                name=name,
                started=at,
                ended=at + timedelta(seconds=ran),
                failed=last and self.failed,
            )
            at += timedelta(seconds=ran)

    @property
    def delivery(self) -> Stage | None:
        """The stage that delivered it, or failed to; None where it never came to that."""
        return next((stage for stage in self.stages() if stage.name == DEPLOY), None)


def pipelines(company: Company) -> tuple[Pipeline, ...]:
    """All of them, in the order of their ids. Three teams never left Jenkins, two came with the company that was bought, one trains models."""
    stay = [team for team in company.teams if team.org != "platform" and team.until == FOREVER]
    legacy, came = stay[:3], stay[-2:]
    found = [one for team in legacy for one in _jobs(company, team)]
    found += [
        Pipeline(
            system=System.GITLAB,
            name=f"{BOUGHT}/{name}",
            team=came[place % len(came)],
            stages=GITLAB_JOBS,
            trigger="push",
            pool="docker",
        )
        for place, name in enumerate(("tariffs", "tariffs-web", "invoices", "ledger", "mailer"))
    ]
    found += [
        Pipeline(
            system=System.TEKTON,
            name=name,
            team=stay[len(legacy) % len(stay)],
            stages=MODEL_TASKS,
            trigger="push",
            pool="ml",
            place="models",
        )
        for name in ("rank-offers", "forecast-demand", "spot-fraud", "embed-texts")
    ]
    return tuple(replace(one, id=number) for number, one in enumerate(found, 1))


def _jobs(company: Company, team: Team) -> Iterator[Pipeline]:
    for service in [service for service in company.services if service.team == team.id][:3]:
        for name, stages, trigger, pool, project in (
            (f"{team.id}/{service.id}/main", BRANCH_STAGES, "push", "linux", f"{team.id}/{service.id}"),
            (f"{team.id}/{service.id}-nightly", NIGHTLY_STAGES, "schedule", "big", ""),
            (f"{team.id}/{service.id}-release", RELEASE_STAGES, "manual", "linux", ""),
        ):
            yield Pipeline(
                system=System.JENKINS,
                name=name,
                team=team,
                stages=stages,
                trigger=trigger,
                pool=pool,
                place=project,
                service=service.id,
            )


def build(rng: random.Random, pipeline: Pipeline, number: int, at: datetime, pace: float = 1.0) -> Build:
    """One build with all that will happen to it; `pace` is how long a stage takes, of what is usual."""
    outcome = _fate(rng)
    merge = _merge(rng, pipeline, number, at) if pipeline.system is System.GITLAB and rng.random() < 0.6 else None
    names = (*pipeline.stages, DEPLOY) if merge else pipeline.stages
    reach = len(names)
    if outcome is Outcome.INFRA_FAILURE:
        reach = 1
    elif outcome is not Outcome.SUCCESS:
        reach = rng.randint(min(2, reach), reach)
    whole = reach == len(names)
    return Build(
        pipeline=pipeline,
        number=number,
        created=at,
        queued=min(1200, 2 + int(rng.lognormvariate(2.6, 1.0))),
        seconds=tuple(max(5, int(rng.lognormvariate(4.2, 0.7) * pace)) for _ in range(reach)),
        paused=int(rng.lognormvariate(6.0, 1.0)) if pipeline.asks and whole else 0,
        outcome=outcome,
        sha=sha_of(pipeline.system, pipeline.name, number),
        actor=rng.choice(pipeline.team.people),
        merge=merge,
    )


def _fate(rng: random.Random) -> Outcome:
    draw = rng.random()
    for share, outcome in SHARES:
        if draw < share:
            return outcome
        draw -= share
    return Outcome.SUCCESS


def _merge(rng: random.Random, pipeline: Pipeline, number: int, at: datetime) -> Merge:
    author = rng.choice(pipeline.team.people)
    ready = at - timedelta(seconds=2)
    reviewed = ready - timedelta(seconds=60 + int(3600 * rng.lognormvariate(0.5, 1.0)))
    opened = reviewed - timedelta(seconds=60 + int(3600 * rng.lognormvariate(0.9, 1.2)))
    return Merge(
        iid=number,
        author=author,
        reviewer=rng.choice([person for person in pipeline.team.people if person != author]),
        first_commit=opened - timedelta(seconds=60 + int(3600 * rng.lognormvariate(1.6, 1.0))),
        opened=opened,
        reviewed=reviewed,
        merged=ready,
    )
