"""The company's developer portal: one page, which is probed beside the doors of its gateways."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from platform_meter.demo.apis.api import DemoApi, Told
from platform_meter.demo.apis.portal.routes import TITLE, PortalApi
from platform_meter.demo.company.gateways import NODES
from platform_meter.demo.company.layout import PLATFORM_TEAMS, TEAM_LABEL, Company

NAME = "portal"


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """What is probed, and whose it is."""
    del company
    runtime, support = ({"labels": {TEAM_LABEL: team}} for team in PLATFORM_TEAMS[2:])
    doors = [{"name": f"gateway/{node}", "tcp": urlsplit(urls[node]).netloc, **runtime} for node in NODES]
    page = {"name": NAME, "url": f"{urls[NAME]}/", "expect": {"body": TITLE}, **support}
    return Told(sources={"probes": {"type": "probes", "targets": [page, *doors]}})


API = DemoApi(name="Portal", instances=lambda _: (NAME,), app=lambda _world, _at: PortalApi(), threads=3, told=told)
