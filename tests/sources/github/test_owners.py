"""Whose a repository of GitHub is by its own word: what CODEOWNERS says, who may maintain it, and what asking costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.sources.github.github_server import Github, Repo, run
from tests.sources.github.test_github import MINUTE, NOW, SINCE, Told, minutes

from platform_meter.model.facts.ci import PipelineActive
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.source import Limited, Unreachable
from platform_meter.sources.github.owners import owning_team
from platform_meter.sources.github.rows import Permissions, Team
from platform_meter.testing.outside import Answering, Call, Reply

DAY = timedelta(days=1)
OURS = "* @acme/team-pay\n"


@pytest.mark.parametrize(
    ("text", "team"),
    [
        ("", ""),
        ("* @acme/team-pay", "team-pay"),
        ("/ @acme/team-pay", "team-pay"),
        ("** @acme/team-pay", "team-pay"),
        ("# * @acme/team-old\n\n  *\t@acme/team-pay # since May\n*.js @acme/team-web\n/docs/ @acme/docs\n", "team-pay"),
        ("* @acme/first\n/** @acme/last\n", "last"),
        ("* @acme/team-pay\n*\n", ""),
        ("* @mona @acme/team-pay @acme/team-web", "team-pay"),
        ("* @mona pay@acme.example", ""),
        ("* @acme/", ""),
        ("/* @acme/top-files\napps/ @acme/apps\n", ""),
        ("*\n@acme/team-pay\n", ""),
        ("* #@acme/team-pay", ""),
    ],
)
def test_the_last_rule_for_the_whole_names_the_team(text: str, team: str) -> None:
    """As GitHub reads it; a rule without owners takes the owner away, and people are no teams."""
    assert owning_team(text) == team


@pytest.mark.parametrize(
    ("row", "maintains"),
    [
        (Team(slug="a", permission="admin"), True),
        (Team(slug="a", permission="maintain"), True),
        (Team(slug="a", permission="push", permissions=Permissions(maintain=True)), True),
        (Team(slug="a", permission="push", permissions=Permissions()), False),
        (Team(slug="a", permission="pull"), False),
    ],
)
def test_who_maintains(row: Team, maintains: bool) -> None:
    """Servers before the newer roles say `push` of a team that may maintain, and tell it under `permissions`."""
    assert row.maintains is maintains


def repos(told: Told) -> dict[str, str]:
    """The team of each repository, as said last."""
    return {
        fact.about.id.removeprefix("acme/"): fact.codeowner
        for fact in told.facts.values()
        if isinstance(fact, Repository)
    }


def owners_asked(told: Told) -> list[str]:
    """Paths of the last poll's calls that ask for owners."""
    return [call.path for call in told.outside.calls if "/contents/" in call.path or call.path.endswith("/teams")]


def unread(**more: Any) -> tuple[Told, Repo]:
    repo = Repo(name="acme/api", created=NOW - 900 * DAY, pushed=minutes(60), **more)
    return Told(Github([repo])), repo


def one(**more: Any) -> tuple[Told, Repo]:
    told, repo = unread(**more)
    told.poll(NOW, SINCE)
    return told, repo


@pytest.mark.parametrize(
    ("more", "team", "calls"),
    [
        ({"files": {".github/CODEOWNERS": OURS, "CODEOWNERS": "* @acme/other"}}, "team-pay", 1),
        ({"files": {"CODEOWNERS": OURS, "docs/CODEOWNERS": "* @acme/other"}}, "team-pay", 2),
        ({"files": {"docs/CODEOWNERS": OURS}, "teams": [{"slug": "other", "permission": "admin"}]}, "team-pay", 3),
        ({"teams": [{"slug": "ci", "permission": "pull"}, {"slug": "web", "permission": "maintain"}]}, "web", 4),
        ({"teams": [{"slug": "ci", "permission": "admin"}, {"slug": "web", "permission": "maintain"}]}, "", 4),
        ({"files": {"CODEOWNERS": "* @mona"}, "teams": [{"slug": "web", "permission": "admin"}]}, "web", 3),
        ({}, "", 4),
    ],
)
def test_an_owner_is_found_in_the_first_poll(more: dict[str, Any], team: str, calls: int) -> None:
    """The first file that is there, else the only team that may maintain; asked after all lists, and then no more."""
    told, _ = one(**more)
    assert repos(told) == {"api": team}
    assert [call.path for call in told.outside.calls][-calls:] == owners_asked(told)
    assert len(owners_asked(told)) == calls
    told.poll(NOW + MINUTE)
    assert owners_asked(told) == []


def test_an_owner_alone_is_no_complete_list() -> None:
    """A repository whose owner was found is said anew as it was, and ends none of the others; archived ones stay."""
    told, repo = one(files={"CODEOWNERS": OURS}, topics=["money"])
    first, second = (page for page in told.pages if any(isinstance(fact, Repository) for fact in page.facts))
    assert (first.complete, second.complete) == (frozenset({Repository}), frozenset())
    (before,), (after,) = first.facts, second.facts
    assert before == Repository(about=before.about, since=repo.created)
    assert after == Repository(about=before.about, since=repo.created, codeowner="team-pay")


def test_an_owner_stays_known_when_the_list_changes() -> None:
    """A sweep of all repositories carries what was found before: nothing flickers."""
    told, repo = one(files={"CODEOWNERS": OURS})
    told.poll(NOW + MINUTE)
    repo.topics = ("late",)
    said = told.poll(NOW + 2 * MINUTE)
    assert [fact.codeowner for fact in said if isinstance(fact, Repository)] == ["team-pay"]
    assert owners_asked(told) == []


def test_an_owner_found_in_the_last_read_of_an_archived_one_leaves_it_archived() -> None:
    """As the list says; a run that still goes on keeps it among those that are read."""
    told, repo = one(runs=[run(1, minutes(9), status="in_progress", conclusion=None)])
    repo.archived, repo.pushed, repo.files = True, NOW + MINUTE, {"CODEOWNERS": OURS}
    said = [fact for fact in told.poll(NOW + DAY + MINUTE) if isinstance(fact, Repository)]
    assert [(fact.codeowner, fact.archived) for fact in said] == [("", True), ("team-pay", True)]


def test_one_that_was_pushed_to_is_asked_again_after_a_day() -> None:
    """Not sooner; a file that did not change costs no quota, a new owner is told."""
    told, repo = one(files={".github/CODEOWNERS": OURS})
    told.poll(NOW + MINUTE)
    repo.pushed = NOW + 2 * MINUTE
    told.poll(NOW + 3 * MINUTE)
    assert owners_asked(told) == []
    told.poll(NOW + DAY + 2 * MINUTE)
    assert owners_asked(told) == ["/repos/acme/api/contents/.github/CODEOWNERS"]
    assert not [call for call in told.outside.paid if "/contents/" in call.path]
    repo.pushed, repo.files = NOW + DAY + 5 * MINUTE, {".github/CODEOWNERS": "* @acme/team-new"}
    told.poll(NOW + 2 * DAY + 9 * MINUTE)
    assert repos(told) == {"api": "team-new"}


def test_one_without_a_push_is_asked_again_after_a_week() -> None:
    """Who may administer changes without a push."""
    told, repo = one(teams=[{"slug": "web", "permission": "admin"}])
    told.poll(NOW + MINUTE)
    repo.teams = [{"slug": "app", "permission": "admin"}]
    told.poll(NOW + 6 * DAY)
    assert repos(told) == {"api": "web"}
    told.poll(NOW + 7 * DAY + MINUTE)
    assert repos(told) == {"api": "app"}


def test_many_repositories_are_asked_over_several_polls() -> None:
    """Of 560 new ones 500 in the first poll, 20 in each later one, and then none."""
    rows = [
        Repo(name=f"acme/r{n:03}", created=NOW - n * DAY, files={".github/CODEOWNERS": f"* @acme/t{n}"})
        for n in range(560)
    ]
    told = Told(Github(rows))
    asked = []
    for minute in range(5):
        told.poll(NOW + minute * MINUTE, SINCE)
        asked.append(len(owners_asked(told)))
    assert asked == [500, 20, 20, 20, 0]
    assert repos(told) == {f"r{n:03}": f"t{n}" for n in range(560)}


def refusing(world: Answering, part: str, status: int) -> Answering:
    return lambda call: Reply(status=status) if part in call.path else world(call)


def breaking(world: Answering, end: str, error: Exception) -> Answering:
    def answer(call: Call) -> Reply:
        if call.path.endswith(end):
            raise error
        return world(call)

    return answer


def test_without_the_permission_to_read_files_polls_go_on() -> None:
    """One call in an hour finds out whether it was given; nothing else is asked, and no poll fails."""
    world = Github([Repo(name=f"acme/r{n}", created=NOW - n * DAY, files={"CODEOWNERS": OURS}) for n in range(9)])
    told = Told(world)
    told.world = refusing(world, "/contents/", 403)
    counts = []
    for minute in range(122):
        said = told.poll(NOW + minute * MINUTE, SINCE)
        counts.append(len(owners_asked(told)))
        assert any(isinstance(fact, PipelineActive) for fact in said) or told.pages[-1].complete
    assert [minute for minute, n in enumerate(counts) if n] == [0, 60, 120]
    assert set(counts) == {0, 1}
    told.world = world
    told.poll(NOW + 182 * MINUTE)
    assert list(repos(told).values()).count("team-pay") == 6  # the others wait for a push, or a week


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_permission_to_list_teams_files_are_read(status: int) -> None:
    """CODEOWNERS is enough; whose the others are stays unsaid."""
    world = Github(
        [
            Repo(name="acme/a", created=NOW, teams=[{"slug": "web", "permission": "admin"}]),
            Repo(name="acme/b", created=NOW, files={"CODEOWNERS": OURS}),
            Repo(name="acme/c", created=NOW, teams=[{"slug": "web", "permission": "admin"}]),
        ]
    )
    told = Told(world)
    told.world = refusing(world, "/teams", status)
    told.poll(NOW, SINCE)
    assert repos(told) == {"a": "", "b": "team-pay", "c": ""}
    assert len([path for path in owners_asked(told) if path.endswith("/teams")]) == (1 if status == 403 else 2)


@pytest.mark.parametrize("body", [[{"type": "file"}], {"encoding": "base64", "content": "a"}])
def test_an_odd_answer_stops_no_other(body: Any) -> None:
    """A folder of that name or broken content is no owner; the next repository is asked, and the poll does not fail."""
    world = Github([Repo(name=f"acme/{name}", created=NOW, files={"CODEOWNERS": OURS}) for name in "ab"])
    told = Told(world)
    told.world = lambda call: Reply(body=body) if call.path.endswith("a/contents/CODEOWNERS") else world(call)
    told.poll(NOW, SINCE)
    told.poll(NOW + MINUTE)
    assert repos(told) == {"a": "", "b": "team-pay"}


def test_a_file_too_large_names_nobody() -> None:
    """GitHub gives no content of what is larger than 1 MB."""
    told, _ = unread(files={"CODEOWNERS": OURS})
    world = told.world
    told.world = lambda call: (
        Reply(body={"encoding": "none", "content": ""}) if "/contents/" in call.path else world(call)
    )
    told.poll(NOW, SINCE)
    assert repos(told) == {"api": ""}


@pytest.mark.parametrize("error", [Unreachable("down"), Limited("no more", NOW + MINUTE)])
def test_what_a_broken_poll_did_not_ask_comes_next(error: Exception) -> None:
    """Whichever call fails, the poll goes on without, and the next one finds the owner."""
    for path in (".github/CODEOWNERS", "/CODEOWNERS"):
        told, _ = unread(files={"CODEOWNERS": OURS})
        whole = told.world
        told.world = breaking(whole, path, error)
        told.poll(NOW, SINCE)
        assert repos(told) == {"api": ""}
        told.world = whole
        told.poll(NOW + MINUTE)
        assert repos(told) == {"api": "team-pay"}


def test_when_nobody_is_to_be_asked_owners_are_forgotten() -> None:
    """`codeowners: false` asks nothing and takes back at once what was known; switched on again, all are asked."""
    told, _ = one(files={"CODEOWNERS": OURS})
    told.poll(NOW + MINUTE)
    on = told.config
    told.config = on.model_copy(update={"codeowners": False})
    told.poll(NOW + 2 * MINUTE)
    assert (repos(told), owners_asked(told)) == ({"api": ""}, [])
    told.config = on
    told.poll(NOW + 3 * MINUTE)
    assert repos(told) == {"api": "team-pay"}
