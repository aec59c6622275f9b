"""The Support page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support import tickets
from tests.support.history import MemoryHistory, owner, source
from tests.support.views import html, rows, tables, view

from platform_meter.model.catalogue.support import (
    TICKET_AT_RISK,
    TICKET_DISAGREEMENTS,
    TICKET_SLA_MET,
    TICKET_SLA_SECONDS,
    TICKETS_OPEN,
)
from platform_meter.model.definitions import Definitions, Ownership
from platform_meter.model.history import SourceState
from platform_meter.web.pages.support import page

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
    """13 weeks from Mondays up to this minute; the most frequent categories by name, the others together."""
    categories = [(name, NOW - timedelta(days=1)) for n, name in enumerate("abcdefghi") for _ in range(9 - n)]
    seen = view(
        NOW,
        history(*categories, ("a", NOW - timedelta(minutes=1)), ("a", NOW - timedelta(weeks=2))),
        definitions=DECLARED,
    )
    table = tables(seen, "/support")["Help desk / Tickets created by category"]
    assert table.columns == ("", "a", "b", "c", "d", "e", "f", "g", "all others")
    assert len(table.rows) == 13
    assert table.rows[-1] == ("08 Jun", "10", "8", "7", "6", "5", "4", "3", "3")
    assert table.rows[-3] == ("25 May", "1", "0", "0", "0", "0", "0", "0", "0")


def test_goals_by_sla_and_priority() -> None:
    """Ratios and times as `/metrics` has them; what is undefined is a dash, never 0."""
    counted = rows(
        (TICKETS_OPEN, ("help", "P1", "1d"), 2.0),
        (TICKETS_OPEN, ("help", "P1", "older"), 1.0),
        (TICKET_SLA_MET, ("help", "resolution", "P1", "28d"), 0.75),
        (TICKET_SLA_SECONDS, ("help", "resolution", "P1", "0.5"), 5400.0),
        (TICKET_AT_RISK, ("help", "resolution", "P1"), 1.0),
    )
    seen = view(NOW, history(), definitions=DECLARED, rows=counted)
    found = tables(seen, "/support")
    goals = found["Help desk / Goals"]
    assert goals.columns[:5] == ("SLA", "Priority", "Late now", "About to be", "Expected breaches")
    assert goals.rows == (("resolution", "P1", "0", "0", "–", "75.0 %", "–", "90 min", "–"),)
    ages = found["Help desk / Open tickets by age"]
    assert (ages.columns, ages.rows[-1]) == (("under 1 day", "2"), ("older", "1"))


def test_who_asks_is_listed_by_team() -> None:
    """The most tickets first, of 28 days; nothing where no ticket tells who asked."""
    rules = [{"match": f"jira:groups/{team}", "team": team} for team in ("team-a", "team-b")]
    declared = Definitions(
        ticketing=(tickets.ticketing(title="Help desk"),),
        ownership=(Ownership.model_validate({"kind": "Ownership", "rules": rules}),),
    )
    counted = rows((TICKETS_OPEN, ("help", "P1", "1d"), 2.0))
    told = [
        ("jira", owner("platform"), tickets.created(NOW - timedelta(days=n), ticket=f"PLAT-{n}", asking=asking))
        for n, asking in enumerate(["jira:groups/team-b", "", "jira:groups/team-a", "jira:groups/team-b"], 1)
    ]
    seen = view(NOW, MemoryHistory(told, sources=[source("jira", watermark=NOW)]), definitions=declared, rows=counted)
    found = tables(seen, "/support")["Help desk / Who asks"]
    assert found.columns == ("Team", "Tickets, 28 d", "Of all")
    assert found.rows == (("team-b", "2", "50.0 %"), ("team-a", "1", "25.0 %"))
    assert "Of 4 tickets created in 28 days." in html(seen, "/support")
    assert "Who asks" not in html(view(NOW, history(("a", NOW)), definitions=DECLARED, rows=counted), "/support")


def test_the_page_says_whose_clock_judges() -> None:
    """By the tool's own: how often the computed one says otherwise; where it told none, that it is computed; and what is
    waited for that nobody tells."""
    slas = [
        {"id": "first_response", "goal": {"default": "4h"}, "clock": "source", "clock_name": "First answer"},
        {"id": "resolution", "goal": {"default": "8h"}, "clock": "source"},
        {"id": "taken", "measures": "assignment", "goal": {"default": "8h"}},
        {"id": "seen", "measures": "acknowledgement", "goal": {"default": "8h"}},
        {"id": "known", "measures": "acknowledgement", "goal": {"default": "8h"}},
    ]
    counted = rows(
        (TICKETS_OPEN, ("help", "P1", "1d"), 2.0),
        (TICKET_DISAGREEMENTS, ("help", "resolution", "P1"), 2.0),
        (TICKET_DISAGREEMENTS, ("help", "resolution", "P3"), 1.0),
        (TICKET_AT_RISK, ("help", "known", "P3"), 0.0),
    )
    seen = view(NOW, history(), definitions=Definitions(ticketing=(tickets.ticketing(slas=slas),)), rows=counted)
    assert page(seen)["queues"][0]["clocks"] == [
        (
            "first response is computed: jira told no clock of its own called 'First answer' "
            "that is open or ended in 28 days"
        ),
        "resolution is judged by the clock of jira; the computed one says otherwise of 3",
        "seen has no numbers: jira never told that a ticket was acknowledged",
    ]
    assert "Clock: resolution is judged by the clock of jira" in html(seen, "/support")


def test_late_and_about_to_be_late_are_apart() -> None:
    """As tickets in the tile, by goal in the table: the one of 30 h waits past both of its goals."""
    told = [
        ("jira", owner("platform"), tickets.created(NOW - timedelta(hours=hours), ticket=f"PLAT-{hours}"))
        for hours in (30, 5, 3.5, 1)
    ]
    counted = rows(
        (TICKETS_OPEN, ("help", "P3", "1d"), 4.0),
        (TICKET_AT_RISK, ("help", "first_response", "P3"), 3.0),
        (TICKET_AT_RISK, ("help", "resolution", "P3"), 1.0),
    )
    seen = view(NOW, MemoryHistory(told, sources=[source("jira", watermark=NOW)]), definitions=DECLARED, rows=counted)
    tile = {t.name: (t.value, t.more) for t in page(seen)["queues"][0]["tiles"]}
    assert tile["Open"] == ("4", "tickets now")
    assert tile["Late"] == ("2", "past a goal, 1 more about to be")
    assert [row[:4] for row in tables(seen, "/support")["Help desk / Goals"].rows] == [
        ("first response", "P3", "2", "1"),
        ("resolution", "P3", "1", "0"),
    ]


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ([source("jira", watermark=NOW, fresh=False)], "no fresh data from jira"),
        ([source("jira", watermark=None, fresh=False)], "no fresh data from jira"),
        ([source("github", watermark=NOW)], "no source of type jira is configured"),
        ([source("jira", watermark=NOW)], "no ticket of this queue was counted yet"),
    ],
    ids=["stale", "never read", "missing", "empty"],
)
def test_a_queue_without_data_says_why(sources: list[SourceState], why: str) -> None:
    """Nothing is shown as 0; the banner, the chart and the table of goals say the reason."""
    told = (
        [] if why.startswith("no ticket") else [("jira", owner("platform"), tickets.created(NOW - timedelta(days=2)))]
    )
    seen = view(NOW, MemoryHistory(told, sources=sources), definitions=DECLARED)
    text, found = html(seen, "/support"), tables(seen, "/support")
    assert f"There are no current numbers: {why}." in text
    assert found["Help desk / Open tickets by age"].columns == ("under 1 day", "–")
    assert found["Help desk / Goals"].rows == ((f"N{why[1:]}.",),)
    values = {tile.name: tile.value for tile in page(seen)["queues"][0]["tiles"]}
    true_zeros = {"Late", "Created, 4 weeks"} if why.startswith("no ticket") else set()
    assert {name: value for name, value in values.items() if value != "–"} == dict.fromkeys(true_zeros, "0")
    if not true_zeros:
        assert f"No data: {why}." in text
        assert 'class="chart"' not in text


def test_a_queue_without_slas_says_so() -> None:
    """Then nothing can be late."""
    declared = Definitions(ticketing=(tickets.ticketing(title="Help desk", slas=[]),))
    counted = rows((TICKETS_OPEN, ("help", "P1", "1d"), 2.0))
    seen = view(NOW, history(("a", NOW - timedelta(days=1))), definitions=declared, rows=counted)
    assert tables(seen, "/support")["Help desk / Goals"].rows == (("Its Ticketing file has no slas.",),)
    assert ("Late", "–") in {(tile.name, tile.value) for tile in page(seen)["queues"][0]["tiles"]}


def test_statuses_in_no_list_are_named() -> None:
    """The clock runs in them, so whoever wrote the file must know; a file that lists all of them has no such line."""
    told = [
        ("jira", owner("platform"), tickets.created(NOW, status=status, ticket=status)) for status in ("Open", "<New>")
    ]
    seen = MemoryHistory(told, sources=[source("jira", watermark=NOW + timedelta(hours=1))])
    text = "In no list of the Ticketing file, so the clock runs in them: "
    assert f"{text}&lt;New&gt;. Write each status under" in html(view(NOW, seen, definitions=DECLARED), "/support")
    listed = MemoryHistory(told[:1], sources=seen.sources())
    assert text not in html(view(NOW, listed, definitions=DECLARED), "/support")


def test_priorities_of_one_side_alone_are_named() -> None:
    """The file promises P1, the tool says <Highest>: the default holds, and whoever wrote the file must know."""
    told = [("jira", owner("platform"), tickets.created(NOW, priority="<Highest>"))]
    seen = MemoryHistory(told, sources=[source("jira", watermark=NOW + timedelta(hours=1))])
    text = (
        "Priorities or severities that the Ticketing file names and no ticket ever had: P1. Write them as the tool does "
        "(it has &lt;Highest&gt;, to which the default goal applies), or translate the tool&#39;s"
    )
    assert text.replace("&#39;", "'") in html(view(NOW, seen, definitions=DECLARED), "/support").replace("&#39;", "'")


def test_a_priority_that_no_goal_names_is_no_mistake() -> None:
    """It is said quietly that the default goal applies, and nothing where all are named."""
    told = [
        ("jira", owner("platform"), tickets.created(NOW, priority=priority, ticket=priority))
        for priority in ("P1", "P3")
    ]
    seen = MemoryHistory(told, sources=[source("jira", watermark=NOW + timedelta(hours=1))])
    text = html(view(NOW, seen, definitions=DECLARED), "/support")
    assert "No goal names P3: the default goal applies." in text
    assert "no ticket ever had" not in text
    named = MemoryHistory(told[:1], sources=seen.sources())
    assert "default goal applies" not in html(view(NOW, named, definitions=DECLARED), "/support")


def test_who_answers_is_said() -> None:
    """Under the goals, with what holds where nobody is named."""
    assert "Who that is says agents of the source" in html(view(NOW, history(), definitions=DECLARED), "/support")
