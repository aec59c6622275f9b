"""Facts of delivery: repositories, merged changes and what was rolled out (domain section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally, UseWord
from platform_meter.model.objective import Countable, StoredSli


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

    fills: ClassVar = (("after", "changes"), ("kind",), ("version",), ("started",))
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
    task: str = ""
    """Which of several things that are rolled out of one object, as services of one repository: each has its own past."""
    after: str = ""
    """The commit that served there before, where its source compared the two; empty where nobody did."""
    changes: tuple[str, ...] = ()
    """Commits that are in `sha` and not in `after`, oldest first; of more than `MOST_CHANGES` none, and `after` is empty."""
    url: str = ""

    def commits(self) -> tuple[str, ...]:
        return (self.sha, *self.changes)

    def tallies(self) -> tuple[Tally[DeploymentDim], ...]:
        return (Tally(dim=DeploymentDim(self.environment, self.result, self.kind, self.way)),)


MOST_CHANGES = 1_000
"""Commits of one change set that an event carries."""


def _served(sli: StoredSli, dim: DeploymentDim) -> bool | None:
    """Deployment success: of what was rolled out, what came to serve. The environment may be a pattern (`prod-*`)."""
    taken = sli.takes("way", dim.way) and sli.takes("kind", dim.kind)
    if not taken or not fnmatchcase(dim.environment, sli.where.get("environment", "*")):
        return None
    return dim.result is DeployResult.SUCCESS


def _told(deployment: Deployment) -> tuple[str, str]:
    version = deployment.version or deployment.sha[:12]
    return deployment.about.id, f"{version} never served in {deployment.environment}".lstrip()


DEPLOYMENTS = Countable(
    word="deployments",
    event=Deployment,
    where=("way", "environment", "kind", "system"),
    required=("way",),  # what two ways tell would count twice
    good=_served,
    told=_told,
)


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

    fills: ClassVar = (("opened",), ("first_commit",), ("first_review",), ("bot",), ("branch",), ("undoes",))

    sha: str
    """Empty where nobody told it."""
    opened: datetime | None = None
    first_commit: datetime | None = None
    first_review: datetime | None = None
    """By somebody else than who opened it, and no bot."""
    labels: tuple[str, ...] = ()
    """`revert` and `hotfix` among them say what it is, however its tool tells."""
    bot: bool = False
    name: str = ""
    """What people call it: `acme/payments#12`."""
    branch: str = ""
    """What it was merged into."""
    undoes: tuple[str, ...] = ()
    """Of a revert, by name or commit: the changes that it takes back."""
    mends: tuple[str, ...] = ()
    """Of a hotfix, by name or commit: the changes that it mends, where it says so."""
    url: str = ""

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
