"""How changes are made and delivered: pull requests, rollouts, rollbacks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from platform_meter.demo.company.days import later
from platform_meter.demo.company.layout import BAD_RELEASES, Company, Repo, active
from platform_meter.demo.company.records import Deployment, Pull
from platform_meter.model.facts.delivery import DeployKind, DeployResult

DEPENDENCY_BOT = "dependencies[bot]"
DEPLOY_BOT = "deploys[bot]"
ROLLED_BACK = 0.05
"""Share of versions in production that are."""
STRUCK = 3
"""Teams that the bad release week strikes."""


class Fate(StrEnum):
    """What becomes of a version that serves in production."""

    FINE = "fine"
    ROLLED_BACK = "rolled back"
    FIXED = "fixed"
    """By a hotfix."""
    REVERTED = "reverted"
    PASSES = "passes"
    """Something breaks, and is well again without another version."""


RUSHED = (Fate.ROLLED_BACK, Fate.FIXED, Fate.FINE, Fate.REVERTED, Fate.ROLLED_BACK)
"""Fates of releases in a hurry, one after the other."""
USUAL = ((Fate.FINE, 0.95), (Fate.FIXED, 0.016), (Fate.REVERTED, 0.01), (Fate.PASSES, 0.024))
"""Shares of what was not rolled back."""


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


def usual_fate(rng: random.Random) -> Fate:
    """Of a version that nobody rolls back."""
    return rng.choices([fate for fate, _ in USUAL], [share for _, share in USUAL])[0]


def struck(company: Company, day: int) -> tuple[Repo, ...]:
    """What the teams that have most to release in the bad week may release on that day, in the order of repositories."""
    owners = Counter(
        repo.team for repo in _released(company, BAD_RELEASES[0]) if company.team[repo.team].org != "platform"
    )
    teams = {team for team, _ in owners.most_common(STRUCK)}
    return tuple(repo for repo in _released(company, day) if repo.team in teams)


def _released(company: Company, day: int) -> Iterator[Repo]:
    return (repo for repo in company.repos if repo.service and active(repo.service.delivery, day))


def carried(main: Sequence[tuple[datetime, Pull]], before: str, sha: str) -> list[Pull]:
    """What is in the version `sha` and was not in `before`, of all that was merged in order."""
    shas = [pull.merge_sha for _, pull in main]
    start, end = (shas.index(one) + 1 if one in shas else 0 for one in (before, sha))
    return [pull for _, pull in main[start:end]]


def hurry(
    rng: random.Random,
    repo: Repo,
    *,
    number: int,
    id_: int,
    people: tuple[str, ...],
    opened: datetime,
    mends: Pull | None = None,
    fate: Fate = Fate.FINE,
) -> Pull:
    """A pull request that is merged within the hour; `mends` is what it puts right, and `fate` says how.

    Not every hotfix says what it mends; a revert always does.
    """
    author = rng.choice(people)
    reverts = mends is not None and fate is Fate.REVERTED
    reviewed = opened + timedelta(seconds=rng.randint(180, 1200))
    merged = reviewed + timedelta(seconds=rng.randint(60, 1500))
    title, body = "ship the new terms", ""
    if mends is not None:
        title = f'Revert "{mends.title}"' if reverts else "hotfix: give back what was lost"
        body = f"Reverts {mends.name}" if reverts else f"Hotfix for {mends.name}" if rng.random() < 0.7 else ""
    return Pull(
        number=number,
        id=id_,
        repo=repo,
        author=author,
        bot=False,
        title=title,
        branch=f"revert-{mends.number}" if mends and reverts else f"change-{number}",
        labels=("hotfix",) if mends and not reverts else (),
        commits=(opened - timedelta(seconds=rng.randint(60, 600)),),
        opened=opened,
        reviewer=rng.choice([person for person in people if person != author]),
        reviewed=reviewed,
        merged=merged,
        closed=merged,
        body=body,
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
