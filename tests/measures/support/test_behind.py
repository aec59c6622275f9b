"""The tickets behind the numbers of support, in words. That they add up is asserted wherever the numbers are tested."""

from __future__ import annotations

from datetime import timedelta

from tests.measures.support.test_support import scene
from tests.support.tickets import MONDAY, created, hours, resolved

from platform_meter.measures.support.behind import behind
from platform_meter.model.catalogue.support import TICKET_AT_RISK, TICKET_SLA_MET, TICKETS_OPEN
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
