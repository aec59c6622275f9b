"""Series that selectors read, by their labels. Patterns are tried in test_samples.py."""

from __future__ import annotations

import pytest

from platform_meter.render.rules.promtool.labels import all_labels
from platform_meter.render.rules.promtool.reads import Unknown, reads, tree
from platform_meter.slo.promql import read_gauge


def labels(query: str) -> list[tuple[str, dict[str, str]]]:
    """Metric and labels of each series."""
    node = tree(read_gauge(query, "max"))
    return [(one.metric, dict(one.labels)) for one in all_labels(list(reads(node)), [node])]


def test_joined_series_share_what_joins_them() -> None:
    """With the value that one of them asks for."""
    assert labels('max(a * on(pod, zone) group_left() b{pod=~"web-.+",team="x"})') == [
        ("a", {"pod": "web-a", "zone": "a"}),
        ("b", {"pod": "web-a", "team": "x", "zone": "a"}),
    ]


def test_what_one_selector_reads_and_another_does_not() -> None:
    """Of the same metric: first what is read by one alone."""
    assert labels('max(a) - max(a{code="5"})') == [
        ("a", {"code": "200"}),
        ("a", {"code": "5"}),
        ("a", {}),
        ("a", {"code": "5"}),
        ("a", {"code": "5"}),
    ]


def test_no_labels_are_known() -> None:
    """Two values at once."""
    with pytest.raises(Unknown, match=r"^no labels are known that a takes$"):
        labels('max(a{c=~"x",c=~"y"})')
