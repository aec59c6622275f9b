"""Commits that a rollout brought: what is compared, what it costs, and what is left untold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.sources.github.github_server import Github, Repo, Row, deployment, run
from tests.sources.github.test_github import MINUTE, NOW, SINCE, Told, minutes

from platform_meter.model.facts.delivery import MOST_CHANGES, DeployKind, Deployment
from platform_meter.model.source import Gap, Unreachable
from platform_meter.testing.outside import Call, Reply

DAY = timedelta(days=1)
A, B, C, D, E = (letter * 40 for letter in "abcde")


def _told(rows: Sequence[Row], trunk: Sequence[str] = (A, B, C, D, E), **more: Any) -> Told:
    settings = {name: more.pop(name) for name in ("change_sets", "deployments_by") if name in more}
    rules = settings.pop("deployments_by", [])
    repo = Repo(name="acme/api", created=NOW - 900 * DAY, deployments=[*rows], trunk=[*trunk], **more)
    other = Repo(name="acme/web", created=NOW - 900 * DAY)
    return Told(Github([repo, other]), codeowners=False, deployments=rules, **settings)


def _rows(*shas: str, environment: str = "production", first: int = 1) -> list[Row]:
    """Rollouts of these commits, a minute after each other."""
    return [
        deployment(n, sha, minutes(60 - n), ("success", 0.5), environment=environment)
        for n, sha in enumerate(shas, first)
    ]


def _by_run(*shas: str) -> dict[str, Any]:
    """Rollouts of these commits by a workflow that a rule names."""
    path = ".github/workflows/d.yml"
    runs = [run(n, minutes(60 - 10 * n), head_sha=sha, path=path) for n, sha in enumerate(shas, 1)]
    return {"runs": runs, "deployments_by": [{"workflow": "d.yml", "environment": "production"}]}


def _sets(told: Told) -> dict[str, tuple[str, tuple[str, ...]]]:
    found = (fact for fact in told.facts.values() if isinstance(fact, Deployment))
    return {fact.key: (fact.after, fact.changes) for fact in sorted(found, key=lambda fact: fact.started or fact.at)}


def _repo(told: Told) -> Repo:
    assert isinstance(told.world, Github)
    return told.world.repos[0]


def _failing(told: Told, answer: Callable[[Call], Reply | None]) -> None:
    """From now on comparisons are answered so."""
    world = told.world

    def other(call: Call) -> Reply:
        return (("/compare/" in call.path and answer(call)) or None) or world(call)

    told.world = other


def _down(_: Call) -> Reply:
    raise Unreachable("502")


def test_a_rollout_brings_what_did_not_serve_before() -> None:
    """Oldest first, at a call for each two commits: none for the first, for the same again, nor for a rollback."""
    told = _told(_rows(A, C, C, E, C))
    told.poll(NOW, SINCE)
    assert _sets(told) == {
        "deployment/1": ("", ()),
        "deployment/2": (A, (B, C)),
        "deployment/3": (C, ()),
        "deployment/4": (C, (D, E)),
        "deployment/5": ("", ()),
    }
    assert [call.path for call in told.asked("/compare/")] == [
        f"/repos/acme/api/compare/{A}...{C}",
        f"/repos/acme/api/compare/{C}...{E}",
    ]


def test_regions_that_get_the_same_are_compared_once() -> None:
    """Each is told its own set, by what served there; what failed is told none and is nothing to compare with."""
    rows = [*_rows(A, C, environment="eu"), *_rows(A, C, environment="us", first=11)]
    failed = deployment(21, B, minutes(58.5), ("failure", 0.2), environment="eu")
    told = _told([*rows, failed])
    told.poll(NOW, SINCE)
    assert _sets(told)["deployment/2"] == _sets(told)["deployment/12"] == (A, (B, C))
    assert _sets(told)["deployment/21"] == ("", ())
    assert len(told.asked("/compare/")) == 1


def test_an_older_commit_that_never_served_goes_back_too() -> None:
    """All of it was in what served, so it is a rollback, and brings nothing."""
    told = _told(_rows(D, B))
    told.poll(NOW, SINCE)
    found = told.facts["Deployment", "deployment/2"]
    assert isinstance(found, Deployment)
    assert (found.kind, found.after, found.changes) == (DeployKind.ROLLBACK, D, ())


def test_of_a_branch_only_what_is_ahead_is_brought() -> None:
    """A hotfix made on what served three commits ago lacks the others, and takes none of them back."""
    fix = "f" * 40
    told = _told(_rows(D, fix), forks={fix: [B, fix]})
    told.poll(NOW, SINCE)
    assert _sets(told)["deployment/2"] == (D, (fix,))


def test_what_follows_a_hotfix_is_compared_with_it() -> None:
    """Its task says what it is; it serves where all others do, and they are no rollback of it."""
    fix = deployment(2, C, minutes(50), ("success", 1), task="deploy:hotfix")
    told = _told([*_rows(A), fix, deployment(3, E, minutes(40), ("success", 1))])
    told.poll(NOW, SINCE)
    assert _sets(told) == {"deployment/1": ("", ()), "deployment/2": (A, (B, C)), "deployment/3": (C, (D, E))}
    kinds = [fact.kind for fact in told.facts.values() if isinstance(fact, Deployment)]
    assert kinds == [DeployKind.PLANNED, DeployKind.HOTFIX, DeployKind.PLANNED]


def test_what_serves_from_poll_to_poll_is_remembered() -> None:
    """The next rollout is compared with what an earlier poll told; one that ends late with what served when it began."""
    going = deployment(9, C, minutes(20), ("in_progress", 1))
    told = _told([*_rows(A, B), going])
    told.poll(NOW, SINCE)
    _repo(told).deployments.append(deployment(10, E, NOW + MINUTE, ("success", 1)))
    told.poll(NOW + 3 * MINUTE)
    _repo(told).deployments[2] = deployment(9, C, minutes(20), ("in_progress", 1), ("success", 25))
    told.poll(NOW + 10 * MINUTE)
    assert _sets(told)["deployment/9"] == (B, (C,))
    assert _sets(told)["deployment/10"] == (B, (C, D, E))


@pytest.mark.parametrize("by_rule", [False, True])
@pytest.mark.parametrize("fail_at", range(4, 16))
def test_a_poll_that_breaks_off_and_goes_on_tells_the_same(fail_at: int, *, by_rule: bool) -> None:
    """Wherever it does, between the pages of a comparison too: what was told stands, and the rest is told once more."""
    shas = (A, C, E)
    told = _told([], **_by_run(*shas)) if by_rule else _told(_rows(*shas))
    assert isinstance(told.world, Github)
    told.world.page_limit = 1
    told.poll(NOW, SINCE, fail_at=fail_at)
    for later in range(1, 4):
        told.poll(NOW + later * MINUTE, SINCE)
    assert [*_sets(told).values()] == [("", ()), (A, (B, C)), (C, (D, E))]


def test_a_job_that_a_rule_names_is_compared_with_the_one_before() -> None:
    """It has the address of its run, and the tag that its run was started for."""
    rows = [
        run(1, minutes(50), head_sha=A, path=".github/workflows/d.yml"),
        run(2, minutes(40), head_sha=B, path=".github/workflows/d.yml", head_branch="v1.2.0"),
    ]
    told = _told([], runs=rows, deployments_by=[{"workflow": "d.yml", "environment": "production"}])
    told.poll(NOW, SINCE)
    found = told.facts["Deployment", "run/2/1"]
    assert isinstance(found, Deployment)
    assert (found.after, found.changes, found.version) == (A, (B,), "v1.2.0")
    assert found.url == "https://github.example/runs/2"


def test_what_is_old_or_short_lived_is_not_compared() -> None:
    """History of more than 28 days costs no calls, nor does a preview, where nothing goes back either; what is young is compared with what is old."""
    rows = [
        deployment(n, sha, NOW - age * DAY, ("success", 1), **more)
        for n, (sha, age, more) in enumerate(
            [
                (A, 40, {}),
                (B, 29, {}),
                (C, 27, {}),
                (D, 3, {"environment": "pr-7", "transient_environment": True}),
                (E, 2, {"environment": "pr-7", "transient_environment": True}),
                (D, 1, {"environment": "pr-7", "transient_environment": True}),
            ]
        )
    ]
    told = _told(rows)
    told.poll(NOW, NOW - 90 * DAY)
    assert [*_sets(told).values()] == [("", ()), ("", ()), (B, (C,)), ("", ()), ("", ()), ("", ())]
    last = told.facts["Deployment", "deployment/5"]
    assert isinstance(last, Deployment)
    assert last.kind is DeployKind.PLANNED


@pytest.mark.parametrize(("count", "told_of"), [(250, 250), (MOST_CHANGES, MOST_CHANGES), (MOST_CHANGES + 1, 0)])
def test_a_large_set_is_whole_or_untold(count: int, told_of: int) -> None:
    """All pages of it, at most ten; of one that is larger a single page is asked for."""
    trunk = [f"{n:040x}" for n in range(count + 1)]
    told = _told(_rows(trunk[0], trunk[-1]), trunk)
    told.poll(NOW, SINCE)
    after, changes = _sets(told)["deployment/2"]
    assert changes == tuple(trunk[1 : told_of + 1])
    assert after == (trunk[0] if told_of else "")
    assert len(told.asked("/compare/")) == max(1, -(-told_of // 100))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply(status=403),
        Reply(body={"status": "unheard of", "total_commits": 1, "commits": [{"sha": B}]}),
        Reply(body={"status": "ahead", "total_commits": 2, "commits": [{"sha": B}]}),
        Reply(body={"status": "ahead", "total_commits": 2, "commits": [{"sha": B}, {"sha": 7}]}),
    ],
)
def test_what_cannot_be_compared_is_told_without_its_changes(reply: Reply) -> None:
    """A commit that is gone, a permission that lacks, a set with a hole: the deployment is told, and nothing is a gap."""
    told = _told(_rows(A, B))
    _failing(told, lambda _: reply)
    told.poll(NOW, SINCE)
    assert _sets(told)["deployment/2"] == ("", ())
    assert told.outside.gaps == []


def test_a_comparison_that_keeps_failing_holds_up_no_run() -> None:
    """Nor one of what a rule says is a deployment."""
    told = _told([], **_by_run(A, B))
    _failing(told, _down)
    told.poll(NOW, SINCE)
    assert _sets(told) == {}
    told.poll(NOW + MINUTE, SINCE)
    assert _sets(told) == {"run/1/1": ("", ()), "run/2/1": ("", ())}


def test_a_comparison_that_keeps_failing_holds_up_no_deployment() -> None:
    """GitHub gives up on some: once that is no passing trouble the deployment is told without, and the next one with."""
    told = _told(_rows(A, B))
    whole = told.world
    _failing(told, _down)
    gaps = list[Gap]()
    for minute in range(2):
        told.poll(NOW + minute * MINUTE, SINCE)
        gaps += told.outside.gaps
    assert (_sets(told)["deployment/2"], gaps) == (("", ()), [])
    told.world = whole
    _repo(told).deployments.append(deployment(3, D, NOW + MINUTE, ("success", 0.5)))
    told.poll(NOW + 2 * MINUTE)
    assert _sets(told)["deployment/3"] == (B, (C, D))


def test_trouble_that_passes_loses_no_change() -> None:
    """Told in the next poll, with what it brought."""
    told = _told(_rows(A, B))
    whole = told.world
    _failing(told, _down)
    told.poll(NOW, SINCE)
    assert "deployment/2" not in _sets(told)
    told.world = whole
    told.poll(NOW + MINUTE, SINCE)
    assert _sets(told)["deployment/2"] == (A, (B,))


def test_without_change_sets_nothing_is_compared() -> None:
    """What goes back is known by what served all the same."""
    told = _told(_rows(A, C, A), change_sets=False)
    told.poll(NOW, SINCE)
    assert set(_sets(told).values()) == {("", ())}
    assert told.asked("/compare/") == []
    found = told.facts["Deployment", "deployment/3"]
    assert isinstance(found, Deployment)
    assert found.kind is DeployKind.ROLLBACK
