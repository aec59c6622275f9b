"""Generated promtool tests, run by promtool against the generated rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.prometheus import promtool
from tests.support.slos import ALL, LATENCY, RATIO, planned, replaced

from platform_meter.render.rules import rules
from platform_meter.render.rules.promtool import rule_tests
from platform_meter.slo.plan import Plan

VARIANTS = {
    **ALL,
    "a week at 0.9": replaced(RATIO, ("30d", "7d"), ("0.999", "0.9")),
    "quiet": replaced(RATIO, ("io/owner: team-shop", "io/alerts: none"), ("30d", "1d")),
}


def run(plan: Plan, folder: Path) -> list[str]:
    """Write rules and tests, run promtool; the files that were tested."""
    tests = rule_tests([plan])
    for artifact in (*rules([plan]), *tests):
        (folder / artifact.path).write_text(artifact.text)
    promtool("test", "rules", *(folder / t.path for t in tests))
    return [t.path for t in tests]


@pytest.mark.parametrize("kind", VARIANTS)
def test_generated_tests_pass(kind: str, tmp_path: Path) -> None:
    """Outage, single failure, idle hours, silence and budget: promtool agrees with what the plan says."""
    tested = run(planned(VARIANTS[kind]), tmp_path)
    assert len(tested) == (1 if kind == "stored" else 2)


def test_generated_tests_fail_on_wrong_rules(tmp_path: Path) -> None:
    """Tests that pass on anything prove nothing: rules for a budget ten times as large fail them."""
    found = planned(RATIO)
    for artifact in (*rules([found]), *rule_tests([found])):
        text = artifact.text.replace("/ 0.001", "/ 0.01") if "rules.yml" in artifact.path[-9:] else artifact.text
        (tmp_path / artifact.path).write_text(text)
    for name in ("shop.short.test.yml", "shop.long.test.yml"):
        with pytest.raises(AssertionError, match="FAILED"):
            promtool("test", "rules", tmp_path / name)


def test_what_is_tested() -> None:
    """Each test says in its name what it holds the rules to."""
    names = [
        line[8:].strip('"')
        for a in rule_tests([planned(RATIO)])
        for line in a.text.splitlines()
        if line.startswith("- name")
    ]
    assert names == [
        "shop-requests: 1 h of outage in 16 h burn 62.5 times the budget, counted to 3 %",
        "shop-requests: one failure at one request a minute is nobody's alarm",
        "shop-requests: no data for 10m is said",
        "shop-requests: idle hours leave burn absent and the budget unharmed",
        "shop-requests: a full outage fires the page over 1h within 2 min",
    ]


def test_a_page_on_one_bad_event_is_the_users_wish() -> None:
    """With min-bad 1 a single failure may page: there is no test that it does not."""
    found = planned(RATIO, ("io/owner: team-shop", 'io/min-bad: "1"'))
    assert not any("one failure" in a.text for a in rule_tests([found]))


def test_queries_that_nobody_can_feed_have_no_tests() -> None:
    """Two selectors in one query: the series behind them can't be guessed, so nothing is claimed."""
    both = "'sum(increase(a_total[{{window}}])) + sum(increase(b_total[{{window}}]))'"
    assert rule_tests([planned(RATIO, ("'http_requests_total'", both))]) == []


def test_the_same_bytes_twice() -> None:
    """Order changes nothing."""
    plans = [planned(RATIO), planned(LATENCY), replace(planned(RATIO), slo="a")]
    assert rule_tests(plans) == rule_tests(reversed(plans))
