"""The simulated services' own `/metrics`, for a real Prometheus: pure functions of the time since the company began.

Counters follow the rhythm of the day and never fall; in cluster-slow they count errors. `/sd` is an HTTP service
discovery document, `history_openmetrics` the past as `promtool tsdb create-blocks-from openmetrics` reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import cos, pi, tau
from zlib import crc32

from platform_meter.demo.apis.wsgi import Api, Reply, Request, encode
from platform_meter.demo.company.layout import Company, Service, active
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.world import World

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SHARES = (0.08, 0.22, 0.5, 0.72, 0.86, 0.95, 0.985, 0.995, 0.999)
"""Share of requests at or under each bucket's bound."""
MEAN_SECONDS = 0.068
ERRORS, NOT_FOUND = 0.0006, 0.012
TROUBLE_ERRORS = 0.2
"""Share of requests that fail while the cluster is slow."""
DAY = 86_400.0
SWING = 0.75
"""How far traffic rises and falls around its mean in a day; it is highest at 13:00 UTC."""
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests that one service has answered since the company began."""

    service: str
    rate: float
    """Mean requests per second."""
    began: datetime
    trouble: datetime | None
    """From when on it answers with errors."""
    calm: datetime | None = None
    """From when on it does so no more."""

    def requests(self, at: datetime) -> float:
        """The integral of `rate * (1 - SWING * cos(...))` since `began`."""
        seconds = (at - self.began).total_seconds()
        if seconds <= 0:
            return 0.0

        def swung(moment: datetime) -> float:
            hour = (moment - datetime.combine(moment.date(), time(1), tzinfo=UTC)).total_seconds()
            return tau * hour / DAY

        # the integral of the cosine over whole days is zero, so the phases of both ends are all that matters
        low, high = swung(self.began), swung(at)
        return self.rate * (seconds - SWING * DAY / tau * (cos(high - pi / 2) - cos(low - pi / 2)))

    def failed(self, at: datetime) -> int:
        extra = 0.0
        if self.trouble is not None and at > self.trouble:
            until = at if self.calm is None else min(at, max(self.calm, self.trouble))
            extra = self.requests(until) - self.requests(self.trouble)
        return int(ERRORS * self.requests(at) + TROUBLE_ERRORS * extra)

    def codes(self, at: datetime) -> dict[str, int]:
        """Requests by status code; none of them ever falls."""
        total, failed = int(self.requests(at)), self.failed(at)
        missing = int(NOT_FOUND * self.requests(at))
        return {"200": max(0, total - failed - missing), "404": missing, "500": failed}

    def buckets(self, at: datetime) -> list[tuple[str, int]]:
        total = int(self.requests(at))
        found = [(f"{bound:g}", int(share * self.requests(at))) for bound, share in zip(BUCKETS, SHARES, strict=True)]
        return [*found, ("+Inf", total)]


def traffic(company: Company, scenario: Scenario, service: Service) -> Traffic:
    """Its rate follows from how busy the service is; services in the slow cluster get the errors."""
    troubled = scenario.trouble is Trouble.CLUSTER_SLOW and runs_in(company, service, company.clusters[0].name)
    return Traffic(
        service=service.id,
        rate=0.2 + min(service.weight, 8.0) * (1 + crc32(service.id.encode()) % 5) / 2,
        began=datetime.combine(company.epoch, time(0), tzinfo=UTC),
        trouble=(scenario.begin or company.start) if troubled else None,
        calm=scenario.end,
    )


def runs_in(company: Company, service: Service, cluster: str) -> bool:
    return cluster in service.regions and active(service.kubernetes, company.day(company.start))


def serving(company: Company) -> list[Service]:
    """The services that answer requests: libraries don't."""
    return [service for service in company.services if service.type != "library"]


def target_labels(service: Service) -> dict[str, str]:
    """What discovery adds to a service's series; all have one address, so `instance` has to tell them apart."""
    return {"instance": service.id, "team": service.team}


class MetricsApi(Api):
    def __init__(self, world: World, base: str) -> None:
        self._world = world
        self._target = base.partition("://")[2]
        self._traffic = {s.id: traffic(world.company, world.scenario, s) for s in serving(world.company)}
        super().__init__({"GET /sd": self._discovery, "GET /services/<service>/metrics": self._metrics})

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        del request
        return handle()

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
    lines = ["# HELP http_requests_total Requests answered.", "# TYPE http_requests_total counter"]
    me = f'service="{found.service}"'
    lines += [f'http_requests_total{{{me},code="{code}"}} {n}' for code, n in found.codes(now).items()]
    name = "http_request_duration_seconds"
    lines += [f"# HELP {name} Time to answer a request.", f"# TYPE {name} histogram"]
    lines += [f'{name}_bucket{{{me},le="{le}"}} {n}' for le, n in found.buckets(now)]
    total = found.requests(now)
    lines += [f"{name}_sum{{{me}}} {total * MEAN_SECONDS:.3f}", f"{name}_count{{{me}}} {int(total)}"]
    return "\n".join(lines) + "\n"


def history_openmetrics(
    company: Company,
    scenario: Scenario,
    *,
    days: float,
    services: Iterable[str],
    job: str,
    step: timedelta = timedelta(minutes=1),
) -> Iterator[str]:
    """Lines of what the services served over the `days` before `company.start`, service after service, then `# EOF`.

    `job` is the scrape job's name: with the labels of discovery it makes the past join the present.
    """
    wanted = set(services)
    chosen = [service for service in serving(company) if service.id in wanted]
    begin = company.start - timedelta(days=days)
    moments = [begin + step * n for n in range(int((company.start - begin) / step))]
    stamps = [int(at.timestamp()) for at in moments]
    all_ = [
        (traffic(company, scenario, s), "".join(f',{k}="{v}"' for k, v in {**target_labels(s), "job": job}.items()))
        for s in chosen
    ]

    def series(name: str, values: Iterable[float]) -> str:
        return "".join(f"{name} {value:.14g} {stamp}\n" for stamp, value in zip(stamps, values, strict=True))

    yield "# TYPE http_requests counter\n"
    for one, more in all_:
        codes = [one.codes(at) for at in moments]
        for code in codes[0]:
            me = f'http_requests_total{{service="{one.service}",code="{code}"{more}}}'
            yield series(me, (found[code] for found in codes))
    # As plain series: OpenMetrics would write the bounds of a histogram otherwise than the services do, as 1.0.
    name = "http_request_duration_seconds"
    yield f"# TYPE {name}_bucket unknown\n"
    for one, more in all_:
        buckets = [one.buckets(at) for at in moments]
        for index, (le, _) in enumerate(buckets[0]):
            me = f'{name}_bucket{{service="{one.service}"{more},le="{le}"}}'
            yield series(me, (found[index][1] for found in buckets))
    for part, mean in (("sum", MEAN_SECONDS), ("count", 1.0)):
        yield f"# TYPE {name}_{part} unknown\n"
        for one, more in all_:
            values = (int(one.requests(at)) * mean for at in moments)
            yield series(f'{name}_{part}{{service="{one.service}"{more}}}', values)
    yield "# EOF\n"
