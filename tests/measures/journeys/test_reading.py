"""Whose use is read, and when it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.support.history import MemoryHistory
from tests.support.journeys import COMPANY, DAY, NOW, READ, journey, scene

from platform_meter.measures.adoption.book import Asked
from platform_meter.measures.journeys.reading import asked_for, asked_of, known, least, read
from platform_meter.model.definitions import Capability
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import Known


def created(company: Any, cap: Capability) -> int:
    """Of those whose time is over, how many made one."""
    found = read(scene(company, cap), cap)
    assert found is not None
    return found.reached(found.mature, 1)


@pytest.mark.parametrize("states", [{"fresh": False}, {"watermark": None}, {"read_from": None}])
def test_nothing_is_said_of_what_is_not_known(states: Mapping[str, Any]) -> None:
    """A stale source, or one that was never read whole, takes the journey away; so does a source that nobody has."""
    assert read(scene(**states), journey()) is None
    elsewhere = journey(journey={"start": {"source": "wiki", "verb": "view_docs"}})
    assert read(scene(capability=elsewhere), elsewhere) is None


def test_what_is_known_ends_with_the_source_read_last() -> None:
    """And begins with the one that was read back least."""
    assert known(scene().history, journey()) == Known(since=READ, until=NOW)
    assert known(scene().history, journey(journey=None, stages=[])) is None


@pytest.mark.parametrize(("unit", "since"), [("person", NOW - 40 * DAY), ("team", READ)])
def test_journeys_of_people_are_known_since_they_have_their_names(unit: str, since: datetime) -> None:
    """Who began under another name would enter again; teams have the names that they had."""
    history = scene().history
    assert isinstance(history, MemoryHistory)
    history.renamed = NOW - 40 * DAY
    assert known(history, journey(unit=unit)) == Known(since=since, until=NOW)


def test_a_file_asks_for_uses() -> None:
    """By verb and words; what a stage asks for stands beside its verb, and its amount is no word."""
    cap = journey()
    assert cap.journey is not None
    assert asked_of(cap.journey.start) == Asked("portal", ("view_docs",), (("subject", ("gateway/*",)),))
    some = cap.journey.start.model_copy(update={"subject": None, "select": {"area": ("docs", "api")}})
    assert asked_of(some) == Asked("portal", ("view_docs",), (("area", ("docs", "api")),))
    assert [asked_for(stage) for stage in cap.stages] == [
        Asked("portal", ("create",), (("subject", ("gate*",)),)),
        Asked("portal", ("call",), ()),
    ]
    assert [least(stage) for stage in cap.stages] == [1, 100]


def test_only_who_could_adopt_it_is_on_the_way() -> None:
    """A team that the selector leaves out, and one that is exempt, are in no funnel."""
    some = journey(
        eligible={"any": [{"service": {"team": ["a", "b", "c"]}}]},
        exempt=[{"unit": "b", "until": "2026-12-31", "reason": "moves"}],
    )
    found = read(scene(capability=some), some)
    assert found is not None
    assert [one.unit for one in found.mature] == ["a", "c"]


def test_units_may_be_services_or_people() -> None:
    """Whose use it was is asked of the object, or of who did it."""
    assert created(COMPANY, journey(unit="service")) == 3
    people = [
        (name, whose, replace(fact, actor=f"hash-{whose.team}"))
        for name, whose, fact in COMPANY
        if isinstance(fact, Usage)
    ]
    assert created(people, journey(unit="person")) == 3
