"""Jenkins in the simulated company: teams that stayed where they were, a folder for each."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.jenkins.routes import TOKEN, USER, JenkinsApi
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.pipelines import System, pipelines

NAME = "jenkins"


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The server, and whose each job is."""
    jobs = [one for one in pipelines(company) if one.system is System.JENKINS]
    return Told(
        sources={NAME: {"type": "jenkins", "url": urls[NAME], "user": USER, "token": secret(NAME)}},
        secrets={NAME: TOKEN},
        rules=[{"match": f"jenkins:{one.name}", "service": one.service} for one in jobs],
    )


API = DemoApi(
    name="Jenkins",
    instances=lambda _: (NAME,),
    app=lambda world, _: JenkinsApi(world),
    threads=4,
    told=told,
)
