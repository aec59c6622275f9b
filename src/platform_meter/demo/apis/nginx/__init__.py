"""NGINX in the simulated company: the ingress controller of its first cluster, before the websites."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Told
from platform_meter.demo.apis.nginx.routes import IngressApi
from platform_meter.demo.company.gateways import NGINX, served
from platform_meter.demo.company.layout import RUNTIME, Company
from platform_meter.demo.company.scenarios import Scenario


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """Both pages; whose a route is, rules say, and who owns its namespace."""
    url = urls[NGINX]
    source = {
        "type": "nginx",
        "metrics": [f"{url}/metrics"],
        "status": f"{url}/nginx_status",
        "cluster": company.clusters[0].name,
        "slice": "1m",
    }
    return Told(
        sources={NGINX: source},
        rules=[
            {"match": f"nginx:{NGINX}", "team": RUNTIME},
            *(
                {"match": f"nginx:{NGINX}/{route.name}", "service": route.service.id}
                for route in served(company, Scenario(), NGINX)[1:]  # of the first its namespace tells
                if route.service
            ),
        ],
    )


API = DemoApi(
    name="NGINX",
    instances=lambda _: (NGINX,),
    app=lambda world, _: IngressApi(world),
    threads=3,
    told=told,
)
