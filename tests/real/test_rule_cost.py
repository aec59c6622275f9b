"""What the rules of one SLO cost a Prometheus: samples that it reads for them, as its own API counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.prometheus import Prometheus, prometheus
from tests.support.slos import RATIO, planned

from platform_meter.render.rules import groups
from platform_meter.render.rules.promtool.text import labels_text
from platform_meter.slo import names
from platform_meter.slo.plan import TILE, Plan

SCRAPE = timedelta(seconds=30)


GOOD = planned(RATIO, ("bad: {", "good: {"), ("'http_requests_total{code=~\"5..\"}'", "http_good_total"))
"""As many series of good events as of all, as a histogram has whose bucket is good."""


def history(plan: Plan, end: float, raw: int) -> Iterator[str]:
    """What an SLO of this many raw series has behind it, one of them of failures.

    An hour and a bit of scrapes, a period of tiles, and one sample of all else that rules record.
    """
    codes = ["500", *(f"2{n:02d}" for n in range(raw - 1))]
    for name in ("http_requests", "http_good"):
        yield f"# TYPE {name} counter\n"
        for code in codes:
            for n in range(140, -1, -1):
                yield f'{name}_total{{code="{code}"}} {1000 - n} {end - n * SCRAPE.total_seconds():.0f}\n'
    for kind in ("bad", "total"):
        name = names.tile(kind, TILE)
        yield f"# TYPE {name} gauge\n"
        for n in range(int(plan.period / TILE), -1, -1):
            yield f'{name}{{slo="{plan.slo}"}} 1 {end - n * TILE.total_seconds():.0f}\n'
    rules = sorted(
        (r for g in groups(plan) for r in g.rules if r.record and ":tile" not in r.record), key=lambda r: r.record
    )
    seen = ""
    for rule in rules:
        if rule.record != seen:
            yield f"# TYPE {rule.record} gauge\n"
            seen = rule.record
        labels = {**rule.labels, **({"window": plan.period_label} if rule.record == names.SLI else {})}
        yield f"{rule.record}{labels_text(**labels)} 1 {end:.0f}\n"
    yield "# EOF\n"


def samples(server: Prometheus, promql: str, at: float) -> int:
    """Samples that one evaluation reads."""
    answer = server.get("/api/v1/query", query=promql, time=f"{at:.3f}", stats="all").json()
    assert answer["status"] == "success", answer
    return int(answer["data"]["stats"]["samples"]["totalQueryableSamples"])


def cost(folder: Path, plan: Plan, raw: int) -> dict[str, float]:
    """Samples a second by group, at the interval that the group has."""
    end = float(int(time.time()) // 60 * 60)  # noqa: TID251 - a real server looks back from now
    with prometheus(folder, {}, history="".join(history(plan, end, raw))) as server:
        return {
            group.name: sum(samples(server, rule.expr, end) for rule in group.rules) / group.interval.total_seconds()
            for group in groups(plan)
        }


@pytest.mark.parametrize("plan", [planned(RATIO), GOOD], ids=["bad", "good"])
def test_the_rules_of_an_slo_read_fewer_than_300_samples_a_second(plan: Plan, tmp_path: Path) -> None:
    """At 10 raw series and 30 s scrapes (design section 7), budget, counts and alerts included; only raw windows grow."""
    ten, twenty = cost(tmp_path / "ten", plan, 10), cost(tmp_path / "twenty", plan, 20)
    assert 200 < sum(ten.values()) < 300
    short, tiles, long = ten
    assert twenty[long] == ten[long] > 0
    assert twenty[short] > ten[short] > 0
    assert twenty[tiles] > ten[tiles] > 0
