"""What happened in the simulated company: complete life stories, of which the APIs show what is past at a moment.

A record is made once, when it begins, with all that will ever happen to it; `..._at(now)` cuts it off at a moment.
So history and live time are one thing, and every answer is a pure function of seed and moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.demo.company.layout import Repo
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.delivery import DeployKind, DeployResult

JOBS = {"ci": ("build", "test"), "release": ("build", "test", "publish")}
"""The jobs of each workflow, one after the other."""
SET_UP, CHECKOUT, CONTAINERS = "Set up job", "Run actions/checkout@v4", "Initialize containers"


def sha_of(*parts: object) -> str:
    """A commit id that follows from what it is about."""
    return hashlib.sha1("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def uid_of(*parts: object) -> str:
    """An object id of Kubernetes that follows from what it is about."""
    digest = sha_of(*parts)
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a run. Its jobs run one after the other; those after the last of `stages` are skipped."""

    number: int
    started: datetime
    conclusion: str
    outcome: Outcome
    """What the meter must find."""
    stages: tuple[tuple[int, int], ...]
    """(seconds queued, seconds on the runner) of each job that was not skipped."""
    broken: str = ""
    """The step of the last stage at which it failed."""

    @property
    def ended(self) -> datetime:
        return self.started + timedelta(seconds=1 + sum(queued + ran for queued, ran in self.stages))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    id: int
    name: str
    created: datetime
    started: datetime
    ended: datetime
    conclusion: str
    broken: str
    runner: int
    """0 when no runner took it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    id: int
    repo: Repo
    number: int
    workflow: str
    event: str
    branch: str
    sha: str
    actor: str
    title: str
    created: datetime
    attempts: tuple[Attempt, ...]

    def attempt_at(self, now: datetime) -> Attempt:
        return [a for a in self.attempts if a.started <= now][-1]

    def moments(self) -> Iterator[datetime]:
        """Every moment at which the run looks different afterwards."""
        for attempt in self.attempts:
            yield attempt.started
            yield attempt.started + timedelta(seconds=1 + (attempt.stages[0][0] if attempt.stages else 0))
            yield attempt.ended

    def jobs(self, attempt: Attempt) -> tuple[Job, ...]:
        if attempt.conclusion == "startup_failure":
            return ()
        found, at = [], attempt.started + timedelta(seconds=1)
        for index, name in enumerate(JOBS[self.workflow]):
            taken = index < len(attempt.stages)
            last = index == len(attempt.stages) - 1
            queued, ran = attempt.stages[index] if taken else (0, 0)
            end = at + timedelta(seconds=queued + ran)
            found.append(
                Job(
                    id=self.id * 10 + attempt.number * 3 + index,
                    name=name,
                    created=at,
                    started=at + timedelta(seconds=queued),
                    ended=end,
                    conclusion=(attempt.conclusion if last else "success") if taken else "skipped",
                    broken=attempt.broken if taken and last else "",
                    runner=1 + (self.id + index) % 40 if taken and ran else 0,
                )
            )
            at = end
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    id: int
    repo: Repo
    environment: str
    sha: str
    ref: str
    creator: str
    created: datetime
    statuses: tuple[tuple[str, datetime], ...]
    """(state, moment), oldest first; the last one is terminal."""
    result: DeployResult
    kind: DeployKind

    @property
    def ended(self) -> datetime:
        return self.statuses[-1][1]

    @property
    def address(self) -> str:
        """Where the company's own tool for rollouts shows it."""
        return f"https://deploys.acme.test/{self.repo.name}/{self.id}"

    @property
    def task(self) -> str:
        return "deploy" if self.kind is DeployKind.PLANNED else f"deploy:{self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request. `merged` and `closed` are None where it stays open."""

    number: int
    id: int
    repo: Repo
    author: str
    bot: bool
    title: str
    branch: str
    labels: tuple[str, ...]
    commits: tuple[datetime, ...]
    """When each commit was written, oldest first."""
    opened: datetime
    reviewer: str
    reviewed: datetime | None
    merged: datetime | None
    closed: datetime | None
    body: str = ""

    @property
    def name(self) -> str:
        return f"{self.repo.full_name}#{self.number}"

    @property
    def head(self) -> str:
        return self.commit(len(self.commits) - 1)

    @property
    def merge_sha(self) -> str:
        return sha_of("merge", self.id)

    def commit(self, index: int) -> str:
        return sha_of("commit", self.id, index)

    def moments(self) -> Iterator[datetime]:
        yield from (m for m in (self.opened, self.reviewed, self.closed) if m is not None)

    def updated_at(self, now: datetime) -> datetime:
        return max(m for m in self.moments() if m <= now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A GitHub issue with its history: (moment, event, who), oldest first."""

    number: int
    id: int
    repo: Repo
    author: str
    title: str
    labels: tuple[str, ...]
    opened: datetime
    events: tuple[tuple[datetime, str, str], ...]

    def moments(self) -> Iterator[datetime]:
        yield self.opened
        yield from (at for at, _, _ in self.events)

    def updated_at(self, now: datetime) -> datetime:
        return max(m for m in self.moments() if m <= now)

    def closed_at(self, now: datetime) -> datetime | None:
        last = [(at, event) for at, event, _ in self.events if at <= now and event in {"closed", "reopened"}]
        return last[-1][0] if last and last[-1][1] == "closed" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to a ticket: changes of fields (field, from, to), or a comment, by one person or bot."""

    at: datetime
    actor: str
    changes: tuple[tuple[str, str, str], ...] = ()
    comment: str = ""
    public: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A Jira ticket as it was created, and all that happened since."""

    number: int
    project: str
    type: str
    summary: str
    team: str
    reporter: str
    component: str
    priority: str
    labels: tuple[str, ...]
    created: datetime
    steps: tuple[Step, ...]

    @property
    def key(self) -> str:
        return f"{self.project}-{self.number}"

    def steps_at(self, now: datetime) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.at <= now)

    def updated_at(self, now: datetime) -> datetime:
        return max((step.at for step in self.steps if step.at <= now), default=self.created)

    def field_at(self, field: str, now: datetime, first: str = "") -> str:
        """What `field` is at `now`; `first` before any change of it."""
        value = first
        for step in self.steps_at(now):
            for name, _, to in step.changes:
                if name == field:
                    value = to
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident of one service, as the tool of those on call has it."""

    number: int
    repo: Repo
    title: str
    priority: str
    """P1 to P4; empty where nobody set one."""
    begun: datetime
    steps: tuple[tuple[datetime, str, str], ...]
    """(moment, what, who) after that, oldest first; what is acknowledged, resolved, reopened or merged."""
    cause: int = 0
    """The deployment that broke it; 0 where none did. Nobody is told this."""
    named: str = ""
    """What of that deployment its title names: sha, address; empty for nothing."""
    into: int = 0
    """Number of the one that it was merged into."""

    @property
    def id(self) -> str:
        return f"Q{sha_of('incident', self.number)[:13].upper()}"

    @property
    def address(self) -> str:
        return f"https://acme.pagerduty.test/incidents/{self.id}"

    def steps_at(self, now: datetime) -> tuple[tuple[datetime, str, str], ...]:
        return tuple(step for step in self.steps if step[0] <= now)

    def ended_at(self, now: datetime) -> datetime | None:
        """When it was resolved or merged, where that holds at `now`."""
        last = [(at, what) for at, what, _ in self.steps_at(now) if what != "acknowledged"][-1:]
        return next((at for at, what in last if what != "reopened"), None)
