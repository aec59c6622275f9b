"""What the platform teams plan, at any start."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from platform_meter.demo.company.days import ZONE
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.roadmap import PLANS, Roadmap


def roadmap(start: datetime) -> Roadmap:
    return Roadmap(Company.build(1, start, teams=8, services=8))


@pytest.mark.parametrize(
    ("start", "quarters"),
    [
        (datetime(2026, 5, 20, 9, tzinfo=UTC), ["Q1 2026", "Q2 2026", "Q3 2026"]),
        (datetime(2026, 1, 1, 9, tzinfo=UTC), ["Q4 2025", "Q1 2026", "Q2 2026"]),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), ["Q4 2026", "Q1 2027", "Q2 2027"]),
    ],
)
def test_the_quarter_that_runs_is_that_of_the_start(start: datetime, quarters: list[str]) -> None:
    """By the company's own clock: half an hour before midnight UTC it is tomorrow there."""
    assert [roadmap(start).quarter(n) for n in (-1, 0, 1)] == quarters


def test_what_an_item_is_comes_about_step_by_step() -> None:
    """The third is moved before the quarter begins, and done on its 25th day."""
    plans = roadmap(datetime(2026, 5, 20, 9, tzinfo=UTC))
    moved = PLANS[2]
    seen = [
        tuple(
            plans.value(moved, field, datetime(2026, m, d, 12, tzinfo=ZONE))
            for field in ("quarter", "status", "resolution")
        )
        for m, d in ((3, 26), (3, 27), (3, 30), (4, 26))
    ]
    assert seen == [
        ("Q1 2026", "Open", ""),
        ("Q2 2026", "Open", ""),
        ("Q2 2026", "In Progress", ""),
        ("Q2 2026", "Resolved", "Done"),
    ]


def test_every_item_has_an_order_of_its_own() -> None:
    """Numbers are those of its place, nothing happens before it was made, and it starts before it ends."""
    plans = roadmap(datetime(2026, 5, 20, 9, tzinfo=UTC))
    assert [plan.number for plan in PLANS] == list(range(1, len(PLANS) + 1))
    late = datetime(2030, 1, 1, tzinfo=UTC)
    for plan in PLANS:
        moments = [plans.made(plan), *(change[0] for change in plans.changes(plan, late))]
        assert moments == sorted(moments), plan.title
