"""Real pages of two programs, a Linkerd proxy and the NGINX exporter, read as sources for them would read them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platform_meter.model.facts.kubernetes import ApiRequests
from platform_meter.model.source import Page
from platform_meter.sources.kit.exposition import samples
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.scrape import Family, Scrape
from platform_meter.testing.outside import FakeOutside, Reply

SAMPLES = Path(os.environ["PLATFORM_METER_CONTRACTS"]) / "samples"
LINKERD = (SAMPLES / "linkerd" / "sampleMetrics.txt").read_text("utf-8")
NGINX = (SAMPLES / "nginx" / "exporter-0.11.metrics.txt").read_text("utf-8")
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def grown(scrape: Scrape, *pages: str) -> list[dict[tuple[str, ...], float]]:
    """What each page adds, a minute apart, with nothing odd on any."""
    found: list[dict[tuple[str, ...], float]] = []
    checkpoint: bytes | None = None
    for minute, page in enumerate(pages):

        def read(sieve: Sieve, last: bytes | None = checkpoint, at: datetime = NOW + minute * MINUTE) -> Iterator[Page]:
            told = scrape.read(sieve, last, at)
            found.append({(name, *labels): amount for (name, labels), amount in told.amounts.items()})
            yield Page(checkpoint=told.checkpoint)

        [saved] = Sieve.over(FakeOutside(lambda _, page=page: Reply(body=page)), read)  # type: ignore[misc]
        assert saved.rejected == {}
        checkpoint = saved.checkpoint
    return found


def test_every_line_of_both_can_be_read() -> None:
    """Each sample of every name, by its number of lines."""
    for text, count in ((LINKERD, 199), (NGINX, 9)):
        lines = text.encode().splitlines()
        names = {match[0] for match in re.finditer(r"^[a-zA-Z_]\w*", text, re.MULTILINE)}
        odd: list[str] = []
        assert len(list(samples([lines], names, odd.append))) == count
        assert odd == []


def test_a_linkerd_proxy() -> None:
    """Responses by class, and how many were within a bound; a restart of the proxy counts what it has since."""
    scrape = Scrape(
        path="/metrics",
        families=(
            Family(name="response_total", keep=("direction", "classification")),
            Family(name="response_latency_ms_bucket", keep=("le",), where={"le": frozenset({"1.0", "+Inf"})}),
        ),
        becomes=ApiRequests,
        born="process_start_time_seconds",
    )
    more = re.sub(r"^(response_total\{.*\}) \d+$", r"\1 37", LINKERD, flags=re.MULTILINE)
    again = more.replace("process_start_time_seconds 1650967123", "process_start_time_seconds 1900000000")
    first, second, third = grown(scrape, LINKERD, more, again)
    assert first == {}
    assert second == {("response_total", "inbound", "success"): 8.0}
    assert third == {
        ("response_total", "inbound", "success"): 37.0,
        ("response_latency_ms_bucket", "1.0"): 29.0,
        ("response_latency_ms_bucket", "+Inf"): 29.0,
    }


def test_the_nginx_exporter() -> None:
    """It passes on what NGINX counts: while NGINX is away, or after its own restart, nothing is counted twice."""
    scrape = Scrape(
        path="/metrics",
        families=(Family(name="nginx_http_requests_total"), Family(name="nginx_connections_accepted")),
        becomes=ApiRequests,
    )
    more = NGINX.replace("nginx_http_requests_total 23", "nginx_http_requests_total 30")
    away = "# TYPE nginx_up gauge\nnginx_up 0\n"
    anew = NGINX.replace("nginx_http_requests_total 23", "nginx_http_requests_total 2")
    assert grown(scrape, NGINX, more, away, more, anew) == [
        {},
        {("nginx_http_requests_total",): 7.0},
        {},
        {},
        {("nginx_http_requests_total",): 2.0},
    ]
