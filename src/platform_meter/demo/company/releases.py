"""How changes are made and delivered: pull requests, rollouts, rollbacks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.demo.company.days import later
from platform_meter.demo.company.layout import Repo
from platform_meter.demo.company.records import Deployment, Pull
from platform_meter.model.facts.delivery import DeployKind, DeployResult

DEPENDENCY_BOT = "dependencies[bot]"
DEPLOY_BOT = "deploys[bot]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """An older version that goes out again because the deployment `of` went wrong."""

    of: int
    repo: Repo
    environment: str
    sha: str
    bad: str
    """The version that it replaces."""


def open_pull(
    rng: random.Random, repo: Repo, *, number: int, id_: int, people: tuple[str, ...], opened: datetime
) -> Pull:
    """The whole life of a pull request."""
    bot = rng.random() < 0.12
    author = DEPENDENCY_BOT if bot else rng.choice(people)
    coding = 0.1 if bot else rng.lognormvariate(1.9, 1.1)
    first = opened - timedelta(seconds=int(3600 * coding) + 30)
    commits = sorted(first + (opened - first) * rng.random() for _ in range(0 if bot else rng.randint(0, 3)))
    hotfix = not bot and rng.random() < 0.03
    reviewed = later(opened, timedelta(hours=(0.2 if hotfix else 1.0) * rng.lognormvariate(0.9, 1.2)))
    ready = later(reviewed, timedelta(hours=(0.1 if hotfix else 1.0) * rng.lognormvariate(0.6, 1.2), seconds=60))
    fate = rng.choices(("merged", "dropped", "open"), (92, 5, 3))[0]
    unseen = bot and fate == "merged" and rng.random() < 0.6  # merged by rule, nobody looked
    what = "bump a dependency" if bot else rng.choice(("add a field", "fix a limit", "speed up the query", "tidy up"))
    return Pull(
        number=number,
        id=id_,
        repo=repo,
        author=author,
        bot=bot,
        title=f"{'hotfix: ' if hotfix else ''}{what}",
        branch=f"change-{number}",
        labels=tuple(label for label, on in (("dependencies", bot), ("hotfix", hotfix)) if on),
        commits=tuple(c.replace(microsecond=0) for c in (first, *commits)),
        opened=opened,
        reviewer=rng.choice([p for p in people if p != author]),
        reviewed=None if unseen else reviewed,
        merged=ready if fate == "merged" else None,
        closed=None if fate == "open" else ready,
    )


def roll_out(
    rng: random.Random,
    *,
    ids: Iterator[int],
    repo: Repo,
    environments: list[str],
    sha: str,
    at: datetime,
    people: tuple[str, ...],
    hotfix: bool,
    slow: bool,
    back: bool,
) -> Iterator[Deployment]:
    """One release through its environments: first the test one, then every region at the same second.

    A rollout that fails stops the release.
    """
    kind = DeployKind.ROLLBACK if back else DeployKind.HOTFIX if hotfix else DeployKind.PLANNED
    begin = at
    for environment in environments:
        took = int(rng.lognormvariate(4.6, 0.5) * (4 if slow else 1)) + 10
        failed = rng.random() < (0.2 if slow else 0.045)
        started, ended = begin + timedelta(seconds=4), begin + timedelta(seconds=4 + took)
        yield Deployment(
            id=1_500_000_000 + 3 * next(ids),
            repo=repo,
            environment=environment,
            sha=sha,
            ref="main",
            creator=DEPLOY_BOT if rng.random() < 0.8 else rng.choice(people),
            created=begin,
            statuses=(
                ("queued", begin + timedelta(seconds=1)),
                ("in_progress", started),
                (("error" if rng.random() < 0.2 else "failure") if failed else "success", ended),
            ),
            result=DeployResult.FAILED if failed else DeployResult.SUCCESS,
            kind=kind,
        )
        if failed:
            return
        if not environment.startswith("production"):
            begin = ended + timedelta(seconds=rng.randint(60, 1500))
