"""The application: every address, what guards it, and what it says when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.history import MemoryHistory, source
from tests.support.views import html, site, view
from werkzeug.test import Client

from platform_meter.explain import Unclear
from platform_meter.model.catalogue.meter import CONFIG_VALID
from platform_meter.model.progress import Progress
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.store import StreamState
from platform_meter.web.app import banners, make_app
from platform_meter.web.pages import pages
from platform_meter.web.view import View

TITLES = {page.path: page.title for page in pages()}
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
SEEN = view(NOW)


def client(**more: object) -> Client:
    return Client(make_app(site(SEEN, **more)))


@pytest.mark.parametrize(
    "path", [*TITLES, "/metrics", "/static/meter.css", "/static/meter.js", "/-/healthy", "/nowhere"]
)
def test_every_answer_is_guarded(path: str) -> None:
    """No answer may be framed, sniffed, or bring in anything from elsewhere."""
    headers = client().get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self'; frame-ancestors 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/metrics"), ("GET", "/-/reload"), ("TRACE", "/")])
def test_an_answer_that_refuses_is_guarded_too(method: str, path: str) -> None:
    """A method that is not allowed here says which are, under the same headers."""
    answer = client().open(path, method=method)
    assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (405, "nosniff")
    assert answer.headers["Allow"]


def reloads(headers: dict[str, str], host: str = "meter.example:9898") -> int:
    """The status of a reload that was asked for with these headers; nothing is loaded where it is refused."""
    asked: list[str] = []

    def reload() -> list[str]:
        asked.append("once")
        return []

    status = client(reload=reload).post("/-/reload", headers=headers, base_url=f"http://{host}").status_code
    assert asked == (["once"] if status == 200 else [])
    return status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://meter.example:9898"}, 200),
        ({"Origin": "http://METER.example:9898", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://meter.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_no_page_from_elsewhere_can_reload(headers: dict[str, str], status: int) -> None:
    """curl and our own pages may; of what a browser sends for another site, nothing is done."""
    assert reloads(headers) == status


def test_a_page_from_elsewhere_may_link_here() -> None:
    """Reading is harmless: the answer is not given to the other site."""
    assert client().get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:9898", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:9898", 200),
        ("[::1]:9898", 200),
        ("meter.localhost:9898", 200),
        ("evil.example:9898", 421),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("192.0.2.1:9898", 421),
    ],
)
def test_on_loopback_only_its_own_names_are_answered(host: str, status: int) -> None:
    """On every path: a page elsewhere can have its name resolved to this machine, and would read all of it."""
    local = Client(make_app(site(SEEN), local=True))
    for path in ("/", "/metrics", "/static/meter.css", "/-/healthy"):
        answer = local.get(path, base_url=f"http://{host}")
        assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (status, "nosniff")
    assert client().get("/", base_url=f"http://{host}").status_code == 200


@pytest.mark.parametrize("path", list(TITLES))
def test_every_page_stands_without_data(path: str) -> None:
    """Before anything is declared or read each page is whole and says what to do, with nothing inline."""
    text = html(SEEN, path)
    assert f"<h1>{TITLES[path]}</h1>" in text
    assert text.count('aria-current="page"') == 1
    assert "style=" not in text
    assert "<script>" not in text
    assert "onclick" not in text


def test_unknown_addresses_name_the_known_ones() -> None:
    """404 says what there is; another method is not allowed."""
    answer = client().get("/nowhere")
    assert answer.status_code == 404
    assert answer.text == f"There is no /nowhere here. There is: {', '.join(TITLES)}, /metrics\n"
    assert client().post("/metrics").status_code == 405
    assert client().get("/-/reload").status_code == 405


def test_metrics_come_as_asked_for() -> None:
    """By Accept and Accept-Encoding, and caches are told so."""
    exposition = Exposition()
    exposition.put(CONFIG_VALID, [((), 1.0)])
    plain = client(exposition=lambda: exposition).get("/metrics", headers={"Accept-Encoding": "identity"})
    assert plain.text.endswith("platform_meter_config_valid 1\n")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert plain.headers["Vary"] == "Accept, Accept-Encoding"
    packed = client(exposition=lambda: exposition).get(
        "/metrics", headers={"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"}
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_before_the_first_tick_a_scrape_fails() -> None:
    """503 with the reason: an empty 200 would make Prometheus end every series at each start and reload."""
    early = client(unready=lambda: "the first tick is still to come").get("/metrics")
    assert (early.status_code, early.text) == (503, "the first tick is still to come\n")


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


def stream(progress: Progress | None = None, error: str = "") -> StreamState:
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
    (importing,) = banners(view(NOW, stale, streams=[stream(progress=Progress(what="repositories", done=3, of=9))]))
    assert importing.text.endswith("numbers are not complete yet: gh: 3 of 9 repositories")
    (starting,) = banners(view(NOW, stale, streams=[stream()]))
    assert (starting.level, starting.text.endswith("not complete yet: gh is starting")) == ("", True)
    down, refused = banners(view(NOW, stale, streams=[stream(error="401")], problems=3))
    assert (down.level, down.text) == (
        "bad",
        "No fresh data from gh: numbers that rest on it are absent. See Sources.",
    )
    assert refused.text.startswith("The last reload found 3 problems and was not taken")
    assert banners(view(NOW, MemoryHistory(sources=[source("gh", watermark=NOW)]))) == []


def test_a_reload_too_many_is_told_so() -> None:
    """It comes back later; nothing is held for it."""
    answer = client(reload=lambda: None).post("/-/reload")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert answer.text == "A reload runs and another waits, which will load what you would have loaded.\n"


def test_programs_ask_what_stands_behind_a_number() -> None:
    """The metric and its labels are the query; what is not there is 404 with the reason, as JSON."""
    asked: list[tuple[str, Mapping[str, str]]] = []

    def explain(metric: str, labels: Mapping[str, str]) -> Mapping[str, object]:
        asked.append((metric, labels))
        if not labels:
            raise Unclear("2 series fit")
        return {"value": 3.0}

    caller = client(explain=explain)
    found = caller.get("/api/v1/explain?metric=platform_tickets_open&queue=help&priority=P1")
    assert (found.status_code, found.json, found.headers["Cache-Control"]) == (200, {"value": 3.0}, "no-store")
    assert asked == [("platform_tickets_open", {"queue": "help", "priority": "P1"})]
    caller.get("/api/v1/explain?metric=platform_intervention_samples&side=after&metric=lead")
    assert asked[1] == ("platform_intervention_samples", {"side": "after", "metric": "lead"})
    lacking = caller.get("/api/v1/explain?metric=platform_tickets_open")
    assert (lacking.status_code, lacking.json) == (404, {"error": "2 series fit"})
