"""What may be set for GitHub, and how its API is reached and how fast."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from platform_meter.model.access import Access, Credential, GithubApp, Pace, Secret, Token
from platform_meter.model.outcomes import OutcomeRule
from platform_meter.model.programme import RoadmapSource
from platform_meter.model.scalars import Address, Definition, LocalPath, Period, unfit
from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit.incidents import Incidents

PACE = Pace(at_once=8, points=900, per=timedelta(minutes=1), get=1, post=5)
"""GitHub's secondary limits, whose bound of calls side by side is 100: far fewer than that already use up the points.

docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""
SHARE = 0.8
"""Of the points in the time between two polls for visits; the others are for lists, details and other sources."""
LISTS = 3
"""Calls of a visit where nothing happened."""


def is_login(text: str) -> str:
    """An organisation's name as it stands in its address.

    Raises:
        ValueError: it is empty, or more than the name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text):
        raise unfit(text, "no organisation", "write its name alone, such as acme")
    return text


class DeploymentRule(Definition):
    """Workflows or jobs that are deployments, where nobody uses GitHub's."""

    environment: str = Field(min_length=1, examples=["production"])
    workflow: str = Field("*", min_length=1)
    """Glob of the file's name in .github/workflows, such as `deploy*.yml`."""
    job: str = ""
    """Glob of job names; without it a run is a deployment as a whole."""

    @model_validator(mode="after")
    def _names_something(self) -> DeploymentRule:
        if self.workflow == "*" and not self.job:
            raise ValueError(
                "it takes every run for a deployment; add `workflow: deploy*.yml`, `job: deploy-prod` or both"
            )
        return self

    def takes(self, path: str) -> bool:
        """Whether runs of the workflow with this path fit."""
        return fnmatchcase(path.partition("@")[0].rpartition("/")[2], self.workflow)


class App(Definition):
    """A GitHub App that the organisation has installed."""

    id: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
    """Its client id, or its number."""
    key_file: LocalPath
    """Path of its private key."""


class Config(SourceConfig):
    org: Annotated[str, AfterValidator(is_login)] = Field(examples=["acme"])
    url: Address = "https://api.github.com"
    """For GitHub Enterprise Server: https://HOST/api/v3."""
    token: Secret | None = None
    app: App | None = None
    """A GitHub App in place of a token."""
    webhook: Secret | None = None
    """What GitHub signs its webhooks with."""
    repositories: tuple[str, ...] = ("*",)
    """Globs of repository names (without the organisation). Archived ones are listed but not polled."""
    jobs: Literal["recent", "failed", "none"] = "recent"
    """Whose jobs are read, a call for each run: those of all new runs, of failed ones, or none."""
    issues: tuple[str, ...] = ()
    """Globs of repositories whose issues are tickets."""
    incidents: Incidents | None = None
    """Which of these issues are incidents too; none without it."""
    runners: bool = False
    """Read the organisation's own runners and their groups."""
    reviews: bool = True
    """Read reviews of merged pull requests, for the time of the first."""
    change_sets: bool = True
    """Compare what was rolled out with what served before, for the commits between them."""
    codeowners: bool = True
    """Read CODEOWNERS, or else who may administer, to find whose a repository is."""
    outcomes: tuple[OutcomeRule, ...] = ()
    """Rules of one's own, before those of `outcomes.py`."""
    deployments: tuple[DeploymentRule, ...] = ()
    """Runs or jobs that are deployments."""
    bots: tuple[str, ...] = ()
    """Logins of machine users that GitHub takes for people."""
    agents: tuple[str, ...] = ()
    """Logins of those whose comments are answers; none means members, owners and collaborators, as GitHub says."""
    roadmaps: tuple[RoadmapSource, ...] = ()
    """Roadmaps that stand here, as their files say."""
    all_within: Period = timedelta(minutes=30)
    """Of more repositories than a poll has time for, the quiet ones take turns; each is looked at within this time."""

    @model_validator(mode="after")
    def _is_let_in_one_way(self) -> Config:
        if (self.token is None) == (self.app is None):
            both = "has both; leave one of them out" if self.token else "has neither; write one of them"
            raise ValueError(f"a source of GitHub is let in by `token` or by `app`, and this one {both}")
        return self

    @property
    def credential(self) -> Credential | None:
        if self.app is not None:
            return GithubApp(app=self.app.id, key_file=self.app.key_file, org=self.org, url=self.url)
        return None if self.token is None else Token(secret=self.token)

    @model_validator(mode="after")
    def _reads_the_issues_it_takes(self) -> Config:
        if self.incidents and not self.issues:
            raise ValueError("`incidents` takes issues, and none are read; add `issues: [REPOSITORY]`")
        return self

    @model_validator(mode="after")
    def _reads_the_jobs_it_names(self) -> Config:
        if self.jobs == "none" and any(rule.job for rule in self.deployments):
            raise ValueError(
                "`jobs: none` reads no job, and `deployments` names some; drop `jobs`, or name workflows alone"
            )
        return self

    def selects(self, full_name: str) -> bool:
        return matches(full_name, self.repositories)

    @property
    def room(self) -> int | None:
        """Repositories that there is time for between two polls; None where nothing bounds them."""
        pace = access(self).pace
        if pace is None or not pace.points:
            return None
        return int(pace.points * SHARE * (self.every / pace.per) / (LISTS * pace.get))


def matches(full_name: str, globs: Sequence[str]) -> bool:
    """Whether the name of a repository, without its organisation, fits one of them."""
    name = full_name.partition("/")[2].lower()
    return any(fnmatchcase(name, glob.lower()) for glob in globs)


def access(config: Config) -> Access:
    host = urlsplit(config.url).hostname or ""
    # An Enterprise Server limits nobody unless its administrator says so.
    limited = host == "api.github.com" or host.endswith(".ghe.com")
    return Access(
        url=config.url,
        credential=config.credential,
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
        rate_headers=("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
        pace=PACE if limited else Pace(at_once=PACE.at_once),
    )
