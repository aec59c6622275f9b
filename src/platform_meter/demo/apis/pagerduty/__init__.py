"""PagerDuty in the simulated company: one account, whose services are those of the company that run."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.pagerduty.bodies import service_id
from platform_meter.demo.apis.pagerduty.routes import LIMIT, TOKEN, PagerdutyApi
from platform_meter.demo.company.incidents import watched
from platform_meter.demo.company.layout import Company

NAME, LIMIT_OPTION = "pagerduty", "pagerduty-limit"


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The account, and which service is which."""
    return Told(
        sources={NAME: {"type": "pagerduty", "url": urls[NAME], "token": secret(NAME)}},
        secrets={NAME: TOKEN},
        rules=[{"match": f"pagerduty:{service_id(repo)}", "service": repo.name} for repo in watched(company)],
    )


API = DemoApi(
    name="PagerDuty",
    instances=lambda _: (NAME,),
    app=lambda world, at: PagerdutyApi(world, at.url, at.settings[LIMIT_OPTION]),
    threads=4,
    settings={LIMIT_OPTION: LIMIT},
    told=told,
)
