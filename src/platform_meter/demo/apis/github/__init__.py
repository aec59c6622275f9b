"""GitHub in the simulated company: one organization, read with an App's token."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.github.front import LIMIT, TOKEN
from platform_meter.demo.apis.github.routes import GithubApi
from platform_meter.demo.company.layout import ORG, Company

NAME, LIMIT_OPTION = "github", "github-limit"


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The organization, and whose its repositories are. Sandboxes have no owner here."""
    return Told(
        sources={NAME: {"type": "github", "org": ORG, "url": urls[NAME], "token": secret(NAME)}},
        secrets={NAME: TOKEN},
        rules=[
            {"match": f"github:{repo.full_name}", "service": repo.service.id} for repo in company.repos if repo.service
        ],
    )


API = DemoApi(
    name="GitHub",
    instances=lambda _: (NAME,),
    app=lambda world, at: GithubApi(world, at.url, at.settings[LIMIT_OPTION]),
    threads=10,
    settings={LIMIT_OPTION: LIMIT},
    told=told,
)
