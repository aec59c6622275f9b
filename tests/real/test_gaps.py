"""What a counter shows after a gap counts once, in every form of query, by promtool of an old and a current release."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.prometheus import current, promtool
from tests.support.slos import ALL, RATIO, SLICES, planned

from platform_meter.render.rules import groups, rules
from platform_meter.render.rules.meter_alerts import meter_alerts
from platform_meter.render.rules.promql import series
from platform_meter.render.rules.promtool import rule_tests
from platform_meter.render.rules.promtool.meter_alerts import meter_alert_tests
from platform_meter.slo import names
from platform_meter.slo.plan import TILE, Counters, Plan
from platform_meter.slo.tiles import LATE, tile

OK, BAD, SUM = 'r{code="200"}', 'r{code="500"}', "sum(increase(%s[{{window}}]))"
FORMS = {
    "counters": ("bad", 'r{code="500"}', "r"),
    "increases": ("bad", SUM % 'r{code="500"}', SUM % "r"),
    "by a label": ("bad", 'sum(sum by (code) (increase(r{code="500"}[{{window}}])))', "sum(sum by (code) (increase(r[{{window}}])))"),
    "rates": ("bad", 'sum(rate(r{code="500"}[{{window}}]))', "sum(rate(r[{{window}}]))"),
    "a sum": ("bad", SUM % 'r{code="500"}', f"{SUM % OK} + {SUM % BAD}"),
    "a difference": ("bad", f"{SUM % 'r'} - {SUM % OK}", SUM % "r"),
    "all less a bucket": ("bad", SUM % "h_count" + " - " + SUM % 'h_bucket{le="1"}', SUM % "h_count"),
    "good over total": ("good", OK, "r"),
    "a bucket over the count": ("good", SUM % 'h_bucket{le="1"}', SUM % "h_count"),
    "relabelled": ("bad", 'sum(label_replace(increase(r{code="500"}[{{window}}]), "a", "b", "code", "(.*)"))', "r"),
}  # fmt: skip


def asked(form: str) -> Plan:
    """The SLO over queries of this form."""
    kind, part, total = FORMS[form]
    return planned(
        RATIO,
        ("bad: {", f"{kind}: {{"),
        ("'http_requests_total{code=~\"5..\"}'", f"'{part}'"),
        ("'http_requests_total'", f"'{total}'"),
    )


def held(folder: Path, programs: Path | None, plan: Plan | None, test: dict[str, Any], every: str = "5m") -> None:
    """promtool finds what is expected, of the rules of this plan or of the expressions alone."""
    files = []
    for artifact in rules([plan] if plan else []):
        (folder / artifact.path).write_text(artifact.text)
        files.append(artifact.path)
    file = folder / "gaps.test.yml"
    text = {
        "rule_files": files,
        "evaluation_interval": every,
        "group_eval_order": [g.name for g in groups(plan)] if plan else [],
        "tests": [{"interval": "30s", **test}],
    }
    file.write_text(yaml.safe_dump(text))
    promtool("test", "rules", file, folder=programs)


def fed(**values: str) -> list[dict[str, str]]:
    return [{"series": name, "values": text} for name, text in values.items()]


def count(expr: str, at: str, value: float) -> dict[str, Any]:
    """A number without its labels."""
    return {"expr": f"sum({expr})", "eval_time": at, "exp_samples": [{"labels": "{}", "value": value}]}


def none(expr: str, at: str) -> dict[str, Any]:
    return {"expr": expr, "eval_time": at, "exp_samples": []}


def window(name: str, label: str) -> str:
    return series(name, "shop-requests", window=label)


@pytest.mark.parametrize("form", FORMS)
def test_ten_minutes_without_scrapes(form: str, programs: Path | None, tmp_path: Path) -> None:
    """6,000 of 12,000 requests fail while nothing is scraped: budget and every window over 1 h count 6,000, exactly."""
    good, bad, all_ = (
        "0+300x120 _x20 42000+300x99 71700x100",
        "0x120 _x20 6000x220",
        "0+300x120 _x20 48000+300x99 77700x100",
    )
    given = fed(**{OK: good, BAD: bad, 'h_bucket{le="1"}': good, "h_count": all_})
    plan = asked(form)
    tests = [count(window(names.BAD, w), "2h50m", 6000) for w in ("6h", "3d", "30d")]
    tests += [count(f"sum_over_time({series(names.tile('bad', TILE), plan.slo)}[1d])", "2h50m", 6000)]
    tests += [count(window(names.TOTAL, "30d"), "2h50m", 77700)]
    held(tmp_path, programs, plan, {"input_series": given, "promql_expr_test": tests})


@pytest.mark.parametrize(
    ("values", "bad"),
    [
        ("0x120 _x115 700x100", 700),  # 58 minutes
        ("0x120 _x16 50+0x200", 50),  # began again in the gap: all that it shows came since
        ("0x119 5 stale _x20 80x200", 80),  # the scrape failed, and Prometheus marked the series
        ("0x115 40 stale _x30", 40),  # the series ended for good, as a pod's does
        ("0x100 _ 1 _ 2 _ 3 _ 4 _ 5x200", 5),  # every other scrape is lost
        ("0x103 100x2 3x200", 103),  # began again within a tile, estimated
        ("_x80 7+1x40 47x200", 40),  # what a new series showed first is not counted
    ],
)
def test_one_series(values: str, bad: float, programs: Path | None, tmp_path: Path) -> None:
    """Each failure counts once, whatever hides the scrapes between."""
    given = fed(**{OK: "0+300x400", BAD: values})
    near = 12 if "100x2" in values else 0.001
    tests = [count(f"abs({window(names.BAD, '30d')} - {bad}) < bool {near}", "2h50m", 1)]
    held(tmp_path, programs, asked("counters"), {"input_series": given, "promql_expr_test": tests})


@pytest.mark.parametrize("late", LATE)
def test_a_stop_of_the_server(late: timedelta, programs: Path | None, tmp_path: Path) -> None:
    """Stopped two minutes after a tile: the first tile after the start has all since that one, the next only its own.

    promtool cannot stop, so the tiles of before are given and the expression of the tile is asked.
    """
    plan = asked("counters")
    assert isinstance(plan.sli, Counters)
    written = series(names.tile("bad", TILE), plan.slo)
    expr = tile(plan.sli.part, TILE, plan.scrape, written)
    steps = int(late / timedelta(seconds=30))
    every = " ".join(["0 _x9"] * 13)  # 0 to 60 min, and nothing to 65
    first = 120 + steps
    given = fed(
        **{
            written: f"{every[: every.rindex(' _x9')]} _x{steps - 1} 0",
            BAD: f"0+10x124 _x{steps - 8} {10 * (first - 3)}+10x20",
        }
    )
    at = f"{60 + steps // 2}m"
    after = f"{65 + steps // 2}m"
    tests = [count(expr, at, 10 * steps), count(expr, after, 100)]
    held(tmp_path, programs, None, {"input_series": given, "promql_expr_test": tests})


def test_a_slice_after_a_gap_is_judged_by_all_that_came(programs: Path | None, tmp_path: Path) -> None:
    """All requests of ten unscraped minutes failed, and no scrape but the first after them shows it: one slice is bad."""
    plan = planned(SLICES, ("'http_requests_total{code=~\"5..\"}'", f"'{BAD}'"), ("'http_requests_total'", "'r'"))
    given = fed(**{OK: "0+300x120 _x20 36300+300x120", BAD: "0x120 _x20 6000x120"})
    bad = series(names.tile("bad", timedelta(minutes=1)), plan.slo)
    tests = [count(f"sum_over_time({bad}[39m30s])", "1h40m", 1), count(f"count_over_time({bad}[39m30s])", "1h40m", 30)]
    held(tmp_path, programs, plan, {"input_series": given, "promql_expr_test": tests}, "1m")


def test_a_young_slo_has_not_spent_its_budget(programs: Path | None, tmp_path: Path) -> None:
    """One failure in the first ten minutes says nothing; half of the period later, with two failures, a spent budget is said.

    It stays said until a tenth is left again.
    """
    plan = planned(RATIO, ("30d", "1d"), ("io/owner: team-shop", "io/alerts: none"), ("http_requests_total{", "r{"), ("'http_requests_total'", "'r'"))  # fmt: skip
    firing = series("ALERTS", plan.slo, alertname=names.BUDGET_ALERT, alertstate="firing")
    budget = series(names.BUDGET, plan.slo, period="1d")
    # 1,440 requests in 12 h: one failure is 0.7 of the budget, two are 1.4; later 2.5 times the traffic.
    given = fed(**{OK: "0+1x1440 1440+1x2000", BAD: "0x20 1x1480 2x1940"})
    tests = [
        count(f"{budget} < bool -30", "15m", 1),
        none(firing, "15m"),
        none(firing, "11h"),
        none(firing, "12h20m"),
        count(firing, "13h", 1),
        count(f"{budget} > bool 0", "17h", 1),
        count(firing, "17h", 1),
        count(f"{budget} > bool 0.1", "19h", 1),
        none(firing, "19h"),
    ]
    held(tmp_path, programs, plan, {"input_series": given, "promql_expr_test": tests})


def test_coverage(programs: Path | None, tmp_path: Path) -> None:
    """Of ten hours of life four had no data: 6 of 10 looks found a tile, and before half of the period is there no budget is told."""
    plan = asked("counters")
    covered = series(names.COVERAGE, plan.slo, period="30d")
    given = fed(**{OK: "0+300x300 _x480 300000+30x420", BAD: "0x300 _x480 0x360 0+300x60"})
    tests = [
        count(covered, "2h", 1),
        count(f"round({covered}, 0.001)", "10h", 0.6),
    ]
    alert = {
        "eval_time": "9h45m",
        "alertname": names.BURN_ALERT,
        "exp_alerts": [
            {
                "exp_labels": {
                    "slo": plan.slo,
                    "level": "page",
                    "severity": "page",
                    "window": window_,
                    "service": plan.service,
                    "owner": plan.owner,
                },
                "exp_annotations": {
                    "summary": f"shop-requests burns its 30-day budget {burn} times too fast: {of}",
                    "display_name": "shop-requests",
                    "budget": "what is left of the 30-day budget is told once half of it has data",
                    "budget_spent": f"at least {used} % of the budget in {window_}",
                },
            }
            for window_, burn, used, of in (
                ("1h", "700.0", 2, "8400 of 12000 events were bad in the last hour"),
                # Tiles of 5 min are written every minute here, so windows over them count everything five times.
                ("6h", "354.7", 5, "31500 of 88800 events were bad in the last 6 hours"),
            )
        ],
    }
    held(tmp_path, programs, plan, {"input_series": given, "promql_expr_test": tests})
    held(tmp_path, programs, plan, {"input_series": given, "alert_rule_test": [alert]}, "1m")


@pytest.mark.parametrize("kind", ["bad", "good"])
@pytest.mark.parametrize(("share", "told"), [(1.05, False), (1.5, True)])
def test_more_than_all(kind: str, share: float, told: bool, programs: Path | None, tmp_path: Path) -> None:
    """Bad or good is counted by a metric of its own: 5 % above the total are estimates and count as all of it, 50 % are no part of it.

    Then there is neither budget nor burn, and an alert says why.
    """
    plan = planned(
        RATIO,
        ("bad: {", f"{kind}: {{"),
        ("'http_requests_total{code=~\"5..\"}'", "'part'"),
        ("'http_requests_total'", "'r'"),
    )
    given = fed(r="0+100x600", part=f"0+{100 * share:g}x600")
    budget, burn = series(names.BUDGET, plan.slo, period="30d"), series(names.BURN, plan.slo)
    alert = series("ALERTS", plan.slo, alertname=names.CONTRADICTION_ALERT, alertstate="firing")
    left = 1 if kind == "good" else -999
    tests = (
        [none(budget, "4h"), none(burn, "4h"), none(window(names.SLI, "30d"), "4h"), count(alert, "4h", 1)]
        if told
        else [count(f"round({budget})", "4h", left), none(alert, "4h")]
    )
    held(tmp_path, programs, plan, {"input_series": given, "promql_expr_test": tests})


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_a_slice_with_more_than_all_does_not_count(kind: str, programs: Path | None, tmp_path: Path) -> None:
    """Good at three times the total is no good slice, and bad no bad one; an alert says why."""
    plan = planned(
        SLICES,
        ("bad: {", f"{kind}: {{"),
        ("'http_requests_total{code=~\"5..\"}'", "'part'"),
        ("'http_requests_total'", "'r'"),
    )
    bad = series(names.tile("bad", timedelta(minutes=1)), plan.slo)
    alert = series("ALERTS", plan.slo, alertname=names.CONTRADICTION_ALERT, alertstate="firing")
    given = fed(r="0+100x300", part="0x60 300+300x240")
    tests = [
        count(f"count_over_time({bad}[24m59s])", "30m", 25),
        none(f"count_over_time({bad}[58m])", "2h"),
        none(alert, "30m"),
        count(alert, "2h", 1),
    ]
    held(tmp_path, programs, plan, {"input_series": given, "promql_expr_test": tests}, "1m")


def test_the_slow_ticket_does_not_flap(programs: Path | None, tmp_path: Path) -> None:
    """At the allowed error it comes once: over 1 it fires, between 0.9 and 1 it stays, below it ends."""
    plan = asked("counters")
    fires = series("ALERTS", plan.slo, alertname=names.BURN_ALERT, alertstate="firing", window="3d")
    # A request a second; failures at 1.2, 0.8 and 0 times the allowed share.
    given = fed(**{OK: "0+10000x1100", BAD: "0+12x576 6920+8x300 9320x200"})
    tests = [count(fires, "45h", 1), count(f"{window(names.BURN, '6h')} < bool 0.9", "60h", 1)]
    tests += [count(fires, f"{h}h", 1) for h in (50, 55, 60, 70)]
    tests += [none(fires, "85h")]
    held(tmp_path, programs, plan, {"interval": "5m", "input_series": given, "promql_expr_test": tests})


@pytest.mark.parametrize("kind", sorted(ALL.keys() - {"latency"}))
def test_generated_tests_pass(kind: str, tmp_path: Path) -> None:
    """The rules' own tests give the same verdict on a current release; tests/render asks Debian's."""
    plan = planned(ALL[kind])
    tests = rule_tests([plan])
    for artifact in (*rules([plan]), *tests):
        (tmp_path / artifact.path).write_text(artifact.text)
    promtool("test", "rules", *(tmp_path / t.path for t in tests), folder=current())


def test_alerts_beyond_burn(tmp_path: Path) -> None:
    """So do those of the alerts that belong to no SLO."""
    for artifact in (meter_alerts(), meter_alert_tests()):
        (tmp_path / artifact.path).write_text(artifact.text)
    promtool("test", "rules", tmp_path / meter_alert_tests().path, folder=current())
