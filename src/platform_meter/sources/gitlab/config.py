"""What may be set for GitLab."""

from __future__ import annotations

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from platform_meter.model.access import Secret
from platform_meter.model.outcomes import OutcomeRule
from platform_meter.model.scalars import Address, Period
from platform_meter.model.source import SourceConfig


class Config(SourceConfig):
    group: str = Field(examples=["acme"])
    """Full path of the group; its subgroups are read too."""
    url: Address = "https://gitlab.com"
    token: Secret
    webhook: Secret | None = None
    """What GitLab signs its webhooks with, or sends along as their token."""
    projects: tuple[str, ...] = ("*",)
    """Globs of full paths of projects. Archived ones are left out."""
    jobs: Literal["recent", "none"] = "recent"
    """Whose jobs are read, at a call each: of all pipelines created since the first poll, or of none."""
    queue: bool = True
    """Whether jobs that wait and run now are read: a call for each project in which a pipeline goes on, in each poll."""
    reviews: bool = True
    """Whether notes of merged merge requests are read, for the time of the first review."""
    change_sets: bool = True
    """Whether what was deployed is compared with what served before, for the commits between them."""
    outcomes: tuple[OutcomeRule, ...] = ()
    """Rules of one's own, before those of `outcomes.py`."""
    bots: tuple[str, ...] = ()
    """Usernames of machine users that GitLab takes for people."""
    all_within: Period = timedelta(minutes=30)
    """Projects where nothing happened for a day are looked at so often."""

    def selects(self, path: str) -> bool:
        return any(fnmatchcase(path.lower(), glob.lower()) for glob in self.projects)
