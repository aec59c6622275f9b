"""Generated promtool tests, run by promtool against the generated rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.policies import with_condition, with_policies
from tests.support.prometheus import promtool
from tests.support.queries import FORMS
from tests.support.slos import ALL, LATENCY, RATIO, SLICES, STORED, THRESHOLD, planned, replaced

from platform_meter.render.rules import rules
from platform_meter.render.rules.promtool import rule_tests, untested
from platform_meter.slo.plan import Plan

VARIANTS = {
    **ALL,
    "a week at 0.9": replaced(RATIO, ("30d", "7d"), ("0.999", "0.9")),
    **{f"{kind} with policies": with_policies(text) for kind, text in ALL.items()},
    "one short row": with_condition(RATIO, "threshold: 2, lookbackWindow: 5m, alertAfter: 3m"),
    "one short row of good ones": with_condition(LATENCY, "threshold: 1, lookbackWindow: 10m"),
    "one short row of slices": with_condition(SLICES, "threshold: 1, lookbackWindow: 5m, alertAfter: 1m"),
    "one long row": with_condition(RATIO, "threshold: 900, lookbackWindow: 1d, alertAfter: 2h", "low"),
    "one long row of slices": with_condition(THRESHOLD, "threshold: 3, lookbackWindow: 3h, alertAfter: 20m"),
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
    assert len(tested) == (1 if kind.startswith("stored") else 2)


def test_a_condition_that_has_to_hold_is_held_to_it(tmp_path: Path) -> None:
    """Rules that wait longer than the file asks for fail their test; so do those that a stored SLO's test is for."""
    for text, file in ((RATIO, "shop.short.test.yml"), (STORED, "ci.short.test.yml")):
        found = planned(with_condition(text, "threshold: 2, lookbackWindow: 1h, alertAfter: 5m"))
        for artifact in (*rules([found]), *rule_tests([found])):
            (tmp_path / artifact.path).write_text(artifact.text.replace("for: 5m", "for: 50m"))
        with pytest.raises(AssertionError, match="FAILED"):
            promtool("test", "rules", tmp_path / file)


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


def test_a_part_of_its_own_can_contradict() -> None:
    """Where bad is a metric of its own there is a test of the alert that says so; and of `up`, where the total names its job."""
    one = planned(
        RATIO, ("'http_requests_total{code=~\"5..\"}'", "errors_total"), ("'http_requests_total'", "'r{job=\"shop\"}'")
    )
    text = "".join(a.text for a in rule_tests([one]))
    assert text.count("shop-requests: counts that contradict each other are said") == 1
    assert text.count("shop-requests: no series is no lack of data while the source is read") == 1
    assert text.count('up{job=\\"shop\\"}", values: "1+0x') == 1


@pytest.mark.parametrize(
    ("right", "wrong", "file"),
    [("> 0.1 *", "> 9 *", "shop.long.test.yml"), ("unless max(up{", "or max(up{", "shop.short.test.yml")],
)
def test_these_fail_on_wrong_rules(right: str, wrong: str, file: str, tmp_path: Path) -> None:
    """A contradiction told late, and `up` taken for silence."""
    one = planned(
        RATIO, ("'http_requests_total{code=~\"5..\"}'", "errors_total"), ("'http_requests_total'", "'r{job=\"shop\"}'")
    )
    for artifact in (*rules([one]), *rule_tests([one])):
        text = artifact.text
        if artifact.path == "shop.rules.yml":
            assert right in text
            text = text.replace(right, wrong)
            if "9" in wrong:  # and the budget's own condition
                text = text.replace("unless on (slo) slo:sli", "unless on (slo) slo:objective")
        (tmp_path / artifact.path).write_text(text)
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", tmp_path / file)


def test_a_page_on_one_bad_event_is_the_users_wish() -> None:
    """With min-bad 1 a single failure may page: there is no test that it does not."""
    found = planned(RATIO, ("io/owner: team-shop", 'io/min-bad: "1"'))
    assert not any("one failure" in a.text for a in rule_tests([found]))


def of_form(form: str) -> Plan:
    """The plan of an SLO with queries of this form."""
    total, bad = FORMS[form]
    return planned(RATIO, ("'http_requests_total'", f"'{total}'"), ("'http_requests_total{code=~\"5..\"}'", f"'{bad}'"))


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_of_query_are_tested(form: str) -> None:
    """Series are found such that a good event adds to total, and a bad one to both. tests/real has promtool run all of them."""
    plan = of_form(form)
    assert untested(plan) == ""
    assert [a.path for a in rule_tests([plan])] == ["shop.long.test.yml", "shop.short.test.yml"]


@pytest.mark.parametrize(
    ("form", "right", "wrong"),
    [
        ("two offsets", "offset 90s", "offset 40m"),
        ("a join that selects", 'owner{team="x"}', 'owner{team="y"}'),
        ("looks with and on()", "maintenance == 0", "maintenance == 1"),
    ],
)
def test_a_test_of_each_form_fails_on_wrong_rules(form: str, right: str, wrong: str, tmp_path: Path) -> None:
    """Rules that read at another time, join with another series, or count other looks."""
    plan = of_form(form)
    for artifact in (*rules([plan]), *rule_tests([plan])):
        text = artifact.text
        if artifact.path == "shop.rules.yml":
            assert right in text
            text = text.replace(right, wrong)
        (tmp_path / artifact.path).write_text(text)
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", tmp_path / "shop.short.test.yml")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("sum(changes(a[{{window}}]))", "changes"),
        ("sum(sum_over_time((up == bool 0)[{{window}}:1m]))", "counters beside samples"),
    ],
)
def test_what_has_no_test_is_named(bad: str, why: str) -> None:
    """Where no series can be guessed nothing is claimed, and the reason is said."""
    one = planned(RATIO, ("'http_requests_total{code=~\"5..\"}'", f"'{bad}'"))
    assert rule_tests([one]) == []
    assert untested(one) == why


@pytest.mark.parametrize("query", ["max(waiting)", "1 - a / b", "100 * avg_over_time(used[{{window}}])"])
def test_levels_are_fed(query: str, tmp_path: Path) -> None:
    """A level is set on each side of its bound, whatever is reckoned with it."""
    one = planned(THRESHOLD, ("query: queue_age_seconds", f"query: '{query}'"))
    assert len(run(one, tmp_path)) == 2


def test_the_slos_of_a_service_are_tested_one_by_one(tmp_path: Path) -> None:
    """Work grows with the SLOs: each test file of several loads the rules of its own SLO alone, which are the very ones."""
    first, second = planned(RATIO), replace(planned(RATIO), slo="second")
    artifacts = {a.path: a.text for a in rule_tests([first, second])}
    assert list(artifacts) == [
        f"shop.{slo}.{kind}.yml"
        for slo in ("second", "shop-requests")
        for kind in ("tested", "long.test", "short.test")
    ]
    assert artifacts["shop.second.tested.yml"] == rules([second])[0].text
    for path, text in artifacts.items():
        (tmp_path / path).write_text(text)
    promtool("test", "rules", tmp_path / "shop.second.long.test.yml")


def test_the_same_bytes_twice() -> None:
    """Order changes nothing."""
    plans = [planned(RATIO), planned(LATENCY), replace(planned(RATIO), slo="a")]
    assert rule_tests(plans) == rule_tests(reversed(plans))
