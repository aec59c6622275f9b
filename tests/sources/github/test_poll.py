"""Lists of GitHub that move under the reader: pull requests and deployments that leave while pages are read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.sources.github.github_server import Github, Repo, Row, deployment, text
from tests.sources.github.test_github import MINUTE, NOW, SINCE, Told, minutes

from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.testing.outside import Call, Reply


def pull(id_: int, merged: float) -> Row:
    return {
        "id": id_, "number": id_, "title": "Do", "user": None, "labels": [], "created_at": text(minutes(9_000)),
        "updated_at": text(minutes(merged)), "merged_at": text(minutes(merged)), "merge_commit_sha": f"{id_:040x}",
        "head": {"ref": "do", "sha": "c" * 40},
    }  # fmt: skip


def _told(**more: Any) -> tuple[Told, Repo]:
    repo = Repo(name="acme/api", created=NOW - timedelta(days=900), **more)
    return Told(Github([repo]), codeowners=False), repo


def _ids(told: Told, kind: type[Change | Deployment]) -> set[int]:
    return {int(fact.key.partition("/")[2]) for fact in told.facts.values() if isinstance(fact, kind)}


@pytest.mark.parametrize(("pages", "gone"), [(1, 1), (2, 30), (3, 150), (5, 1)])
def test_a_change_that_leaves_the_list_hides_no_other(pages: int, gone: int) -> None:
    """Pull requests are reopened or deleted after they were read: those that move up to their pages are told."""
    told, repo = _told(pulls=[pull(n, 100 + n) for n in range(450)])
    told.after("/pulls", pages, lambda: repo.pulls.__delitem__(slice(gone)))
    told.poll(NOW, SINCE)
    assert set(range(gone, 450)) <= _ids(told, Change)


@pytest.mark.parametrize(("pages", "gone"), [(1, 1), (2, 30), (3, 150), (5, 1)])
def test_a_deployment_that_is_deleted_hides_no_other(pages: int, gone: int) -> None:
    """Previews are deleted while the list is read: all others are told."""
    told, repo = _told(deployments=[deployment(n, "a" * 40, minutes(100 + n), ("success", 1)) for n in range(450)])
    told.after("/deployments", pages, lambda: repo.deployments.__delitem__(slice(gone)))
    told.poll(NOW, SINCE)
    assert set(range(gone, 450)) <= _ids(told, Deployment)


def test_a_list_that_stands_still_costs_a_call_for_each_page() -> None:
    """Pages are looked at again for free; each pull request is told once, its commits are asked for once."""
    told, _ = _told(pulls=[pull(n, 100 + n) for n in range(450)])
    facts = told.poll(NOW, SINCE)
    assert len([call for call in told.outside.paid if call.path.endswith("/pulls")]) == 5
    assert len(told.asked("/commits")) == 450
    assert len([fact for fact in facts if isinstance(fact, Change)]) == 450


def test_a_list_that_never_stands_still_is_read_to_its_end() -> None:
    """Something leaves at every call: after a hundred times the reader no longer goes back."""
    told, repo = _told(pulls=[pull(n, 100 + n) for n in range(900)])
    world = told.world

    def moving(call: Call) -> Reply:
        if call.path.endswith("/pulls"):
            del repo.pulls[0]
        return world(call)

    told.world = moving
    told.poll(NOW, SINCE)
    assert len([call for call in told.outside.calls if call.path.endswith("/pulls")]) < 250


def test_a_busy_list_is_not_read_twice() -> None:
    """At every call a pull request is merged: those pushed on come twice, so no page is read again for that."""
    told, repo = _told(pulls=[pull(n, 100 + n) for n in range(450)])
    world, ids = told.world, iter(range(1_000, 2_000))

    def moving(call: Call) -> Reply:
        if call.path.endswith("/pulls"):
            repo.pulls.append(pull(next(ids), 50))
        return world(call)

    told.world = moving
    told.poll(NOW, SINCE)
    assert set(range(450)) <= _ids(told, Change)
    assert len([call for call in told.outside.calls if call.path.endswith("/pulls")]) == 9


def test_a_read_that_goes_on_passes_over_what_it_told() -> None:
    """The quota ended on the third page of five, and rows left meanwhile: the rest is told, what was told costs nothing."""
    told, repo = _told(pulls=[pull(n, 100 + n) for n in range(450)])
    told.poll(NOW, SINCE, fail_at=250)
    first = _ids(told, Change)
    assert 100 <= len(first) < 450
    del repo.pulls[:70]
    told.poll(NOW + MINUTE, SINCE)
    assert _ids(told, Change) == set(range(450))
    assert len(told.asked("/commits")) < 450 - len(first) + 2


def test_a_pending_deployment_that_is_deleted_is_forgotten() -> None:
    """A preview goes with its pull request, before it ended: it is asked for once more and is no gap; others are told."""
    waiting = deployment(2, "b" * 40, minutes(5), ("queued", 0), environment="pr-7")
    told, repo = _told(deployments=[deployment(1, "a" * 40, minutes(30), ("success", 1)), waiting])
    told.poll(NOW, SINCE)
    del repo.deployments[1]
    for minute, calls in ((1, 3), (2, 2), (3, 2)):
        repo.deployments.append(deployment(100 + minute, "c" * 40, NOW + (minute - 0.9) * MINUTE, ("success", 0.5)))
        told.poll(NOW + minute * MINUTE)
        assert told.outside.gaps == []
        assert len([call for call in told.outside.paid if "/deployments" in call.path]) == calls
    assert _ids(told, Deployment) == {1, 101, 102, 103}


def test_reviews_of_young_changes_are_asked_for() -> None:
    """At a call each, for 28 days; with `reviews: false` at none, and the change is told all the same."""
    pulls = [pull(1, 30), pull(2, 27 * 24 * 60), pull(3, 29 * 24 * 60)]
    for settings, asked in ({}, ["1", "2"]), ({"reviews": False}, []):
        repo = Repo(name="acme/api", created=NOW - timedelta(days=900), pulls=pulls)
        told = Told(Github([repo]), codeowners=False, **settings)
        told.poll(NOW, NOW - timedelta(days=60))
        assert [call.path.split("/")[5] for call in told.asked("/reviews")] == asked
        assert _ids(told, Change) == {1, 2, 3}
