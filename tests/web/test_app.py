"""The application: every address, what guards it, and what it says when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.history import MemoryHistory, source
from tests.support.views import html, site, view
from werkzeug.test import Client

from platform_meter.measures import catalogue
from platform_meter.runtime.exposition import Exposition
from platform_meter.store import StreamState
from platform_meter.web.app import PAGES, banners, make_app
from platform_meter.web.view import View

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
SEEN = view(NOW)


def client(**more: object) -> Client:
    return Client(make_app(site(SEEN, **more)))


@pytest.mark.parametrize(
    "path", [*PAGES, "/metrics", "/static/meter.css", "/static/meter.js", "/-/healthy", "/nowhere"]
)
def test_every_answer_is_guarded(path: str) -> None:
    """No answer may be framed, sniffed, or bring in anything from elsewhere."""
    headers = client().get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self'; frame-ancestors 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", list(PAGES))
def test_every_page_stands_without_data(path: str) -> None:
    """Before anything is declared or read each page is whole and says what to do, with nothing inline."""
    text = html(SEEN, path)
    assert f"<h1>{PAGES[path][0]}</h1>" in text
    assert text.count('aria-current="page"') == 1
    assert "style=" not in text
    assert "<script>" not in text
    assert "onclick" not in text


def test_unknown_addresses_name_the_known_ones() -> None:
    """404 says what there is; another method is not allowed."""
    answer = client().get("/nowhere")
    assert answer.status_code == 404
    assert answer.text == f"There is no /nowhere here. There is: {', '.join(PAGES)}, /metrics\n"
    assert client().post("/metrics").status_code == 405
    assert client().get("/-/reload").status_code == 405


def test_metrics_come_as_asked_for() -> None:
    """By Accept and Accept-Encoding, and caches are told so."""
    exposition = Exposition()
    exposition.put(catalogue.CONFIG_VALID, [((), 1.0)])
    plain = client(exposition=lambda: exposition).get("/metrics", headers={"Accept-Encoding": "identity"})
    assert plain.text.endswith("platform_meter_config_valid 1\n")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert plain.headers["Vary"] == "Accept, Accept-Encoding"
    packed = client(exposition=lambda: exposition).get(
        "/metrics", headers={"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"}
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_health_and_readiness_say_why_not() -> None:
    """200 when well; 503 with the reason."""
    assert (client().get("/-/healthy").text, client().get("/-/ready").text) == ("healthy\n", "ready\n")
    ill = client(health=lambda: "the tick stands still", unready=lambda: "the first tick is still to come")
    assert (ill.get("/-/healthy").status_code, ill.get("/-/healthy").text) == (503, "the tick stands still\n")
    assert (ill.get("/-/ready").status_code, ill.get("/-/ready").text) == (503, "the first tick is still to come\n")


def test_reload_tells_every_problem() -> None:
    """400 with all of them, or done."""
    assert client().post("/-/reload").text == "reloaded\n"
    bad = client(reload=lambda: ["a.yaml:1:1: one", "a.yaml:2:1: two"]).post("/-/reload")
    assert (bad.status_code, bad.text) == (400, "a.yaml:1:1: one\na.yaml:2:1: two\n")


def test_a_page_that_fails_takes_nothing_with_it(caplog: pytest.LogCaptureFixture) -> None:
    """500 without details for the reader, the trace in the log, and `/metrics` goes on."""

    @contextmanager
    def broken() -> Iterator[View]:
        raise KeyError("secret detail")
        yield

    one = client(view=broken)
    answer = one.get("/")
    assert (answer.status_code, answer.text) == (500, "This page failed; the log says why.\n")
    assert "GET / failed" in caplog.text
    assert one.get("/metrics").status_code == 200


def stream(progress: str = "", error: str = "") -> StreamState:
    return StreamState(
        instance="gh",
        type="github",
        stream="api",
        watermark=None,
        last_success=None,
        last_error=error,
        last_error_at=None,
        progress=progress,
        polls=1,
    )


def test_banners_say_what_to_know_first() -> None:
    """A first import says how far it is; a source that is down, and a reload that was refused, are said too."""
    stale = MemoryHistory(sources=[replace(source("gh", "github", watermark=None), fresh=False)])
    (importing,) = banners(view(NOW, stale, streams=[stream(progress="2026-03 of acme/pay")]))
    assert importing.text.endswith("numbers are not complete yet: gh: 2026-03 of acme/pay")
    down, refused = banners(view(NOW, stale, streams=[stream(error="401")], problems=3))
    assert (down.level, down.text) == (
        "bad",
        "No fresh data from gh: numbers that rest on it are absent. See Sources.",
    )
    assert refused.text.startswith("The last reload found 3 problems and was not taken")
    assert banners(view(NOW, MemoryHistory(sources=[source("gh", watermark=NOW)]))) == []
