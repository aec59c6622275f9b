"""Golden cases of bad SLO files, and what is true of any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.cases import hold, parts
from tests.support.policies import with_policies
from tests.support.slos import RATIO, STORED

from platform_meter import sources
from platform_meter.problems import render
from platform_meter.render.rules import rules
from platform_meter.slo.check import guard, read_slos
from platform_meter.slo.plan import plan
from platform_meter.slo.stored import stored_objective

CASES = sorted(Path(__file__).with_name("cases").glob("*.txt"))
KNOWN = ("platform_pipeline_runs_total", "platform_pod_start_seconds")
ASKING = sources.asking()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.stem)
def test_each_case_is_told_in_full(case: Path) -> None:
    """Every problem of every file comes at once, in order, with its line drawn and the fix named; warnings follow."""
    files = [(name, text) for name, text in parts(case).items() if name != "expected"]
    checked = read_slos(files, KNOWN, asking=ASKING)
    told = [render(p) for p in checked.problems] + [f"warning: {render(w)}" for w in checked.warnings]
    hold(case, "".join(f"{text}\n" for text in told))


def test_the_bad_inputs_of_the_design_are_all_there() -> None:
    """Design section 8 names what must be refused; an empty folder of cases would prove nothing."""
    assert {c.stem for c in CASES} >= {
        "share_for_percent",
        "percent_for_share",
        "no_budget",
        "broken_promql",
        "fixed_range",
        "twice",
        "unknown_key",
        "short_period",
        "level_without_a_row",
    }


def test_all_bad_inputs_are_told_in_one_run() -> None:
    """The documents of all cases, given together, give every problem that each gives alone, and more where names repeat.

    Those apart that name documents, since more of them are there together.
    """
    cases = [c for c in CASES if not c.stem.startswith("refs")]
    files = [(f"{c.stem}/{n}", t) for c in cases for n, t in parts(c).items() if n != "expected"]
    together = set(read_slos(files, KNOWN, asking=ASKING).problems)
    for case in cases:
        own = [(f"{case.stem}/{n}", t) for n, t in parts(case).items() if n != "expected"]
        alone = read_slos(own, KNOWN, asking=ASKING)
        assert {p for p in alone.problems if " stands in " not in p.text} <= together


def test_other_kinds_in_the_file_are_left_alone() -> None:
    """Our own kinds beside an SLO are somebody else's to read."""
    checked = read_slos([("a.yaml", f"kind: Team\nid: team-pay\n---\n{RATIO}")])
    assert [s.slo for s in checked.specs] == ["shop-requests"]
    assert checked.problems == ()


def test_documents_are_named_across_files_in_any_order() -> None:
    """An SLO reads the SLI it names, and that one's DataSource says the type; warnings are about the rest alone."""
    slo = RATIO[: RATIO.index("  indicator:")] + "  indicatorRef: errors\n" + RATIO[RATIO.index("  objectives:") :]
    sli = """apiVersion: openslo/v1
kind: SLI
metadata: {name: errors}
spec:
  ratioMetric:
    bad: {metricSource: {metricSourceRef: metrics, spec: {query: 'http_requests_total{code=~"5.."}'}}}
    total: {metricSource: {metricSourceRef: metrics, spec: {query: http_requests_total}}}
"""
    data = "- {apiVersion: openslo/v1, kind: DataSource, metadata: {name: metrics}, spec: {type: Prometheus}}\n"
    (inline,) = read_slos([("slo.yaml", RATIO)]).specs
    for files in ([("slo.yaml", slo), ("b", sli), ("c", data)], [("c", data), ("b", sli), ("slo.yaml", slo)]):
        checked = read_slos(files)
        assert (checked.problems, checked.warnings, checked.specs) == ((), (), (inline,))


def test_our_histograms_are_known_by_their_parts() -> None:
    """`_bucket`, `_count` and `_sum` of a histogram in the catalogue are its series."""
    text = RATIO.replace("'http_requests_total'", "'platform_pod_start_seconds_count'")
    assert read_slos([("a.yaml", text)], KNOWN).problems == ()


def test_the_guard_is_said_in_numbers() -> None:
    """Fewer than 70 events in an hour at 0.999: one failure alone burns faster than 14.4 (domain section 5)."""
    (spec,) = read_slos([("a.yaml", RATIO)]).specs
    assert guard(plan(spec))[0] == (
        "page 1h: with fewer than 70 events in 1h one failure alone burns faster than 14.4; 3 bad ones are asked for"
    )


def _plans_or_problems(text: str) -> None:
    checked = read_slos([("a.yaml", text)], KNOWN)
    for spec in checked.specs:
        found = plan(spec)
        stored_objective(found)
        rules([found])
    for problem in (*checked.problems, *checked.warnings):
        assert "\n" not in problem.text
        assert render(problem).startswith("a.yaml:")


@given(st.text(max_size=300))
def test_any_text_gives_problems_or_plans(text: str) -> None:
    """Nothing that people write makes the reader, the plan or the rules fail."""
    _plans_or_problems(text)


@settings(max_examples=300)
@given(st.data())
def test_any_change_to_an_slo_gives_problems_or_plans(data: st.DataObject) -> None:
    """A piece cut out of a good file, or put in, gives problems or a plan that renders."""
    text = data.draw(st.sampled_from([RATIO, STORED, with_policies(RATIO)]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    words = [
        "",
        "0.9",
        "1e400",
        "-",
        "{",
        "[{{window}}]",
        "'",
        '"',
        "\n",
        "stored",
        "\u2028",
        "x" * 70,
        "28d",
        "[5m]",
        "(",
        "#",
    ]
    piece = data.draw(st.sampled_from(words) | st.text(max_size=10))
    _plans_or_problems(text[:start] + piece + text[end:])


@given(st.text(max_size=60))
def test_any_query_gives_problems_or_plans(query: str) -> None:
    """PromQL is read by a real parser, within limits; whatever it says is a problem with a place."""
    quoted = "'" + "".join(c for c in query if c.isprintable()).replace("'", "''") + "'"
    _plans_or_problems(RATIO.replace("'http_requests_total'", quoted))
