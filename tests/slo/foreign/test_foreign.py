"""Who reads a file of another tool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_meter.problems import Document, decode, render
from platform_meter.render.rules import rules
from platform_meter.slo.check import read_slos
from platform_meter.slo.foreign import dialects, translated
from platform_meter.slo.plan import plan


def document(text: str) -> Document:
    (found,) = decode(text, "a.yaml", lambda _: None).others
    return found


def test_every_language_is_found() -> None:
    """A module in the room is one more that is read."""
    assert [one.tool for one in dialects()] == ["Pyrra", "Sloth", "OpenSLO v1alpha"]


@pytest.mark.parametrize("text", ["kind: Team", "apiVersion: openslo/v1\nkind: SLO", "version: 3\nservices: {}"])
def test_what_is_no_tools_is_left(text: str) -> None:
    """Somebody else reads it."""
    assert translated(document(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "version: prometheus/v1",
        "apiVersion: sloth.slok.dev/v1",
        "apiVersion: pyrra.dev/v1alpha1",
        "apiVersion: openslo/v1alpha",
    ],
)
def test_a_document_that_says_nothing_else_is_a_problem(text: str) -> None:
    """And none of them raises."""
    found = translated(document(text))
    assert found is not None
    assert found.problems


SAMPLES = [
    """version: prometheus/v1
service: shop
labels: {owner: team-shop, tier: 2}
slo_plugins: {chain: [{id: sloth.dev/core/debug/v1}]}
slos:
  - name: a
    objective: 99.9
    sli: {events: {error_query: 'sum(rate(x_total{a="b"}[{{.window}}]))', total_query: 'sum(rate(x_total[{{.window}}]))'}}
    alerting: {name: X, labels: {a: b}, annotations: {summary: x}, page_alert: {disable: true}, ticket_alert: {labels: {c: d}}}
  - {name: b, objective: 95, sli: {raw: {error_ratio_query: 'avg_over_time(x[{{.window}}])'}}}
""",
    """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: x, labels: {pyrra.dev/team: shop}, annotations: {pyrra.dev/runbook_url: y}}
spec:
  target: "99"
  window: 4w
  indicator: {ratio: {errors: {metric: 'x_total{a="b"}'}, total: {metric: x_total}, grouping: [a]}}
  alerting: {name: X, absent: false, severities: {fastBurn: p1, absent: p2}}
""",
    """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: x}
spec: {target: "99", window: 4w, indicator: {latencyNative: {latency: 200ms, total: {metric: x_seconds}}}}
""",
    """apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: x, displayName: X}
spec:
  service: shop
  timeWindows: [{unit: Day, count: 28, isRolling: true}]
  objectives:
    - {displayName: A, target: 0.99, ratioMetrics: {good: {source: prometheus, query: 'x_total{a="b"}'}, total: {source: prometheus, query: x_total}}}
    - {target: 0.999, ratioMetrics: {good: {source: prometheus, query: 'x_total{a="b"}'}, total: {source: prometheus, query: x_total}}}
""",
]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 1000),
    st.floats(-1, 101),
    st.text(max_size=12),
    st.sampled_from(["{{", '"', "a\nb", "{{.window}}", "sum(", "99.9", "4w", "µ✓", "a" * 90]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
"""What may stand where something else belongs."""


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(one, (*at, key))


@given(st.data(), st.sampled_from(SAMPLES))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_there_is_a_plan_or_a_problem_with_its_place(data: st.DataObject, sample: str) -> None:
    """Nothing raises, and what is sound gives the same bytes twice."""
    value = yaml.safe_load(sample)
    for _ in range(data.draw(st.integers(1, 2))):
        places = [at for at in _places(value) if len(at) > 1 or (at and at[0] not in ("version", "apiVersion", "kind"))]
        *way, last = data.draw(st.sampled_from(places))
        inner = value
        for key in way:
            inner = inner[key]
        inner[last] = data.draw(ODD)
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
    found = read_slos([("a.yaml", text)])
    for problem in (*found.problems, *found.warnings):
        assert 1 <= problem.line <= text.count("\n") + 1
        render(problem)
    assert found.problems or found.specs or not value.get("spec", value.get("slos"))
    assert rules(plan(spec) for spec in found.specs) == rules(
        plan(spec) for spec in read_slos([("a.yaml", text)]).specs
    )
