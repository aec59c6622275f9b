"""What `slo convert` writes says what it was given."""

from __future__ import annotations

import yaml
from tests.slo.foreign import test_pyrra, test_sloth, test_v1alpha
from tests.support.slos import RATIO

from platform_meter.render.rules import rules
from platform_meter.slo.check import read_slos
from platform_meter.slo.convert import convert
from platform_meter.slo.plan import plan


def test_rules_are_the_same_before_and_after() -> None:
    """To the byte, for every language there is."""
    text = f"{test_sloth.FILE}---{test_pyrra.OBJECT}---{test_v1alpha.DOCUMENT}---\n{RATIO}"
    found = convert(text, "a.yaml")
    assert found.problems == ()
    before, after = (read_slos([("a.yaml", one)]) for one in (text, found.text))
    assert after.problems == after.warnings == ()
    assert len(after.specs) == 5
    assert rules(plan(spec) for spec in after.specs) == rules(plan(spec) for spec in before.specs)


def test_a_second_time_changes_nothing() -> None:
    """OpenSLO v1 comes out as it went in."""
    once = convert(test_sloth.FILE, "a.yaml").text
    assert convert(once, "a.yaml").text == once


def test_values_stay_what_people_wrote() -> None:
    """Numbers are numbers, texts of several lines stand in lines, and what the file does not say is not said."""
    (found,) = yaml.safe_load_all(convert(test_pyrra.OBJECT, "a.yaml").text)
    assert found["spec"]["objectives"] == [{"targetPercent": 99.5}]
    assert found["spec"]["timeWindow"] == [{"duration": "2w", "isRolling": True}]
    assert "displayName" not in found["metadata"]
    assert "alert-labels: |-\n      page.severity=call\n" in convert(test_pyrra.OBJECT, "a.yaml").text


def test_a_file_with_problems_gives_nothing() -> None:
    """They are told where they stand."""
    found = convert(test_sloth.FILE.replace("99.9", "0.999"), "a.yaml")
    assert found.text == ""
    (problem,) = found.problems
    assert (problem.path, problem.line) == ("a.yaml", 7)


def test_what_is_read_otherwise_is_noted() -> None:
    """A person should know before they move."""
    text = test_pyrra.OBJECT.replace("    ratio:\n", "    ratio:\n      grouping: [handler]\n")
    (note,) = convert(text, "a.yaml").notes
    assert "handler" in note.text
