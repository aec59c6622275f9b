"""The Roadmap page."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.measures.roadmap.test_roadmap import FACTS, GAUGES, NOW
from tests.support.history import MemoryHistory, source
from tests.support.roadmaps import PLAN, item, kept, read, scene
from tests.support.views import html, rows, tables, view

from platform_meter.model.facts.roadmap import ItemStatus
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.web.pages.roadmap import PAGE
from platform_meter.web.view import View

Q4 = "2026-Q4"


def shown(seen: Scene) -> View:
    """What is shown of a scene, after a tick at the same moment."""
    samples = (sample for gauge in GAUGES for sample in gauge.compute(seen))
    said = rows(*((s.metric, s.labels, v) for s in samples if (v := resolve(s.value)) is not None))
    assert isinstance(seen.history, MemoryHistory)
    return view(seen.now, seen.history, definitions=seen.definitions, rows=said)


def company() -> Scene:
    """Of two committed to the quarter that runs one is done, late for its target, and one waits past it."""
    made = "2026-08-05"
    return kept(
        scene(
            NOW,
            [
                item("A", Q4, made=made, ended="2026-10-20", target=date(2026, 10, 15), themes=("docs",), title="Docs search", url="https://x/A"),
                item("B", Q4, made=made, status=ItemStatus.STARTED, target=date(2026, 11, 1), title="<b>Queues</b>", url="javascript:x"),
                item("C", Q4, made="2026-10-05", ended="2026-11-02", feedback=("jira:HELP-3",)),
                item("D", "2027-Q1", made=made, title="Nobody's wish"),
                item("E", "Someday", made=made, themes=("builds",)),
            ],
            facts=FACTS,
        )
    )  # fmt: skip


def test_a_period_tells_what_was_committed_and_what_came_of_it() -> None:
    """With each item, how far it slipped and how much feedback is behind it."""
    found = tables(shown(company()), PAGE.path)
    assert found["Periods"].rows == (
        ("2027-Q1 has not begun", "–", "–", "–", "–", "–", "–", "–", "–", "0.0 %", "–"),
        ("2026-Q4", "2", "1", "50.0 %", "0", "1", "0", "0", "1", "66.7 %", "+5 d"),
    )
    text = html(shown(company()), PAGE.path)
    assert '<a href="https://x/A">A</a></td><td>Docs search</td><td>done</td><td>delivered</td>' in text
    assert '20 Oct 2026</td><td class="whole">+5 d</td>' in text
    assert "&lt;b&gt;Queues&lt;/b&gt;</td><td>started</td><td>open</td>" in text
    assert "9 d over, open" in text
    assert "javascript" not in text


def test_what_people_ask_for_stands_beside_what_is_planned() -> None:
    """A theme with an item that has no period is not planned; an item with neither ticket nor theme nobody asked for."""
    found = tables(shown(company()), PAGE.path)
    assert found["Most asked and not planned"].rows == (("builds", "developer", "3", "101 d", "E"),)
    assert [(row[0], row[1]) for row in found["Planned and nobody asked"].rows] == [
        ("B", "<b>Queues</b>"),
        ("D", "Nobody's wish"),
    ]
    assert found["Pain points"].rows == (("developer", "slow-ci", "2", "1", "4", "254 d", "C, E"),)
    assert found["Feedback by theme"].rows == (
        ("builds", "developer", "3", "3", "101 d", "–", "E"),
        ("without a theme", "developer", "1", "1", "254 d", "0.0 %", "C"),
        ("docs", "", "0", "1", "", "–", "none"),
    )


def test_the_tiles_are_of_the_shortest_period_that_runs() -> None:
    """Feedback counts once however many themes it has."""
    text = html(shown(company()), PAGE.path)
    for name, value in (
        ("Delivered so far", "50.0 %"), ("Slipped", "0"), ("Added", "1"), ("Linked", "66.7 %"), ("Open feedback", "4"), ("Loop closed", "0.0 %"),
    ):  # fmt: skip
        tile = text.partition(f'<div class="name">{name}</div>')[2].partition("</div></div>")[0]
        assert f">{value}<" in tile, tile


def test_of_a_year_and_its_quarter_the_tiles_take_the_quarter() -> None:
    """Both run; the quarter is the nearer promise, and its items stand open."""
    both = [item("Y", "2026", made="2025-12-01"), item("Q", Q4, made="2026-08-05", ended="2026-10-20")]
    text = html(shown(kept(scene(NOW, both))), PAGE.path)
    assert ">of 1 committed to 2026-Q4<" in text
    assert "<details open><summary>Items of 2026-Q4<" in text
    assert "<details><summary>Items of 2026<" in text


def test_what_is_not_known_is_said_and_has_no_number() -> None:
    """A stale source takes away items and feedback, and is named."""
    seen = kept(
        scene(NOW, [item("A", Q4)], facts=FACTS, sources=[read(NOW, fresh=False), source("documents", watermark=NOW)])
    )
    text = html(shown(seen), PAGE.path)
    assert "Nothing is said of items now: plan: no fresh data from jira." in text
    assert "Feedback is not known now: no fresh data from jira." in text
    assert tables(shown(seen), PAGE.path)["Periods"].rows == (("No item has a calendar period.",),)
    none = scene(NOW, [], sources=[source("documents", watermark=NOW)])
    assert "plan: no source of type jira reads it." in html(shown(none), PAGE.path)


def test_a_period_that_nobody_saw_begin_says_so() -> None:
    """It has items and no share."""
    found = tables(shown(scene(NOW, [replace(item("A", Q4), periods=())])), PAGE.path)
    assert found["Periods"].rows == (
        (f"{Q4} nobody saw it begin", "–", "–", "–", "–", "–", "–", "–", "–", "0.0 %", "–"),
    )


def test_without_a_file_it_shows_where_to_begin() -> None:
    """Neither table nor number."""
    text = html(shown(scene(NOW, [], plans=(), personas=())), PAGE.path)
    assert "No RoadmapSource file yet." in text
    assert "<table" not in text
    assert PLAN.title == ""
