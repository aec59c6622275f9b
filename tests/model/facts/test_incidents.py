"""Incidents as facts: what they are tallied by, and what a text names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.facts import Ref, Tally
from platform_meter.model.facts.incidents import (
    MOST_MENTIONS,
    Incident,
    IncidentDim,
    IncidentWay,
    Link,
    LinkedDim,
    LinkedIncident,
    Severity,
    named_in,
)

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REF = Ref(system="pagerduty", kind="service", id="P1")
SHA = "0123456789abcdef0123456789abcdef01234567"


def test_incidents_are_tallied_by_severity_and_way() -> None:
    """One each; so are linked ones, by their link."""
    one = Incident(key="i", at=AT, about=REF, severity=Severity.MAJOR, way=IncidentWay.ALERT)
    assert one.tallies() == (Tally(dim=IncidentDim(Severity.MAJOR, IncidentWay.ALERT)),)
    linked = LinkedIncident(key="i", at=AT, about=REF, severity=Severity.MINOR, link=Link.NEAR)
    assert linked.tallies() == (Tally(dim=LinkedDim(Severity.MINOR, Link.NEAR)),)


def test_an_incident_is_found_by_the_commits_that_it_names() -> None:
    """Among other names."""
    assert Incident(key="i", at=AT, about=REF, mentions=("PLAT-1", SHA, "abc1234")).commits() == (SHA, "abc1234")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("checkout fails since acme/shop#12", ("acme/shop#12",)),
        ("see PLAT-17, plat-17x and PLAT", ("PLAT-17",)),
        ("since v1.2.3 (was 1.2.2)", ("1.2.2", "v1.2.3")),
        (f"deployed {SHA.upper()}.", (SHA,)),
        ("bad commit abc1234, not deadbeef nor 20260601", ("abc1234",)),
        ("group/sub/project!12 broke it", ("group/sub/project!12",)),
        ("[log](https://ci.example/run/7), then.", ("https://ci.example/run/7",)),
        ("https://pd.example/incidents/Q1/", ("https://pd.example/incidents/Q1",)),
        ("image shop@sha256:0a1b", ("shop@sha256:0a1b",)),
        ("on 2026-06-01 at 12:30, 3 of 5 pods", ()),
        (None, ()),
    ],
)
def test_names_in_a_text(text: str | None, names: tuple[str, ...]) -> None:
    """Addresses, tickets, changes, versions, commits; words, dates and numbers name nothing."""
    assert named_in(text) == names


def test_each_name_is_given_once_and_not_too_many() -> None:
    """Of several texts together, sorted."""
    assert named_in("BUG-2 ACT-1", "ACT-1") == ("ACT-1", "BUG-2")
    assert len(named_in(" ".join(f"KEY-{n}" for n in range(500)))) == MOST_MENTIONS


@given(st.text())
def test_any_text_names_something_or_nothing(text: str) -> None:
    """And no name has a space in it."""
    assert not [name for name in named_in(text) if " " in name or not name]


@pytest.mark.parametrize(
    ("told", "start"),
    [
        ({}, AT),
        ({"detected": AT - MINUTE}, AT - MINUTE),
        ({"acknowledged": AT - MINUTE, "detected": AT - 2 * MINUTE}, AT - 2 * MINUTE),
        ({"acknowledged": AT + MINUTE, "resolved": AT + 2 * MINUTE}, AT),
        ({"resolved": AT}, None),
        ({"resolved": AT, "acknowledged": AT - MINUTE}, AT - MINUTE),
    ],
)
def test_an_incident_starts_at_the_earliest_moment_that_anybody_told(
    told: dict[str, Any], start: datetime | None
) -> None:
    """One of which nothing but its end was told lasted nobody knows how long."""
    incident = replace(Incident(key="1", at=AT, about=REF), **told)
    assert incident.start == start
