"""Probes of real servers, by our own and by a real blackbox_exporter that a real Prometheus scrapes: the same facts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.blackbox import blackbox
from tests.support.http import Reply, authority, certificate, expired, serving
from tests.support.processes import free_ports
from tests.support.prometheus import Prometheus, prometheus
from tests.support.real_source import Connected, connected, utc_now
from tests.support.waiting import until

from platform_meter.model.facts.probes import ProbeCheck, ProbeResult, ServedCertificate
from platform_meter.model.source import SourceConfig
from platform_meter.sources.probes import SOURCE as PROBES
from platform_meter.sources.prometheus import SOURCE as PROMETHEUS

OK, ERROR, TIMEOUT = ProbeResult.OK, ProbeResult.ERROR, ProbeResult.TIMEOUT
HANGS = 0.5
"""Seconds after which blackbox_exporter gives up; our own probe's shortest time is a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is probed, by name, and the authority of its certificates."""

    urls: Mapping[str, str]
    ports: Mapping[str, int]
    ca: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A portal over TLS with an authority of its own, one whose certificate has expired, a page of errors, ports that are
    open, closed and silent.
    """
    folder = tmp_path_factory.mktemp("place")
    ca = authority(folder)
    with ExitStack() as held:
        portal = held.enter_context(serving(certificate(folder, ca, "portal")))
        late = held.enter_context(serving(expired(folder, ca, "late")))
        broken = held.enter_context(serving())
        silent = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        for server, status in ((portal, 200), (late, 200), (broken, 500)):
            server.on("/", Reply(status, body=b"all is well"))
        port: int = silent.getsockname()[1]
        yield Place(
            urls={"portal": portal.url, "late": late.url, "broken": broken.url, "hangs": f"http://127.0.0.1:{port}"},
            ports={"open": port, "closed": free_ports(1)[0]},
            ca=ca.cert,
        )


def _said(
    meter: Connected, config: SourceConfig, now: datetime | None = None
) -> tuple[dict[str, set[ProbeResult]], dict[str, datetime]]:
    """Results and ends of certificates by target, of one poll of every stream."""
    results: dict[str, set[ProbeResult]] = {}
    ends: dict[str, datetime] = {}
    for stream in meter.source.connect(config, meter.way, "real"):
        reader = meter.stream(stream.name)
        reader.run(now=now, since=timedelta(minutes=5))
        for check in reader.events.values():
            assert isinstance(check, ProbeCheck)
            assert 0 <= check.seconds < 3
            results.setdefault(check.target, set()).add(check.result)
        for served in reader.readings.values():
            assert isinstance(served, ServedCertificate)
            ends[served.target] = served.ends
    return results, ends


@pytest.fixture(scope="module")
def ours(place: Place) -> tuple[dict[str, set[ProbeResult]], dict[str, datetime]]:
    """What our own probes say."""
    targets = [{"name": n, "url": u, "ca_file": str(place.ca), "timeout": "1s"} for n, u in place.urls.items()]
    targets += [{"name": name, "tcp": f"127.0.0.1:{port}"} for name, port in place.ports.items()]
    config = PROBES.config.model_validate({"targets": targets})
    with connected(PROBES, config) as meter:
        return _said(meter, config)


def test_our_own_probes(ours: tuple[dict[str, set[ProbeResult]], dict[str, datetime]]) -> None:
    """One result each; the end of a certificate also where it is past."""
    results, ends = ours
    assert results == {
        "portal": {OK},
        "late": {ERROR},
        "broken": {ERROR},
        "hangs": {TIMEOUT},
        "open": {OK},
        "closed": {ERROR},
    }
    now = utc_now()
    assert {name: end > now for name, end in ends.items()} == {"portal": True, "late": False}


def test_one_that_hangs_delays_no_other(place: Place) -> None:
    """Streams that run side by side: the others are done while it still waits."""
    targets = [{"name": n, "url": place.urls[n], "timeout": "2s"} for n in ("hangs", "broken")]
    config = PROBES.config.model_validate({"targets": targets})
    with connected(PROBES, config) as meter:
        hangs, broken = (meter.stream(name) for name in ("hangs", "broken"))
        waiting = threading.Thread(target=hangs.run)
        waiting.start()
        broken.run()
        assert (len(broken.events), len(hangs.events)) == (1, 0)
        assert waiting.is_alive()
        waiting.join()


def _scrapes(exporter: int, place: Place) -> dict[str, object]:
    """Prometheus' usual settings for blackbox_exporter, with a name for each target."""
    modules = {name: ("http", url) for name, url in place.urls.items()}
    modules |= {name: ("tcp", f"127.0.0.1:{port}") for name, port in place.ports.items()}
    return {
        "scrape_configs": [
            {
                "job_name": "blackbox",
                "metrics_path": "/probe",
                "scrape_interval": "1s",
                "static_configs": [
                    {"targets": [address], "labels": {"name": name, "__param_module": module}}
                    for name, (module, address) in modules.items()
                ],
                "relabel_configs": [
                    {"source_labels": ["__address__"], "target_label": "__param_target"},
                    {"target_label": "__address__", "replacement": f"127.0.0.1:{exporter}"},
                ],
            }
        ]
    }


@pytest.fixture(scope="module")
def server(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("blackbox")
    tls = {"ca_file": str(place.ca)}
    modules = {
        "http": {"prober": "http", "timeout": f"{HANGS}s", "http": {"tls_config": tls, "preferred_ip_protocol": "ip4"}},
        "tcp": {"prober": "tcp", "timeout": f"{HANGS}s"},
    }
    with (
        blackbox(folder, modules) as exporter,
        prometheus(folder / "prometheus", _scrapes(exporter, place)) as found,
    ):
        until(lambda: len(found.query("count_over_time(probe_success[1m])")) == len(place.urls) + len(place.ports))
        yield found


def test_blackbox_exporter_says_the_same(
    server: Prometheus, place: Place, ours: tuple[dict[str, set[ProbeResult]], dict[str, datetime]]
) -> None:
    """Each scrape is a check with its own moment and duration; what timed out is an error there, and the end of a
    certificate that it did not trust is not told. On a busy machine one that is well may be late now and then.
    """
    until(lambda: server.query('count_over_time(probe_success{name="portal"}[5m]) > 3'))
    settings = {
        "url": server.url,
        "delay": "0s",
        "probes": [{"name": "b", "select": '{job="blackbox"}', "by": ["name"]}],
    }
    config = PROMETHEUS.config.model_validate(settings)
    with connected(PROMETHEUS, config) as meter:
        assert meter.check() == []
        results, ends = _said(meter, config)
        reader = meter.stream("probes/b")
        now = utc_now() - timedelta(seconds=2)  # a scrape is dated by its beginning, and there once it has ended
        reader.run(now=now, since=timedelta(minutes=5))
    assert {name for name, said in results.items() if OK in said} == {"portal", "open"}
    assert {name: said for name, said in results.items() if OK not in said} == {
        name: {ERROR} for name in ("late", "broken", "hangs", "closed")
    }
    assert ends == {"portal": ours[1]["portal"]}
    (scraped,) = [
        n for labels, n in server.query('count_over_time(probe_success{name="portal"}[5m])', at=int(now.timestamp()))
    ]
    assert sum(one.about.id == "portal" for one in reader.events.values()) == scraped
