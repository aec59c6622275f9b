"""The GitHub source against the official OpenAPI description and recorded answers."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.contracts.calls import description, recorded
from tests.sources.github.github_server import Github, Repo, run, text
from tests.sources.github.test_github import NOW, SETTINGS, SINCE, small_world
from tests.sources.github.test_milestones import issue
from tests.sources.github.test_planning import planning

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.tickets import Role
from platform_meter.sources.github import SOURCE, Config, milestones, rows
from platform_meter.sources.github.facts import change_fact, job_facts, run_fact
from platform_meter.sources.github.outcomes import RULES
from platform_meter.sources.github.tickets import _Held, ticket_events
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside

NAME = "github.openapi.json"
LISTS = {**SETTINGS, "codeowners": False, "runners": False, "reviews": False}
"""The description at hand has the lists, but neither contents nor teams nor runners nor reviews."""
REPO = "/repos/acme/api"
ANTS = Ref(system="github", kind="repository", id="panjf2000/ants")
ANSWERS: dict[str, Any] = {
    "/orgs/acme/repos": list[rows.Repo],
    f"{REPO}/actions/runs": rows.Runs,
    f"{REPO}/actions/runs/1": rows.Run,
    f"{REPO}/actions/runs/1/attempts/1/jobs": rows.Jobs,
    f"{REPO}/deployments": list[rows.DeploymentRow],
    f"{REPO}/deployments/1/statuses": list[rows.StatusRow],
    f"{REPO}/pulls": list[rows.Pull],
    f"{REPO}/pulls/1/commits": list[rows.Commit],
    f"{REPO}/compare/{'a' * 40}...{'b' * 40}": rows.Comparison,
    f"{REPO}/issues": list[rows.Issue],
    f"{REPO}/issues/1/timeline": list[rows.TimelineItem],
}


def _without_contents(config: Config) -> Config:
    """What `check` asks for to know whether commits can be compared is not in the description."""
    return config.model_copy(update={"change_sets": False})


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_of_the_description_can_be_read(path: str) -> None:
    """Each field that is read exists; it may be null or absent wherever the description lets it."""
    found = description(NAME)
    assert found.unreadable(ANSWERS[path], found.schema("get", path)) == []


def test_an_issue_asked_for_by_its_number_can_be_read() -> None:
    """As above; one of GitHub's examples of it is cut short, so they are not read."""
    found = description(NAME)
    assert found.unreadable(_Held, found.schema("get", f"{REPO}/issues/1")) == []


def test_a_roadmap_of_milestones_can_be_read() -> None:
    """Its rows and all of its calls are GitHub's."""
    found = description(NAME)
    assert found.unreadable(list[milestones._Issue], found.schema("get", f"{REPO}/issues")) == []
    world = Github(
        [], plans=[Repo(name="acme/plans", created=NOW, issues=[{**issue(1, {"title": "2026-Q2"}), "labels": ["x"]}])]
    )
    outside = FakeOutside(world)
    assert len([*milestones.read_milestones(Sieve(outside), planning("*"))]) == 1
    assert [problem for call in outside.calls for problem in found.problems(call)] == []


def test_a_field_that_cannot_be_read_is_found() -> None:
    """The test above does find a field that may be null or absent, and one that doesn't exist."""

    class Wrong(msgspec.Struct):
        name: str
        nope: int = 0

    found = description(NAME)
    assert found.unreadable(Wrong, found.schema("get", f"{REPO}/actions/runs/1")) == [
        ".name: may be absent",
        ".name: may be null",
        ".nope: the description has no such field",
    ]


@pytest.mark.parametrize("path", ANSWERS)
def test_the_descriptions_examples_decode(path: str) -> None:
    """GitHub's own examples are read as they stand."""
    content = description(NAME).answer("get", path)
    examples = [description(NAME).resolve(example)["value"] for example in content["examples"].values()]
    assert examples
    for example in examples:
        msgspec.convert(example, ANSWERS[path])


def test_every_call_is_in_the_description() -> None:
    """All paths and parameters of polls and of `check`, with capped lists and followed runs, are GitHub's."""
    world = small_world()
    world.cap_all, world.cap = True, 1_000
    many = [run(n, NOW - timedelta(minutes=n)) for n in range(100, 1_300)]
    going = run(99, NOW - timedelta(days=3), status="in_progress", conclusion=None)
    world.repos.append(Repo(name="acme/payroll", created=NOW, runs=[*many, going]))
    outside = FakeOutside(world)
    config = Config.model_validate(LISTS)
    (stream,) = SOURCE.connect(config, outside, "test")
    checkpoint = list(stream.read(None, SINCE, NOW))[-1].checkpoint
    world.repos[-1].runs[0]["updated_at"] = text(NOW)
    list(stream.read(checkpoint, NOW, NOW + timedelta(hours=2)))
    SOURCE.check(_without_contents(config), outside)
    # The description at hand lacks a run as it was in an earlier attempt.
    calls = [call for call in outside.calls if not call.path.endswith("/attempts/1")]
    templates = Counter(description(NAME).operation("get", call.path)[0] for call in calls)
    assert sorted(templates) == [
        "/orgs/{org}/repos",
        "/repos/{owner}/{repo}/actions/runs",
        "/repos/{owner}/{repo}/actions/runs/{run_id}",
        "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
        "/repos/{owner}/{repo}/compare/{basehead}",
        "/repos/{owner}/{repo}/deployments",
        "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
        "/repos/{owner}/{repo}/issues",
        "/repos/{owner}/{repo}/issues/{issue_number}/timeline",
        "/repos/{owner}/{repo}/pulls",
        "/repos/{owner}/{repo}/pulls/{pull_number}/commits",
    ]
    assert any("created" in call.params for call in calls)
    assert [problem for call in calls for problem in description(NAME).problems(call)] == []


def test_a_server_of_examples_can_be_polled() -> None:
    """Against a mock server that answers every call with GitHub's one example, polls and `check` work."""
    outside = FakeOutside(description(NAME).example)
    config = Config.model_validate({**LISTS, "issues": ["*"]})
    (stream,) = SOURCE.connect(config, outside, "test")
    checkpoint = None
    for _ in range(2):
        pages = list(stream.read(checkpoint, datetime(2010, 1, 1, tzinfo=UTC), NOW))
        checkpoint = pages[-1].checkpoint
    assert SOURCE.check(_without_contents(config), outside) == []
    assert outside.gaps == []


def test_recorded_runs() -> None:
    """Ten real runs: one goes on, three are second attempts, whose time counts from the re-run."""
    found = [msgspec.convert(row["data"], rows.Run) for row in recorded("github/api_runs.devlake.json")]
    assert [row.id for row in found if not row.ended] == [2559507315]
    facts = {row.id: run_fact(ANTS, row, [], RULES) for row in found if row.ended}
    assert Counter(fact.outcome for fact in facts.values()) == {Outcome.SUCCESS: 9}
    assert [(facts[id_].attempt, facts[id_].ran) for id_ in (2589885639, 2589885628, 2559400713)] == [
        (2, timedelta(seconds=29)),
        (2, timedelta(minutes=6, seconds=33)),
        (2, timedelta(seconds=32)),
    ]
    assert facts[2983238245].pipeline == "panjf2000/ants/.github/workflows/codeql.yml"


def test_recorded_jobs() -> None:
    """18 real jobs, some with conclusions in capitals: 14 have ended; no wait is known where no runner is named."""
    found = [msgspec.convert(row["data"], rows.Job) for row in recorded("github/api_jobs.devlake.json")]
    parent = msgspec.convert(run(577324554, NOW), rows.Run)
    facts = list(job_facts(ANTS, parent, 1, found, RULES))
    assert Counter(fact.outcome.value for fact in facts) == {
        "success": 5,
        "cancelled": 3,
        "unknown": 4,  # all steps of these went well
        "skipped": 2,
    }
    assert {fact.queued for fact in facts} == {None}
    assert facts[0].ran == timedelta(minutes=2, seconds=5)


def test_recorded_pull_requests_and_commits() -> None:
    """Eight real pull requests, four of them merged: changes with the time of the first commit, naming nobody."""
    pulls = [msgspec.convert(row["data"], rows.Pull) for row in recorded("github/api_pull_requests.devlake.json")]
    raw = [row for row in recorded("github/api_pull_request_commits.devlake.json") if "/pulls/23/" in row["url"]]
    commits = [msgspec.convert(row["data"], rows.Commit) for row in raw]
    facts = [change_fact(ANTS, pull, pull.merged_at, commits, ()) for pull in pulls if pull.merged_at]
    assert [fact.key for fact in facts] == ["pull/203756736", "pull/219363161", "pull/246250598", "pull/301421607"]
    assert facts[0].labels == ("enhancement",)
    third = facts[2]
    assert third.sha == "9158bd37025ccdd29d6346a6639a282e0060c7e2"
    assert (third.first_commit, third.opened, third.at) == (
        datetime(2019, 1, 21, 10, 57, 23, tzinfo=UTC),
        datetime(2019, 1, 21, 10, 58, 15, tzinfo=UTC),
        datetime(2019, 1, 22, 5, 41, 34, tzinfo=UTC),
    )
    assert not any(pull.user and pull.user.login in repr(facts) for pull in pulls)


def test_recorded_issues() -> None:
    """Of 21 real items of the issue list nine are pull requests; a recorded event closes its issue."""
    found = [msgspec.convert(row["data"], rows.Issue) for row in recorded("github/api_issues.devlake.json")]
    assert [row.number for row in found if row.pull_request is None] == [5, 7, 17, 21, 25, 27, 29, 31, 33, 35, 37, 43]
    raw = [row for row in recorded("github/api_events.devlake.json") if row["data"]["issue"]["number"] == 228]
    issue = msgspec.convert(raw[0]["data"]["issue"], rows.Issue)
    events = [msgspec.convert(row["data"], rows.TimelineItem) for row in raw]
    steps = ticket_events(ANTS, issue, events, ())
    assert [(step.change.value, step.role, step.status, step.resolution) for step in steps] == [
        ("created", Role.REPORTER, "open", None),
        ("status", Role.REPORTER, "closed", None),
        ("resolved", Role.REPORTER, None, "Done"),
    ]


def test_recorded_pages_are_followed_to_the_end() -> None:
    """Five recorded pages of three issues: four name a next page, the last does not."""
    pages = recorded("github/paginate-issues.octokit.json")
    assert [rows.more(page["headers"], len(page["response"]), 3) for page in pages] == [True, True, True, True, False]


def test_webhook_bodies_have_the_same_shape() -> None:
    """Runs, jobs and deployments that GitHub pushes decode as those that are polled, so their keys can be the same."""
    bodies = {
        "workflow_job-1": ("workflow_job", rows.Job),
        "workflow_job-5": ("workflow_job", rows.Job),
        "deployment-0": ("deployment", rows.DeploymentRow),
        "deployment_status-0": ("deployment_status", rows.StatusRow),
        "workflow_run-1": ("workflow_run", rows.Run),
    }
    for name, (part, type_) in bodies.items():
        body: Any = recorded(f"github-webhooks/{name}.json")
        msgspec.convert(body[part], type_)
