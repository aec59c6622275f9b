"""The prometheus source on a real Prometheus that scrapes a small exporter, with seeded history."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.support.prometheus import Prometheus, prometheus, promtool
from tests.support.real_source import connected, utc_now
from tests.support.waiting import until

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Unexpected, Unreachable
from platform_meter.sources.kit.promql import Data, Reply
from platform_meter.sources.kit.querying import Querying, is_long
from platform_meter.sources.prometheus import SOURCE
from platform_meter.sources.prometheus.config import Config

STEP = 30
"""Scrape interval of the seeded history, in seconds; the scrapes are 7 s off the slices' bounds, as real ones are."""
REQUESTS = "increase(requests_total[{{window}}])"


class _Exporter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"# TYPE live_requests counter\nlive_requests_total 5\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives it
        """Say nothing: pytest's output is for results."""


@pytest.fixture(scope="module")
def exporter() -> Iterator[int]:
    """Port of an exporter on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Exporter)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def midnight() -> datetime:
    """The last midnight but one, UTC: where the seeded history begins."""
    return (utc_now() - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _history(midnight: datetime) -> str:
    """Four hours of scrapes from midnight, as OpenMetrics.

    `web` of team pay gets 12 requests in every scrape interval; `api` gets a single one, right on the border of two slices,
    between the scrapes before and after 01:05; `idle` gets none. Errors of `web` have a series from 01:50 on and begin
    at 02:00, 3 in each interval. Neither counter stands at 0 before: Prometheus counts a little less of a first rise from 0.
    """
    start = int(midnight.timestamp()) + 7
    times = range(start, start + 4 * 3600, STEP)
    border, first_error = start - 7 + 3900, start + 7200
    lines = ["# TYPE requests counter"]
    lines += [f'requests_total{{route="web",team="pay"}} {12 * n} {t}' for n, t in enumerate(times)]
    lines += [f'requests_total{{route="api",team="pay"}} {41 + int(t > border)} {t}' for t in times]
    lines += [f'requests_total{{route="idle",team="pay"}} 0 {t}' for t in times]
    lines.append("# TYPE errors counter")
    known = (t for t in times if t > first_error - 600)
    lines += [f'errors_total{{route="web"}} {100 + 3 * max(0, (t - first_error) // STEP + 1)} {t}' for t in known]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def server(exporter: int, midnight: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    target = {"job_name": "app", "scrape_interval": "1s", "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}]}
    config = {"global": {"scrape_interval": "30s"}, "scrape_configs": [target]}
    with prometheus(tmp_path_factory.mktemp("prometheus"), config, history=_history(midnight)) as found:
        yield found


def _config(server: Prometheus, **said: object) -> Config:
    return Config.model_validate({"url": server.url, **said})


def test_usage_is_read_exactly_by_object_and_slice(server: Prometheus, midnight: datetime) -> None:
    """Every request of each hour is counted once under the object's id; a border loses none, and no use is no fact."""
    usage = {
        "action": "request",
        "query": f"sum by (team, route) ({REQUESTS})",
        "by": ["team", "route"],
        "kind": "route",
        "system": "kong",
        "prefix": "eu/",
        "window": "5m",
    }
    with connected(SOURCE, _config(server, usage=[usage])) as meter:
        assert meter.check() == []
        reader = meter.stream("usage/request/kong/route/eu")
        reader.run(now=midnight + timedelta(hours=2, minutes=2), since=timedelta(hours=1, minutes=42))
        events = [e for e in reader.events.values() if isinstance(e, Usage)]
    end, middle = midnight + timedelta(minutes=25), timedelta(seconds=150)
    web = [e for e in events if e.about.id == "eu/pay/web"]
    assert web[0] == Usage(
        key=f"usage/request/kong/route/eu/eu/pay/web/{int(end.timestamp())}",
        at=end - middle,
        about=Ref(system="kong", kind="route", id="eu/pay/web"),
        updated=datetime(1970, 1, 1, 0, 2, tzinfo=UTC),
        action="request",
        amount=120.0,
    )
    assert [e.at + middle for e in web] == [midnight + timedelta(minutes=m) for m in range(25, 125, 5)]
    assert {e.amount for e in web} == {120.0}
    assert [(e.about.id, e.at + middle, e.amount) for e in events if e.about.id != "eu/pay/web"] == [
        ("eu/pay/api", midnight + timedelta(minutes=70), 1.0)
    ]


def test_an_sli_counts_good_and_bad_by_slice(server: Prometheus, midnight: datetime) -> None:
    """Bad that has no series yet is 0, not unknown; after it came, each slice has 30 of its 120 requests bad."""
    sli = {
        "id": "web",
        "bad": "increase(errors_total[{{window}}])",
        "total": 'increase(requests_total{route="web"}[{{window}}])',
    }
    with connected(SOURCE, _config(server, slis=[sli])) as meter:
        assert meter.check() == []
        reader = meter.stream("sli/web")
        reader.run(now=midnight + timedelta(hours=2, minutes=17), since=timedelta(minutes=35))
        found = [(e.at - midnight, e.good, e.bad) for e in reader.events.values() if isinstance(e, SliCount)]
    assert found == [
        (timedelta(hours=1, minutes=45), 120.0, 0.0),
        (timedelta(hours=1, minutes=50), 120.0, 0.0),
        (timedelta(hours=1, minutes=55), 120.0, 0.0),
        (timedelta(hours=2), 120.0, 0.0),
        (timedelta(hours=2, minutes=5), 90.0, 30.0),
        (timedelta(hours=2, minutes=10), 90.0, 30.0),
        (timedelta(hours=2, minutes=15), 90.0, 30.0),
    ]


def test_a_good_query_that_is_silent_makes_all_bad(server: Prometheus, midnight: datetime) -> None:
    """With `good` instead of `bad`, a good part without a series counts as 0 good once none can be on its way any more."""
    sli = {
        "id": "web",
        "good": "increase(nothing_total[{{window}}])",
        "total": 'increase(requests_total{route="web"}[{{window}}])',
    }
    with connected(SOURCE, _config(server, slis=[sli])) as meter:
        reader = meter.stream("sli/web")
        reader.run(now=midnight + timedelta(hours=1, minutes=9), since=timedelta(minutes=9))
        assert reader.events == {}
        reader.run(now=midnight + timedelta(hours=1, minutes=10, seconds=30), since=timedelta(minutes=9))
        assert [(e.good, e.bad) for e in reader.events.values() if isinstance(e, SliCount)] == [(0.0, 120.0)]


def test_an_instant_query_is_read_at_the_end_of_each_slice(server: Prometheus, midnight: datetime) -> None:
    """What stands is told as it stood then, missed slices too, and ends 5 min after its series do; parts of it make an SLI."""
    standing = {
        "action": "routed",
        "instant": True,
        "query": "count by (team) (requests_total)",
        "by": ["team"],
        "kind": "team",
        "window": "5m",
    }
    used = {"id": "used", "instant": True, "good": "count(requests_total > 41)", "total": "count(requests_total)"}
    with connected(SOURCE, _config(server, usage=[standing], slis=[used])) as meter:
        assert meter.check() == []
        reader = meter.stream("usage/routed/prometheus/team")
        reader.run(now=midnight + timedelta(hours=4, minutes=11), since=timedelta(minutes=21))
        found = [(e.about.id, e.at, e.amount) for e in reader.events.values() if isinstance(e, Usage)]
        assert found == [
            ("pay", midnight + timedelta(hours=3, minutes=52, seconds=30), 3.0),
            ("pay", midnight + timedelta(hours=3, minutes=57, seconds=30), 3.0),
        ]
        assert reader.checkpoint == str(int((midnight + timedelta(hours=4, minutes=10)).timestamp())).encode()
        sli = meter.stream("sli/used")
        sli.run(now=midnight + timedelta(minutes=71), since=timedelta(minutes=10))
        assert [(e.at - midnight, e.good, e.bad) for e in sli.events.values() if isinstance(e, SliCount)] == [
            (timedelta(minutes=65), 1.0, 2.0),
            (timedelta(minutes=70), 2.0, 1.0),
        ]


def test_downtime_is_caught_up_from_the_checkpoint(server: Prometheus, midnight: datetime) -> None:
    """Each slice is read once, whole and in order, however long nobody polled; an unfinished slice and no data say nothing."""
    sli = {
        "id": "idle",
        "bad": 'increase(requests_total{route="idle"}[{{window}}])',
        "total": 'increase(requests_total{route="idle"}[{{window}}])',
    }
    with connected(SOURCE, _config(server, slis=[sli], lookback="0s")) as meter:
        reader = meter.stream("sli/idle")
        reader.run(now=midnight + timedelta(minutes=31), since=timedelta(minutes=11))
        assert [e.at - midnight for e in reader.events.values()] == [timedelta(minutes=25), timedelta(minutes=30)]
        assert reader.run(now=midnight + timedelta(minutes=35, seconds=59)) == []
        reader.run(now=midnight + timedelta(hours=20))
        told = [e for e in reader.events.values() if isinstance(e, SliCount)]
    assert [e.at - midnight for e in told] == [timedelta(minutes=m) for m in range(25, 245, 5)]
    assert {(e.good, e.bad) for e in told} == {(0.0, 0.0)}
    assert reader.checkpoint == str(int((midnight + timedelta(hours=19, minutes=55)).timestamp())).encode()


def test_a_scraped_exporter_is_read_live(server: Prometheus) -> None:
    """What Prometheus scrapes now is read through the same query, here over the last whole minute."""
    until(lambda: server.query("count_over_time(live_requests_total[1m]) > 2"))
    usage = {
        "action": "seen",
        "query": "max by (job) (max_over_time(live_requests_total[{{window}}] offset -1m))",
        "by": ["job"],
        "kind": "job",
        "window": "1m",
        "scrape_interval": "0s",
    }
    with connected(SOURCE, _config(server, usage=[usage], delay="0s")) as meter:
        reader = meter.stream("usage/seen/prometheus/job")
        # The minute that is running now, read as if it were the last one.
        reader.run(now=utc_now(), since=timedelta(minutes=1))
        assert {(e.about.id, e.amount) for e in reader.events.values() if isinstance(e, Usage)} == {("app", 5.0)}


def test_a_query_that_loads_too_much_is_asked_in_smaller_parts(midnight: datetime, tmp_path: Path) -> None:
    """When the server refuses a range for its many samples, smaller ranges give the same slices."""
    sli = {
        "id": "web",
        "bad": "increase(errors_total[{{window}}])",
        "total": 'increase(requests_total{route="web"}[{{window}}])',
    }
    flags = ["--query.max-samples=40"]
    with (
        prometheus(tmp_path, {}, history=_history(midnight), flags=flags) as small,
        connected(SOURCE, _config(small, slis=[sli])) as meter,
    ):
        reader = meter.stream("sli/web")
        pages = reader.run(now=midnight + timedelta(hours=4), since=timedelta(hours=3, minutes=30))
        assert [len(page.facts) for page in pages] == [1, 20, 20]
        assert len(reader.events) == 41
        assert "error" in meter.outcomes


def test_check_tells_what_the_server_refuses(server: Prometheus) -> None:
    """A query that only the server can judge is refused by `check` and by the poll, with the server's own words; a label
    that names the object and is on no series is told too.
    """
    live = "live_requests_total[{{window}}]"
    broken = {
        "action": "request",
        "query": f'label_replace(rate({live}), "a", "$1", "b", "(")',
        "by": ["a"],
        "kind": "route",
    }
    nameless = {"action": "view", "query": f"count_over_time({live})", "by": ["tribe"], "kind": "route"}
    with connected(SOURCE, _config(server, usage=[broken, nameless])) as meter:
        assert meter.check() == [
            "usage/request/prometheus/route: the server refuses the query (422): invalid regular expression in label_replace(): (",
            "usage/view/prometheus/route: no series has the label tribe; objects would be called _unknown",
        ]
        with pytest.raises(Unexpected, match="invalid regular expression"):
            meter.stream("usage/request/prometheus/route").run()


def test_the_seeded_history_is_whole(server: Prometheus, midnight: datetime) -> None:
    """The fixture itself: 480 scrapes of `web` stand in blocks that promtool reads."""
    at = (midnight + timedelta(hours=4)).timestamp()
    assert server.query('count_over_time(requests_total{route="web"}[4h])', at)[0][1] == 480.0
    assert "BLOCK ULID" in promtool("tsdb", "list", server.data)
    assert datetime.fromtimestamp(at, UTC) == midnight + timedelta(hours=4)


def test_a_query_that_is_too_long_for_an_address_is_posted(server: Prometheus, midnight: datetime) -> None:
    """5,000 letters of names, as a form: the numbers are those of a short query."""
    names = "|".join(["web", *(f"nothing-{n}" for n in range(350))])
    sli = {
        "id": "web",
        "bad": "increase(errors_total[{{window}}])",
        "total": f'sum(increase(requests_total{{route=~"{names}"}}[{{{{window}}}}]))',
    }
    with connected(SOURCE, _config(server, slis=[sli])) as meter:
        assert meter.check() == []
        reader = meter.stream("sli/web")
        reader.run(now=midnight + timedelta(hours=2, minutes=7), since=timedelta(minutes=6))
        assert [(e.good, e.bad) for e in reader.events.values() if isinstance(e, SliCount)] == [(90.0, 30.0)]


def test_every_release_is_asked_whole_in_time_and_by_forms(
    programs: Path | None, midnight: datetime, tmp_path: Path
) -> None:
    """A long query as a form and a short one by the address count the same, with the words that others read; what takes
    longer than it may is stopped by the server, which says so.
    """
    at = int((midnight + timedelta(hours=2, minutes=5)).timestamp())
    many = "|".join(["web", *(f"nothing-{n}" for n in range(350))])
    with (
        prometheus(tmp_path, {}, history=_history(midnight), programs=programs) as found,
        connected(SOURCE, _config(found)) as meter,
    ):
        asking = Querying(meter.way, timedelta(seconds=30))
        for names in ("web", many):
            query = {"query": f'round(sum(increase(requests_total{{route=~"{names}"}}[330s])))', "time": at}
            assert is_long(query) is (names == many)
            data = (asking.get("/api/v1/query", Reply, params=query).body or Reply()).data or Data(result=[])
            assert [series.value for series in data.result] == [(at, "132")]
        many_sums = " + ".join(["sum(sum_over_time(requests_total[1h]))"] * 40)
        slow = {"query": many_sums, "start": at - 7_000, "end": at, "step": 1, "timeout": "18ms"}
        status, said = meter.way.text("/api/v1/query_range", params=slow)
        assert (status, "query timed out" in said) == (503, True)


def test_a_server_that_is_behind_is_waited_for(server: Prometheus) -> None:
    """A slice that its clock has not seen the end of is a failure that says so, and no fact."""
    sli = {"id": "web", "bad": "increase(errors_total[{{window}}])", "total": "increase(requests_total[{{window}}])"}
    with connected(SOURCE, _config(server, slis=[sli])) as meter:
        reader = meter.stream("sli/web")
        with pytest.raises(Unreachable, match="the server's clock says"):
            reader.run(now=utc_now() + timedelta(minutes=12), since=timedelta(minutes=8))
        assert reader.events == {}
