"""`platform-meter check --prometheus` on a real Prometheus with a week behind it: SLO files with one fault each, and one without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.client import Client
from tests.support.processes import Server, free_ports
from tests.support.prometheus import Prometheus, program, prometheus
from tests.support.real_source import utc_now
from tests.support.slos import LATENCY, RATIO, SLICES, THRESHOLD, replaced

from platform_meter.cli import main

STEP, HOUR, DAY = 30, 3600, 86_400
AHEAD = HOUR
"""Seconds for which there are samples that are still to come, so that none is old however long a test takes."""
BAD, TOTAL = 'http_requests_total{job="shop",code=~"5.."}', 'http_requests_total{job="shop"}'
HEALTHY = replaced(
    RATIO,
    ("query: 'http_requests_total{code=~\"5..\"}'", f"query: '{BAD}'"),
    ("query: 'http_requests_total'", f"query: '{TOTAL}'"),
)


def _series(name: str, labels: str, times: Iterable[int], each: float) -> Iterator[str]:
    """A counter that rises by so much with each sample: steadily, so that its increase is exact whenever it is asked for."""
    return (f"{name}{{{labels}}} {1000 + n * each:.2f} {t}" for n, t in enumerate(times))


def _history() -> str:
    """A day of scrapes as OpenMetrics, and a week of what is rare."""
    now = int(utc_now().timestamp())
    day, week = range(now - DAY, now + AHEAD, STEP), range(now - 8 * DAY, now + AHEAD, STEP)
    shop = 'job="shop",code='
    told = {
        "http_requests": [
            *_series("http_requests_total", f'{shop}"200"', day, 3),
            *_series("http_requests_total", f'{shop}"404"', day, 0.01),
            *_series("http_requests_total", f'{shop}"503"', day, 0.01),
            *_series("http_requests_total", 'job="other",code="600"', day, 0.01),
        ],
        "http_seconds": [
            *(line for le in ("0.1", "0.5", "+Inf") for line in _series("http_seconds_bucket", f'le="{le}"', day, 2)),
            *_series("http_seconds_count", "", day, 2),
        ],
        "mails": list(_series("mails_total", "", week, 0.1)),
        "idle": list(_series("idle_total", "", week, 0)),
        "young": list(_series("young_total", "", range(now - HOUR, now + AHEAD, STEP), 0)),
        "minutely": list(_series("minutely_total", "", range(now - DAY, now + AHEAD, 60), 30)),
        "queue": [f"queue_age_seconds 3 {t}" for t in range(now - HOUR, now + AHEAD, STEP)],
    }
    kinds = {"http_seconds": "histogram", "queue": "gauge"}
    lines: list[str] = []
    for name, found in told.items():
        family = "queue_age_seconds" if name == "queue" else name
        lines += [f"# TYPE {family} {kinds.get(name, 'counter')}", *found]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, programs: Path | None) -> Iterator[Prometheus]:
    """It scrapes nothing and keeps 400 days."""
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus(folder, {}, history=_history(), programs=programs) as found:
        yield found


def check(url: str, folder: Path, text: str, *more: str) -> tuple[int, str]:
    """Exit code, and what is said of one file."""
    path = folder / "slo.yaml"
    path.write_text(text)
    done = CliRunner().invoke(main, ("check", str(path), "--prometheus", url, *more))
    return done.exit_code, done.output.replace(str(path), "slo.yaml").replace(url, "URL")


def told(server: Prometheus, folder: Path, text: str, *more: str) -> tuple[int, list[str]]:
    """Exit code, and every line about a place of the file that the server told."""
    code, said = check(server.url, folder, text, *more)
    _, _, asked = said.partition(": no problem found\n")  # of the files
    return code, [line for line in asked.splitlines() if "slo.yaml:" in line]


@pytest.mark.parametrize(
    ("slo", "questions"),
    [(HEALTHY, 9), (LATENCY, 9), (SLICES, 8), (THRESHOLD, 6)],
    ids=["ratio", "latency", "slices", "threshold"],
)
def test_what_is_well_stays_silent(server: Prometheus, tmp_path: Path, slo: str, questions: int) -> None:
    """Nothing is worth a word, and few questions find that out."""
    files = "slo.yaml: 0 definitions, 1 SLO: no problem found\n"
    asked = f"URL: 1 SLO held against it by {questions} questions: no problem found\n"
    assert check(server.url, tmp_path, slo) == (0, f"{files}{asked}")


@pytest.mark.parametrize(
    ("bad", "total", "said"),
    [
        (BAD, "http_request_total", "16:65: the server has no metric 'http_request_total'; did you mean 'http_requests_total'?"),
        (BAD, 'http_requests_total{jop="shop"}', "16:85: no series of http_requests_total has a label 'jop'; did you mean 'job'?"),
        (BAD, 'http_requests_total{job="shop",cod!~"4.."}', "16:96: no series of http_requests_total has a label 'cod', so cod!~\"4..\" leaves none out; did you mean 'code'?"),
        ("idle_total", 'http_requests_total{job="shpo"}', "16:90: no series of http_requests_total has job=\"shpo\"; did you mean 'shop'?"),
        ("idle_total", 'http_requests_total{job="shop",code="600"}', '16:102: no series of http_requests_total{job="shop"} has code="600"; write one of: 200, 404, 503'),
        ('http_requests_total{job="shop",code="200"}', "mails_total", "15:62: bad counted 8,640 events in the last day, and total 288; bad is a part of total, so swap the two, or correct the one that counts something else"),
        (BAD, "idle_total", "16:64: total has counted nothing in the last 7 days, though its series are there, so the SLO says nothing; write a counter that rises with each event"),
        ("idle_total", "minutely_total", "16:65: samples of minutely_total are 1m apart, and rules are written for scrapes every 30s; write --scrape 1m, for generate too"),
    ],
)  # fmt: skip
def test_a_fault(server: Prometheus, tmp_path: Path, bad: str, total: str, said: str) -> None:
    """One in a file: it is told at its word, with what to write instead, and exits 1."""
    assert told(server, tmp_path, replaced(RATIO, *_written(bad, total))) == (1, [f"slo.yaml:{said}"])


def test_a_bound_that_the_histogram_does_not_have(server: Prometheus, tmp_path: Path) -> None:
    """With those that there are, and the one that is nearest."""
    said = 'no bucket of http_seconds_bucket has le="0.4"; its bounds are 0.1, 0.5, +Inf; write le="0.5"'
    found = told(server, tmp_path, replaced(LATENCY, ('le="0.5"', 'le="0.4"')))
    assert found == (1, [f"slo.yaml:12:97: {said}"])


def _written(bad: str, total: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (
        ("query: 'http_requests_total{code=~\"5..\"}'", f"query: '{bad}'"),
        ("query: 'http_requests_total'", f"query: '{total}'"),
    )


@pytest.mark.parametrize(
    ("bad", "total", "said"),
    [
        ("shop_errors_total", TOTAL, "15:63: the server has no metric 'shop_errors_total'; as long as nothing has failed this may be so; write one that it scrapes, or have it scrape what has this one"),
        ('http_requests_total{job="shop",code="500"}', TOTAL, '15:100: no series of http_requests_total has code="500"; as long as nothing has failed this may be so; write one of: 200, 404, 503, 600'),
        ('http_requests_total{job="shop",code="200"}', TOTAL, "15:62: 99.3 % of events were bad in the last day; if what this counts is good, write good: for bad:"),
        ("idle_total", "young_total", "16:64: total has counted nothing in the last 7 days, though its series are there, so the SLO says nothing: they are young, and nothing may have come yet"),
        ("idle_total", "mails_total", "16:64: with 12 events an hour a full outage pages after 15 min instead of 51.8 s; send probes, join SLOs, or lower the objective or platform-meter.io/min-bad"),
    ],
)  # fmt: skip
def test_what_may_be_so(server: Prometheus, tmp_path: Path, bad: str, total: str, said: str) -> None:
    """Worth knowing, with exit 0: nobody but people can tell whether it is meant."""
    found = told(server, tmp_path, replaced(RATIO, *_written(bad, total)))
    assert found == (0, [f"worth knowing: slo.yaml:{said}"])


def test_a_query_that_only_the_server_refuses(server: Prometheus, tmp_path: Path) -> None:
    """Labels that match several series on both sides are no mistake of the text."""
    text = replaced(
        HEALTHY,
        (f"query: '{TOTAL}'", f"query: 'sum(increase({TOTAL}[{{{{window}}}}]) * on (job) group_left () {TOTAL})'"),
    )
    code, (line,) = told(server, tmp_path, text)
    assert code == 1
    assert line.startswith("slo.yaml:16:64: the server refuses this query: found duplicate series for the match group")
    assert line.endswith("; correct it until it gives one number there")


def test_scrapes_as_they_are_said(server: Prometheus, tmp_path: Path) -> None:
    """With the interval that there is nothing is said; with a longer one that it is shorter."""
    text = replaced(RATIO, *_written("idle_total", "minutely_total"))
    assert told(server, tmp_path, text, "--scrape", "60s") == (0, [])
    code, (line,) = told(server, tmp_path, HEALTHY, "--scrape", "60s")
    assert (code, line.partition(": ")[0]) == (0, "worth knowing")
    assert "samples of http_requests_total are 30s apart, and rules are written for scrapes every 1m" in line


def test_what_is_not_kept(tmp_path: Path, programs: Path | None) -> None:
    """A server that keeps 15 days, as one does by itself, has not the 30 that are read."""
    config = tmp_path / "prometheus.yml"
    config.write_text("{}")
    port = free_ports(1)[0]
    client = Client(f"http://127.0.0.1:{port}", "/-/ready")
    command = [
        program("prometheus", programs),
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    young = Server(command, tmp_path / "prometheus.log", client.is_ready)
    try:
        young.start()
        code, said = check(client.url, tmp_path, HEALTHY)
    finally:
        young.stop()
        client.close()
    start = "start it with --storage.tsdb.retention.time=30d or more"
    assert (code, f"slo.yaml:10:15: the server keeps 15d, and this reads 30d; {start}\n" in said) == (1, True)
