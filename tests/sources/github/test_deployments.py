"""Deployments that end late, or never."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.sources.github.github_server import Github, Repo, deployment
from tests.sources.github.test_github import MINUTE, NEW, NOW, Told, minutes

from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult
from platform_meter.model.source import Gap

DAY = timedelta(days=1)


def _told(age: timedelta, *states: tuple[str, float], count: int = 1) -> tuple[Told, Repo]:
    rows = [deployment(n, NEW, NOW - age + n * MINUTE, *states) for n in range(count)]
    repo = Repo(name="acme/api", created=NOW - 900 * DAY, deployments=rows)
    return Told(Github([repo]), codeowners=False), repo


@pytest.mark.parametrize("state", ["in_progress", "queued", "pending"])
def test_old_ones_that_go_on_are_asked_for_seldom(state: str) -> None:
    """A hundred that were left as they are ten days ago cost a steady poll nothing, and half a day a call each."""
    told, repo = _told(10 * DAY, (state, 1), count=100)
    told.poll(NOW, NOW - 30 * DAY)
    assert len(told.asked("/statuses")) == 100
    told.poll(NOW + MINUTE)
    assert told.asked("/statuses") == []
    repo.deployments[3] = deployment(3, NEW, NOW - 10 * DAY, (state, 1), ("success", 14_405))
    told.poll(NOW + DAY / 2)
    assert len(told.asked("/statuses")) == 100
    assert ("Deployment", "deployment/3") in told.facts


def test_a_young_one_is_asked_for_in_each_poll() -> None:
    """What took half an hour is told a minute after its end."""
    told, repo = _told(30 * MINUTE, ("in_progress", 1))
    told.poll(NOW)
    repo.deployments = [deployment(0, NEW, minutes(30), ("in_progress", 1), ("success", 31))]
    told.poll(NOW + 2 * MINUTE)
    assert ("Deployment", "deployment/0") in told.facts


def test_one_that_was_made_inactive_is_over() -> None:
    """Nobody waits for a preview that was removed before it served: it is neither asked for nor a gap."""
    told, _ = _told(DAY, ("in_progress", 1), ("inactive", 60), count=3)
    told.poll(NOW, NOW - 30 * DAY)
    for days in range(1, 60):
        told.poll(NOW + days * DAY)
        assert told.asked("/statuses") == []
        assert told.outside.gaps == []


def test_one_that_never_ends_is_a_gap_after_forty_days() -> None:
    """It is said once, and asked for no more."""
    told, _ = _told(39 * DAY, ("in_progress", 1))
    told.poll(NOW, NOW - 60 * DAY)
    gaps = list[Gap]()
    for days in range(1, 5):
        told.poll(NOW + days * DAY)
        gaps += told.outside.gaps
    assert [(gap.reason, gap.text) for gap in gaps] == [("expired", "acme/api: deployment 0 never ended")]
    assert told.asked("/statuses") == []


def test_one_that_failed_and_was_tried_again_has_served() -> None:
    """What ever succeeded has served, whenever it was looked at; while it stays failed it is told once, at no cost."""
    told, repo = _told(2 * MINUTE, ("failure", 1))
    told.poll(NOW)
    assert _results(told) == [DeployResult.FAILED]
    told.poll(NOW + MINUTE)
    assert told.asked("/statuses") != []
    assert told.outside.paid == []
    repo.deployments = [deployment(0, NEW, minutes(2), ("failure", 1), ("success", 4))]
    told.poll(NOW + 5 * MINUTE)
    assert _results(told) == [DeployResult.SUCCESS]
    told.poll(NOW + 6 * MINUTE)
    assert told.asked("/statuses") == []


def test_a_change_that_the_list_shows_is_looked_at_at_once() -> None:
    """However old the deployment is, and however seldom its turn would come."""
    told, repo = _told(120 * MINUTE, ("failure", 1))
    told.poll(NOW, NOW - DAY)
    repo.deployments = [deployment(0, NEW, minutes(120), ("failure", 1), ("success", 121))]
    told.poll(NOW + 2 * MINUTE)
    assert _results(told) == [DeployResult.SUCCESS]


def test_one_that_stays_failed_is_looked_at_for_a_day() -> None:
    """Then it is let go, and is no gap: it has ended."""
    told, _ = _told(2 * MINUTE, ("failure", 1))
    told.poll(NOW)
    told.poll(NOW + DAY)
    assert told.asked("/statuses") == []
    told.poll(NOW + 50 * DAY)
    assert told.outside.gaps == []


def _results(told: Told) -> list[DeployResult]:
    return [fact.result for fact in told.facts.values() if isinstance(fact, Deployment)]


def test_what_a_task_of_its_own_brings_back_is_compared_within_that_task() -> None:
    """Two services of one repository deploy to one environment: the first version of the second is no rollback."""
    rows = [
        deployment(1, "1" * 40, minutes(90), ("success", 1), task="deploy:basket"),
        deployment(2, "2" * 40, minutes(60), ("success", 1), task="deploy:basket"),
        deployment(3, "1" * 40, minutes(30), ("success", 1), task="deploy:search"),
        deployment(4, "1" * 40, minutes(20), ("success", 1), task="deploy:basket"),
    ]
    told = Told(Github([Repo(name="acme/api", created=NOW - 900 * DAY, deployments=rows)]), codeowners=False)
    told.poll(NOW, NOW - DAY)
    kinds = {fact.key: fact.kind for fact in told.facts.values() if isinstance(fact, Deployment)}
    assert kinds == {
        "deployment/1": DeployKind.PLANNED,
        "deployment/2": DeployKind.PLANNED,
        "deployment/3": DeployKind.PLANNED,
        "deployment/4": DeployKind.ROLLBACK,
    }
    tasks = [fact.task for fact in told.facts.values() if isinstance(fact, Deployment)]
    assert tasks == ["deploy:basket", "deploy:basket", "deploy:search", "deploy:basket"]
