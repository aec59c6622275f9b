"""GitHub's list of repositories: whose place is whose when one is renamed, vanishes for a while, or all are gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.sources.github.github_server import Github, Repo, deployment, run
from tests.sources.github.test_github import MINUTE, NOW, SINCE, Told, minutes

from platform_meter.model.facts.delivery import Repository
from platform_meter.model.source import Unexpected
from platform_meter.sources.github.state import State, load
from platform_meter.testing.outside import Call, Reply

DAY = timedelta(days=1)


def organisation(*names: str, ids: bool = True) -> tuple[Told, Github]:
    """Each with a run and a deployment, which are told."""
    repos = [
        Repo(
            name=f"acme/{name}",
            id=n if ids else 0,
            created=NOW - timedelta(days=900),
            runs=[run(100 * n, minutes(60))],
            deployments=[deployment(100 * n, "a" * 40, minutes(60), ("success", 1))],
        )
        for n, name in enumerate(names, 1)
    ]
    world = Github(repos)
    told = Told(world, codeowners=False)
    told.poll(NOW, SINCE)
    return told, world


def state(told: Told) -> State:
    return load(told.checkpoint, NOW)


@pytest.mark.parametrize(("old", "new"), [("zeta", "alpha"), ("alpha", "zeta")])
def test_a_renamed_repository_keeps_its_place(old: str, new: str) -> None:
    """Its lists are asked for under the new name, and are what they were: nothing is read again, what is new is told."""
    told, world = organisation(old, "mid")
    world.repos[0].name = f"acme/{new}"
    world.repos[0].runs.append(run(7, NOW, minutes=0.5))
    facts = told.poll(NOW + MINUTE)
    assert [call.path for call in told.outside.paid] == [
        "/orgs/acme/repos",
        f"/repos/acme/{new}/actions/runs",
        f"/repos/acme/{new}/actions/runs/7/attempts/1/jobs",
    ]
    assert {fact.key for fact in facts if getattr(fact, "pipeline", "")} == {"run/7/1"}
    assert {fact.about.id for fact in facts if isinstance(fact, Repository)} == {f"acme/{new}", "acme/mid"}


def test_a_name_that_is_given_to_another_repository_is_another_place() -> None:
    """`api` becomes `api-old`, and a new `api` is made: each has its own history."""
    told, world = organisation("api")
    world.repos[0].name = "acme/api-old"
    world.repos.append(Repo(name="acme/api", id=9, created=NOW, runs=[run(7, minutes(30))]))
    facts = told.poll(NOW + MINUTE)
    assert {(fact.key, fact.about.id) for fact in facts if fact.key.startswith("run/")} == {("run/7/1", "acme/api")}
    assert {name: repo.id for name, repo in state(told).repos.items()} == {"acme/api-old": 1, "acme/api": 9}


@pytest.mark.parametrize("ids", [True, False])
def test_a_repository_that_vanishes_for_a_while_keeps_its_place(ids: bool) -> None:
    """It is none of the organisation's meanwhile; when it is back only what is new is read, even without ids."""
    told, world = organisation("api", "web", ids=ids)
    whole, world.repos = world.repos, world.repos[:1]
    facts = told.poll(NOW + MINUTE)
    assert {fact.about.id for fact in facts if isinstance(fact, Repository)} == {"acme/api"}
    assert told.asked("/acme/web/") == []
    world.repos = whole
    told.poll(NOW + 6 * DAY)
    assert {call.path for call in told.outside.paid} == {"/orgs/acme/repos"}
    assert set(state(told).repos) == {"acme/api", "acme/web"}
    assert state(told).lost == {}


def test_a_place_is_kept_for_a_week() -> None:
    """Then it is forgotten, and one that comes back later is read like a new one."""
    told, world = organisation("api", "web")
    whole, world.repos = world.repos, world.repos[:1]
    told.poll(NOW + MINUTE)
    for days in (6, 8):
        world.repos[0].topics = [f"changed-{days}"]  # so that the list is looked at
        told.poll(NOW + days * DAY)
        assert len(state(told).lost) == (1 if days == 6 else 0)
    world.repos = whole
    told.poll(NOW + 8 * DAY + MINUTE, SINCE)
    assert "/repos/acme/web/deployments/200/statuses" in {call.path for call in told.outside.paid}


def test_an_organisation_that_has_none_all_of_a_sudden_is_doubted() -> None:
    """The poll fails and says so, what was known stands, and the next poll goes on as if nothing had been."""
    told, world = organisation("api", "web")
    whole, world.repos = world.repos, []
    with pytest.raises(Unexpected, match="organisation acme: its list of repositories is empty, and it had 2; see "):
        told.poll(NOW + MINUTE)
    assert all(page.complete == frozenset() for page in told.pages[-1:])
    world.repos = whole
    told.poll(NOW + 2 * MINUTE)
    assert told.outside.paid == []
    world.repos = []
    with pytest.raises(Unexpected, match="It is believed from 2026-06-03 on"):
        told.poll(NOW + 7 * DAY)


def test_an_organisation_that_has_none_for_a_week_is_believed() -> None:
    """Then all repositories are over, and the poll ends well."""
    told, world = organisation("api")
    world.repos = []
    for after in (MINUTE, 6 * DAY):
        with pytest.raises(Unexpected, match="It is believed from 2026-05-27 on"):
            told.poll(NOW + after)
    told.poll(NOW + 8 * DAY)
    assert any(page.complete == {Repository} and not page.facts for page in told.pages[-4:])
    assert state(told).repos == {}


def test_a_repository_that_is_archived_while_it_is_out_of_sight_is_read_once_more() -> None:
    """As one that was archived between two polls."""
    told, world = organisation("api", "web")
    whole, world.repos = world.repos, world.repos[:1]
    told.poll(NOW + MINUTE)
    world.repos = whole
    whole[1].archived = True
    told.poll(NOW + 2 * MINUTE)
    assert len(told.asked("/acme/web/")) == 3
    told.poll(NOW + 3 * MINUTE)
    assert told.asked("/acme/web/") == []


def test_a_long_list_is_asked_for_less_often() -> None:
    """450 repositories are five pages: not within 24 s of the last time, unless others are selected."""
    world = Github([Repo(name=f"acme/r{n:03}", id=n + 1, created=NOW) for n in range(450)])
    told = Told(world, codeowners=False)
    asked = []
    for second in (0, 23, 24, 47, 48):
        told.poll(NOW + timedelta(seconds=second), SINCE)
        asked.append(len(told.asked("/orgs/")))
    assert asked == [5, 0, 5, 0, 5]


def test_an_empty_organisation_is_no_doubt() -> None:
    """One that never had a repository."""
    told = Told(Github([]), codeowners=False)
    told.poll(NOW, SINCE)
    assert told.pages[1].complete == {Repository}


def test_a_list_that_cannot_be_read_changes_no_place() -> None:
    """It fails the poll, and the next one goes on."""
    told, world = organisation("api")

    def broken(call: Call) -> Reply:
        return Reply(body={"message": "moved"}) if call.path.startswith("/orgs/") else world(call)

    told.world = broken
    with pytest.raises(Unexpected):
        told.poll(NOW + MINUTE)
    told.world = world
    told.poll(NOW + 2 * MINUTE)
    assert told.outside.paid == []
