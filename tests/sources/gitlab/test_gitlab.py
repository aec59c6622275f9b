"""GitLab: the case of the contract test, and what only GitLab does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.gitlab.gitlab_hooks import deliveries
from tests.sources.gitlab.gitlab_server import GitLab, at, deployment, job, pipeline, project

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, Repository
from platform_meter.model.proposal import Surroundings
from platform_meter.sources.gitlab import SOURCE, Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
SETTINGS: dict[str, Any] = {
    "url": "https://gitlab.example",
    "group": "acme",
    "token": {"env": "GITLAB_TOKEN"},
    "outcomes": [{"step": "provision*", "class": "infra_failure"}],
}
ALICE, BOB = {"id": 1, "username": "u-alice"}, {"id": 2, "username": "u-bob"}
SHOP, SEALED = Ref(system="gitlab", kind="repository", id="acme/shop"), "acme/team/sealed"


def moment(clock: str) -> datetime:
    return datetime.fromisoformat(at(clock))


def small_world() -> GitLab:
    world = GitLab(projects=[project(1, "acme/shop"), project(2, SEALED, builds_access_level="disabled")])
    world.trunk = ["a", "a2", "b", "b2", "c"]
    world.put(
        1,
        "pipelines",
        pipeline(10, "failed", "11:00:00", "11:02:00"),
        pipeline(11, "success", "11:50:00", "11:55:00"),
        pipeline(12, "running", "11:58:00", "11:59:00", finished_at=None, duration=None),
        pipeline(13, "success", "11:51:00", "11:54:00", source="parent_pipeline"),
        pipeline(30, "manual", "11:56:00", "11:57:00", finished_at=None, duration=None),
    )
    world.put(
        1,
        "jobs",
        job(121, "lint", "running", "11:58:10", None),
        job(122, "test", "pending", "11:58:00", None, started_at=None, queued_duration=90.0, runner=None),
        job(123, "image", "pending", "11:58:00", None, started_at=None, tag_list=["kvm", "big"], runner=None),
    )
    world.jobs[11] = [
        job(111, "build", "success", "11:50:10", "11:51:00"),
        job(112, "ship", "manual", "11:50:10", None),
    ]
    world.put(
        1,
        "deployments",
        deployment(21, "a", "success", "10:01:00"),
        deployment(22, "b", "success", "10:02:00"),
        deployment(23, "a", "running", "11:59:00"),
        deployment(24, "c", "blocked", "11:59:00"),
    )
    request = {
        "id": 31,
        "iid": 3,
        "title": 'Revert "x"',
        "description": "Alice's secret\n\nThis reverts merge request !2",
        "target_branch": "main",
        "web_url": "https://gitlab.example/acme/shop/-/merge_requests/3",
        "created_at": at("09:00:00"),
        "updated_at": at("10:00:00"),
        "merged_at": at("10:00:00"),
        "author": ALICE,
        "labels": ["area"],
        "source_branch": "fix",
        "merge_commit_sha": "m1",
    }
    world.put(1, "merge_requests", request)
    path = "/api/v4/projects/1/merge_requests/3"
    world.others[f"{path}/commits"] = Reply(body=[{"authored_date": at("08:30:00")}, {"authored_date": at("08:00:00")}])
    world.others[f"{path}/notes"] = Reply(
        body=[
            {"created_at": at("09:01:00"), "author": ALICE, "body": "please look"},
            {"created_at": at("09:02:00"), "author": BOB, "body": "added 1 commit", "system": True},
            {"created_at": at("09:10:00"), "author": BOB, "body": "approved this merge request", "system": True},
        ]
    )
    return world


def later_world() -> GitLab:
    """What ran has ended, behind a page of others; one was deleted, a list is refused, and a row is odd."""
    world = small_world()
    rows = world.lists[1, "pipelines"]
    del rows[0]
    rows[1] = pipeline(12, "failed", "11:58:00", "12:05:00")
    rows += [
        pipeline(number, "skipped", "12:10:00", f"12:1{number % 10}:00", duration=None) for number in range(14, 19)
    ]
    rows.append(pipeline(20, "success", "12:20:00", "12:25:00", created_at="0001-01-01T00:00:00+14:00"))
    failed: dict[str, Any] = {"failure_reason": "runner_system_failure"}
    world.jobs[12] = [
        job(121, "lint", "failed", "11:58:10", "11:59:00", allow_failure=True, failure_reason="script_failure"),
        job(122, "test", "failed", "11:59:10", "12:05:00", **failed),
    ]
    rows[3] = pipeline(30, "success", "11:56:00", "12:31:00")
    world.jobs[30] = [
        job(301, "build", "success", "11:56:05", "11:56:59"),
        job(302, "ship", "success", "11:56:05", "12:31:00", started_at=at("12:30:05")),
    ]
    world.lists[1, "deployments"][2:] = [
        deployment(23, "a", "success", "12:01:00"),
        deployment(24, "c", "success", "12:02:00"),
    ]
    world.others["/api/v4/projects/2/merge_requests"] = Reply(status=403)
    return world


def run(id_: int, ended: str, outcome: Outcome, seconds: int = 60, **more: Any) -> PipelineRun:
    own: dict[str, Any] = {"group": f"1|main|sha{id_}", "sha": f"sha{id_}", "trigger": "push", **more}
    own.setdefault("rule", str(outcome))
    own.setdefault("executing", timedelta(seconds=seconds) if seconds else None)
    return PipelineRun(
        key=f"pipeline/{id_}/1",
        at=moment(ended),
        about=SHOP,
        updated=moment(ended),
        pipeline="acme/shop",
        outcome=outcome,
        ran=timedelta(seconds=seconds),
        url=f"https://gitlab.example/pipelines/{id_}",
        **own,
    )


def ran_job(id_: int, of: int, ended: str, outcome: Outcome) -> PipelineJob:
    return PipelineJob(
        key=f"job/{id_}",
        at=moment(ended),
        about=SHOP,
        run=f"pipeline/{of}/1",
        pool="linux",
        outcome=outcome,
        ran=timedelta(seconds=30),
        queued=timedelta(seconds=5),
    )


def rollout(
    id_: int, sha: str, ended: str, kind: DeployKind = DeployKind.PLANNED, changes: Sequence[str] = ()
) -> Deployment:
    return Deployment(
        key=f"deployment/{id_}",
        at=moment(ended),
        about=SHOP,
        updated=moment(ended),
        environment="production",
        sha=sha,
        result=DeployResult.SUCCESS,
        kind=kind,
        started=moment("10:00:00"),
        after="a" if changes else "",
        changes=tuple(changes),
        url=f"https://gitlab.example/jobs/{id_}",
    )


def pool(name: str, queued: int, running: int) -> PipelineActive:
    about = Ref(system="gitlab", kind="pool", id=f"acme/{name}")
    return PipelineActive(about=about, pool=name, queued=queued, running=running)


REPOSITORIES = [
    Repository(about=about, since=moment("00:00:00"))
    for about in (SHOP, Ref(system="gitlab", kind="repository", id=SEALED))
]
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    hooks=tuple(deliveries(small_world())),
    now=NOW,
    since=SINCE,
    expected=[
        *REPOSITORIES,
        run(10, "11:02:00", Outcome.UNKNOWN, reason="failed", rule=""),
        run(11, "11:55:00", Outcome.SUCCESS, pool="linux"),
        ran_job(111, 11, "11:51:00", Outcome.SUCCESS),
        pool("big,kvm", 1, 0),
        pool("linux", 1, 1),
        rollout(21, "a", "10:01:00"),
        rollout(22, "b", "10:02:00", changes=["a2", "b"]),
        Change(
            key="merge_request/31",
            at=moment("10:00:00"),
            about=SHOP,
            updated=moment("10:00:00"),
            sha="m1",
            opened=moment("09:00:00"),
            first_commit=moment("08:00:00"),
            first_review=moment("09:10:00"),
            labels=("area", "revert"),
            name="acme/shop!3",
            branch="main",
            undoes=("acme/shop!2",),
            url="https://gitlab.example/acme/shop/-/merge_requests/3",
        ),
    ],
    people=("u-alice", "u-bob", "Alice", "secret"),
    later=Later(
        answers=later_world,
        after=timedelta(hours=1),
        expected=[
            run(
                12,
                "12:05:00",
                Outcome.INFRA_FAILURE,
                reason="test: runner_system_failure",
                rule="platform_reason",
                pool="linux",
            ),
            ran_job(121, 12, "11:59:00", Outcome.USER_FAILURE),
            ran_job(122, 12, "12:05:00", Outcome.INFRA_FAILURE),
            run(30, "12:31:00", Outcome.SUCCESS, pool="linux", approval=timedelta(minutes=33)),
            ran_job(301, 30, "11:56:59", Outcome.SUCCESS),
            ran_job(302, 30, "12:31:00", Outcome.SUCCESS),
            pool("big,kvm", 0, 0),
            pool("linux", 0, 0),
            *(run(n, f"12:1{n % 10}:00", Outcome.SKIPPED, 0, reason="skipped") for n in range(14, 19)),
            rollout(23, "a", "12:01:00", DeployKind.ROLLBACK),
            rollout(24, "c", "12:02:00", changes=["a2", "b", "b2", "c"]),
        ],
        gaps=(f"{SEALED}: ",),
        rejected=1,
    ),
    without=[({"jobs": "none"}, frozenset({PipelineJob})), ({"queue": False}, frozenset({PipelineActive}))],
)


def told(answering: Any, *polls: datetime, **settings: Any) -> tuple[list[Fact], FakeOutside]:
    """Facts of polls in a row at these times, and what was asked."""
    config, outside, checkpoint = Config.model_validate({**SETTINGS, **settings}), FakeOutside(answering), None
    facts = list[Fact]()
    for now in polls:
        for page in SOURCE.connect(config, outside, "gitlab")[0].read(checkpoint, SINCE, now):
            checkpoint = page.checkpoint or checkpoint
            facts += page.facts
    return facts, outside


def runs(facts: Sequence[Fact]) -> list[PipelineRun]:
    return [fact for fact in facts if isinstance(fact, PipelineRun)]


def test_a_retry_in_a_pipeline_is_another_attempt_of_the_same_inputs() -> None:
    """The failure that was told stays told; the same key with a later end would hide it."""
    world = GitLab(projects=[project(1, "acme/shop")])
    world.put(1, "pipelines", pipeline(10, "failed", "11:55:00", "11:57:00", source="schedule"))
    world.jobs[10] = [job(1, "test", "failed", "11:55:00", "11:57:00", failure_reason="script_failure")]

    def answer(call: Call) -> Reply:
        if sum("groups" in call.path for call in outside.calls) == 2:
            world.lists[1, "pipelines"][0] = pipeline(10, "success", "11:55:00", "12:02:00", source="schedule")
            world.jobs[10] = [
                job(1, "test", "failed", "11:55:00", "11:57:00", failure_reason="script_failure"),
                job(2, "test", "success", "12:01:00", "12:02:00"),
            ]
        return world(call)

    outside = FakeOutside(answer)
    checkpoint, facts = None, list[Fact]()
    for now in (NOW, NOW + timedelta(minutes=5)):
        stream = SOURCE.connect(Config.model_validate(SETTINGS), outside, "gitlab")[0]
        for page in stream.read(checkpoint, SINCE, now):
            checkpoint = page.checkpoint or checkpoint
            facts += page.facts
    assert [(r.key, r.outcome, r.attempt, r.group) for r in runs(facts)] == [
        ("pipeline/10/1", Outcome.USER_FAILURE, 1, "1|10"),
        ("pipeline/10/2", Outcome.SUCCESS, 2, "1|10"),
    ]
    assert {f.key: f.run for f in facts if isinstance(f, PipelineJob)} == {
        "job/1": "pipeline/10/1",
        "job/2": "pipeline/10/2",
    }


def test_a_job_retried_since_its_pipeline_was_read_is_told_as_it_ends() -> None:
    """Else the end of the first attempt would count as that of the second."""
    world = GitLab(projects=[project(1, "acme/shop")])
    world.put(1, "pipelines", pipeline(10, "failed", "11:55:00", "11:57:00"))
    world.jobs[10] = [
        job(1, "test", "failed", "11:55:00", "11:57:00"),
        job(2, "test", "running", "11:59:00", None),
    ]
    assert runs(told(world, NOW)[0]) == []


def test_a_pipeline_deleted_while_pages_are_read_hides_no_other() -> None:
    """What stood behind it moves up, and the next page begins with a time."""
    world = GitLab(projects=[project(1, "acme/shop", merge_requests_access_level="disabled")])
    world.put(1, "pipelines", *(pipeline(n, "success", "10:00:00", f"10:{n}:00") for n in range(10, 22)))
    listed = 0

    def answer(call: Call) -> Reply:
        nonlocal listed
        listed += call.path.endswith("/pipelines")
        if call.path.endswith("/pipelines") and listed == 2:
            world.lists[1, "pipelines"] = [row for row in world.lists[1, "pipelines"] if row["id"] < 20]
        return world(call)

    found = {fact.key for fact in runs(told(answer, NOW)[0])}
    assert found >= {f"pipeline/{n}/1" for n in range(10, 20)}


def test_pipelines_that_changed_at_one_moment_are_all_told_once() -> None:
    """More of them than a page holds."""
    world = GitLab(projects=[project(1, "acme/shop")])
    world.put(1, "pipelines", *(pipeline(n, "success", "10:00:00", "10:05:00") for n in range(10, 21)))
    keys = [fact.key for fact in runs(told(world, NOW)[0])]
    assert (len(keys), len(set(keys))) == (11, 11)


def test_a_quiet_project_is_asked_every_half_hour() -> None:
    """A call for the list of projects is all that it costs until then."""
    world = GitLab(projects=[project(1, "acme/shop", last_activity_at="2026-04-01T00:00:00Z")])
    _, outside = told(world, NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=31))
    listing = "/api/v4/groups/acme/projects"
    lists = [f"/api/v4/projects/1/{name}" for name in ("pipelines", "deployments", "merge_requests")]
    assert [call.path for call in outside.calls] == [listing, *lists, listing, listing, *lists]


def test_jobs_that_wait_and_run_are_asked_for_while_a_pipeline_goes_on() -> None:
    """In a project where nothing else happened too, in each poll until it has ended; and never with `queue: false`."""
    quiet = project(1, "acme/shop", last_activity_at="2026-04-01T00:00:00Z")
    world = GitLab(projects=[quiet]).put(1, "pipelines", pipeline(10, "running", "11:58:00", "11:58:05"))
    world.put(1, "jobs", *(job(n, "test", "pending", "11:58:00", None) for n in range(4)))

    def answer(call: Call) -> Reply:
        if sum("groups" in call.path for call in outside.calls) == 3:
            world.lists[1, "pipelines"][0] = pipeline(10, "success", "11:58:00", "12:01:30")
            world.lists[1, "jobs"].clear()
        return world(call)

    polls = [NOW + timedelta(minutes=minute) for minute in range(4)]
    outside = FakeOutside(answer)
    checkpoint, loads = None, []
    for now in polls:
        for page in SOURCE.connect(Config.model_validate(SETTINGS), outside, "gitlab")[0].read(checkpoint, SINCE, now):
            checkpoint = page.checkpoint or checkpoint
            loads += [fact.queued for fact in page.facts if isinstance(fact, PipelineActive)]
    asked = [call for call in outside.calls if call.path == "/api/v4/projects/1/jobs"]
    assert loads == [4, 4, 0, 0]
    assert [call.params["page"] for call in asked] == [1, 2, 1, 2]
    assert asked[0].params["scope[]"] == ("pending", "running")
    _, off = told(world, *polls, queue=False)
    assert not [call for call in off.calls if call.path == "/api/v4/projects/1/jobs"]


@pytest.mark.parametrize("reply", [Reply(status=403), Reply(status=404), Reply(body=[{"id": 1, "status": 7}]), None])
def test_where_jobs_cannot_all_be_read_their_pools_are_absent(reply: Reply | None) -> None:
    """Refused, gone, odd, or more than ten pages; pipelines are told all the same, and nothing is a gap."""
    world = GitLab(projects=[project(1, "acme/shop"), project(2, "acme/desk")])
    world.put(
        1, "pipelines", pipeline(10, "running", "11:58:00", "11:58:05"), pipeline(11, "success", *["11:59:00"] * 2)
    )
    world.jobs[11] = [job(1, "test", "success", "11:58:10", "11:59:00", tag_list=["kvm"])]
    world.put(2, "pipelines", pipeline(20, "running", "11:58:00", "11:58:05"))
    world.put(
        2,
        "jobs",
        job(2, "test", "running", "11:58:00", None),
        job(3, "vm", "running", "11:58:00", None, tag_list=["kvm"]),
    )
    if reply is None:
        world.put(1, "jobs", *(job(n, "test", "pending", "11:58:00", None, tag_list=["kvm"]) for n in range(31)))
    else:
        world.others["/api/v4/projects/1/jobs"] = reply
    facts, outside = told(world, NOW)
    assert {fact.pool: fact.running for fact in facts if isinstance(fact, PipelineActive)} == {"linux": 1}
    assert [fact.key for fact in runs(facts)] == ["pipeline/11/1"]
    assert not outside.gaps


def test_a_manual_job_that_nobody_starts_holds_no_pipeline_open() -> None:
    """One that may stay undone is no part of how it ended; one that holds its pipeline is no run, and asks for no runner."""
    world = GitLab(projects=[project(1, "acme/shop")])
    world.put(
        1, "pipelines", pipeline(10, "success", "11:55:00", "11:57:00"), pipeline(11, "manual", *["11:58:00"] * 2)
    )
    world.jobs[10] = [
        job(1, "test", "success", "11:55:00", "11:57:00"),
        job(2, "ship", "manual", "11:55:00", None, started_at=None, queued_duration=None),
    ]
    facts, outside = told(world, NOW, NOW + timedelta(minutes=1))
    assert [(fact.key, fact.approval) for fact in runs(facts)] == [("pipeline/10/1", None)]
    assert "/api/v4/projects/1/jobs" not in {call.path for call in outside.calls}


def test_a_refused_project_among_quiet_ones_fails_no_poll() -> None:
    """One that can be read is asked beside it, which tells that the token is good."""
    world = GitLab(projects=[project(1, "acme/shop"), project(2, "acme/sealed")])
    for name in ("pipelines", "deployments", "merge_requests"):
        world.others[f"/api/v4/projects/2/{name}"] = Reply(status=403)
    _, outside = told(world, NOW, NOW + timedelta(minutes=1))
    assert [gap.text.split(":")[0] for gap in outside.gaps] == ["acme/sealed"] * 3


def test_a_renamed_project_goes_on_from_its_place() -> None:
    """Its id stays."""
    world = GitLab(projects=[project(1, "acme/shop")])
    world.put(1, "pipelines", pipeline(10, "success", "11:55:00", "11:57:00"))

    def answer(call: Call) -> Reply:
        if "updated_after" not in call.params and "groups" in call.path and world.others:
            world.projects[0]["path_with_namespace"] = "acme/store"
        world.others["seen"] = Reply()
        return world(call)

    facts, _ = told(answer, NOW, NOW + timedelta(minutes=5))
    assert [fact.about.id for fact in facts if isinstance(fact, Repository)] == ["acme/shop", "acme/store"]
    assert [fact.key for fact in runs(facts)] == ["pipeline/10/1"]


def test_check_names_what_the_token_lacks() -> None:
    """One line each."""
    config = Config.model_validate(SETTINGS)
    assert SOURCE.check(config, FakeOutside(small_world())) == []
    world = small_world()
    world.others["/api/v4/projects/1/deployments"] = Reply(status=403)
    assert SOURCE.check(config, FakeOutside(world)) == [
        "project acme/shop: its deployments can't be read; give the token the scope read_api and its user the role Reporter"
    ]
    assert SOURCE.check(config, FakeOutside({})) == [
        "group acme: there is none that the token may see; write its full path, such as acme/shop"
    ]


def test_it_proposes_the_group_of_a_remote() -> None:
    """By https and by ssh."""
    for address in ("https://gitlab.com/acme/team/shop.git", "git@gitlab.com:acme/shop.git"):
        found = SOURCE.propose(Surroundings(remotes=(("origin", address),)))
        assert found is not None
        assert found.found == {"gitlab-acme": {"group": "acme", "token": {"env": "GITLAB_TOKEN"}}}


def test_without_reviews_notes_are_not_asked_for() -> None:
    """The change is told all the same, and its commits are read."""
    facts, outside = told(small_world(), NOW, reviews=False)
    (change,) = (fact for fact in facts if isinstance(fact, Change))
    assert (change.first_commit, change.first_review) == (moment("08:00:00"), None)
    assert not any(call.path.endswith("/notes") for call in outside.calls)
