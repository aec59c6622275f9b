"""The tickets behind the numbers of support, in words. That they add up is asserted wherever the numbers are tested."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.measures.support.test_support import scene
from tests.support.history import source
from tests.support.tickets import MONDAY, PROJECT, created, hours, resolved, ticketing

from platform_meter.measures.support.behind import behind, behind_load
from platform_meter.model.catalogue.support import (
    TICKET_AT_RISK,
    TICKET_DISAGREEMENTS,
    TICKET_SLA_MET,
    TICKETS_OPEN,
    TICKETS_PER_ACTIVE_TEAM,
)
from platform_meter.model.definitions import Ownership
from platform_meter.model.facts.tickets import ToolClock
from platform_meter.model.measure import Labels
from platform_meter.model.metric import Metric

AT = scene(
    [
        created(ticket="PLAT-1", priority="P1", name="PLAT-1"),
        created(hours(1), ticket="PLAT-2", name="PLAT-2"),
        resolved(hours(3), ticket="PLAT-2"),
    ],
    MONDAY + timedelta(hours=7),
)


def said(metric: Metric, *labels: str) -> list[tuple[str, float, float]]:
    found: Labels = labels
    return [(piece.what, piece.adds, piece.part) for piece in behind(AT, metric, found)]


def test_open_tickets_are_named_with_their_age() -> None:
    """Of the priority and age that the series is of."""
    assert said(TICKETS_OPEN, "help", "P1", "1d") == [("PLAT-1, P1, created 2026-03-02 08:00 UTC", 1.0, 0.0)]
    assert said(TICKETS_OPEN, "help", "P3", "1d") == []


def test_cycles_are_named_with_their_clock() -> None:
    """How much of its goal each has used."""
    assert said(TICKET_AT_RISK, "help", "resolution", "P1") == [("PLAT-1, P1, 7.0 of 8.0 business hours", 1.0, 0.0)]
    assert said(TICKET_SLA_MET, "help", "resolution", "P3", "28d") == [
        ("PLAT-2, P3, 2.0 of 24.0 business hours", 1.0, 1.0)
    ]


def test_cycles_of_two_clocks_are_named_with_both_verdicts() -> None:
    """Those of which they say otherwise."""
    queue = ticketing(slas=[{"id": "resolution", "goal": {"default": "24h"}, "clock": "source"}])
    told = [
        ToolClock(
            key=f"{ticket}/1", at=MONDAY, about=PROJECT, queue="PLAT", ticket=ticket, clock="Time to resolution",
            stopped=stopped, elapsed=hours(2) - MONDAY, goal=hours(8) - MONDAY,
        )
        for ticket, stopped in (("PLAT-1", hours(2)), ("PLAT-2", hours(3)))
    ]  # fmt: skip
    facts = [created(name="PLAT-1"), created(ticket="PLAT-2"), resolved(hours(3), ticket="PLAT-2"), *told]
    found = behind(scene(facts, hours(7), queue), TICKET_DISAGREEMENTS, ("help", "resolution", "P3"))
    assert [piece.what for piece in found] == [
        "PLAT-1, P3, 2.0 of 8.0 business hours, in time; the other clock: not decided"
    ]


def test_teams_that_asked_stand_behind_the_load() -> None:
    """As those that delivered do; the tickets are the part, the teams the whole."""
    rules = [{"match": "jira:groups/a", "team": "team-a"}]
    at = scene([created(asking="jira:groups/a", name="PLAT-1")], hours(7), sources=[source("ci", watermark=hours(7))])
    ownership = Ownership.model_validate({"kind": "Ownership", "rules": rules})
    at = replace(at, definitions=replace(at.definitions, ownership=(ownership,)))
    assert [
        (piece.what, piece.adds, piece.part) for piece in behind_load(at, TICKETS_PER_ACTIVE_TEAM, ("help", "28d"))
    ] == [
        ("PLAT-1, P3, created 2026-03-02 08:00 UTC", 0.0, 1.0),
        ("team team-a delivered something or asked", 1.0, 0.0),
    ]
