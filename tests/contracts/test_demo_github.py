"""The simulated GitHub against the official description of its API."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from tests.contracts.openapi import contract
from tests.demo.worlds import Clock, github, small_world

from platform_meter.demo.company.records import Issue, Pull
from platform_meter.demo.world import World

NAME = "github.openapi.json"


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(Clock(), services=72)


def calls(world: World) -> dict[str, list[str]]:
    """Some calls to every path of the description."""
    history = world.history
    found: dict[str, list[str]] = {path: [] for path in contract(NAME).paths}
    root = "/repos/{owner}/{repo}"
    found["/rate_limit"] = ["/rate_limit"]
    found["/orgs/{org}/repos"] = ["/orgs/acme/repos?per_page=9", "/orgs/acme/repos?sort=pushed"]
    found["/search/issues"] = ["/search/issues?q=org:acme+is:pr+is:merged", "/search/issues?q=is:issue+is:closed"]
    busy = max(history.runs, key=lambda name: len(history.runs[name]))
    some = [busy, "sandbox-1", next(name for name, things in history.pulls.items() if isinstance(things[0], Pull))]
    for name in some:
        for tail in (
            "",
            "/actions/workflows",
            "/actions/runs",
            "/deployments",
            "/issues",
            "/pulls",
            "/commits",
            "/releases",
        ):
            found[root + tail].append(f"/repos/acme/{name}{tail}?per_page=10&state=all")
        found[f"{root}/actions/workflows/{{workflow_id}}/runs"].append(
            f"/repos/acme/{name}/actions/workflows/ci.yml/runs"
        )
    wanted = {"success", "failure", "cancelled", "skipped", "startup_failure", "timed_out"}
    runs = {run.attempts[0].conclusion: run for run in history.run.values() if run.attempts[0].conclusion in wanted}
    assert runs.keys() == wanted
    again = next(run for run in history.run.values() if len(run.attempts) > 1)
    for run in (*runs.values(), again, list(history.run.values())[-1]):
        me = f"/repos/{run.repo.full_name}/actions/runs/{run.id}"
        found[f"{root}/actions/runs/{{run_id}}"].append(me)
        found[f"{root}/actions/runs/{{run_id}}/jobs"].append(f"{me}/jobs?filter=all")
        found[f"{root}/actions/runs/{{run_id}}/attempts/{{attempt_number}}/jobs"].append(f"{me}/attempts/1/jobs")
        found[f"{root}/actions/runs/{{run_id}}/timing"].append(f"{me}/timing")
    for deployment in (*islice(history.deployment.values(), 5), list(history.deployment.values())[-1]):
        path = f"/repos/{deployment.repo.full_name}/deployments/{deployment.id}/statuses"
        found[f"{root}/deployments/{{deployment_id}}/statuses"].append(path)
    things = [thing for several in history.pulls.values() for thing in several]
    issues = [thing for thing in things if isinstance(thing, Issue)][:8]
    pulls = [thing for thing in things if isinstance(thing, Pull)]
    some_things: list[Issue | Pull] = [*issues, *pulls[:8], *[p for p in pulls if p.labels][:20]]
    for thing in some_things:
        me = f"/repos/{thing.repo.full_name}/issues/{thing.number}"
        for tail in ("", "/timeline", "/events"):
            found[f"{root}/issues/{{issue_number}}{tail}"].append(me + tail)
    for pull in pulls[:8]:
        found[f"{root}/pulls/{{pull_number}}/commits"].append(
            f"/repos/{pull.repo.full_name}/pulls/{pull.number}/commits"
        )
    merged = [pull.merge_sha for _, pull in history.main[busy]]
    for base, head in ((merged[0], merged[-1]), (merged[2], merged[2]), (merged[3], "main"), (merged[4], merged[1])):
        found[f"{root}/compare/{{basehead}}"].append(f"/repos/acme/{busy}/compare/{base}...{head}")
    return found


@pytest.mark.parametrize("path", sorted(contract(NAME).paths))
def test_answers_keep_to_the_official_description(world: World, path: str) -> None:
    """Several answers of every path have all required properties, in the types that GitHub documents."""
    found = calls(world)[path]
    api = github(world)
    assert found
    for call in found:
        answer = api.get(call)
        assert answer.status_code == 200, (call, answer.text[:300])
        assert contract(NAME).problem(path, answer.json) == "", call


@pytest.mark.parametrize(
    ("path", "call", "status"),
    [
        ("/repos/{owner}/{repo}", "/repos/acme/nothing", "404"),
        ("/repos/{owner}/{repo}/issues", "/repos/acme/sandbox-1/issues?since=soon", "422"),
        ("/search/issues", "/search/issues?q=is:pr&page=11&per_page=100", "422"),
    ],
)
def test_refusals_keep_to_the_official_description(world: World, path: str, call: str, status: str) -> None:
    """What GitHub says instead of an answer has its documented form too."""
    answer = github(world).get(call)
    assert str(answer.status_code) == status
    assert contract(NAME).problem(path, answer.json, status=status) == ""


def test_the_description_is_really_held_against_the_answers() -> None:
    """A body that lacks a property, has a wrong type, or null where none may be, is found out."""
    limits: dict[str, Any] = {"limit": 1, "remaining": 1, "reset": 1, "used": 0}
    good = {"resources": {"core": limits, "search": limits}, "rate": limits}
    assert contract(NAME).problem("/rate_limit", good) == ""
    for bad in ({}, {**good, "rate": {**limits, "used": "0"}}, {**good, "rate": None}):
        assert contract(NAME).problem("/rate_limit", bad) != ""
