"""Datadog in the simulated company: the organisation of one team, which watches its service there."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.datadog.bodies import SLO
from platform_meter.demo.apis.datadog.routes import API_KEY, APPLICATION_KEY, LIMIT, DatadogApi
from platform_meter.demo.apis.slos import slo
from platform_meter.demo.company.layout import TEAM_LABEL, Company
from platform_meter.demo.company.scenarios import Scenario
from platform_meter.demo.company.watching import TARGET, Metric, watched

NAME, LIMIT_OPTION = "datadog", "datadog-limit"
KEYS = {f"{NAME}-api": API_KEY, f"{NAME}-application": APPLICATION_KEY}


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The organisation, of whose past half a day is enough to look at; whose its SLO is, and the SLO that stands on it."""
    one = watched(company, Scenario())
    bad, total = (f"sum:{metric}{{service:{one.service.id}}}.as_count()" for metric in (Metric.ERRORS, Metric.HITS))
    source = {
        "type": "datadog",
        "url": urls[NAME],
        "api_key": secret(f"{NAME}-api"),
        "application_key": secret(f"{NAME}-application"),
        "tags": [TEAM_LABEL],
        "slis": [{"id": one.slo, "bad": bad, "total": total}],
        "slos": [{"slo": one.slo, "id": SLO, "target": TARGET}],
        "incidents": True,
        "history": "12h",
    }
    document = slo(
        one.slo,
        title=f"Requests to {one.service.id} that did not fail",
        owner=one.service.team,
        service=one.service.id,
        said="Requests that Datadog's tracing counted without an error.",
        target=TARGET,
    )
    return Told(
        sources={NAME: source},
        secrets=KEYS,
        definitions={NAME: [document]},
        rules=[{"match": f"datadog:{name}", "service": one.service.id} for name in (one.slo, SLO)],
    )


API = DemoApi(
    name="Datadog",
    instances=lambda _: (NAME,),
    app=lambda world, at: DatadogApi(world, at.settings[LIMIT_OPTION]),
    threads=3,
    settings={LIMIT_OPTION: LIMIT},
    told=told,
)
