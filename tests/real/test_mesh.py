"""Meshes on a real Prometheus: seeded history read slice by slice, and a server that speaks the documented metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.http import Reply, Seen, serving
from tests.support.prometheus import Prometheus, prometheus
from tests.support.real_source import connected, utc_now
from tests.support.waiting import until

from platform_meter.model.facts import Event
from platform_meter.model.facts.traffic import MeshLatency, MeshRequests, MeshSecurity
from platform_meter.sources.istio import SOURCE as ISTIO
from platform_meter.sources.istio import Config as IstioConfig
from platform_meter.sources.linkerd import SOURCE as LINKERD
from platform_meter.sources.linkerd import Config as LinkerdConfig

STEP = 30
"""Scrape interval of the seeded history, in seconds; the scrapes are 7 s off the slices' bounds, as real ones are."""
CART = {
    "destination_service_namespace": "shop",
    "destination_service_name": "cart",
    "destination_workload": "cart",
    "response_flags": "-",
}
"""Labels of a request to one service, as the proxies of both sides have them."""


@pytest.fixture(scope="module")
def midnight() -> datetime:
    """The last midnight but one, UTC: where the seeded history begins."""
    return (utc_now() - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _line(name: str, labels: Mapping[str, str], value: float, at: int | None = None) -> str:
    told = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{name}{{{told}}} {value:g}" + ("" if at is None else f" {at}")


def _history(midnight: datetime) -> str:
    """Twenty minutes of a proxy that was there all the time: ten good requests in each scrape interval, beside some that
    are valid for nobody; 00:07:37 is the first time that it shows errors, two at once.
    """
    start = int(midnight.timestamp()) + 7
    times = range(start, start + 1200, STEP)
    proxy = {"job": "proxies", "instance": "10.0.0.1:15020", "cluster": "eu", **CART}
    client, server = {**proxy, "reporter": "source"}, {**proxy, "reporter": "destination"}
    steady: list[tuple[dict[str, str], int]] = [
        ({**client, "response_code": "200"}, 10),
        ({**client, "response_code": "404"}, 4),
        ({**client, "response_code": "0", "response_flags": "DC"}, 3),
        ({**client, "response_code": "200", "cluster": "us"}, 7),
        ({**server, "response_code": "200", "connection_security_policy": "mutual_tls"}, 9),
        ({**server, "response_code": "200", "connection_security_policy": "none"}, 1),
    ]
    lines = ["# TYPE istio_requests counter"]
    for labels, each in steady:
        lines += [_line("istio_requests_total", labels, 50 + each * n, at) for n, at in enumerate(times)]
    failed = {**client, "response_code": "503", "response_flags": "UF"}
    lines += [_line("istio_requests_total", failed, 2, at) for at in times if at >= start + 450]
    lines.append("# TYPE istio_request_duration_milliseconds histogram")
    timed = {**client, "response_code": "200"}
    for bound, each in {"5": 4, "10": 8, "100": 9, "+Inf": 10}.items():
        name = "istio_request_duration_milliseconds_bucket"
        lines += [_line(name, {**timed, "le": bound}, 50 + each * n, at) for n, at in enumerate(times)]
    for name, each in {"count": 10, "sum": 120}.items():
        lines += [
            _line(f"istio_request_duration_milliseconds_{name}", timed, 50 + each * n, at) for n, at in enumerate(times)
        ]
    votes = {"job": "linkerd-proxy", "instance": "10.0.0.2:4191", "namespace": "vote", "deployment": "voting"}
    inbound = {**votes, "direction": "inbound", "target_port": "8080"}
    lines.append("# TYPE response counter")
    for labels, each in (
        ({"tls": "true", "status_code": "200", "classification": "success"}, 20),
        ({"tls": "true", "status_code": "200", "grpc_status": "14", "classification": "failure"}, 1),
        ({"tls": "no_identity", "status_code": "404", "classification": "success"}, 5),
    ):
        told = {**inbound, **labels}
        lines += [_line("response_total", told, 50 + each * n, at) for n, at in enumerate(times)]
    lines.append("# TYPE response_latency_ms histogram")
    for bound, each in {"1": 15, "50": 20, "+Inf": 21}.items():
        told = {**inbound, "tls": "true", "status_code": "200", "le": bound}
        lines += [_line("response_latency_ms_bucket", told, 50 + each * n, at) for n, at in enumerate(times)]
    return "\n".join([*lines, "# EOF", ""])


class Proxy:
    """Serves a page of Istio's documented metrics; each look finds ten requests more, one of which failed."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, _: Seen) -> Reply:
        self.looks += 1
        labels = {**CART, "reporter": "source", "grpc_response_status": ""}
        name = "istio_request_duration_milliseconds"
        server = {**CART, "reporter": "destination", "response_code": "200", "connection_security_policy": "mutual_tls"}
        lines = [
            "# TYPE istio_requests_total counter",
            _line("istio_requests_total", {**labels, "response_code": "200"}, 9 * self.looks),
            _line("istio_requests_total", {**labels, "response_code": "503", "response_flags": "UF"}, self.looks),
            _line("istio_requests_total", server, 9 * self.looks),
            f"# TYPE {name} histogram",
            _line(f"{name}_bucket", {**labels, "response_code": "200", "le": "5"}, 4 * self.looks),
            _line(f"{name}_bucket", {**labels, "response_code": "200", "le": "+Inf"}, 9 * self.looks),
            _line(f"{name}_sum", {**labels, "response_code": "200"}, 90 * self.looks),
            _line(f"{name}_count", {**labels, "response_code": "200"}, 9 * self.looks),
        ]
        return Reply(headers={"Content-Type": "text/plain; version=0.0.4"}, body="\n".join([*lines, ""]).encode())


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    """Address of a proxy's page."""
    with serving() as found:
        found.on("/stats/prometheus", Proxy())
        yield found.url


@pytest.fixture(scope="module")
def server(proxy: str, midnight: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """What scrapes that proxy, with the history of others in place."""
    target = {
        "job_name": "live",
        "metrics_path": "/stats/prometheus",
        "scrape_interval": "1s",
        "static_configs": [{"targets": [proxy.removeprefix("http://")], "labels": {"cluster": "live"}}],
    }
    config = {"global": {"scrape_interval": "30s"}, "scrape_configs": [target]}
    with prometheus(tmp_path_factory.mktemp("mesh"), config, history=_history(midnight)) as running:
        yield running


def _read(source: Any, config: Any, since: datetime, now: datetime, checkpoint: bytes | None = None) -> list[Event]:
    with connected(source, config) as made:
        stream = next(s for s in source.connect(config, made.way, "real") if s.name == "traffic")
        return [fact for page in stream.read(checkpoint, since, now) for fact in page.facts]


def test_istios_services_are_counted_in_whole_slices(server: Prometheus, midnight: datetime) -> None:
    """What is valid for nobody and what another cluster counted is left out; the first error of a kind is counted."""
    config = IstioConfig.model_validate(
        {"cluster": "eu", "prometheus": {"url": server.url, "select": {"cluster": "eu"}}}
    )
    told = _read(ISTIO, config, midnight + timedelta(minutes=5), midnight + timedelta(minutes=16))
    at = {midnight + timedelta(minutes=minutes): minutes for minutes in (10, 15)}
    requests = [(at[f.at], f.about.id, f.good, f.bad) for f in told if isinstance(f, MeshRequests)]
    assert requests == [(10, "eu/shop/cart", 100.0, 2.0), (15, "eu/shop/cart", 100.0, 0.0)]
    latency = [(at[f.at], dict(f.within), f.seconds) for f in told if isinstance(f, MeshLatency)]
    took = {"0.005": 40.0, "0.01": 40.0, "0.1": 10.0, "+Inf": 10.0}
    assert latency == [(10, took, 1.2), (15, took, 1.2)]
    security = [(at[f.at], f.mutual, f.plain) for f in told if isinstance(f, MeshSecurity)]
    assert security == [(10, 90.0, 10.0), (15, 90.0, 10.0)]


def test_linkerds_workloads_are_counted_in_whole_slices(server: Prometheus, midnight: datetime) -> None:
    """What clients got wrong is left out, though Linkerd calls it a success; a minute is a slice too."""
    config = LinkerdConfig.model_validate({"cluster": "eu", "prometheus": {"url": server.url, "window": "1m"}})
    told = _read(LINKERD, config, midnight + timedelta(minutes=7), midnight + timedelta(minutes=10))
    at = {midnight + timedelta(minutes=minutes): minutes for minutes in (8, 9)}
    requests = [(at[f.at], f.about.id, f.good, f.bad) for f in told if isinstance(f, MeshRequests)]
    assert requests == [(8, "eu/vote/voting", 40.0, 2.0), (9, "eu/vote/voting", 40.0, 2.0)]
    latency = [(at[f.at], dict(f.within), f.seconds) for f in told if isinstance(f, MeshLatency)]
    assert latency == [(m, {"0.005": 30.0, "0.05": 10.0, "+Inf": 2.0}, 0.0) for m in (8, 9)]
    security = [(at[f.at], f.mutual, f.plain) for f in told if isinstance(f, MeshSecurity)]
    assert security == [(8, 42.0, 10.0), (9, 42.0, 10.0)]


def test_check_is_silent_once_a_prometheus_has_scraped_the_proxies(server: Prometheus) -> None:
    """Before, it says what is lacking; so it does of a cluster that nobody scrapes."""
    way = {"url": server.url, "select": {"cluster": "live"}}
    with connected(ISTIO, IstioConfig.model_validate({"cluster": "eu", "prometheus": way})) as meter:
        until(lambda: list(meter.check()) == [])
    away = {"url": server.url, "select": {"cluster": "nowhere"}}
    with connected(ISTIO, IstioConfig.model_validate({"cluster": "eu", "prometheus": away})) as meter:
        assert len(meter.check()) == 4


def test_a_proxys_own_page_is_read(proxy: str) -> None:
    """What it counted between two looks, whoever looked meanwhile, and the same kinds of fact as of a Prometheus."""
    page = f"{proxy}/stats/prometheus"
    config = IstioConfig.model_validate({"cluster": "eu", "scrape": [{"url": page}]})
    with connected(ISTIO, config) as meter:
        reader = meter.stream(f"traffic/{page.removeprefix('http://')}")
        reader.run()
        assert reader.events == {}
        reader.run()
        (requests,) = (f for f in reader.events.values() if isinstance(f, MeshRequests))
        (latency,) = (f for f in reader.events.values() if isinstance(f, MeshLatency))
        (security,) = (f for f in reader.events.values() if isinstance(f, MeshSecurity))
    looks = requests.bad
    assert looks >= 1
    assert (requests.about.id, requests.good, security.mutual) == ("eu/shop/cart", 9 * looks, 9 * looks)
    assert dict(latency.within) == {"0.005": 4 * looks, "+Inf": 5 * looks}
    assert latency.seconds == pytest.approx(0.09 * looks)
