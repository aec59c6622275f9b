"""How pipeline runs go: how long they wait and take, where they fail, who tries again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.demo.company.days import HOURS, ZONE
from platform_meter.demo.company.layout import BAD_WEEK, Company
from platform_meter.demo.company.records import CHECKOUT, CONTAINERS, JOBS, SET_UP, Attempt
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.model.facts.ci import Outcome

MAX_ATTEMPTS = 3
PLATFORM_STEPS = (SET_UP, CONTAINERS, CHECKOUT)
WORK_STEP = {"build": "Run make build", "test": "Run make test", "publish": "Run make publish"}
"""The step of each job in which the team's own code runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ci:
    """How well the build platform does at one moment."""

    infra: float
    """Share of runs that fail for reasons of the platform."""
    wait: float
    """Factor on the usual time in the queue."""

    @classmethod
    def at(cls, company: Company, scenario: Scenario, moment: datetime) -> Ci:
        if scenario.holds(Trouble.CI_OUTAGE, moment):
            return cls(infra=0.6, wait=45)
        busy = 1 + HOURS[moment.astimezone(ZONE).hour] / 60
        if company.day(moment) in BAD_WEEK:
            return cls(infra=0.15, wait=6 * busy)
        return cls(infra=0.006, wait=busy)


def _fate(rng: random.Random, ci: Ci, *, again: bool) -> tuple[str, Outcome]:
    """(conclusion, outcome) of one attempt; a second try of the same code fails less often by the user's fault."""
    if rng.random() < ci.infra:
        return "failure", Outcome.INFRA_FAILURE
    draw = rng.random()
    for share, conclusion, outcome in (
        (0.25 if again else 0.049, "failure", Outcome.USER_FAILURE),
        (0.0015, "timed_out", Outcome.USER_FAILURE),
        (0.0015, "startup_failure", Outcome.USER_FAILURE),
        (0.03, "cancelled", Outcome.CANCELLED),
        (0.0 if again else 0.01, "skipped", Outcome.SKIPPED),
    ):
        if draw < share:
            return conclusion, outcome
        draw -= share
    return "success", Outcome.SUCCESS


def _attempt(rng: random.Random, ci: Ci, workflow: str, number: int, started: datetime) -> Attempt:
    conclusion, outcome = _fate(rng, ci, again=number > 1)
    jobs = JOBS[workflow]
    whole = conclusion == "success"
    reach = 0 if conclusion in {"startup_failure", "skipped"} else len(jobs) if whole else rng.randint(1, len(jobs))
    stages, broken = [], ""
    for index in range(reach):
        queued = min(3000, 1 + int(rng.lognormvariate(1.9, 0.8) * ci.wait))
        ran = max(8, int(rng.lognormvariate(4.6, 0.5)))
        if not whole and index == reach - 1:
            if outcome is Outcome.INFRA_FAILURE:
                broken = rng.choice(PLATFORM_STEPS)
                ran = rng.randint(2, 25)
            else:
                broken = WORK_STEP[jobs[index]]
                ran = 3600 if conclusion == "timed_out" else max(15, int(ran * rng.random()))
        stages.append((queued, ran))
    return Attempt(
        number=number, started=started, conclusion=conclusion, outcome=outcome, stages=tuple(stages), broken=broken
    )


_TRIES_AGAIN = {Outcome.INFRA_FAILURE: 0.75, Outcome.USER_FAILURE: 0.3, Outcome.CANCELLED: 0.15}


def attempts(
    rng: random.Random, company: Company, scenario: Scenario, workflow: str, created: datetime
) -> tuple[Attempt, ...]:
    """All attempts of a run created then, the later ones minutes after the one before."""
    found = [_attempt(rng, Ci.at(company, scenario, created), workflow, 1, created)]
    while len(found) < MAX_ATTEMPTS and rng.random() < _TRIES_AGAIN.get(found[-1].outcome, 0):
        if found[-1].conclusion == "startup_failure":
            break  # nothing ever began, so there is nothing to run again
        started = found[-1].ended + timedelta(seconds=rng.randint(40, 1500))
        found.append(_attempt(rng, Ci.at(company, scenario, started), workflow, len(found) + 1, started))
    return tuple(found)
