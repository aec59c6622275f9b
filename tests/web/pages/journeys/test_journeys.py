"""The Journeys page: the funnel of `/metrics`, what it rests on in words, and who stands where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.support.history import MemoryHistory
from tests.support.journeys import COMPANY, NOW, READ, journey, scene
from tests.support.views import html, tables, view

from platform_meter.measures.journeys.gauges import compute
from platform_meter.model.definitions import Capability, Definitions
from platform_meter.model.facts.use import Usage
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.web.pages.journeys import PAGE
from platform_meter.web.view import View


def seen(of: Scene | None = None) -> View:
    """The scene with its own samples served."""
    of = of or scene()
    rows: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for sample in compute(of):
        if (value := resolve(sample.value)) is not None:
            rows.setdefault(sample.metric.name, []).append((sample.labels, value))
    assert isinstance(of.history, MemoryHistory)
    return view(NOW, of.history, definitions=of.definitions, rows=rows)


def test_the_funnel_stage_by_stage() -> None:
    """Counts, shares of those who entered, drop-off, who has time left, and times; dashes where there is no number."""
    found = tables(seen(), PAGE.path)["gateway"]
    assert found.rows == (
        ("entered", "", "4", "", "", "1", "", "", ""),
        ("created", "create in portal, subject gate*", "3", "", "25.0 %", "1", "80.0 %", "2.0 d", "–"),
        ("live", "call of 100 in portal", "1", "", "66.7 %", "0", "40.0 %", "–", "–"),
    )


def test_the_rules_are_said() -> None:
    """What begins it, how long there is, and whether stages have an order."""
    text = html(seen(), PAGE.path)
    assert "A team enters with its first view_docs in portal, subject gateway/*, and has 14 days" in text
    assert "Each stage counts after the one before it." in text
    loose = journey(journey={**journey().model_dump()["journey"], "order": "loose"})
    assert "A later stage implies the earlier ones." in html(seen(scene(capability=loose)), PAGE.path)


def test_the_worst_stage_is_marked() -> None:
    """Where most of those who could go on do not."""
    text = html(seen(), PAGE.path)
    assert '<td class="n warn">66.7 %</td>' in text
    assert text.count("n warn") == 1


def test_why_there_is_no_number() -> None:
    """A stale source, a history that has just begun, and no journey at all each say so."""
    assert "There are no current numbers" in html(seen(scene(fresh=False)), PAGE.path)
    young = html(seen(scene(read_from=NOW - timedelta(days=3))), PAGE.path)
    assert "Nobody has entered yet" in young
    assert "It begins on 25 Jul 2026" in young
    assert "There are no current numbers" not in young
    assert READ + timedelta(days=28) < NOW
    assert "No capability has a journey yet" in html(view(NOW, definitions=Definitions()), PAGE.path)


def test_who_stands_where() -> None:
    """By the last stage that each came to in time."""
    found = tables(seen(), f"{PAGE.path}/gateway")[""]
    assert found.rows == (("entered", "", "d"), ("created", "f", "b, c"), ("live all the way", "", "a"))
    assert PAGE.detail is not None
    assert PAGE.detail.fill(seen(), "mesh") is None


def test_people_are_told_by_number() -> None:
    """Their hashes are no names."""
    people = [
        (name, whose, replace(fact, actor=f"hash-{whose.team}"))
        for name, whose, fact in COMPANY
        if isinstance(fact, Usage)
    ]
    cap: Capability = journey(unit="person")
    text = html(seen(scene(people, cap)), f"{PAGE.path}/gateway")
    assert "hash-" not in text
    assert "<td>2</td>" in text
