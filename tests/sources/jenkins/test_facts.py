"""What a build is about, and what started it."""

from __future__ import annotations

import pytest

from platform_meter.sources.jenkins.facts import trigger
from platform_meter.sources.jenkins.rows import Action, Cause


@pytest.mark.parametrize(
    ("class_", "said", "expected"),
    [
        ("hudson.triggers.TimerTrigger$TimerTriggerCause", "Started by timer", "schedule"),
        ("com.cloudbees.jenkins.GitHubPushCause", "Started by GitHub push", "push"),
        ("jenkins.branch.BranchIndexingCause", "Branch indexing", "push"),
        ("hudson.model.Cause$UserIdCause", "Started by user u-1a2b", "manual"),
        ("hudson.model.Cause$UpstreamCause", 'Started by upstream project "a"', "upstream"),
        ("", "Started by timer", "schedule"),
        ("", "Started by an SCM change", "push"),
        ("", "Started by user anonymous", "manual"),
        ("org.example.OtherCause", "", ""),
    ],
)
def test_a_cause_tells_what_started_a_build(class_: str, said: str, expected: str) -> None:
    """By its class; where a server tells none, by its words."""
    assert trigger([Action(causes=[Cause(class_=class_, short_description=said)])]) == expected
