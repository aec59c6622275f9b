"""Every query of every dashboard, asked of a real Prometheus that scrapes two replicas of the exporter and evaluates the rules.

The company lives on a Wednesday and a Thursday in May whatever the day of the test; what it showed then is given to
Prometheus as if its last moment were now. So the panels have the same data at any hour.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
import yaml
from tests.real.test_budget_traces import backfill
from tests.support import grafana
from tests.support.company import START, Running, company
from tests.support.grafana import Asked, How, Json, load, put_in
from tests.support.our_slos import our_plans
from tests.support.prometheus import Prometheus, prometheus
from tests.support.slos import ALL, planned
from tests.support.untold import untold
from tests.support.waiting import until

from platform_meter.demo.apis.services import MetricsApi
from platform_meter.demo.company.scenarios import Trouble
from platform_meter.demo.stage.seed import JOB, past
from platform_meter.demo.world import World
from platform_meter.render.dashboards import dashboards, may_be_empty
from platform_meter.render.rules import rules
from platform_meter.runtime.server.httpd import Server
from platform_meter.runtime.service import utc_now
from platform_meter.runtime.traffic import prometheus_at, recorded
from platform_meter.slo import names
from platform_meter.slo.plan import Counters

REPLICAS = ("replica-a", "replica-b")
BEGIN = timedelta(minutes=20)
USUAL = (timedelta(0), timedelta(hours=25), *[timedelta(minutes=3)] * 9)
"""A night between the first polls, for what is counted from day to day; then half an hour in steps."""
SHORT = (timedelta(0), *[timedelta(minutes=10)] * 3)
ZERO = timedelta(seconds=120)
"""How long a new label set stays at 0, as it does by default."""
SHOWN = timedelta(minutes=40)
"""Time range of the dashboards."""
BOARDS = {board["uid"]: board for board in (load(a.text) for a in dashboards(our_plans()))}
ONE = {uid: {"slo": "ci-platform-success"} if uid == "pm-slo-detail" else {} for uid in BOARDS}
"""What is chosen on top of the defaults: an SLO that says everything about itself, and that an outage breaks."""
_TIMES = (
    "platform_meter_source_last_success_timestamp_seconds",
    "platform_probe_certificate_expiry_timestamp_seconds",
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A Prometheus that shows a company."""

    server: Prometheus
    company: Running
    end: datetime
    """The end of the time range."""

    def answer(self, expr: str, how: How) -> list[dict[str, str]]:
        """Labels of the series that have a number anywhere in the time range, or at its end."""
        end = self.end.timestamp()
        if how is How.RANGE:
            span = {"start": f"{end - SHOWN.total_seconds():.3f}", "end": f"{end:.3f}", "step": "60"}
            said = self.server.get("/api/v1/query_range", query=expr, **span).json()
        else:
            said = self.server.get("/api/v1/query", query=expr, time=f"{end:.3f}").json()
        assert said["status"] == "success", f"{expr}: {said}"
        found = said["data"]["result"]
        return [
            s["metric"] for s in found if any(math.isfinite(float(v)) for _, v in s.get("values", [s.get("value")]))
        ]

    def values(self, board: Json, **chosen: str) -> dict[str, str]:
        """What the dashboard's variables are when it is opened; each query of one must find something."""
        found = grafana.defaults(board) | chosen
        for asked in grafana.queries(board):
            if asked.how is How.LABEL:
                label, expr = asked.labels[0], put_in(asked.expr, found)
                answers = sorted({s[label] for s in self.answer(expr, How.LABEL) if label in s})
                assert answers, f"${asked.where} has nothing to choose from: {expr}"
                found[asked.where] = found[asked.where] or answers[0]
                assert found[asked.where] in (*answers, ".*"), f"${asked.where} is none of {answers}"
        return found


def still(text: str, by: timedelta) -> Iterator[str]:
    """Samples of one scrape, in which times are `by` later."""
    for line in text.splitlines():
        if line.startswith(_TIMES):
            series, _, value = line.rpartition(" ")
            yield f"{series} {float(value) + by.total_seconds()}\n"
        elif not line.startswith("#"):
            yield f"{line}\n"


def shifted(text: str, at: datetime, by: timedelta, instance: str) -> Iterator[str]:
    """Samples of one scrape as OpenMetrics, `by` later than they were."""
    for line in still(text, by):
        series, _, value = line.rstrip().rpartition(" ")
        name, _, labels = series.rstrip("}").partition("{")
        about = ",".join(filter(None, (labels, f'job="platform-meter",instance="{instance}"')))
        yield f"{name}{{{about}}} {value} {(at + by).timestamp():.0f}\n"


def moved(lines: Iterator[str], by: timedelta) -> Iterator[str]:
    """OpenMetrics with times, all of them `by` later."""
    seconds = int(by.total_seconds())
    for chunk in lines:
        for line in chunk.splitlines():
            head, _, at = line.rpartition(" ")
            yield line + "\n" if line.startswith("#") else f"{head} {int(at) + seconds}\n"


def live(running: Running, polls: Sequence[timedelta]) -> Iterator[tuple[datetime, str]]:
    """Time and exposition after each poll, with what the company has nothing of."""
    for after in polls:
        running.poll(after=after)
        told = running.service.exposition.body().data.decode()
        yield running.clock.at, told + "".join(untold(told, running.clock.at))


@contextmanager
def show(folder: Path, polls: Sequence[timedelta], trouble: Trouble = Trouble.NONE) -> Iterator[Shown]:
    """The company's past in Prometheus, then its services and its exporter scraped live, and all rules evaluated.

    Rules run every 2 s: what they say is judged elsewhere. A trouble begins with the first poll.

    Args:
        polls: time from each poll to the next; the last is now.
    """
    with ExitStack() as all_:
        running = all_.enter_context(
            company(folder / "company", begin=BEGIN, trouble=trouble, trouble_after=BEGIN, config={"zero_for": ZERO})
        )
        scrapes = list(live(running, polls))
        by = utc_now() - scrapes[-1][0]
        by -= timedelta(microseconds=by.microseconds)
        history = "".join(
            [
                *(line for at, text in scrapes for one in REPLICAS for line in shifted(text, at, by, one)),
                *moved(past(running.world.company, running.world.scenario, our_plans()), by),
            ]
        )
        exporter = "".join(still(scrapes[-1][1], by)).encode()

        def metrics(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4")])
            return [exporter]

        apis: dict[str, WSGIApplication] = {}

        def known_later(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return apis["services"](environ, start_response)  # it has to know the port that it will have

        served = all_.enter_context(Server(metrics, "127.0.0.1", 0))
        services = all_.enter_context(Server(known_later, "127.0.0.1", 0))
        world = World.build(running.world.company, lambda: utc_now() - by, scenario=running.world.scenario)
        apis["services"] = MetricsApi(world, f"http://127.0.0.1:{services.port}")
        written = folder / "rules"
        written.mkdir()
        for artifact in rules(our_plans()):
            text = re.sub(r"(?m)^  interval: .*$", "  interval: 2s", artifact.text)
            (written / artifact.path).write_text(text)
        address = f"127.0.0.1:{served.port}"
        config: dict[str, Any] = {
            "global": {"scrape_interval": "3s", "scrape_timeout": "3s"},
            "rule_files": [f"{written}/*.yml"],
            "scrape_configs": [
                {
                    "job_name": "platform-meter",
                    "honor_labels": True,
                    "static_configs": [{"targets": [address], "labels": {"instance": one}} for one in REPLICAS],
                },
                {"job_name": JOB, "http_sd_configs": [{"url": f"http://127.0.0.1:{services.port}/sd"}]},
            ],
        }
        server = all_.enter_context(prometheus(folder / "prometheus", config, history=history))
        known = " and ".join(
            f"count(count by (slo) ({name})) == {len(our_plans())}" for name in (names.BURN, names.BUDGET, names.INFO)
        )
        counted = [plan.slo for plan in our_plans() if isinstance(plan.sli, Counters)]
        known += f' and count({names.BURN}{{window="5m",slo=~"{"|".join(counted)}"}}) == {len(counted)}'
        until(lambda: server.query(known))
        if trouble is not Trouble.NONE:
            until(lambda: server.query('ALERTS{alertname="SLOBurn",alertstate="firing",level="page"}'))
        yield Shown(server=server, company=running, end=utc_now())


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with show(tmp_path_factory.mktemp("well"), USUAL) as shown:
        yield shown


def asked_of(board: Json) -> list[Asked]:
    return [asked for asked in grafana.queries(board) if asked.how is not How.LABEL]


def without_data(shown: Shown, board: Json, **chosen: str) -> set[str]:
    """Panels and annotations of which a query found nothing; a label that is shown must be on what was found."""
    values, found = shown.values(board, **chosen), set()
    for asked in asked_of(board):
        answers = shown.answer(put_in(asked.expr, values), asked.how)
        if not answers:
            found.add(asked.where)
        for label in asked.labels:
            assert not answers or any(label in series for series in answers), (
                f"{asked.where} shows {{{{{label}}}}}: {answers[:3]}"
            )
    return found


@pytest.mark.parametrize("uid", BOARDS)
def test_every_query_finds_data(well: Shown, uid: str) -> None:
    """On a usual day all panels, variables and annotations have data, but those that are listed as rightly empty."""
    assert without_data(well, BOARDS[uid]) <= set(may_be_empty()[uid])


@pytest.mark.parametrize("slo", [plan.slo for plan in our_plans()])
def test_the_detail_has_data_for_every_slo(well: Shown, slo: str) -> None:
    """Counted by Prometheus or by the exporter, of any profile: each SLO fills its detail.

    Not every owner deploys daily, or has incidents.
    """
    empty = {*may_be_empty()["pm-slo-detail"], "Deployments of the owner", "Incidents of the owner"}
    assert without_data(well, BOARDS["pm-slo-detail"], slo=slo) <= empty


@pytest.mark.parametrize("uid", BOARDS)
def test_tables_show_words_that_their_series_have(well: Shown, uid: str) -> None:
    """Every label that a table has a column for is on a series of one of its queries."""
    board = BOARDS[uid]
    values = well.values(board, **ONE[uid])
    for panel in board["panels"]:
        if panel["type"] == "table" and panel["title"] not in may_be_empty()[uid]:
            answers = [well.answer(put_in(t["expr"], values), How.INSTANT) for t in panel["targets"]]
            found = {label for series in answers for one in series for label in one}
            assert grafana.words(panel) <= found, panel["title"]


def test_two_replicas_count_once(well: Shown) -> None:
    """Open tickets and stored bytes are those of one exporter, though two are scraped; every SLO is known once."""

    def number(uid: str, title: str) -> float:
        board = BOARDS[uid]
        panel = next(p for p in board["panels"] if p["title"] == title)
        ((_, value),) = well.server.query(
            put_in(panel["targets"][0]["expr"], well.values(board)), at=well.end.timestamp()
        )
        return value

    assert number("pm-support", "Open") == sum(well.company.metrics()["platform_tickets_open"].values())
    assert number("pm-meter", "Store") == sum(well.company.metrics()["platform_meter_store_bytes"].values())
    assert number("pm-slo-overview", "SLOs known") == len(our_plans())
    assert len(well.server.query("platform_meter_store_bytes", at=well.end.timestamp())) == 2


def test_prometheus_tells_the_traffic_of_every_slo(well: Shown) -> None:
    """`slo explain --prometheus` finds how many events an SLO has, counted by tiles or copied from the exporter."""
    with prometheus_at(well.server.url) as outside:
        found = {plan.slo: recorded(outside, plan) for plan in our_plans()}
    assert [slo for slo, events in found.items() if events is None] == []
    ((_, tiles),) = well.server.query('avg_over_time(slo:total_events:tile5m{slo="api-availability"}[28d])')
    assert found["api-availability"] == pytest.approx(tiles * 12, rel=0.01)


SILENT = timedelta(minutes=40)
COUNTED = timedelta(hours=2)
"""For how long the counters below were scraped, before their source fell silent."""


def scraped(end: float) -> Iterator[str]:
    """Counters that were last scraped at this time."""
    steps = int(COUNTED / timedelta(seconds=30))
    yield "# TYPE http_requests counter\n"
    for n in range(steps, -1, -1):
        yield f'http_requests_total{{code="200"}} {3000 * (steps - n + 1)} {end - 30 * n:.0f}\n'
    yield "# EOF\n"


@pytest.mark.parametrize("kind", ["ratio", "slices"])
def test_data_of_a_silent_source_is_old(kind: str, tmp_path: Path) -> None:
    """What Prometheus counts ages from the minute its window ran empty, though the period's total is written on and on."""
    plan = planned(ALL[kind])
    (artifact,) = rules([plan])
    written = yaml.safe_load(artifact.text)["groups"]
    end = float(int(utc_now().timestamp()))
    start = end - (COUNTED + SILENT).total_seconds()
    with prometheus(tmp_path, {}, history="".join(scraped(end - SILENT.total_seconds()))):
        pass

    def passing(*said: str) -> Json:
        """The groups with those rules alone whose name and window are these."""
        chosen = (
            {**g, "rules": [r for r in g["rules"] if f"{r.get('record')} {r['labels'].get('window', '')}" in said]}
            for g in written
        )
        return {"groups": [g for g in chosen if g["rules"]]}

    newest, tile, period = f"{names.BURN} 5m", "slo:total_events:tile5m ", f"{names.TOTAL} {plan.period_label}"
    slices = [["slo:bad_events:tile1m "], [tile], [period]]  # each reads the one before
    for n, chosen in enumerate([[newest, tile], [period]] if kind == "ratio" else slices):
        backfill(tmp_path, f"pass{n}", {}, passing(*chosen), start, end)
    with prometheus(tmp_path, {}) as server:
        ((_, counted),) = server.query(f'{names.TOTAL}{{window="{plan.period_label}"}}', at=end)
        assert counted > 0
        for uid, title in (("pm-slo-detail", "Data age"), ("pm-slo-overview", "Oldest data")):
            panel = next(p for p in BOARDS[uid]["panels"] if p["title"] == title)
            ((_, age),) = server.query(put_in(panel["targets"][0]["expr"], {"slo": plan.slo}), at=end)
            assert SILENT - timedelta(minutes=6) <= timedelta(seconds=age) <= SILENT + timedelta(minutes=1)


def test_an_outage_fills_what_may_be_empty(tmp_path: Path) -> None:
    """With the CI runners out of order, each panel and annotation on the list has data."""
    assert {scenario for found in may_be_empty().values() for scenario in found.values()} == {Trouble.CI_OUTAGE}
    with show(tmp_path, SHORT, Trouble.CI_OUTAGE) as shown:
        for uid, listed in may_be_empty().items():
            assert without_data(shown, BOARDS[uid], **ONE[uid]) & set(listed) == set(), uid


def test_the_past_is_where_it_should_be(well: Shown) -> None:
    """The fixture itself: half an hour of scrapes of both replicas ends now, and the company's clock stands in May."""
    assert well.company.clock.at == START + BEGIN + sum(USUAL, timedelta())
    found = well.server.query("count_over_time(platform_meter_config_valid[30m] offset 5m)", well.end.timestamp())
    assert {labels["instance"] for labels, _ in found} == set(REPLICAS)
    assert all(scrapes >= 8 for _, scrapes in found)
