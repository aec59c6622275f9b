"""Elasticsearch in the simulated company: one cluster for what is logged, a data stream for each who logs there."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.elasticsearch.routes import KEY, ElasticsearchApi
from platform_meter.demo.apis.elasticsearch.search import STATUS
from platform_meter.demo.apis.slos import slo
from platform_meter.demo.company.layout import RUNTIME, Company
from platform_meter.demo.company.logs import logged
from platform_meter.demo.company.scenarios import Scenario

NAME = "elasticsearch"
LOGGED = "logged-requests"
"""What the SLO over the gateway's access log is called."""


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The cluster, of whose past half a day is enough to look at; whose its data streams are; the SLO over the first; who logs."""
    streams = logged(company, Scenario())
    gateway = streams[0]
    counted = {
        "id": LOGGED,
        "index": gateway.pattern,
        "total": f"{STATUS}:<400 OR {STATUS}:>=500",
        "bad": f"{STATUS}:>=500",
    }
    source = {
        "type": "elasticsearch",
        "url": urls[NAME],
        "api_key": secret(NAME),
        "slis": [counted],
        "indices": [{"index": one.pattern} for one in streams],
        "health": True,
        "history": "12h",
    }
    document = slo(
        LOGGED,
        title="Requests through the gateway that did not fail, as they are logged",
        owner=RUNTIME,
        service="gateway",
        said="Requests of the access log without a status of 5xx, of all but those that clients got wrong.",
        target=0.995,
    )
    return Told(
        sources={NAME: source},
        secrets={NAME: KEY},
        definitions={"logs": [document], "capabilities": [_capability(company)]},
        rules=[
            {"match": f"elasticsearch:{LOGGED}", "team": RUNTIME},
            {"match": f"elasticsearch:{NAME}", "team": RUNTIME},
            *({"match": f"elasticsearch:{one.pattern}", "team": one.team} for one in streams),
        ],
    )


def _capability(company: Company) -> Mapping[str, object]:
    return {
        "kind": "Capability",
        "id": "logs",
        "title": "Logs",
        "unit": "team",
        "owner": RUNTIME,
        "eligible": {"any": [{"team": {"org": company.served_orgs}}]},
        "adopted": {"source": "elasticsearch", "count": "logindex"},
        "active": {"source": "elasticsearch", "count": "logindex", "window": "1d"},  # as of dashboards
    }


API = DemoApi(
    name="Elasticsearch",
    instances=lambda _: (NAME,),
    app=lambda world, _: ElasticsearchApi(world),
    threads=3,
    told=told,
)
