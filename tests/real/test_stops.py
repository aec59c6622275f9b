"""Prometheus itself stops for 20 of 30 bad minutes, and scrapes take long: real servers, old and current.

Rules, scrapes and traffic run many times as fast as they are written, by their own text: 50 minutes are 60 s or 30 s.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

import pytest
import yaml
from tests.support.prometheus import Prometheus, prometheus
from tests.support.slos import RATIO, planned
from tests.support.waiting import until

from platform_meter.render.rules import groups
from platform_meter.render.rules.promql import series
from platform_meter.slo import names
from platform_meter.slo.plan import TILE, Plan

PER_MINUTE = 600
"""Requests."""
CALM, BAD, AFTER = (timedelta(minutes=m) for m in (10, 30, 12))
STOPPED = timedelta(minutes=20)
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d+)(ms|[smhd])")
_PLACES = re.compile(r"(?<=\[)[^\]]+(?=\])|(?<=offset )\w+")


def faster(text: str, by: int) -> str:
    """PromQL whose ranges and offsets are so many times as short."""

    def short(place: re.Match[str]) -> str:
        length = sum(int(n) * _UNITS[unit] for n, unit in _DURATION.findall(place[0]))
        return f"{length / by:.0f}ms"

    return _PLACES.sub(short, text)


def ms(length: timedelta, by: int) -> str:
    return f"{length / timedelta(milliseconds=1) / by:.0f}ms"


class Shop:
    """A process that serves requests, half of which fail for half an hour, and counts them."""

    def __init__(self, by: int, takes: timedelta = timedelta()) -> None:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sleep(takes / by / timedelta(seconds=1))
                body = shop.exposed().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._since, self._by = monotonic(), by
        self.address = f"127.0.0.1:{self._server.server_port}"

    @property
    def age(self) -> timedelta:
        return timedelta(seconds=(monotonic() - self._since) * self._by)

    def served(self) -> tuple[int, int]:
        """Good and bad requests until now."""
        all_ = int(self.age / timedelta(minutes=1) * PER_MINUTE)
        failing = min(max(self.age - CALM, timedelta()), BAD)
        bad = int(failing / timedelta(minutes=1) * PER_MINUTE / 2)
        return all_ - bad, bad

    def exposed(self) -> str:
        good, bad = self.served()
        return f'http_requests_total{{code="200"}} {good}\nhttp_requests_total{{code="500"}} {bad}\n'

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def told(folder: Path, plan: Plan, by: int, address: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Configuration and flags of a server that writes the tiles of this plan, and scrapes what answers there."""
    (tiles,) = (g for g in groups(plan) if g.name.endswith(" tiles"))
    rules = [{"record": r.record, "labels": dict(r.labels), "expr": faster(r.expr, by)} for r in tiles.rules]
    group = {"name": "tiles", "interval": ms(tiles.interval, by), "rules": rules}
    (folder / "tiles.yml").write_text(yaml.safe_dump({"groups": [group]}))
    scrape = ms(plan.scrape, by)
    config: dict[str, Any] = {
        "global": {"scrape_interval": scrape, "scrape_timeout": scrape},
        "rule_files": [str(folder / "tiles.yml")],
        "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [address]}]}],
    }
    return config, (f"--query.lookback-delta={ms(timedelta(minutes=5), by)}",)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory, programs: Path | None) -> Iterator[tuple[float, float]]:
    """Bad events as the tiles have them at the end, and how long the hole in them is, in minutes."""
    folder = tmp_path_factory.mktemp("stops")
    # 2.42 waits 5 s before its first scrape, whatever it is told: four minutes here.
    by, flags = (50, ()) if programs is None else (100, ("--scrape.discovery-reload-interval=50ms",))
    plan = planned(RATIO)
    bad = series(names.tile("bad", TILE), plan.slo)
    with Shop(by) as shop:
        config, lookback = told(folder, plan, by, shop.address)
        with prometheus(folder, config, flags=(*lookback, *flags), programs=programs) as server:
            until(lambda: shop.age > CALM + timedelta(minutes=3))
            seen = len(written(server, bad))
            until(lambda: len(written(server, bad)) > seen)
            stopped = shop.age
        until(lambda: shop.age > stopped + STOPPED)
        with prometheus(folder, config, flags=(*lookback, *flags), programs=programs) as server:
            until(lambda: shop.age > CALM + BAD + AFTER)
            ((_, counted),) = server.query(f"sum_over_time({bad}[1h])")
            hole = max(b - a for a, b in pairwise(written(server, bad))) * by / 60
        yield counted, hole


def written(server: Prometheus, tile: str) -> list[float]:
    """Times of its samples."""
    found = server.get("/api/v1/query", query=f"{tile}[1h]").json()["data"]["result"]
    return [float(at) for one in found for at, _ in one["values"]]


def test_the_server_was_away(read: tuple[float, float]) -> None:
    """No tile was written for 20 minutes or more, and not more than the 30 that one may be away."""
    assert 20 <= read[1] <= 30


def test_all_that_failed_counts_once(read: tuple[float, float]) -> None:
    """9,000 requests failed, 6,000 of them while nobody looked. At 99.9 % of a month of such traffic they are 34.7 points of
    its budget, of which less than one is lost.
    """
    lost = 1 - read[0] / 9_000
    assert abs(lost) * 34.7 < 1


def test_scrapes_that_take_long(programs: Path | None, tmp_path: Path) -> None:
    """Scrapes take 18 of 30 s, so that one is under way at most tiles, the same at each: of 9,000 that failed none is lost."""
    plan, by = planned(RATIO), 50
    with Shop(by, takes=timedelta(seconds=18)) as shop:
        config, flags = told(tmp_path, plan, by, shop.address)
        with prometheus(tmp_path, config, flags=flags, programs=programs) as server:
            until(lambda: shop.age > CALM + BAD + AFTER)
            ((_, counted),) = server.query(f"sum_over_time({series(names.tile('bad', TILE), plan.slo)}[1h])")
    assert counted == 9_000
