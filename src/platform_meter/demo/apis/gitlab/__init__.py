"""GitLab in the simulated company: the projects of a company that was bought."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.gitlab.routes import TOKEN, GitlabApi
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.pipelines import BOUGHT, System, pipelines

NAME = "gitlab"


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The group, and whose each project is."""
    projects = [one for one in pipelines(company) if one.system is System.GITLAB]
    return Told(
        sources={NAME: {"type": "gitlab", "url": urls[NAME], "group": BOUGHT, "token": secret(NAME)}},
        secrets={NAME: TOKEN},
        rules=[{"match": f"gitlab:{one.name}", "team": one.team.id} for one in projects],
    )


API = DemoApi(
    name="GitLab",
    instances=lambda _: (NAME,),
    app=lambda world, at: GitlabApi(world, at.url),
    threads=4,
    told=told,
)
