"""The ledger: what is read on from the last look is what a fresh one would read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.delivery import NOW, SHOP, at, broken, deployed, merged, scene
from tests.support.history import MemoryHistory, source

from platform_meter.measures.delivery.book import REACH, Ledger
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.measure import Scene

A, B = "a" * 40, "b" * 40
FACTS: list[Event] = [
    deployed(1, A),
    merged(2, B),
    replace(deployed(1, A), environment="staging", updated=at(5)),
    broken(3, None, updated=at(3)),
    replace(broken(3, 9), updated=at(9)),
    deployed(-24 * 200, B),
]


def store(*facts: Event, now: timedelta = timedelta(0), before: timedelta | None = None) -> Scene:
    told = [("github", SHOP, fact) for fact in facts]
    history = MemoryHistory(
        told, sources=(source("github", watermark=NOW),), before=None if before is None else NOW - before
    )
    return Scene(history=history, definitions=Definitions(), now=NOW + now)


@given(st.permutations(FACTS), st.lists(st.integers(0, len(FACTS)), max_size=3))
def test_reading_on_is_reading_anew(facts: list[Event], looks: list[int]) -> None:
    """However many looks there were while the facts came, in whatever order."""
    ledger = Ledger()
    for n in sorted(looks):
        ledger.records(store(*facts[:n]))
    assert ledger.records(store(*facts)) == Ledger().records(store(*facts))


def test_records_come_in_order_with_their_newest_version() -> None:
    """What is older than the reach is left out."""
    records = Ledger().records(store(*FACTS))
    assert [r.part.environment for r in records.deployments] == ["staging"]
    assert [r.part.resolved for r in records.incidents] == [at(9)]
    assert [r.part.sha for r in records.changes] == [B]
    assert timedelta(days=182) == REACH


def test_what_the_store_removed_is_gone() -> None:
    """By time alone, and by what was pruned."""
    ledger = Ledger()
    assert len(ledger.records(store(*FACTS)).deployments) == 1
    assert ledger.records(store(*FACTS, now=REACH)).deployments == []
    assert ledger.records(store(*FACTS, before=timedelta(days=1))).incidents == []


def test_began_and_what() -> None:
    """Where nobody told a start it began when it ended; where nobody told a commit its version is what it brought."""
    (one,) = Ledger().records(scene(deployed(1, "", version="v1", started=None))).deployments
    assert (one.part.began, one.part.what) == (at(1), "v1")


def test_sources_that_are_configured_no_more_tell_nothing() -> None:
    """Their events stay in the store, and in no number."""
    gives = {"github": frozenset({Deployment}), "pagerduty": frozenset({Incident})}
    history = MemoryHistory([("old", SHOP, deployed(1, A))], sources=(source("github", watermark=NOW),), gives=gives)
    assert Ledger().records(Scene(history=history, definitions=Definitions(), now=NOW)).deployments == []
