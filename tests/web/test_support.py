"""The Support page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support import tickets
from tests.support.history import MemoryHistory, owner, source
from tests.support.views import html, rows, tables, view

from platform_meter.measures import catalogue as c
from platform_meter.model.definitions import Definitions

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
"""A Wednesday: its week began on 8 June."""
DECLARED = Definitions(ticketing=(tickets.ticketing(title="Help desk"),))


def history(*categories: tuple[str, datetime]) -> MemoryHistory:
    told = [
        ("jira", owner("platform"), tickets.created(at, ticket=f"PLAT-{n}", category=category))
        for n, (category, at) in enumerate(categories, 1)
    ]
    return MemoryHistory(told, sources=[source("jira", watermark=NOW)])


def test_tickets_by_week_and_category() -> None:
    """13 weeks from Mondays; the most frequent categories by name, the others together."""
    categories = [(name, NOW - timedelta(days=1)) for n, name in enumerate("abcdefghi") for _ in range(9 - n)]
    seen = view(NOW, history(*categories, ("a", NOW - timedelta(weeks=2))), definitions=DECLARED)
    table = tables(seen, "/support")["Help desk / Tickets created by category"]
    assert table.columns == ("", "a", "b", "c", "d", "e", "f", "g", "all others")
    assert len(table.rows) == 13
    assert table.rows[-1] == ("08 Jun", "9", "8", "7", "6", "5", "4", "3", "3")
    assert table.rows[-3] == ("25 May", "1", "0", "0", "0", "0", "0", "0", "0")


def test_goals_by_sla_and_priority() -> None:
    """Ratios and times as `/metrics` has them; what is undefined is a dash, never 0."""
    counted = rows(
        (c.TICKETS_OPEN, ("help", "P1", "1d"), 2.0),
        (c.TICKETS_OPEN, ("help", "P1", "older"), 1.0),
        (c.TICKET_SLA_MET, ("help", "resolution", "P1", "28d"), 0.75),
        (c.TICKET_SLA_SECONDS, ("help", "resolution", "P1", "0.5"), 5400.0),
        (c.TICKET_AT_RISK, ("help", "resolution", "P1"), 1.0),
    )
    seen = view(NOW, history(), definitions=DECLARED, rows=counted)
    found = tables(seen, "/support")
    assert found["Help desk / Goals"].rows == (("resolution", "P1", "75.0 %", "–", "90 min", "–", "1", "–"),)
    ages = found["Help desk / Open tickets by age"]
    assert (ages.columns, ages.rows[-1]) == (("under 1 day", "2"), ("older", "1"))


def test_a_queue_without_fresh_data_says_so() -> None:
    """Open tickets are unknown then, not 0."""
    seen = view(NOW, history(), definitions=DECLARED)
    assert "No fresh data from this queue's source." in html(seen, "/support")
    assert tables(seen, "/support")["Help desk / Open tickets by age"].columns == ("under 1 day", "–")
