"""All of delivery as it is judged at one moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.delivery import NOW, broken, deployed, scene
from tests.support.history import MemoryHistory, source

from platform_meter.measures.delivery.book import Ledger, Records
from platform_meter.measures.delivery.judged import Known, Reach, judged
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.measure import Scene

DAY = timedelta(days=1)


def test_the_same_answer_stands_while_nothing_comes() -> None:
    """Judging takes longer than looking; an incident that comes has it judged anew."""
    one = scene(deployed(1, "a" * 40))
    first = judged(one)
    assert judged(one) is first
    more = scene(deployed(1, "a" * 40), broken(2, 3), kept=one.kept)
    assert [len(release.failures) for release in judged(more).releases] == [1]
    assert [len(release.failures) for release in first.releases] == [0]


def test_one_view_of_the_store_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page asks several times in it; another view, or another moment, is looked at anew."""
    one = scene(deployed(1, "a" * 40))
    reads: list[Scene] = []
    read = Ledger.records

    def noted(self: Ledger, at: Scene) -> Records:
        reads.append(at)
        return read(self, at)

    monkeypatch.setattr(Ledger, "records", noted)
    first = judged(one)
    assert judged(one) is first
    assert len(reads) == 1
    later = replace(one, now=one.now + DAY)
    other = replace(one, history=scene(deployed(1, "a" * 40)).history)
    assert [len(list(judged(at).releases)) for at in (later, other)] == [1, 1]
    assert reads == [one, later, other]


def view(*states: tuple[str, timedelta, bool, timedelta]) -> Scene:
    sources = [
        source(name, watermark=NOW - behind, fresh=fresh, read_from=NOW - back) for name, behind, fresh, back in states
    ]
    gives = {"github": frozenset({Deployment}), "argocd": frozenset({Deployment}), "pagerduty": frozenset({Incident})}
    return Scene(history=MemoryHistory(sources=sources, gives=gives), definitions=Definitions(), now=NOW)


def test_what_is_known_reaches_as_far_as_the_source_that_was_read_least() -> None:
    """Of all sources of a kind, or of some; of a stale one, or of none, nothing is known."""
    both = view(("github", DAY, True, 9 * DAY), ("argocd", 2 * DAY, True, 5 * DAY), ("pagerduty", DAY, False, DAY))
    reach = Reach(both)
    assert reach.known(Deployment) == Known(since=NOW - 5 * DAY, until=NOW - 2 * DAY)
    assert reach.known(Deployment, {"github"}) == Known(since=NOW - 9 * DAY, until=NOW - DAY)
    assert reach.known(Incident) is None
    assert reach.known(Deployment, {"jenkins"}) is None
    assert Reach(both, DAY).known(Deployment) == Known(since=NOW - 5 * DAY, until=NOW - 3 * DAY)
    assert (reach.is_told(Incident), reach.is_told(Change)) == (True, False)
