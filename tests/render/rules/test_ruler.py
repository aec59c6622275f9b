"""What stands in a ruler against what would."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml
from tests.support.slos import ALL, planned

from platform_meter.render.rules import groups
from platform_meter.render.rules.objects import group_values
from platform_meter.render.rules.ruler import changes, is_ours
from platform_meter.render.rules.text import Group, Rule

ONE = Group(
    name="slo a short",
    interval=timedelta(seconds=90),
    rules=(
        Rule(record="slo:burn:rate", labels={"slo": "a"}, expr="b\n/ c"),
        Rule(alert="SLOBurn", expr="slo:burn:rate > 14.4", wait=timedelta(minutes=2), labels={"level": "page"}),
    ),
)


def told(there: dict[str, list[Any]], *wanted: tuple[str, list[Group]]) -> list[str]:
    return [change.told for change in changes(wanted, there, "meter")]


def test_a_group_is_new_changed_or_gone() -> None:
    """What is as it would be written is not spoken of; what goes comes last."""
    now = group_values(ONE)
    assert told({}, ("shop", [ONE])) == ["meter.shop: slo a short is new"]
    assert told({"meter.shop": [now]}, ("shop", [ONE])) == []
    assert told({"meter.shop": [now | {"interval": "1m"}]}, ("shop", [ONE])) == ["meter.shop: slo a short is changed"]
    assert told({"meter.shop": [now]}, ("web", [ONE])) == [
        "meter.web: slo a short is new",
        "meter.shop: slo a short is gone",
    ]


def test_other_namespaces_are_not_looked_at() -> None:
    """Neither people's own nor those of another that writes as we do."""
    now = group_values(ONE)
    there = {name: [now] for name in ("shop", "meter", "meter.", "meter-b.shop", "meter.b.shop", "other.shop")}
    assert told(there, ("shop", [ONE])) == ["meter.shop: slo a short is new"]
    assert [name for name in [*there, "meter.shop"] if is_ours("meter", name)] == ["meter.shop"]


@pytest.mark.parametrize(
    "more",
    [
        {"interval": "1m30s"},
        {"query_offset": "0s", "limit": "0", "source_tenants": [], "labels": {}, "evaluation_delay": None},
    ],
)
def test_what_means_the_same_is_the_same(more: dict[str, Any]) -> None:
    """Another spelling of a duration, a key without a value, an expression with a line break at its end."""
    now = group_values(ONE) | more
    now["rules"] = [rule | {"expr": f"{rule['expr']}\n"} for rule in now["rules"]]
    assert told({"meter.shop": [now]}, ("shop", [ONE])) == []


@pytest.mark.parametrize(
    "more", [{"interval": "soon"}, {"source_tenants": ["b"]}, {"limit": "5"}, {"rules": []}, {"labels": {"a": "b"}}]
)
def test_what_means_something_else_is_changed(more: dict[str, Any]) -> None:
    """Also what somebody set there by hand."""
    assert told({"meter.shop": [group_values(ONE) | more]}, ("shop", [ONE])) == ["meter.shop: slo a short is changed"]


def test_labels_are_compared_as_they_are() -> None:
    """One that is empty, 0 or called like a duration is a label all the same."""
    for labels in ({"slo": "a", "tier": "0"}, {"slo": "a", "tier": ""}, {"slo": "a", "for": "60s"}):
        now = group_values(ONE)
        now["rules"][0]["labels"] = labels
        assert told({"meter.shop": [now]}, ("shop", [ONE])) == ["meter.shop: slo a short is changed"]
        if "for" in labels:
            same = replace(ONE, rules=(replace(ONE.rules[0], labels={"slo": "a", "for": "1m"}), ONE.rules[1]))
            assert told({"meter.shop": [now]}, ("shop", [same])) == ["meter.shop: slo a short is changed"]


def test_the_difference_line_by_line() -> None:
    """As `diff -u` prints it."""
    there = {"meter.shop": [group_values(ONE) | {"interval": "1m"}]}
    (change,) = changes([("shop", [ONE])], there, "meter")
    assert change.diff() == (
        "--- meter.shop/slo a short (now)\n"
        "+++ meter.shop/slo a short (generated)\n"
        "@@ -1,4 +1,4 @@\n"
        "-interval: 1m\n"
        "+interval: 1m30s\n"
        " name: slo a short\n"
        " rules:\n"
        " - expr: b / c\n"
    )


def test_every_kind_of_slo_reads_back() -> None:
    """Written as YAML and read as text, as a ruler gives it, no group differs."""
    for text in ALL.values():
        those = list(groups(planned(text)))
        there = yaml.load(yaml.safe_dump({"meter.shop": [group_values(one) for one in those]}), yaml.CBaseLoader)  # noqa: S506
        assert told(there, ("shop", those)) == []
