"""Releases and their failures as values."""

from __future__ import annotations

from tests.support.delivery import at, broken, deployed, merged, story

from platform_meter.model.facts.delivery import DeployKind

A, B, C = "a" * 40, "b" * 40, "c" * 40


def test_a_release_is_dated_by_its_first_environment() -> None:
    """And is of who owned it then."""
    (one,) = story(deployed(2, A, "prod-us"), deployed(1, A, "prod-eu")).by_service["shop"]
    assert (one.at, one.began, one.owner.team) == (at(1), at(0.9), "pay")
    assert (one.failed_from, one.recovered) == (None, None)


def test_rework_is_a_rollback_a_hotfix_or_a_remedy() -> None:
    """What was brought for the sake of something that failed."""
    facts = [deployed(1, A), deployed(2, B), deployed(3, A), deployed(4, C, kind=DeployKind.HOTFIX)]
    assert [one.rework for one in story(*facts).by_service["shop"]] == [False, False, True, True]


def test_a_pending_revert_keeps_no_failure_open_that_a_rollback_ended() -> None:
    """Once the revert is deployed too, it is the last remedy."""
    facts = [merged(0, A), deployed(1, A), merged(2, B), deployed(3, B), deployed(4, A)]
    revert = merged(6, C, labels=("revert",), undoes=(B,))
    assert story(*facts, revert).by_service["shop"][1].recovered == at(4)
    assert story(*facts, revert, deployed(7, C)).by_service["shop"][1].recovered == at(7)


def test_an_outage_that_is_linked_says_to_what() -> None:
    """And a failure that an outage tells of ends with it."""
    found = story(deployed(1, A), broken(2, 5))
    (outage,), (release,) = found.outages, found.by_service["shop"]
    assert outage.release is release
    assert [failure.end for failure in release.failures] == [at(5)]
