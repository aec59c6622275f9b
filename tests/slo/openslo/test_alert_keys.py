"""The keys of OpenSLO's alerts, alone: how they may be written, and what is read of a document that is partly sound."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from platform_meter.slo.openslo.alert_keys import AlertCondition, Condition, PolicySpec, TargetSpec


def test_what_a_condition_may_leave_away() -> None:
    """The kind, the operator and the wait: README of OpenSLO has defaults for two of them, and knows no operator."""
    found = Condition.model_validate({"threshold": 2, "lookbackWindow": "1h"})
    assert (found.kind, found.op, found.alertAfter) == ("burnrate", "gt", timedelta(0))


def test_a_name_alone_is_a_reference() -> None:
    """In both lists of a policy."""
    found = PolicySpec.model_validate({"conditions": ["fast"], "notificationTargets": ["mail"]})
    assert (found.conditions[0].conditionRef, found.notificationTargets[0].targetRef) == ("fast", "mail")


def test_a_policy_without_conditions_says_nothing() -> None:
    """So it is refused."""
    with pytest.raises(ValidationError, match="conditions"):
        PolicySpec.model_validate({"conditions": []})


def test_what_is_sound_is_read() -> None:
    """Of a condition with a bad window the rest is known."""
    text = {"spec": {"severity": "page", "condition": {"threshold": 2, "lookbackWindow": "1M"}}}
    found = AlertCondition.partly(text)
    condition = found.spec.condition
    assert (found.spec.severity, condition.threshold) == ("page", 2.0)
    assert condition.unsound == frozenset({"lookbackWindow"})


def test_targets_may_hold_what_their_tool_needs() -> None:
    """Nothing is read from them."""
    assert TargetSpec.model_validate({"target": "chat", "channel": "#shop"}).target == "chat"
