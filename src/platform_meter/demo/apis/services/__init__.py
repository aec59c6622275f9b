"""The simulated services' own `/metrics`, for a real Prometheus; `/sd` is an HTTP service discovery document."""

from __future__ import annotations

from datetime import datetime

from platform_meter.demo.apis.api import DemoApi
from platform_meter.demo.apis.text_format import head
from platform_meter.demo.apis.wsgi import Api, Reply, Request, encode
from platform_meter.demo.company.layout import Service
from platform_meter.demo.company.traffic import MEAN_SECONDS, Traffic, serving, traffic
from platform_meter.demo.world import World

NAME = "metrics"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


def target_labels(service: Service) -> dict[str, str]:
    """What discovery adds to a service's series; all have one address, so `instance` has to tell them apart."""
    return {"instance": service.id, "team": service.team}


class MetricsApi(Api):
    def __init__(self, world: World, base: str) -> None:
        self._world = world
        self._target = base.partition("://")[2]
        self._traffic = {s.id: traffic(world.company, world.scenario, s) for s in serving(world.company)}
        super().__init__({"GET /sd": self._discovery, "GET /services/<service>/metrics": self._metrics})

    def missing(self, request: Request) -> Reply:
        return Reply(body=f"nothing at {request.path}\n".encode(), status=404, type="text/plain; charset=utf-8")

    def _discovery(self, request: Request) -> Reply:
        del request
        return Reply(
            body=encode(
                [
                    {
                        "targets": [self._target],
                        "labels": {"__metrics_path__": f"/services/{service.id}/metrics", **target_labels(service)},
                    }
                    for service in serving(self._world.company)
                ]
            ),
            type="application/json",
        )

    def _metrics(self, request: Request, service: str) -> Reply:
        found = self._traffic.get(service)
        if found is None:
            return self.missing(request)
        return Reply(body=exposition(found, self._world.now()).encode(), type=TEXT)


def exposition(found: Traffic, now: datetime) -> str:
    """The text format of Prometheus."""
    lines = [*head("http_requests_total", "counter", "Requests answered.")]
    me = f'service="{found.service}"'
    lines += [f'http_requests_total{{{me},code="{code}"}} {n}' for code, n in found.codes(now).items()]
    name = "http_request_duration_seconds"
    lines += head(name, "histogram", "Time to answer a request.")
    lines += [f'{name}_bucket{{{me},le="{le}"}} {n}' for le, n in found.buckets(now)]
    total = found.requests(now)
    lines += [f"{name}_sum{{{me}}} {total * MEAN_SECONDS:.3f}", f"{name}_count{{{me}}} {int(total)}"]
    return "\n".join(lines) + "\n"


API = DemoApi(
    name="services' metrics",
    instances=lambda _: (NAME,),
    app=lambda world, at: MetricsApi(world, at.url),
    threads=10,
    scraped=True,
)
