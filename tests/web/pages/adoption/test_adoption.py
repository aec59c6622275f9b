"""The Adoption page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from tests.support.adoption import capability, repository
from tests.support.history import MemoryHistory, owner, source
from tests.support.views import html, rows, tables, view

from platform_meter.model.catalogue.adoption import (
    ADOPTION_RATIO,
    ADOPTION_UNITS,
    TEAM_BREADTH,
    TEAM_CAPABILITY_STATE,
    TEAM_DEPTH,
    TEAM_INDEX,
)
from platform_meter.model.definitions import Capability, Definitions, Exempt
from platform_meter.model.history import UnitState
from platform_meter.web.pages.adoption import PAGE

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DECLARED = Definitions(capabilities=(capability(title="API gateway"),))


def was(unit: str, state: str, day: date) -> UnitState:
    return UnitState(day=day, what="adoption/gateway", unit=unit, state=state)


def test_states_now_and_the_trend_since_the_first_snapshot() -> None:
    """The table says what `/metrics` says; the chart holds a day for each snapshot, oldest first."""
    first = NOW.date() - timedelta(days=2)
    taken = [
        was("pay", "active", first),
        was("shop", "dormant", first),
        was("pay", "churned", first + timedelta(days=1)),
    ]
    counted = rows(
        (ADOPTION_UNITS, ("gateway", "team", "active"), 2.0),
        (ADOPTION_UNITS, ("gateway", "team", "churned"), 1.0),
        (ADOPTION_RATIO, ("gateway", "team", "false"), 0.5),
    )
    seen = view(NOW, MemoryHistory(taken=taken), definitions=DECLARED, rows=counted)
    found = tables(seen, PAGE.path)
    now = found["API gateway / Now"]
    assert {row[0]: row[1] for row in (now.columns, *now.rows)} == {
        "active": "2", "adopted idle": "0", "dormant": "0", "churned": "1", "eligible": "0", "not eligible": "0",
        "exempt": "0",
    }  # fmt: skip
    trend = found["API gateway / Units by state"]
    assert trend.columns == ("", "active", "adopted idle", "dormant", "churned", "eligible")
    assert trend.rows == (("08 Jun", "1", "0", "1", "0", "0"), ("09 Jun", "0", "0", "0", "1", "0"))
    assert "One snapshot a day, since 08 Jun 2026." in html(seen, PAGE.path)


def test_a_stale_source_takes_the_numbers_but_not_the_trend() -> None:
    """No current number is shown as 0, and the page says why."""
    taken = [was("pay", "active", NOW.date() - timedelta(days=1))]
    seen = view(NOW, MemoryHistory(taken=taken), definitions=DECLARED)
    text = html(seen, PAGE.path)
    assert "There are no current numbers: a source of this capability has no fresh data" in text
    now = tables(seen, PAGE.path)["API gateway / Now"]
    assert {row[1] for row in (now.columns, *now.rows)} == {"–"}
    assert tables(seen, PAGE.path)["API gateway / Units by state"].rows == (("09 Jun", "1", "0", "0", "0", "0"),)


def test_exemptions_are_listed_until_they_end() -> None:
    """Who is left out, until when and why; one that is over is not shown."""
    left_out = (
        Exempt(unit="legacy", until=NOW.date(), reason="decommission"),
        Exempt(unit="gone", until=NOW.date() - timedelta(days=1), reason="merged"),
    )
    declared = Definitions(capabilities=(capability(exempt=[e.model_dump() for e in left_out]),))
    text = html(view(NOW, definitions=declared), PAGE.path)
    assert "legacy is exempt until 2026-06-10: decommission." in text
    assert "gone is exempt" not in text


def test_the_grid_leaves_empty_what_is_not_eligible() -> None:
    """A team's state by capability, in words."""
    counted = rows(
        (TEAM_CAPABILITY_STATE, ("pay", "gateway"), 2.0),
        (TEAM_CAPABILITY_STATE, ("shop", "gateway"), 4.0),
        (TEAM_BREADTH, ("pay", "false"), 1.0),
        (TEAM_BREADTH, ("pay", "true"), 0.5),
        (TEAM_INDEX, ("pay", "false"), 0.25),
        (TEAM_DEPTH, ("pay", "gateway"), 0.25),
    )
    grid = tables(view(NOW, definitions=DECLARED, rows=counted), PAGE.path)["Teams and capabilities"]
    assert grid.columns == ("Team", "API gateway", "Breadth", "Index")
    assert grid.rows == (("pay", "active", "1 of 1", "25.0 %"), ("shop", "churned", "–", "–"))


def test_mandated_capabilities_stand_apart() -> None:
    """After those that people choose, under a heading that says what their use does not say; in the grid they come last."""
    declared = Definitions(
        capabilities=(
            capability(id="ci", title="Builds", mandated=True),
            capability(id="gateway", title="API gateway"),
        )
    )
    counted = rows((TEAM_CAPABILITY_STATE, ("pay", "ci"), 2.0), (TEAM_CAPABILITY_STATE, ("pay", "gateway"), 0.0))
    seen = view(NOW, definitions=declared, rows=counted)
    text = html(seen, PAGE.path)
    headings = [" ".join(found.split()) for found in re.findall(r"<h2[^>]*>([^<]*)", text)]
    assert headings == ["Teams and capabilities", "Chosen freely", "API gateway", "Mandated", "Builds"]
    assert "so their use is no sign of being liked" in text
    grid = tables(seen, PAGE.path)["Teams and capabilities"]
    assert grid.columns == ("Team", "API gateway", "Builds", "Breadth", "Index")
    assert grid.rows == (("pay", "eligible", "active", "–", "–"),)
    assert "Mandated" not in html(view(NOW, definitions=DECLARED), PAGE.path)


def test_a_standard_leads_to_who_keeps_to_it() -> None:
    """What is ordered and told by objects has a scorecard of its own; other capabilities have none."""
    for changed, leads in (({"mandated": True}, True), ({}, False)):
        declared = Definitions(capabilities=(capability(**changed),))
        assert ('href="/compliance#gateway"' in html(view(NOW, definitions=declared), PAGE.path)) is leads


def said(cap: Capability, history: MemoryHistory | None = None) -> str:
    """The page of one capability, as text on one line."""
    found = html(view(NOW, history, definitions=Definitions(capabilities=(cap,))), PAGE.path)
    return " ".join(re.sub("<[^>]*>", "", unescape(found)).split())


def test_the_rules_of_a_capability_are_said() -> None:
    """What counts as adopted and as active, with where it is read, and what is no use unless the file says so."""
    assert (
        "Adopted: repositories in github, at least 1 standing. Active: request in kong, at least 1 within 28 days. "
        "Who is active has adopted. There"
    ) in said(capability())
    picky = capability(
        adopted={"source": "kubernetes", "count": "workloads", "min": 2, "select": {"kind": ["Deployment", "Job"]}},
        active={
            "source": "github",
            "verb": ["run", "deploy"],
            "min_days": 3,
            "min_amount": 5,
            "window": "14d",
            "select": {"result": ["success"]},
            "adopts": False,
        },
    )
    some = capability(adopted={"source": "kong", "verb": "request", "select": {"subject": ["new"]}})
    assert (
        "Who is active has not adopted by that alone, since adopted selects what active does not: more may be"
        in said(some)
    )
    assert (
        "Adopted: workloads in kubernetes, at least 2 standing, kind Deployment or Job. "
        "Active: run or deploy in github, at least 5 on 3 days within 14 days, result success. "
        "Who is active has not adopted by that alone, since the file says adopts: false: more may be active than adopted. "
        "No use, unless select says so: trigger schedule."
    ) in said(picky)
    every = {
        "source": "kubernetes",
        "count": "quotas",
        "every": {"count": "workloads", "select": {"namespace": ["p*"]}},
    }
    assert (
        "Adopted: quotas in kubernetes, at least 1 standing, and all workloads, namespace p* among them. Active: request in "
        "kong, at least 1 within 28 days. Who is active has not adopted by that alone, since adopted asks for every object:"
    ) in said(capability(adopted=every))
    used = capability(adopted={"source": "github", "verb": "deploy"})
    assert "Adopted: deploy in github, at least 1 within 28 days." in said(used)
    assert "No use, unless select says so: result failed." in said(used)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (
            datetime(2026, 3, 1, tzinfo=UTC),
            "Known since 28 Mar 2026, the first day on which its objects were seen, and with 28 whole days of its use read",
        ),
        (
            datetime(2026, 6, 1, 7, tzinfo=UTC),
            "Nothing is said before 29 Jun 2026, the first day on which its objects were seen, and with",
        ),
    ],
)
def test_from_when_on_it_is_known_is_said(read: datetime, text: str) -> None:
    """A trend begins with a whole window behind it, in words too; while it has not begun nothing else is wrong."""
    history = MemoryHistory(sources=[source(name, watermark=NOW, read_from=read) for name in ("kong", "github")])
    found = said(capability(), history)
    assert text in found
    assert ("no fresh data" in found) == ("Known" in text)
    assert "whole days of its use" not in said(
        capability(), MemoryHistory(sources=[source(name, watermark=NOW) for name in ("kong", "github")])
    )


def test_days_before_it_was_known_are_not_drawn() -> None:
    """Older versions stored snapshots of days of which only a part of the window was read."""
    read = datetime(2026, 5, 11, tzinfo=UTC)
    known = [source(name, watermark=NOW, read_from=read) for name in ("kong", "github")]
    taken = [was("pay", "active", date(2026, 6, day)) for day in (6, 7, 8)]
    seen = view(NOW, MemoryHistory(taken=taken, sources=known), definitions=DECLARED)
    assert [row[0] for row in tables(seen, PAGE.path)["API gateway / Units by state"].rows] == ["07 Jun", "08 Jun"]


def test_what_nothing_in_the_store_has_is_said() -> None:
    """A misspelt value counts nothing; the page says what there is."""
    held = [("github", owner("pay"), repository("pay", visibility="internal"))]
    history = MemoryHistory(held, sources=[source(name, watermark=NOW) for name in ("kong", "github")])
    cap = capability(adopted={"source": "github", "count": "repositories", "select": {"visibility": ["publik"]}})
    assert (
        "No repositories in github has visibility publik; there are: internal. See select in the file of this capability."
    ) in said(cap, history)
