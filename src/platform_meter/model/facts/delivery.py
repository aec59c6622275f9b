"""Facts of delivery: repositories, merged changes and what was rolled out (domain section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally, UseWord


class DeployResult(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"
    """The rollout never served."""


class DeployKind(StrEnum):
    PLANNED = "planned"
    ROLLBACK = "rollback"
    HOTFIX = "hotfix"
    CONFIG = "config"


class DeployWay(StrEnum):
    """How a deployment was told, in the order in which ways count: the first with data, per service and environment."""

    GITOPS = "gitops"
    DEPLOYMENTS_API = "deployments_api"
    JOB = "job"
    """A job or workflow that a rule in the settings names."""
    ROLLOUT = "rollout"
    """A workload's image changed, and its rollout completed."""
    PUSH = "push"


class DeploymentDim(NamedTuple):
    """What rollouts are tallied by; `environment` is the source's own name of it."""

    environment: str
    result: DeployResult
    kind: DeployKind
    way: DeployWay


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Tallied[DeploymentDim]):
    """A rollout of one version to one environment, ended."""

    verb: ClassVar[str] = "deploy"
    use_words: ClassVar = {
        "environment": UseWord(of="environment"),
        "kind": UseWord(of="kind", values={str(k): str(k) for k in DeployKind}),
        "result": UseWord(of="result", values={str(r): str(r) for r in DeployResult}, unusual=frozenset({"failed"})),
    }

    environment: str
    sha: str
    result: DeployResult
    kind: DeployKind = DeployKind.PLANNED
    version: str = ""
    started: datetime | None = None
    way: DeployWay = DeployWay.DEPLOYMENTS_API

    def commits(self) -> tuple[str, ...]:
        return (self.sha,)

    def tallies(self) -> tuple[Tally[DeploymentDim], ...]:
        return (Tally(dim=DeploymentDim(self.environment, self.result, self.kind, self.way)),)


class ChangeDim(NamedTuple):
    """Nothing tells merged changes apart."""

    verb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Tallied[ChangeDim]):
    """A merged change; `at` is the merge. A stage nobody recorded is absent, not 0."""

    verb: ClassVar[str] = "merge"
    use_words: ClassVar = {
        "actor": UseWord(of="bot", values={"false": "person", "true": "bot"}, unusual=frozenset({"bot"}))
    }

    sha: str
    opened: datetime
    first_commit: datetime | None = None
    first_review: datetime | None = None
    labels: tuple[str, ...] = ()
    bot: bool = False

    def commits(self) -> tuple[str, ...]:
        return (self.sha,)

    def tallies(self) -> tuple[Tally[ChangeDim], ...]:
        return (Tally(dim=ChangeDim(self.verb)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository(Reading):
    archived: bool = False
    codeowner: str = ""
    """Team slug that owns `/` or `*` in CODEOWNERS, or the only team that may maintain (rule 5)."""


FACTS = Facts(events=(Deployment, Change), readings=(Repository,))
