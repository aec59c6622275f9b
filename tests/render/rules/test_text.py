from __future__ import annotations

from datetime import timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.problems.nodes import parse
from platform_meter.render.rules.text import Group, Rule, flow, rules_text, scalar

ANY = st.text(st.characters(blacklist_categories=["Cs"]))


@given(ANY)
def test_any_scalar_reads_back(text: str) -> None:
    """By PyYAML (YAML 1.1) and by our own reader (1.2), alone and in a flow."""
    for written in (f"a: {scalar(text)}\n", f"a: {scalar(text)}", f"{{b: 1, a: {scalar(text)}}}\n"):
        assert yaml.safe_load(written)["a"] == text
        _, (root,), problems = parse(written, "a.yaml")
        assert (root.node.value["a"], problems) == (text, [])


@given(ANY.filter(bool))
def test_any_expression_reads_back(expr: str) -> None:
    """Lines fold into spaces; what a folded block can't hold is quoted."""
    text = rules_text([Group(name="g", interval=timedelta(minutes=1), rules=(Rule(record="r", expr=expr),))])
    found = yaml.safe_load(text)["groups"][0]["rules"][0]["expr"]
    assert found in (expr, expr.replace("\n", " "))


@pytest.mark.parametrize(
    "word", ["true", "No", "on", "y", "null", "NaN", "1", "0x1", "1e3", "2026-01-01", "", "a: b", "a #b"]
)
def test_traps_are_quoted(word: str) -> None:
    """What some reader would take for something else than text."""
    assert scalar(word) == f'"{word}"'


@pytest.mark.parametrize("word", ["5m", "shop-requests", "runbooks/shop.md", "at least 2 % of the budget in 1h"])
def test_plain_texts_stay_plain(word: str) -> None:
    """Quotes only where they are needed."""
    assert scalar(word) == word


def test_flow() -> None:
    """Labels on one line."""
    assert flow({"slo": "x", "window": "5m", "odd": "a, b"}) == '{slo: x, window: 5m, odd: "a, b"}'
