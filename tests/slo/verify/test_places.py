from __future__ import annotations

import pytest
from tests.support.slos import RATIO, planned, replaced

from platform_meter.problems import Problem
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import Plan, plan
from platform_meter.slo.promql import Matcher, Selector
from platform_meter.slo.verify.finding import Finding
from platform_meter.slo.verify.places import Places

FIVES = Selector(metric="http_requests_total", matchers=(Matcher(label="code", operator="=~", value="5.."),))
ALL = Selector(metric="http_requests_total", matchers=())


def drawn(problem: Problem) -> tuple[str, int, str]:
    """The file, the line, and what is marked in it."""
    start = problem.column - 1
    return problem.path, problem.line, problem.source_line[start : start + problem.length]


def place(
    plan_: Plan,
    *files: tuple[str, str],
    part: str = "bad",
    selector: Selector | None = None,
    word: str = "",
    key: str = "",
) -> tuple[str, int, str]:
    """Where a finding is told."""
    found = Finding(plan=plan_, part=part, text="wrong", wrong=True, selector=selector, word=word, key=key)
    return drawn(Places(files).problem(found))


@pytest.mark.parametrize(
    ("part", "selector", "word", "line", "marked"),
    [
        ("bad", FIVES, "code", 15, "code"),
        ("bad", FIVES, "5..", 15, "5.."),
        ("bad", FIVES, "http_requests_total", 15, "http_requests_total"),
        ("total", ALL, "http_requests_total", 16, "http_requests_total"),
        ("total", None, "", 16, "'http_requests_total'"),
        ("bad", None, "", 15, "'http_requests_total{code=~\"5..\"}'"),
    ],
)
def test_a_word_of_a_query(part: str, selector: Selector | None, word: str, line: int, marked: str) -> None:
    """In its own query, also where another one reads the same metric; without a word the whole of it."""
    found = place(planned(RATIO), ("slo.yaml", RATIO), part=part, selector=selector, word=word)
    assert found == ("slo.yaml", line, marked)


def test_a_query_over_several_lines() -> None:
    """The word where it stands, not the first line of the text."""
    query = 'query: |-\n              sum(increase(\n                http_requests_total{code=~"5.."}[{{window}}]\n              ))\n'
    text = replaced(
        RATIO,
        (
            "bad: {metricSource: {type: prometheus, spec: {query: 'http_requests_total{code=~\"5..\"}'}}}",
            f"bad:\n          metricSource:\n            type: prometheus\n            spec:\n             {query}",
        ),
    )
    assert place(planned(text), ("slo.yaml", text), selector=FIVES, word="5..") == ("slo.yaml", 21, "5..")


def test_the_key_of_an_slo() -> None:
    """What is about no query stands at its key, or where that would stand."""
    assert place(planned(RATIO), ("slo.yaml", RATIO), part="", key="timeWindow")[1] == 10
    text = replaced(RATIO, ("  timeWindow: [{duration: 30d, isRolling: true}]\n", ""))
    assert place(planned(text), ("slo.yaml", text), part="", key="timeWindow")[1] == 8


def test_each_slo_of_a_file_has_its_own_place() -> None:
    """The second of two alike is told in the second."""
    text = f"{RATIO}---\n{replaced(RATIO, ('shop-requests', 'more-requests'))}"
    plans = {spec.slo: plan(spec) for spec in read_slos([("slo.yaml", text)]).specs}
    for name, line in (("shop-requests", 15), ("more-requests", 15 + 18)):
        assert place(plans[name], ("slo.yaml", text), selector=FIVES, word="5..")[1] == line


SLI = """apiVersion: openslo/v1
kind: SLI
metadata: {name: requests}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {type: prometheus, spec: {query: 'http_requests_total{code=~"5.."}'}}}
    total: {metricSource: {type: prometheus, spec: {query: 'http_requests_total'}}}
"""
NAMING = """apiVersion: openslo/v1
kind: SLO
metadata: {name: named}
spec:
  service: shop
  budgetingMethod: Occurrences
  indicatorRef: requests
  objectives: [{target: 0.999}]
"""


def test_an_indicator_in_another_file() -> None:
    """Its query is where it stands, and not where it is named."""
    files = [("sli.yaml", SLI), ("slo.yaml", NAMING)]
    (spec,) = read_slos(files).specs
    assert place(plan(spec), *files, selector=FIVES, word="code") == ("sli.yaml", 7, "code")


def test_what_cannot_be_found_is_told_at_the_slo() -> None:
    """A file that is not at hand, and a metric that no text holds."""
    other = Selector(metric="never_total", matchers=())
    assert place(planned(RATIO), selector=other)[:2] == ("slo.yaml", 1)
    assert place(planned(RATIO), ("slo.yaml", RATIO), selector=other)[:2] == ("slo.yaml", 1)


SLOTH = """version: prometheus/v1
service: shop
slos:
  - name: first
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting: {name: First}
  - name: second
    objective: 99
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting: {name: Second}
"""


def test_slos_in_the_form_of_another_tool() -> None:
    """Keys are called otherwise there, and several SLOs stand in one document."""
    plans = [plan(spec) for spec in read_slos([("slo.yaml", SLOTH)]).specs]
    bad = [place(one, ("slo.yaml", SLOTH), selector=FIVES, word="code") for one in plans]
    total = [place(one, ("slo.yaml", SLOTH), part="total", selector=ALL, word="http_requests_total") for one in plans]
    assert bad == [("slo.yaml", 8, "code"), ("slo.yaml", 15, "code")]
    assert total == [("slo.yaml", 9, "http_requests_total"), ("slo.yaml", 16, "http_requests_total")]
