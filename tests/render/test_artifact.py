from __future__ import annotations

import pytest

from platform_meter.render.artifact import MARK, Artifact, Difference, compare

NEW = f"# {MARK}\nb: 2\n"


def test_nothing_to_say_when_all_is_as_generated() -> None:
    """Equal texts are no difference, and files of people's own are none of ours."""
    assert compare([Artifact(path="a.yml", text=NEW)], {"a.yml": NEW, "mine.yml": "x: 1\n"}) == []


def test_each_kind_of_difference() -> None:
    """Missing, stale and left over, by path; a file without our mark is never left over."""
    there = {"b.yml": "b: 1\n", "c.yml": NEW, "mine.yml": "x"}
    found = compare([Artifact(path="b.yml", text=NEW), Artifact(path="a.yml", text=NEW)], there)
    assert [(d.path, d.word) for d in found] == [("a.yml", "missing"), ("b.yml", "stale"), ("c.yml", "left over")]


def test_a_diff() -> None:
    """As `diff -u` prints it."""
    assert Difference(path="a.yml", before="a\n", after="b\n").diff() == (
        "--- a.yml (now)\n+++ a.yml (generated)\n@@ -1 +1 @@\n-a\n+b\n"
    )


def test_one_path_once() -> None:
    """Two artifacts for one path are a mistake of ours, not a silent loss."""
    with pytest.raises(ValueError, match=r"two artifacts are called a\.yml"):
        compare([Artifact(path="a.yml", text="x"), Artifact(path="a.yml", text="y")], {})
