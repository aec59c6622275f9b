"""Tekton: the case of the contract test, and what only Tekton does (tasks of failed runs, pruned runs, its absence)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.tekton.tekton_server import RUNS, TASKS, Tekton, pending, run, task

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Refused
from platform_meter.sources.tekton import SOURCE, Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "cluster": "eu",
    "in_cluster": True,
    "labels": ["team"],
    "skip_namespaces": ["tmp-*"],
    "registries": ["registry.acme.example/"],
    "page_size": 2,
}
PLACE = "kubernetes:eu/shop"
NO_INPUTS = "4f53cda18c2baa0c"
"""Of the text `[]`."""


def small_world() -> Tekton:
    world = Tekton()
    world.put(
        RUNS,
        run("build-1", "Succeeded", code="shop", labels={"team": "pay"}),
        run("build-2", "Failed", end="10:04:00"),
        run("build-3", "Running"),
        run("build-4", "Running"),
        run("build-5", "PipelineRunTimeout"),
        pending("build-7"),
    )
    world.objects[RUNS]["build-5"]["metadata"]["namespace"] = "tmp-1"
    world.put(
        TASKS,
        task("build-1", "test", "Succeeded", ("unit", 0, "10:00:16")),
        task("build-2", "git-clone", "Succeeded", ("clone", 0, "10:00:09"), end="10:01:00"),
        task("build-2", "test", "Failed", ("unit", 2, "10:00:46")),
        task("build-3", "test", "Running", ("unit", 0, "10:00:16")),
        task("build-3", "lint", "Running"),
        task("build-4", "test", "Running"),
        task("build-5", "test", "Running"),
    )
    world.objects[TASKS]["build-5-test"]["metadata"]["namespace"] = "tmp-1"
    return world


def later_world() -> Tekton:
    """One has ended and another was pruned before it did; one that waited runs; one is odd, and a run's tasks are gone."""
    world = small_world()
    world.put(RUNS, run("build-3", "Cancelled", end="10:40:05"), run("build-6", "Failed", end="10:41:00"))
    odd = run("odd", "Succeeded")
    odd["status"]["completionTime"] = "0001-01-01T00:00:00Z"
    world.put(RUNS, odd)
    world.delete(RUNS, "build-4")
    world.put(RUNS, run("build-7", "Running"))
    world.put(
        TASKS,
        task("build-3", "test", "TaskRunCancelled", ("unit", 1, "10:00:16"), end="10:40:00"),
        task("build-3", "lint", "Running", ("lint", 0, "10:31:00")),
    )
    world.delete(TASKS, "build-4-test")
    world.children = Reply(status=404)
    return world


def pipeline(*labels: tuple[str, str], links: tuple[str, ...] = (PLACE,)) -> Ref:
    return Ref(system="tekton", kind="pipeline", id="eu/shop/build", labels=labels, links=links)


def ran(name: str, outcome: Outcome, end: str, seconds: int, **more: Any) -> PipelineRun:
    own: dict[str, Any] = {"about": pipeline(), "group": f"eu/shop/build|uid-{name}", "rule": "succeeded", **more}
    return PipelineRun(
        key=f"pipelinerun/uid-{name}",
        at=datetime.fromisoformat(f"2026-05-04T{end}+00:00"),
        pipeline="build",
        outcome=outcome,
        ran=timedelta(seconds=seconds),
        pool="eu",
        **own,
    )


def job(of: str, name: str, outcome: Outcome, end: str, seconds: int, queued: int | None) -> PipelineJob:
    return PipelineJob(
        key=f"taskrun/uid-{of}-{name}",
        at=datetime.fromisoformat(f"2026-05-04T{end}+00:00"),
        about=pipeline(),
        run=of,
        pool="eu",
        outcome=outcome,
        ran=timedelta(seconds=seconds),
        queued=None if queued is None else timedelta(seconds=queued),
    )


def active(of: str = "", queued: int = 0, running: int = 0) -> PipelineActive:
    about = Ref(system="tekton", kind="pool", id="eu")
    return PipelineActive(about=about, of=of, pool="eu", queued=queued, running=running)


EXPECTED: tuple[Fact, ...] = (
    ran(
        "build-1",
        Outcome.SUCCESS,
        "10:05:05",
        300,
        about=pipeline(("team", "pay"), links=("github:acme/shop", PLACE)),
        group=f"eu/shop/build|abc1|{NO_INPUTS}",
        sha="abc1",
        trigger="push",
    ),
    ran("build-2", Outcome.USER_FAILURE, "10:04:00", 235, reason="Failed in test/unit", rule="user_task"),
    job("build-1", "test", Outcome.SUCCESS, "10:03:00", 164, 10),
    job("build-2", "git-clone", Outcome.SUCCESS, "10:01:00", 51, 3),
    job("build-2", "test", Outcome.USER_FAILURE, "10:03:00", 134, 40),
    active(),
    active("uid-build-7", queued=1),
    active("uid-build-3-test", running=1),
    active("uid-build-3-lint", queued=1),
    active("uid-build-4-test", queued=1),
)
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOW,
    since=NOW - timedelta(days=7),
    expected=EXPECTED,
    later=Later(
        answers=later_world,
        after=timedelta(minutes=15),
        expected=(
            ran("build-3", Outcome.CANCELLED, "10:40:05", 2400, reason="Cancelled", rule="cancelled"),
            ran("build-6", Outcome.UNKNOWN, "10:41:00", 2455, reason="Failed", rule=""),
            job("build-3", "test", Outcome.CANCELLED, "10:40:00", 2384, 10),
            active("uid-build-3-lint", running=1),
        ),
        over=frozenset((PipelineActive, f"pool/eu/uid-{name}") for name in ("build-7", "build-3-test", "build-4-test")),
        gaps=("shop/build-4 was deleted before it ended", "shop/build-4-test was deleted before it ended"),
        rejected=1,
    ),
)


def said(world: Tekton, **settings: Any) -> dict[str, PipelineRun]:
    """Runs by the end of their key, as one poll tells them."""
    config = Config.model_validate({**SETTINGS, **settings})
    stream = SOURCE.connect(config, FakeOutside(world), "tekton")[0]
    facts = [fact for page in stream.read(None, CASE.since, NOW) for fact in page.facts]
    return {fact.key.partition("uid-")[2]: fact for fact in facts if isinstance(fact, PipelineRun)}


@pytest.mark.parametrize(
    ("reason", "message", "outcome"),
    [
        ("Completed", "", Outcome.SUCCESS),
        ("CancelledRunFinally", "", Outcome.CANCELLED),
        ("ParameterMissing", "PipelineRun shop/x parameters is missing some parameters", Outcome.USER_FAILURE),
        ("CreateRunFailed", "exceeded quota: pods", Outcome.INFRA_FAILURE),
        ("CouldntGetPipeline", "error requesting remote resource", Outcome.UNKNOWN),
        ("SomethingNew", "", Outcome.UNKNOWN),
    ],
)
def test_a_reason_tells_whose_failure_it_was(reason: str, message: str, outcome: Outcome) -> None:
    """Where it does not, and no task failed, nothing does."""
    assert said(Tekton().put(RUNS, run("x", reason, message=message)))["x"].outcome is outcome  # type: ignore[arg-type] # put gives a Cluster, this one


@pytest.mark.parametrize(
    ("failed", "outcome", "why"),
    [
        (task("x", "test", "Failed", ("unit", 1, "10:00:16")), Outcome.USER_FAILURE, "Failed in test/unit"),
        (
            task("x", "git-clone", "Failed", ("clone", 128, "10:00:16")),
            Outcome.INFRA_FAILURE,
            "Failed in git-clone/clone",
        ),
        (task("x", "test", "TaskRunTimeout", ("unit", 0, "10:00:16")), Outcome.USER_FAILURE, "TaskRunTimeout in test"),
        (task("x", "test", "TaskRunTimeout"), Outcome.INFRA_FAILURE, "TaskRunTimeout"),
        (
            task(
                "x", "test", "TaskRunImagePullFailed", message='failed to pull the image "registry.acme.example/go:1"'
            ),
            Outcome.INFRA_FAILURE,
            "TaskRunImagePullFailed",
        ),
        (
            task("x", "test", "TaskRunImagePullFailed", message='failed to pull the image "docker.example/go:1"'),
            Outcome.UNKNOWN,
            "TaskRunImagePullFailed",
        ),
        (
            task("x", "test", "Failed", message="The node was low on resource: ephemeral-storage."),
            Outcome.INFRA_FAILURE,
            "Failed",
        ),
    ],
)
def test_the_task_that_failed_first_tells_whose_failure_a_run_was(
    failed: dict[str, Any], outcome: Outcome, why: str
) -> None:
    """A task that a failure cancelled, or that failed after it, tells nothing."""
    world = Tekton()
    after = task("x", "late", "Failed", ("unit", 1, "10:00:17"), end="10:03:30")
    cancelled = task("x", "beside", "TaskRunCancelled", end="10:02:00")
    world.put(RUNS, run("x", "Failed")).put(TASKS, after, failed, cancelled)
    assert (said(world)["x"].outcome, said(world)["x"].reason) == (outcome, why)


def test_ones_own_rules_come_first() -> None:
    """By the task that failed, or by what the condition says, which spares the look at the tasks."""
    world, own = (
        Tekton(),
        [
            {"step": "provision-*", "class": "infra_failure"},
            {"log": "webhook * refused", "class": "infra_failure"},
        ],
    )
    world.put(RUNS, run("x", "Failed"), run("y", "CouldntGetPipeline", message="the webhook deny refused it"))
    world.put(TASKS, task("x", "provision-db", "Failed", ("create", 1, "10:00:16")))
    found = said(world, outcomes=own)
    assert (found["x"].outcome, found["x"].rule) == (Outcome.INFRA_FAILURE, "outcomes 1: step provision-*")
    assert (found["y"].outcome, found["y"].rule) == (Outcome.INFRA_FAILURE, "outcomes 2: log webhook * refused")


def test_a_pipeline_that_ran_out_of_time_is_the_tasks_that_ran_then() -> None:
    """Its time-out cancelled the last task."""
    world = Tekton()
    world.put(RUNS, run("x", "PipelineRunTimeout"), run("y", "PipelineRunTimeout"), run("z", "PipelineRunTimeout"))
    world.put(
        TASKS,
        task("x", "git-clone", "Succeeded", ("clone", 0, "10:00:16"), end="10:01:00"),
        task("x", "test", "TaskRunCancelled", end="10:05:00"),
        task("y", "git-clone", "TaskRunCancelled", end="10:05:00"),
    )
    assert {name: (fact.outcome, fact.rule) for name, fact in said(world).items()} == {
        "x": (Outcome.USER_FAILURE, "user_task"),
        "y": (Outcome.INFRA_FAILURE, "clone_task"),
        "z": (Outcome.UNKNOWN, ""),
    }


def test_runs_with_the_same_commit_and_parameters_are_one_group() -> None:
    """Another parameter is another group, and a run without a commit is a group of its own."""
    world = Tekton()
    world.put(
        RUNS,
        run("a", "Failed", code="shop", params=[{"name": "go", "value": "1.24"}]),
        run("b", "Succeeded", code="shop", params=[{"name": "go", "value": "1.24"}]),
        run("c", "Succeeded", code="shop", params=[{"name": "go", "value": "1.25"}]),
        run("d", "Succeeded"),
    )
    groups = {name: fact.group for name, fact in said(world).items()}
    assert groups["a"] == groups["b"]
    assert len(set(groups.values())) == 3


def test_a_run_of_its_own_pipeline_is_called_by_what_its_name_begins_with() -> None:
    """A generated name ends in five letters that differ from run to run."""
    own = run("nightly-x7k2p", "Succeeded")
    own["metadata"]["labels"] = {}
    world = Tekton()
    world.put(RUNS, own)
    assert said(world)["nightly-x7k2p"].pipeline == "nightly"


def test_an_older_version_is_read_where_no_newer_is_served() -> None:
    """And one that can't be read is named."""
    world = Tekton(versions=("v1beta1",))
    world.put(RUNS.replace("/v1/", "/v1beta1/"), run("x", "Succeeded"))
    assert set(said(world)) == {"x"}


def test_where_it_is_not_installed_nothing_fails() -> None:
    """It is said, and looked for again."""
    stream = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(Tekton(versions=())), "tekton")[0]
    (page,) = stream.read(None, CASE.since, NOW)
    assert page.progress is not None
    assert page.progress.what == "pipelineruns.tekton.dev is not installed; looked for again every 5 min"
    assert page.again == timedelta(minutes=5)


def test_check_names_what_is_refused_and_what_is_not_there() -> None:
    """One line for each kind."""
    config = Config.model_validate(SETTINGS)
    assert SOURCE.check(config, FakeOutside(small_world())) == []
    assert SOURCE.check(config, FakeOutside(Tekton(versions=()))) == [
        "pipelineruns.tekton.dev is not installed in this cluster; take the source out, or install it first",
        "taskruns.tekton.dev is not installed in this cluster; take the source out, or install it first",
    ]


def test_it_proposes_a_sample() -> None:
    """A kubeconfig does not tell what is installed behind it."""
    proposal = SOURCE.propose(Surroundings(contexts=("prod",)))
    assert proposal is not None
    assert not proposal.found
    assert Config.model_validate(proposal.sample[1]).context == "NAME"


def test_a_failed_run_waits_for_its_tasks() -> None:
    """While they can't be read it is not told, and nothing is remembered behind it; afterwards it is told whole."""
    world = Tekton()
    world.put(RUNS, run("a", "Running"))
    outside = FakeOutside(world)
    stream = SOURCE.connect(Config.model_validate(SETTINGS), outside, "tekton")[0]
    (page,) = stream.read(None, CASE.since, NOW)
    world.put(RUNS, run("a", "Succeeded"), run("b", "Failed"))
    world.put(TASKS, task("b", "test", "Failed", ("unit", 1, "10:00:16")))
    world.children = Reply(status=403)
    read = stream.read(page.checkpoint, CASE.since, NOW)
    told = next(read)
    assert [fact.key for fact in told.facts if isinstance(fact, PipelineRun)] == ["pipelinerun/uid-a"]
    with pytest.raises(Refused):
        next(read)
    world.children = None
    facts = [fact for page in stream.read(told.checkpoint, CASE.since, NOW) for fact in page.facts]
    assert [(fact.key, fact.outcome) for fact in facts if isinstance(fact, PipelineRun)] == [
        ("pipelinerun/uid-b", Outcome.USER_FAILURE)
    ]


def test_runs_that_ended_before_what_is_wanted_are_not_told_again() -> None:
    """A list after a stop shows them all."""
    stream = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(small_world()), "tekton")[0]
    late = datetime(2026, 5, 4, 10, 4, 30, tzinfo=UTC)
    facts = [fact for page in stream.read(None, late, NOW) for fact in page.facts]
    keys = [fact.key for fact in facts if isinstance(fact, PipelineRun)]
    assert keys == ["pipelinerun/uid-build-1"]
