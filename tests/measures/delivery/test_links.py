"""Links: a hand-worked case for each rule by which a release failed."""

from __future__ import annotations

import pytest
from tests.support.delivery import at, broken, deployed, merged, story
from tests.support.history import owner

from platform_meter.measures.delivery.judged import Judged
from platform_meter.model.definitions import Definitions
from platform_meter.model.delivering import Delivery
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import DeployKind

A, B, C, D = "a" * 40, "b" * 40, "c" * 40, "d" * 40


def failed(found: Judged) -> dict[str, list[str]]:
    """By which rules the shop's releases failed, by the first letter of their commit and their hour."""
    return {
        f"{r.first.part.sha[:1]}{(r.at - at(0)).total_seconds() / 3600:g}": [str(f.link) for f in r.failures]
        for r in found.by_service["shop"]
        if r.failures
    }


def linked(found: Judged) -> list[tuple[str, str]]:
    """The rule and the release of each outage."""
    return [(str(o.link), o.release.first.part.sha[:1] if o.release else "") for o in found.outages]


@pytest.mark.parametrize("word", [B, B[:7], "v2", "b@production@2", "https://ci/2"])
def test_an_incident_that_names_a_release_is_linked_to_it(word: str) -> None:
    """Its commit, whole or by seven digits, its version, its key or its address: also after a later release, and a month on."""
    b = deployed(2, B, key="b@production@2", version="v2", url="https://ci/2")
    assert linked(story(deployed(1, A), b, deployed(3, C), broken(4, 5, mentions=(word,)))) == [("named", "b")]
    assert linked(story(deployed(1, A), b, deployed(3, C), broken(600, 601, mentions=(word,)))) == [("named", "b")]


def test_a_commit_that_came_with_a_release_names_it() -> None:
    """By its change set, or by the change that was merged."""
    compared = deployed(2, B, after=A, changes=(D, B))
    assert linked(story(deployed(1, A), compared, broken(3, 4, mentions=(D,)))) == [("named", "b")]
    facts = [merged(0, A), merged(1, D), merged(1.5, B), deployed(1, A), deployed(2, B)]
    assert linked(story(*facts, broken(3, 4, mentions=(D[:9],)))) == [("named", "b")]


def test_what_was_released_after_it_began_is_no_cause() -> None:
    """An incident's text often names what mended it."""
    facts = [deployed(1, A), deployed(3, B), broken(2, 4, mentions=(B,))]
    assert linked(story(*facts)) == [("near", "a")]
    assert linked(story(deployed(1, A), deployed(3, B, started=at(1.9)), broken(2, 4, mentions=(B,)))) == [
        ("named", "b")
    ]


def test_a_version_names_a_release_of_its_own_service_alone() -> None:
    """Many services have a v2; a commit is one of all."""
    other = (owner("search"), broken(3, 4, mentions=("v2",)))
    by_commit = (owner("search"), broken(3, 4, mentions=(A,)))
    assert linked(story(deployed(1, A, version="v2"), other)) == [("none", "")]
    assert linked(story(deployed(1, A, version="v2"), by_commit)) == [("named", "a")]


def test_a_rollback_fails_what_it_undoes_without_an_incident() -> None:
    """Both that served since the version that is brought back; the rollback itself has not failed."""
    found = story(deployed(1, A), deployed(2, B), deployed(3, C), deployed(4, A))
    assert failed(found) == {"b2": ["rollback"], "c3": ["rollback"]}
    *_, last = found.by_service["shop"]
    assert [r.recovered for r in found.by_service["shop"]] == [None, at(4), at(4), None]
    assert last.rework


def test_an_incident_that_is_open_at_the_rollback_is_of_what_it_undoes() -> None:
    """Of the newest of them that had begun; one that was over before is judged by what is near."""
    facts: list[Event] = [deployed(-30, A), deployed(1, B), deployed(40, A)]
    assert linked(story(*facts, broken(38, 41))) == [("rollback", "b")]
    assert failed(story(*facts, broken(38, 41))) == {"b1": ["rollback", "rollback"]}
    assert linked(story(*facts, broken(38, 39))) == [("none", "")]
    assert linked(story(*facts, broken(2, 3))) == [("near", "b")]


def test_a_revert_fails_the_release_that_carried_what_it_takes_back() -> None:
    """By name or commit; until the revert is in production nothing has ended it."""
    facts: list[Event] = [merged(0, A), deployed(1, A), merged(2, B), deployed(3, B), merged(4, C), deployed(5, C)]
    revert = merged(10, D, labels=("revert",), undoes=(f"acme/shop#{B}",))
    found = story(*facts, revert)
    assert failed(found) == {"b3": ["revert"]}
    assert found.by_service["shop"][1].recovered is None
    found = story(*facts, revert, deployed(12, D))
    assert found.by_service["shop"][1].recovered == at(12)
    assert [r.rework for r in found.by_service["shop"]] == [False, False, False, True]


def test_a_hotfix_fails_what_it_names_or_else_the_release_before_it() -> None:
    """A hotfix that names no change mends what served before it."""
    facts: list[Event] = [merged(0, A), deployed(1, A), merged(2, B), deployed(3, B), merged(4, C), deployed(5, C)]
    named = merged(10, D, labels=("hotfix",), mends=(B,))
    assert failed(story(*facts, named, deployed(12, D))) == {"b3": ["revert"]}
    unnamed = merged(10, D, labels=("hotfix",))
    assert failed(story(*facts, unnamed)) == {}
    assert failed(story(*facts, unnamed, deployed(12, D))) == {"c5": ["revert"]}


def test_a_deployment_that_calls_itself_a_hotfix_is_one() -> None:
    """Once, also where the change that it carries says so too."""
    facts: list[Event] = [merged(0, A), deployed(1, A), merged(2, B, labels=("hotfix",))]
    assert failed(story(*facts, deployed(3, B, kind=DeployKind.HOTFIX))) == {"a1": ["revert"]}
    assert failed(story(deployed(1, A), deployed(3, B, kind=DeployKind.HOTFIX))) == {"a1": ["revert"]}


@pytest.mark.parametrize(
    ("hour", "link"), [(1.0, ("near", "b")), (25.0, ("near", "b")), (25.1, ("none", "")), (0.9, ("near", "a"))]
)
def test_the_last_release_within_a_day_before_is_near(hour: float, link: tuple[str, str]) -> None:
    """The newest that had ended when the incident began, and no more than `max_link_age` before."""
    assert linked(story(deployed(-5, A), deployed(1, B), broken(hour, None))) == [link]


def test_how_old_a_near_release_may_be_is_a_choice() -> None:
    """`max_link_age` of a Delivery file."""
    choice = Delivery.model_validate({"kind": "Delivery", "id": "delivery", "max_link_age": "2h"})
    definitions = Definitions(deliveries=(choice,))
    assert linked(story(deployed(1, A), broken(3.1, 4), definitions=definitions)) == [("none", "")]


def test_an_incident_of_another_service_is_near_nothing() -> None:
    """Two things that happened at one time have nothing in common for that."""
    assert linked(story(deployed(1, A), (owner("search"), broken(2, 3)))) == [("none", "")]


def test_two_incidents_of_one_release_are_one_failed_release() -> None:
    """Each is linked to one release at most; from the earliest start to the latest end."""
    found = story(deployed(1, A), broken(2, 3), broken(2.5, 6))
    (release,) = found.by_service["shop"]
    assert (len(release.failures), release.failed_from, release.recovered) == (2, at(2), at(6))


def test_an_open_incident_keeps_a_failure_open() -> None:
    """Whatever remedy was brought; without an incident the remedy ends it."""
    facts: list[Event] = [deployed(1, A), deployed(2, B), deployed(3, A)]
    assert story(*facts, broken(2.5, None)).by_service["shop"][1].recovered is None
    release = story(*facts).by_service["shop"][1]
    assert (release.failed_from, release.recovered) == (at(2), at(3))
