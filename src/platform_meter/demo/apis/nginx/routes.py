"""The simulated ingress-nginx: the metrics page of its controller, and the totals of its NGINX."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.demo.apis.text_format import head
from platform_meter.demo.apis.wsgi import Api, Reply, Request
from platform_meter.demo.company.gateways import NGINX, Answered, served, took, within
from platform_meter.demo.world import World

TEXT = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds, of the controller's own histogram."""
POD = "ingress-nginx-controller-7d9f8c6b5-x2k4q"
PER_CONNECTION = 4
"""Requests of one connection."""
DROPPED = 50_000
"""One connection in so many finds no free worker."""


class IngressApi(Api):
    def __init__(self, world: World) -> None:
        self._world = world
        self._served = served(world.company, world.scenario, NGINX)
        super().__init__({"GET /metrics": self._metrics, "GET /nginx_status": self._status})

    def missing(self, request: Request) -> Reply:
        return Reply(body=f"nothing at {request.path}\n".encode(), status=404, type="text/plain; charset=utf-8")

    def _metrics(self, request: Request) -> Reply:
        del request
        return Reply(body="".join(f"{line}\n" for line in self._lines()).encode(), type=TEXT)

    def _status(self, request: Request) -> Reply:
        del request
        now = self._world.now()
        requests = sum(route.answered(now).all for route in self._served)
        accepted = requests // PER_CONNECTION
        handled = accepted - accepted // DROPPED
        lines = (
            "Active connections: 31 ",
            "server accepts handled requests",
            f" {accepted} {handled} {requests} ",
            "Reading: 0 Writing: 4 Waiting: 27 ",
        )
        return Reply(body="".join(f"{line}\n" for line in lines).encode(), type="text/plain")

    def _lines(self) -> Iterator[str]:
        now = self._world.now()
        counted = [(_about(route.name), route.answered(now)) for route in self._served]
        name = "nginx_ingress_controller_requests"
        yield from head(name, "counter", "The total number of client requests")
        for about, answered in counted:
            for status, count in (("200", answered.good), ("404", answered.missing), ("500", answered.failed)):
                yield f'{name}{{{about},method="GET",status="{status}"}} {count}'
        name = "nginx_ingress_controller_request_duration_seconds"
        yield from head(name, "histogram", "The request processing time in seconds")
        for about, answered in counted:
            yield from _histogram(name, about, answered)
        name = "process_start_time_seconds"
        yield from head(name, "gauge", "Start time of the process since unix epoch in seconds")
        yield f"{name} {min(route.traffic.began for route in self._served).timestamp():.0f}"


def _about(name: str) -> str:
    namespace, _, ingress = name.partition("/")
    return (
        f'controller_class="k8s.io/ingress-nginx",controller_namespace="ingress-nginx",controller_pod="{POD}",'
        f'host="{ingress}.acme.test",ingress="{ingress}",namespace="{namespace}",path="/",service="{ingress}"'
    )


def _histogram(name: str, about: str, answered: Answered) -> Iterator[str]:
    """By status too, as the controller has it; those of each kind take their turns by themselves."""
    for status, count in (("200", answered.good), ("404", answered.missing), ("500", answered.failed)):
        of = f'{about},method="GET",status="{status}"'
        for bound in BOUNDS:
            yield f'{name}_bucket{{{of},le="{bound:g}"}} {within(count, bound)}'
        yield f'{name}_bucket{{{of},le="+Inf"}} {count}'
        yield f"{name}_sum{{{of}}} {took(count):.3f}"
        yield f"{name}_count{{{of}}} {count}"
