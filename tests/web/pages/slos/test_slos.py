"""The SLO pages: the state of each SLO, its alerts, its windows, and what took its budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.company import Table, Tables
from tests.support.history import MemoryHistory, owner, source
from tests.support.objectives import NOW, Told, ago, check, run
from tests.support.views import MemoryRecords, site
from werkzeug.test import Client

from platform_meter.measures.objectives.windows import configured
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.model.source import Outside, Unreachable
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import plan
from platform_meter.slo.stored import stored_objective
from platform_meter.testing.outside import Call, FakeOutside, Reply
from platform_meter.web.app import make_app
from platform_meter.web.pages.slos import Row
from platform_meter.web.view import View

CI = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: builds
  annotations: {platform-meter.io/owner: team-ci, platform-meter.io/runbook: 'https://wiki.example/ci'}
spec:
  service: ci
  description: Builds <b>we</b> did not break
  budgetingMethod: Occurrences
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: stored, spec: {events: pipeline_runs}}}}}}
  objectives: [{target: 0.99}]
"""
PROBE = """---
apiVersion: openslo/v1
kind: SLO
metadata: {name: api, annotations: {platform-meter.io/no-data: exclude, platform-meter.io/alerts: none}}
spec:
  service: clusters
  budgetingMethod: Timeslices
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: stored, spec: {events: probe_checks, where: {target: eu/readyz}}}}}}}
  objectives: [{target: 0.9, timeSliceTarget: 1, timeSliceWindow: 1m}]
"""
WEB = """---
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: web
  budgetingMethod: Occurrences
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {type: prometheus, spec: {query: 'errors_total'}}}
        total: {metricSource: {type: prometheus, spec: {query: 'requests_total'}}}
  objectives: [{target: 0.999}]
"""


def view(files: str, told: Sequence[Told], prometheus: Outside | None = None, *, fresh: bool = True) -> View:
    """What pages see after one tick on these facts."""
    checked = read_slos([("slos/all.yaml", files)])
    assert checked.problems == ()
    plans = tuple(plan(spec) for spec in checked.specs)
    objectives = tuple(o for o in map(stored_objective, plans) if o is not None)
    sources = [source(name, watermark=NOW, fresh=fresh) for name in dict.fromkeys(name for name, _ in told)]
    history = MemoryHistory([(name, owner("a"), fact) for name, fact in told], sources=sources)
    definitions = Definitions(objectives=objectives)
    rows: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for measure in configured(definitions):
        assert isinstance(measure, Gauging)
        for sample in measure.compute(Scene(history=history, definitions=definitions, now=NOW)):
            value = resolve(sample.value)
            assert value is not None
            rows.setdefault(sample.metric.name, []).append((sample.labels, value))
    return View(
        now=NOW,
        zone=ZoneInfo("UTC"),
        definitions=definitions,
        history=history,
        rows=rows,
        streams=(),
        records=MemoryRecords(),
        plans=plans,
        prometheus=prometheus,
    )


def page(seen: View, path: str, status: int = 200) -> str:
    answer = Client(make_app(site(seen))).get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def tables(text: str) -> dict[str, Table]:
    parser = Tables()
    parser.feed(text)
    return {table.title: table for table in parser.found}


OUTAGE = [
    *(run(Outcome.SUCCESS, ago(days=4, minutes=n)) for n in range(96)),
    *(run(Outcome.INFRA_FAILURE, ago(minutes=n)) for n in range(1, 5)),
]
"""96 good builds four days ago and four that the platform broke just now: 4 % bad, burn 4 over the period."""


def test_the_list_shows_state_budget_burn_owner_and_age() -> None:
    """Worst first; a page that fires stands beside the state."""
    told = [*OUTAGE, check(True, ago(minutes=2))]
    found = tables(page(view(CI + PROBE, told), "/slos"))["All SLOs"]
    assert found.columns == ("SLO", "Budget left", "State", "Objective", "Burn by window", "Owner", "Data age")
    assert [row[:4] for row in found.rows] == [
        ("builds ci", "-300.0 %", "exhausted page ticket", "99 % 28d"),
        ("api clusters", "100.0 %", "ok", "90 % 28d"),
    ]
    assert found.rows[0][4].startswith("5m 100.0 30m 100.0 1h 100.0")
    assert found.rows[0][5:] == ("team-ci", "0 s")
    assert found.rows[1][4:] == ("", "–", "0 s")


def test_the_detail_says_which_alert_fires_and_which_waits() -> None:
    """Both windows above the factor, and enough bad events in the long one."""
    found = tables(page(view(CI, OUTAGE), "/slos/builds"))["Alerts"]
    assert [row[:9] for row in found.rows] == [
        ("page", "fires", "14.4", "1h", "100.0", "5m", "100.0", "4", "3"),
        ("page", "fires", "6", "6h", "100.0", "30m", "100.0", "4", "3"),
        ("ticket", "fires", "3", "1d", "100.0", "2h", "100.0", "4", "2"),
        ("ticket", "fires", "1", "3d", "100.0", "6h", "100.0", "4", "2"),
    ]


def test_too_few_bad_events_fire_nothing() -> None:
    """Two of two builds broken burn as fast as can be, and a page asks for three."""
    two = [run(Outcome.INFRA_FAILURE, ago(minutes=n)) for n in (1, 2)]
    found = tables(page(view(CI, two), "/slos/builds"))["Alerts"]
    assert [row[1] for row in found.rows] == ["quiet", "quiet", "fires", "fires"]


def test_windows_show_good_bad_share_and_burn() -> None:
    """The last row is the period; its burn and the budget on top are two views of one number."""
    text = page(view(CI, OUTAGE), "/slos/builds")
    rows = {row[0]: row[1:] for row in tables(text)["Windows"].rows}
    assert rows["1h"] == ("0", "4", "0.000 %", "100.0")
    assert rows["28d"] == ("96", "4", "96.000 %", "4.00")
    assert "-300.0 %" in text


def test_the_last_bad_events_come_newest_first() -> None:
    """With the pipeline, the time and the reason; user failures are not among them."""
    told = [*OUTAGE, run(Outcome.USER_FAILURE, ago(minutes=1))]
    found = tables(page(view(CI, told), "/slos/builds"))["Last bad events"]
    assert found.rows[0] == ("2026-06-10 11:59:00", "acme/pay: ci", "infra_failure", "gh")
    assert len(found.rows) == 4


def test_a_probe_shows_its_failed_checks_and_its_slices() -> None:
    """One bad minute of three."""
    told = [check(True, ago(minutes=3)), check(False, ago(minutes=2)), check(True, ago(minutes=1))]
    found = tables(page(view(PROBE.removeprefix("---\n"), told), "/slos/api"))
    assert found["Last bad events"].rows == (("2026-06-10 11:58:00", "eu/readyz", "error after 0.10 s", "eu"),)
    assert found["Windows"].rows == (("28d", "2", "1", "66.667 %", "3.33"),)
    assert found["Alerts"].rows == (("Its file asks for no alerts.",),)
    assert found["Good slices by day"].rows[-1] == ("10 Jun", "66.667 %", "90.000 %")


def test_days_tell_what_each_took_of_the_budget() -> None:
    """100 valid builds allow one bad one: the two of 8 June took 200 %, and what is left after today is the gauge."""
    told = [
        *(run(Outcome.SUCCESS, ago(days=3, minutes=n)) for n in range(97)),
        *(run(Outcome.INFRA_FAILURE, ago(days=2, minutes=n)) for n in range(2)),
        run(Outcome.INFRA_FAILURE, ago(minutes=5)),
    ]
    found = tables(page(view(CI, told), "/slos/builds"))
    ratio, left = found["Good events by day"].cells(), found["Budget left after each day"].cells()
    assert [ratio[day, "good"] for day in ("07 Jun", "08 Jun", "09 Jun", "10 Jun")] == [
        "100.000 %",
        "0.000 %",
        "–",
        "0.000 %",
    ]
    assert [left[day, "left"] for day in ("07 Jun", "08 Jun", "09 Jun", "10 Jun")] == [
        "100.0 %",
        "-100.0 %",
        "-100.0 %",
        "-200.0 %",
    ]


def test_a_stale_source_leaves_no_number_but_the_age() -> None:
    """The page says no data, and what fires is unknown."""
    text = page(view(CI, OUTAGE, fresh=False), "/slos/builds")
    assert {row[1] for row in tables(text)["Alerts"].rows} == {"unknown"}
    assert "no data" in text
    assert "0 s" in text


def test_what_people_wrote_is_text_and_a_link_is_only_http() -> None:
    """Markup in a description is shown, not obeyed; a runbook that is no address is no link."""
    text = page(view(CI, OUTAGE), "/slos/builds")
    assert "Builds &lt;b&gt;we&lt;/b&gt; did not break" in text
    assert '<a href="https://wiki.example/ci">' in text
    text = page(view(CI.replace("https://wiki.example/ci", "javascript:alert(1)"), OUTAGE), "/slos/builds")
    assert 'href="javascript:' not in text
    assert "<code>javascript:alert(1)</code>" in text


def test_without_a_prometheus_its_slos_say_so() -> None:
    """The list and the detail: what is missing and what to do."""
    seen = view(WEB.removeprefix("---\n"), [])
    for path in ("/slos", "/slos/web"):
        text = page(seen, path)
        assert "This SLO is counted by Prometheus, and no source of type prometheus is configured" in text
    assert "SLOs are counted by Prometheus, and" not in page(view(CI, OUTAGE), "/slos")


Line = tuple[str, Mapping[str, str], float]
EDGE: list[Line] = [
    *(("slo:burn:rate", {"window": w}, 0.95) for w in ("6h", "3d")),
    ("slo:bad_events:count", {"window": "3d"}, 3.0),
]
"""Just under the factor of the slow ticket."""
AT_THE_EDGE = [
    *(run(Outcome.SUCCESS, ago(days=1, minutes=n)) for n in range(310)),
    *(run(Outcome.INFRA_FAILURE, ago(days=1, minutes=n)) for n in range(310, 313)),
    run(Outcome.SUCCESS, ago(minutes=1)),
]
"""3 of 314 bad in three days, none in six hours."""


def answered(
    burn: float = 20.0,
    *,
    left: float = 0.5,
    covered: float = 1.0,
    tiles: int = 8064,
    slo: str = "web",
    more: Sequence[Line] = (),
) -> FakeOutside:
    """A Prometheus with the series of an SLO: half of its budget is left, and every tile of 28 days is there."""
    series: list[Line] = [
        *more,
        *(("slo:burn:rate", {"window": w}, burn) for w in ("5m", "1h")),
        ("slo:bad_events:count", {"window": "1h"}, 7.0),
        ("slo:bad_events:count", {"window": "28d"}, 50.0),
        ("slo:total_events:count", {"window": "28d"}, 100_000.0),
        ("slo:sli:ratio", {"window": "28d"}, 0.9995),
        ("slo:budget_remaining:ratio", {"period": "28d"}, left),
        ("slo:data_coverage:ratio", {"period": "28d"}, covered),
    ]

    def instant(call: Call) -> Reply:
        if call.params["query"].startswith("count_over_time"):
            return told([{"metric": {"slo": "web"}, "value": [1.0, str(tiles)]}])
        assert call.params["query"] in {
            '{__name__=~"slo:burn:rate|slo:sli:ratio|slo:bad_events:count|slo:total_events:count|slo:budget_remaining:ratio|slo:data_coverage:ratio|ALERTS"}',
            '{__name__=~"slo:burn:rate|slo:sli:ratio|slo:bad_events:count|slo:total_events:count|slo:budget_remaining:ratio|slo:data_coverage:ratio|ALERTS",slo="'
            + slo
            + '"}',
        }
        return told(
            [{"metric": {"__name__": n, "slo": slo, **labels}, "value": [1.0, str(v)]} for n, labels, v in series]
        )

    def ranged(call: Call) -> Reply:
        value = 40.0 if "bad_events" in call.params["query"] else 50_000.0
        end = call.params["end"]
        return told([{"metric": {"slo": "web"}, "values": [[end, str(value)]]}])

    def told(result: list[dict[str, Any]]) -> Reply:
        return Reply(body=json.dumps({"status": "success", "data": {"resultType": "x", "result": result}}))

    return FakeOutside({"/api/v1/query": instant, "/api/v1/query_range": ranged})


def test_slos_that_prometheus_counts_show_its_series() -> None:
    """State, alerts, windows and days come from the `slo:` series, in one call for the list."""
    prometheus = answered()
    seen = view(WEB.removeprefix("---\n"), [], prometheus)
    listed = tables(page(seen, "/slos"))["All SLOs"].rows[0]
    assert (listed[1], listed[2], listed[6]) == ("50.0 %", "ok page", "Prometheus")
    assert len(prometheus.calls) == 1
    found = tables(page(seen, "/slos/web"))
    assert found["Alerts"].rows[0][:9] == ("page", "fires", "14.4", "1h", "20.0", "5m", "20.0", "7", "3")
    assert found["Alerts"].rows[1][1] == "unknown"
    assert found["Windows"].rows[-1] == ("28d", "99,950", "50", "99.950 %", "0.50")
    assert found["Good events by day"].rows[-1] == ("10 Jun", "99.920 %", "99.900 %")
    assert found["Budget left after each day"].rows[-2:] == (("09 Jun", "90.0 %"), ("10 Jun", "50.0 %"))
    assert "Last bad events" not in found


@pytest.mark.parametrize(
    ("alerts", "word"),
    [
        (
            [("ALERTS", {"alertname": "SLOBurn", "alertstate": "firing", "level": "ticket", "window": "3d"}, 1.0)],
            "fires",
        ),
        ([], "quiet"),
    ],
)
@pytest.mark.parametrize("name", ["web", "builds"])
def test_a_ticket_that_stays_is_shown_as_prometheus_has_it(name: str, alerts: list[Line], word: str) -> None:
    """Between the factor and where it ends the page says what Prometheus says, of stored SLOs too."""
    files, seen = (CI, AT_THE_EDGE) if name == "builds" else (WEB.removeprefix("---\n"), [])
    prometheus = answered(0.95, slo=name, more=(*EDGE, *alerts))
    rows = tables(page(view(files, seen, prometheus), f"/slos/{name}"))["Alerts"].rows
    assert [row[1] for row in rows if row[3] == "3d"] == [word]


def test_a_ticket_of_which_nobody_knows_whether_it_stays() -> None:
    """Stored events, no Prometheus to ask: neither fires nor quiet, and the page says why."""
    text = page(view(CI, AT_THE_EDGE), "/slos/builds")
    assert [row[1] for row in tables(text)["Alerts"].rows if row[3] == "3d"] == ["unknown"]
    assert "may fire by now or not; Prometheus did not tell." in text
    assert "which Prometheus did not tell" not in page(view(CI, OUTAGE), "/slos/builds")


@pytest.mark.parametrize(("tiles", "state"), [(100, "young page"), (8064, "exhausted page")])
def test_a_young_slo_is_not_exhausted(tiles: int, state: str) -> None:
    """Before half of the period has tiles a spent budget is no state."""
    seen = view(WEB.removeprefix("---\n"), [], answered(left=-57.8, tiles=tiles))
    assert tables(page(seen, "/slos"))["All SLOs"].rows[0][2] == state


@pytest.mark.parametrize(("covered", "said"), [(0.98, True), (0.99, False)])
def test_a_budget_that_was_seen_in_part_is_at_most_that(covered: float, said: bool) -> None:
    """Under 99 % both pages say so."""
    seen = view(WEB.removeprefix("---\n"), [], answered(covered=covered))
    assert ("at most 50.0 %" in page(seen, "/slos/web")) is said
    assert (tables(page(seen, "/slos"))["All SLOs"].rows[0][1] == "at most 50.0 %") is said


@pytest.mark.parametrize(
    ("prometheus", "said"),
    [
        (FakeOutside({}, fail_at=0, error=Unreachable("no answer from prom:9090")), "no answer from prom:9090"),
        (
            FakeOutside(lambda _: Reply(body="<html>", status=502)),
            "/api/v1/query answered 502, and not as a Prometheus",
        ),
        (FakeOutside(lambda _: Reply(body='{"error": "bad"}', status=400)), "/api/v1/query answered 400: bad"),
    ],
    ids=["unreachable", "no json", "refused"],
)
def test_a_prometheus_that_does_not_tell_is_quoted(prometheus: FakeOutside, said: str) -> None:
    """The page stands, with the reason on it; numbers of stored events are not touched."""
    text = page(view(CI + WEB, OUTAGE, prometheus), "/slos")
    assert f"which did not tell: {said}" in text
    assert "-300.0 %" in text


def test_rules_that_are_not_loaded_are_asked_about() -> None:
    """Prometheus answers well and knows nothing of the SLO."""
    empty = FakeOutside(lambda _: Reply(body='{"data": {"result": []}}'))
    assert "Prometheus has no slo: series of web." in page(view(WEB.removeprefix("---\n"), [], empty), "/slos/web")


def test_a_name_that_no_file_has_is_not_found() -> None:
    """404, and the way to the list; the list itself stands with and without a slash at its end."""
    seen = view(CI, OUTAGE)
    assert "There is no /slos/none here" in page(seen, "/slos/none", 404)
    assert page(seen, "/slos/") == page(seen, "/slos")


def test_without_slo_files_the_list_says_so() -> None:
    """An empty table would be a riddle."""
    text = page(replace(view(CI, OUTAGE), plans=()), "/slos")
    assert "No SLO file yet. <code>docs/slo-format.md</code> shows one" in text


def test_events_older_than_two_weeks_are_not_listed() -> None:
    """They may still weigh on the budget, and the page says how far back it looks."""
    text = page(view(CI, [run(Outcome.INFRA_FAILURE, NOW - timedelta(days=20))]), "/slos/builds")
    assert "None in the last 14 days." in text


def test_what_waits_is_asked_for() -> None:
    """Its numbers do not tell whether it fires by now: Prometheus does, and without it nothing is claimed."""
    alert = plan(read_slos([("ci.yaml", CI)]).specs[0]).alerts[0]
    waiting = replace(alert, row=replace(alert.row, wait=timedelta(minutes=5)))
    told = {f: Row(alert=waiting, long=100.0, short=100.0, bad=5.0, firing=f) for f in (True, False, None)}
    assert {f: (row.word, row.hangs) for f, row in told.items()} == {
        True: ("fires", False),
        False: ("quiet", False),
        None: ("unknown", True),
    }
    assert (told[None].waits, replace(told[None], alert=alert).waits) == ("5m", "")


@pytest.mark.parametrize(("window", "bad", "fires"), [(0, 2.9, False), (0, 3.0, True), (1, 2.4, False), (1, 2.6, True)])
def test_counts_out_of_tiles_are_rounded_as_the_rule_does(window: int, bad: float, fires: bool) -> None:
    """Over 6 h 2.6 bad events are three; over 1 h, which reads the raw counters, 2.9 are not."""
    alert = plan(read_slos([("ci.yaml", CI)]).specs[0]).alerts[window]
    assert alert.min_bad == 3
    assert Row(alert=alert, long=100.0, short=100.0, bad=bad).fires is fires


def test_the_page_says_how_few_failures_page() -> None:
    """Where one of its alerts looks at them twice, and only there."""
    said = "Fewer than 5 bad events page where two of them lie in the short window"
    one = [run(Outcome.SUCCESS, NOW - timedelta(days=1))]
    never = CI.replace("{platform-meter.io/owner", "{platform-meter.io/min-bad: '5', platform-meter.io/owner")
    assert said in page(view(CI, one), "/slos/builds")
    assert said not in page(view(never, one), "/slos/builds")
