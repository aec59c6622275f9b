"""The company's internal status page, as JSON: what its own people say of the platform."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.status.routes import PATH, TOKEN, StatusApi
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.status import WELL, components

NAME = "status"
SAID = "said-up"
"""Id of the looks at its components; the name of each follows behind a slash."""


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """A look at each component with every poll, and who answers for it."""
    looks = {
        "id": SAID,
        "path": PATH,
        "items": "/components",
        "at": "now",
        "by": ["/id"],
        "good": {"value": "/status", "among": list(WELL)},
        "total": 1.0,
    }
    source = {"type": "documents", "url": urls[NAME], "token": secret(NAME), "slis": [looks]}
    return Told(
        sources={NAME: source},
        secrets={NAME: TOKEN},
        rules=[
            {"match": f"documents:{SAID}/{one.id}", "team": one.team}
            for one in components([cluster.name for cluster in company.clusters])
        ],
    )


API = DemoApi(
    name="Status page",
    instances=lambda _: (NAME,),
    app=lambda world, _: StatusApi(world),
    threads=3,
    told=told,
)
