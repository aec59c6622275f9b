"""Ordered rules from what is told of a run to its outcome class."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from platform_meter.model.facts.ci import Outcome
from platform_meter.model.outcomes import LoggedRule, OutcomeRule, Signs, classify, rule, with_own

TABLE = (
    rule("lost", Outcome.INFRA_FAILURE, conclusion="failure", log=r"^agent \d+ lost"),
    rule("late", Outcome.INFRA_FAILURE, reason="queue|quota"),
    rule("step", Outcome.USER_FAILURE, conclusion="failure", step=".+"),
)


def own(**written: str) -> OutcomeRule:
    return LoggedRule.model_validate(written)


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (Signs(conclusion="failure", step="make", log="+ make\nAgent 7 lost"), (Outcome.INFRA_FAILURE, "lost")),
        (Signs(conclusion="failure", step="make", log="no agent 7 lost"), (Outcome.USER_FAILURE, "step")),
        (Signs(conclusion="error", step="make", log="agent 7 lost"), (Outcome.UNKNOWN, "")),
        (Signs(conclusion="failure", step="make", reason="QUOTA"), (Outcome.INFRA_FAILURE, "late")),
        (Signs(conclusion="failure", step="make", reason="quotas"), (Outcome.USER_FAILURE, "step")),
        (Signs(conclusion="failure"), (Outcome.UNKNOWN, "")),
    ],
)
def test_the_first_rule_whose_signs_all_fit_decides(signs: Signs, expected: tuple[Outcome, str]) -> None:
    """The whole sign, a log anywhere in it, in any case of letters; where none fits nobody knows."""
    assert classify(signs, TABLE) == expected


@pytest.mark.parametrize(
    ("written", "signs", "fits"),
    [
        ({"step": "vpn *"}, Signs(step="VPN up"), True),
        ({"step": "vpn *"}, Signs(step="the vpn up"), False),
        ({"step": "*"}, Signs(conclusion="success"), False),
        ({"step": "vpn [up"}, Signs(step="vpn [up"), True),
        ({"reason": "runner_*", "step": "deploy"}, Signs(reason="runner_lost", step="deploy"), True),
        ({"reason": "runner_*", "step": "deploy"}, Signs(reason="runner_lost", step="test"), False),
        ({"log": "no space left"}, Signs(log="tar: x\nNo space left on device\n"), True),
        ({"log": "no * left"}, Signs(log="No more space left"), True),
        ({"log": "no space left"}, Signs(), False),
    ],
)
def test_a_glob_fits_what_is_told(written: dict[str, str], signs: Signs, fits: bool) -> None:
    """All globs of a rule must fit; one of something that was not told fits nothing, be it a star."""
    found = classify(signs, with_own([own(**written, **{"class": "infra_failure"})], ()))
    assert (found.outcome is Outcome.INFRA_FAILURE) == fits


def test_own_rules_stand_on_top_and_are_named_by_what_they_say() -> None:
    """In their order, before those of the source."""
    written = [
        own(step="deploy*", reason="quota", **{"class": "skipped"}),
        own(step="deploy*", **{"class": "user_failure"}),
    ]
    table = with_own(written, TABLE)
    assert classify(Signs(reason="quota", step="deploy a"), table) == (
        Outcome.SKIPPED,
        "outcomes 1: reason quota, step deploy*",
    )
    assert classify(Signs(reason="queue", step="deploy a"), table) == (
        Outcome.USER_FAILURE,
        "outcomes 2: step deploy*",
    )
    assert classify(Signs(reason="queue", step="test"), table) == (Outcome.INFRA_FAILURE, "late")


def test_what_tells_most_is_why() -> None:
    """The step before the reason before the conclusion."""
    assert Signs(conclusion="a", reason="b", step="c").why == "c"
    assert Signs(conclusion="a", reason="b").why == "b"
    assert Signs(conclusion="a").why == "a"


@pytest.mark.parametrize(
    ("model", "written", "text"),
    [
        (OutcomeRule, {"class": "skipped"}, "write conclusion or reason or step beside class"),
        (LoggedRule, {"class": "skipped"}, "write conclusion or reason or step or log beside class"),
        (OutcomeRule, {"step": "x", "log": "x", "class": "skipped"}, "Extra inputs are not permitted"),
        (OutcomeRule, {"step": "x", "class": "infra"}, "Input should be 'success'"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(model: type[OutcomeRule], written: dict[str, str], text: str) -> None:
    """One without a sign, with one that its source does not read, or with no class that there is."""
    with pytest.raises(ValidationError, match=text):
        model.model_validate(written)
