"""The company's developer portal: its first page is probed beside the doors of its gateways, its catalog and runs are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.portal.routes import SECRET, TITLE, TOKEN, PortalApi
from platform_meter.demo.company.gateways import NODES
from platform_meter.demo.company.layout import DELIVERY, RUNTIME, SUPPORT, TEAM_LABEL, Company
from platform_meter.demo.company.portal import MONITORING

NAME = "portal"
SOURCE, WEBHOOK = "backstage", "portal-webhook"


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """What is probed, and whose it is; and the portal as a source, to which its visitors are told."""
    del company
    runtime, support = ({"labels": {TEAM_LABEL: team}} for team in (RUNTIME, SUPPORT))
    doors = [{"name": f"gateway/{node}", "tcp": urlsplit(urls[node]).netloc, **runtime} for node in NODES]
    page = {"name": NAME, "url": f"{urls[NAME]}/", "expect": {"body": TITLE}, **support}
    portal = {
        "type": "backstage",
        "url": urls[NAME],
        "token": secret(NAME),
        "analytics": True,
        "webhook": secret(WEBHOOK),
    }
    return Told(
        sources={"probes": {"type": "probes", "targets": [page, *doors]}, SOURCE: portal},
        secrets={NAME: TOKEN, WEBHOOK: SECRET},
        definitions={"capabilities": [_monitoring()]},
    )


def _monitoring() -> Mapping[str, Any]:
    """Teams that get their monitoring from a template: many try it once, and few again within three weeks."""
    made = {"source": SOURCE, "verb": "template_completed"}
    select = {"template": [MONITORING]}
    return {
        "kind": "Capability",
        "id": "monitoring-template",
        "title": "Monitoring by template",
        "unit": "team",
        "owner": DELIVERY,
        "eligible": {"any": [{"team": {}}]},
        "adopted": {**made, "select": select},
        "active": {**made, "select": select, "window": "42d"},
        "journey": {"start": {"source": SOURCE, "verb": "template_started", "select": select}, "window": "21d"},
        "tickets": {"queue": "platform-support", "category": "observability"},
        "stages": [
            {"id": "first", "when": {**made, "template": MONITORING}},
            {"id": "again", "when": {**made, "template": MONITORING, "min_amount": 2}},
        ],
    }


API = DemoApi(
    name="Portal",
    instances=lambda _: (NAME,),
    app=lambda world, _at: PortalApi(world),
    threads=3,
    told=told,
)
