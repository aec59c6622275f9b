"""Capabilities at a glance, and one of them, as people read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

from tests.measures.adoption.test_goals import LAST, RISING, WEEK, capability, scene
from tests.support.history import MemoryHistory, source
from tests.support.views import html, tables, view

from platform_meter.model.definitions import Capability, Definitions
from platform_meter.model.history import UnitState
from platform_meter.web.pages.adoption import PAGE
from platform_meter.web.view import View

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)


def seen(active: Sequence[int], *goals: Any) -> View:
    """As `scene` has it, on the page."""
    of = scene(list(active), *goals)
    assert isinstance(of.history, MemoryHistory)
    return view(NOW, of.history, definitions=of.definitions)


def text(of: View, path: str = PAGE.path) -> str:
    return " ".join(re.sub("<[^>]*>", " ", unescape(html(of, path))).split())


def test_all_capabilities_come_first_against_goals_and_the_past() -> None:
    """Share active, its change in points in 28 days, goals with a word each, and how many moved this week."""
    of = seen([*RISING[:-1], 5], {"ratio": 0.5, "by": LAST + 5 * WEEK}, {"ratio": 0.95, "by": LAST + 4 * WEEK})
    found = tables(of, PAGE.path)["Against goals, and four weeks ago"]
    assert found.rows == (
        (
            "gateway",
            "50 % active by 04 Aug 2026 95 % active by 28 Jul 2026",
            "50.0 %",
            "20.0 %",
            "+30.0 points within noise",
            "reached at risk",
            "1",
            "0",
            "–",
        ),
    )
    assert tables(of, PAGE.path)["Who moved this week"].columns == ("gateway", "came", "team-4")


def test_without_a_past_there_is_a_dash() -> None:
    """No change is told of three weeks, and no goal of a capability that has none."""
    found = tables(seen(RISING[:3]), PAGE.path)["Against goals, and four weeks ago"]
    assert found.rows == (("gateway", "none declared", "20.0 %", "–", "–", "", "1", "0", "–"),)
    assert "Against goals" not in html(view(NOW, definitions=Definitions(capabilities=(capability(),))), PAGE.path)


def test_a_goal_says_why_it_is_in_its_state() -> None:
    """What is needed a week, what is expected then and how sure that is; of a far one what an even pace has in 13 weeks."""
    far, missed = {"ratio": 1.0, "by": LAST + 26 * WEEK}, {"ratio": 0.3, "by": LAST - 4 * WEEK}
    found = tables(seen(RISING, missed, far), f"{PAGE.path}/gateway")["Goals"]
    assert [row[:3] for row in found.rows] == [
        ("30 % active by 02 Jun 2026", "20.0 %", "missed"),
        ("100 % active by 29 Dec 2026", "40.0 %", "on track"),
    ]
    assert found.rows[0][3] == "20.0 % were active on its day."
    assert re.fullmatch(
        r"2.3 points a week are needed. Forecast: 100.0 % in 13 weeks, when an even pace has 70.0 % "
        r"\(four futures in five: [0-9.]+ % to 100.0 %\).",
        found.rows[1][3],
    )
    early = tables(seen(RISING[:3], far), f"{PAGE.path}/gateway")["Goals"].rows[0]
    assert early[2] == ""
    assert "Nothing is expected of fewer than six weeks" in early[3]


def test_the_forecast_begins_at_the_last_week_seen() -> None:
    """Thirteen weeks, with a band around it; without enough weeks the chart says what is missing."""
    found = tables(seen(RISING), f"{PAGE.path}/gateway")["Where it is going / Adopted units by week"]
    assert found.columns == ("", "adopted", "low", "forecast", "high")
    assert found.rows[7] == ("30 Jun", "4", "4", "4", "4")
    assert (len(found.rows), found.rows[8][1], found.rows[8][0]) == (21, "–", "07 Jul")
    assert "a straight line through the weeks seen" in text(seen(RISING), f"{PAGE.path}/gateway")
    assert "A forecast comes with the sixth week; there are 3." in text(seen(RISING[:3]), f"{PAGE.path}/gateway")


def test_nobody_asks_for_a_capability_that_is_not_there() -> None:
    """404, not an empty page."""
    assert PAGE.detail is not None
    assert PAGE.detail.fill(seen(RISING), "mesh") is None


def test_people_move_without_names() -> None:
    """Units that are people are told by how many they are."""
    cap = Capability.model_validate({**capability().model_dump(), "unit": "person"})
    days = {LAST - 7 * timedelta(days=1): "eligible", LAST: "active"}
    taken = [
        UnitState(day=day, what="adoption/gateway", unit=f"hash-{n}", state=state)
        for day, state in days.items()
        for n in range(2)
    ]
    history = MemoryHistory(sources=[source("github", watermark=NOW)], taken=taken)
    said = html(view(NOW, history, definitions=Definitions(capabilities=(cap,))), PAGE.path)
    assert "hash-" not in said
    assert "2 people" in said


def test_many_names_are_cut_on_the_page_of_all() -> None:
    """And whole on the capability's own."""
    many = scene([0] * 7 + [15], of=20)
    assert isinstance(many.history, MemoryHistory)
    of = view(NOW, many.history, definitions=many.definitions)
    assert "team-6 and 3 more" in html(of, PAGE.path)
    assert " more" not in text(of, f"{PAGE.path}/gateway").partition("Who moved")[2].partition("Who stayed")[0]


def test_who_stayed() -> None:
    """Five began in May; in June, which is over with the last day, three of them were active."""
    days: dict[date, tuple[str, ...]] = {date(2026, 4, 30): (), date(2026, 5, 20): tuple("abcde"), LAST: tuple("abc")}
    taken = [
        UnitState(day=day, what="adoption/gateway", unit=unit, state="active" if unit in active else "eligible")
        for day, active in days.items()
        for unit in "abcde"
    ]
    history = MemoryHistory(sources=[source("github", watermark=NOW)], taken=taken)
    of = view(NOW, history, definitions=Definitions(capabilities=(capability(),)))
    found = tables(of, f"{PAGE.path}/gateway")["Who stayed"].rows
    assert found[0][:4] == ("2026-05", "5", "60 %", "")
