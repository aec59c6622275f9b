"""Real Prometheus servers on the running exporter: what they store is what the exporter knows, and costs no API call."""

from __future__ import annotations

import re
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from tests.support.company import Running, company
from tests.support.prometheus import Prometheus, program, prometheus
from tests.support.waiting import PATIENCE, until

from platform_meter.runtime.server.httpd import Server
from platform_meter.web.app import make_app
from platform_meter.web.site import make_site

TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
OWN = ("process_", "python_", "platform_meter_source_requests_total", "platform_meter_source_poll")
"""Families that go on while nobody polls."""


@dataclass
class Door:
    """The exporter's address. Under `/text` it answers as to a scraper that knows no OpenMetrics."""

    url: str
    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(Accept, Accept-Encoding) of each scrape, as the server saw them."""


@contextmanager
def served(running: Running) -> Iterator[Door]:
    app = make_app(make_site(lambda: running.service, list))
    door = Door(url="", port=0)

    def front(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        if environ["PATH_INFO"].startswith("/text/"):
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/text")
            environ["HTTP_ACCEPT"] = TEXT
        door.asked.append((environ.get("HTTP_ACCEPT", ""), environ.get("HTTP_ACCEPT_ENCODING", "")))
        return app(environ, start_response)

    with Server(front, "127.0.0.1", 0) as server:  # type: ignore[arg-type]
        door.port = server.port
        door.url = f"http://127.0.0.1:{server.port}"
        yield door


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A small company, imported and polled once more; new label sets stay at 0 for a minute of its clock."""
    config = {"zero_for": timedelta(seconds=60)}
    with company(tmp_path_factory.mktemp("small"), teams=8, services=24, config=config) as running:
        running.poll()
        running.poll(after=timedelta(minutes=10))
        yield running


@pytest.fixture(scope="module")
def door(small: Running) -> Iterator[Door]:
    with served(small) as door:
        yield door


@pytest.fixture(scope="module")
def pair(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prometheus, Prometheus]]:
    """Two servers that scrape each second: one by OpenMetrics as it likes best, one by text."""

    def config(path: str) -> dict[str, object]:
        job = {
            "job_name": "meter",
            "metrics_path": path,
            "honor_labels": True,
            "static_configs": [{"targets": [f"127.0.0.1:{door.port}"]}],
        }
        return {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]}

    folder = tmp_path_factory.mktemp("prometheus")
    with (
        prometheus(folder / "a", config("/metrics")) as first,
        prometheus(folder / "b", config("/text/metrics")) as second,
    ):
        until(lambda: first.targets_up() + second.targets_up() == 2)
        yield first, second


def get(door: Door, accept: str, encoding: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            f"{door.url}/metrics", headers={"Accept": accept, "Accept-Encoding": encoding}, timeout=PATIENCE
        )


def calls(running: Running) -> float:
    """Calls to all APIs since the start."""
    return sum(running.metrics()["platform_meter_source_requests_total"].values())


def test_promtool_finds_nothing(door: Door) -> None:
    """`promtool check metrics` has nothing to say."""
    body = get(door, TEXT, "identity").content
    done = subprocess.run([program("promtool"), "check", "metrics"], input=body, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_both_formats_say_the_same(door: Door) -> None:
    """prometheus_client reads both formats, and finds the same samples in them, packed or not."""
    bodies = {
        (accept, encoding): get(door, accept, encoding)
        for accept in (TEXT, OPENMETRICS)
        for encoding in ("identity", "gzip")
    }
    assert {r.headers.get("Content-Encoding") for (_, encoding), r in bodies.items() if encoding == "gzip"} == {"gzip"}

    def lines(accept: str, encoding: str) -> set[str]:
        text = bodies[accept, encoding].text
        return {line for line in text.splitlines() if not line.startswith(("#", *OWN))}

    text = {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in plain(bodies[TEXT, "identity"].text)
        for s in family.samples
        if not s.name.startswith(OWN)
    }
    other = {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in openmetrics(bodies[OPENMETRICS, "identity"].text)
        for s in family.samples
        if not s.name.startswith(OWN)
    }
    assert text == other
    assert len(text) > 500
    assert (
        lines(TEXT, "identity") == lines(TEXT, "gzip") == lines(OPENMETRICS, "identity") == lines(OPENMETRICS, "gzip")
    )


def test_gzip_is_one_whole_member(door: Door) -> None:
    """The packed body, as it goes over the wire, is a sound gzip file."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{door.url}/metrics", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=PATIENCE)
        packed = answer.raw.read(decode_content=False)
    first = zlib.decompressobj(31)  # stops at the end of the first member, whose checksum and length it checks
    assert first.decompress(packed).decode().count("# TYPE platform_pipeline_runs_total counter") == 1
    assert (first.eof, first.unused_data) == (True, b"")


def test_bounds_and_quantiles_are_canonical(door: Door) -> None:
    """Every `le` and `quantile` is written as OpenMetrics wants it, in both formats: one protocol's series are the other's."""
    for accept in (TEXT, OPENMETRICS):
        found = set(re.findall(r'[{,](?:le|quantile)="([^"]*)"', get(door, accept, "identity").text))
        assert {"0.5", "0.9", "1.0", "+Inf"} <= found
        assert {value for value in found if value not in ("+Inf", repr(float(value)))} == set()


def test_a_real_prometheus_stores_the_same_values(
    small: Running, door: Door, pair: tuple[Prometheus, Prometheus]
) -> None:
    """`up` is 1, and every sample of ours has the value that the exporter says, in either format."""
    del door
    truth = {
        (name, labels): value
        for name, values in small.metrics().items()
        for labels, value in values.items()
        if name.startswith("platform_") and not name.startswith(OWN)
    }
    for server in pair:
        assert [value for _, value in server.query("up")] == [1]
        found = {}
        for metric, value in server.query('{__name__=~"platform_.+"}'):
            labels = tuple(sorted((k, v) for k, v in metric.items() if k not in {"__name__", "instance", "job"} and v))
            if not metric["__name__"].startswith(OWN):
                found[metric["__name__"], labels] = value
        kept = {(name, tuple((k, v) for k, v in labels if v)): value for (name, labels), value in truth.items()}
        assert found == kept


def test_prometheus_asks_for_packed_openmetrics(door: Door, pair: tuple[Prometheus, Prometheus]) -> None:
    """What a real server sends as Accept is answered as it likes best."""
    del pair
    seen = until(lambda: {accept for accept, encoding in door.asked if "gzip" in encoding and "openmetrics" in accept})
    answer = get(door, seen.pop(), "gzip")
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.headers["Content-Encoding"] == "gzip"


def test_scrapes_cost_no_call(small: Running, door: Door, pair: tuple[Prometheus, Prometheus]) -> None:
    """However many servers scrape, the APIs are asked by polls alone, and as often as without any server."""
    del pair
    small.poll()  # so that no watch has its first call before it
    before, scraped = calls(small), len(door.asked)
    until(lambda: len(door.asked) > scraped + 6)
    assert calls(small) == before
    small.poll()
    once = calls(small) - before
    small.poll()
    assert calls(small) - before == 2 * once
    assert once > 10


def says(server: Prometheus, promql: str, value: float) -> bool:
    """Whether a query has one answer, of at least this value."""
    found = [v for _, v in server.query(promql)]
    return len(found) == 1 and found[0] >= value


def test_increase_sees_the_first_event(small: Running, door: Door, pair: tuple[Prometheus, Prometheus]) -> None:
    """A label set is scraped at 0 before its first value, so that `increase()` counts its first events too."""
    del door
    name = "platform_pipeline_runs_total"
    new: set[tuple[tuple[str, str], ...]] = set()
    for _ in range(12):
        known = set(small.metrics()[name])
        small.poll(after=timedelta(minutes=10))
        new = set(small.metrics()[name]) - known
        if new:
            break
    assert new, "two hours without a first event of its kind"
    labels = dict(min(new))
    selector = name + "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"
    assert small.metrics()[name][tuple(sorted(labels.items()))] == 0
    for server in pair:
        until(partial(server.query, f"count_over_time({selector}[1m])"))
    small.clock.at += timedelta(seconds=61)
    small.service.meter.tick()
    value = small.metrics()[name][tuple(sorted(labels.items()))]
    assert value > 0
    for server in pair:
        until(partial(says, server, selector, value))
        (seen,) = [v for _, v in server.query(f"max_over_time({selector}[1m]) - min_over_time({selector}[1m])")]
        assert seen == value
        until(partial(says, server, f"increase({selector}[1m])", value))


def test_own_metrics_keep_their_names(tmp_path: Path, door: Door) -> None:
    """A second look: no label of ours is one that Prometheus gives to targets."""
    del tmp_path
    labels = {label for family in plain(get(door, TEXT, "identity").text) for s in family.samples for label in s.labels}
    assert labels & {"instance", "job", "pod", "namespace", "container", "endpoint"} == set()
