from __future__ import annotations

import json

import pytest
from tests.support.our_slos import our_plans

from platform_meter.model.generated import HEADER, dashboard_mark
from platform_meter.render.artifact import Artifact, Difference, compare, is_ours
from platform_meter.render.dashboards import dashboards
from platform_meter.render.rules import rules
from platform_meter.render.rules.promtool import rule_tests

OURS = f"{HEADER}b: 1\n"
NEW = f"{HEADER}b: 2\n"


def test_nothing_to_say_when_all_is_as_generated() -> None:
    """Equal texts are no difference, and files of people's own are none of ours."""
    assert list(compare([Artifact(path="a.yml", text=NEW)], {"a.yml": NEW, "mine.yml": "x: 1\n"})) == []


def test_each_kind_of_difference() -> None:
    """Stale, missing, in the way, and last what is left over; a file that we did not write is never left over."""
    there = {"b.yml": OURS, "c.yml": NEW, "d.yml": "d: 1\n", "mine.yml": f"x\n{NEW}"}
    found = compare([Artifact(path=f"{name}.yml", text=NEW) for name in "bad"], there)
    assert [(d.path, d.word, d.foreign) for d in found] == [
        ("b.yml", "stale", False),
        ("a.yml", "missing", False),
        ("d.yml", "in the way: `generate` did not write it", True),
        ("c.yml", "left over", False),
    ]


def test_all_that_is_generated_is_ours() -> None:
    """Rules, their tests and dashboards are known again; else a second run would refuse them."""
    plans = our_plans()
    assert [
        a.path for a in (*rules(plans), *rule_tests(plans), *dashboards(plans)) if not is_ours(a.path, a.text)
    ] == []


def board(**values: object) -> str:
    return json.dumps({"uid": "pm-ci", "description": f"For SREs. {dashboard_mark('pm-ci')}", **values})


def test_a_dashboard_is_ours_under_its_own_uid() -> None:
    """A copy of a generated dashboard, with a name or a uid of its own, is its owner's, mark and all."""
    assert is_ours("pm-ci.json", board())
    assert not is_ours("my-ci.json", board())
    assert not is_ours("my-ci.json", board(uid="my-ci"))
    assert not is_ours("pm-ci.json", board(description="Mine."))


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"uid": "pm-ci", "description": 1}', "[" * 100_000])
def test_what_is_no_dashboard_is_not_ours(text: str) -> None:
    """Any text at all may stand in the folder."""
    assert not is_ours("pm-ci.json", text)


def test_a_diff() -> None:
    """As `diff -u` prints it."""
    assert Difference(path="a.yml", before="a\n", after="b\n").diff() == (
        "--- a.yml (now)\n+++ a.yml (generated)\n@@ -1 +1 @@\n-a\n+b\n"
    )


def test_one_path_once() -> None:
    """Two artifacts for one path are a mistake of ours, not a silent loss."""
    with pytest.raises(ValueError, match=r"two artifacts are called a\.yml"):
        list(compare([Artifact(path="a.yml", text="x"), Artifact(path="a.yml", text="y")], {}))
