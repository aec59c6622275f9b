"""Deployments told by a rule, where nobody uses GitHub's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.sources.github.github_server import Github, Repo, Row, deployment, job, run
from tests.sources.github.test_github import MINUTE, NEW, NOW, OLD, SINCE, Told, minutes

from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult, DeployWay

DEPLOY = ".github/workflows/deploy-api.yml"
BY_JOB = {"workflow": "deploy*.yml", "job": "prod *", "environment": "production"}
BY_RUN = {"workflow": "deploy*.yml", "environment": "production"}


def _told(rows: Sequence[Row], *rules: dict[str, str], jobs: dict[int, Sequence[Row]] | None = None) -> Told:
    repo = Repo(
        name="acme/api",
        created=NOW - timedelta(days=900),
        runs=[*rows],
        jobs={(id_, 1): [*found] for id_, found in (jobs or {}).items()},
    )
    return Told(Github([repo]), codeowners=False, deployments=rules)


def _rollout(id_: int, at: datetime, sha: str = NEW, **more: Any) -> Row:
    return run(id_, at, path=DEPLOY, head_sha=sha, **more)


def _deployments(told: Told) -> dict[str, Deployment]:
    return {key: fact for (_, key), fact in told.facts.items() if isinstance(fact, Deployment)}


def _kinds(told: Told) -> dict[str, DeployKind]:
    return {key: fact.kind for key, fact in _deployments(told).items()}


def test_a_job_that_a_rule_names_is_a_deployment() -> None:
    """With its own times and the commit of its run; jobs of other names and workflows are none, nor is what was skipped."""
    jobs = [
        job(11, 1, minutes(40), name="build"),
        job(12, 1, minutes(30), name="prod eu", minutes=3),
        job(13, 1, minutes(20), name="prod us", conclusion="skipped"),
        job(14, 1, minutes(20), name="prod asia", conclusion="cancelled"),
        job(15, 1, minutes(20), name="prod africa", conclusion="failure"),
    ]
    other = run(2, minutes(60))
    told = _told(
        [_rollout(1, minutes(45)), other], BY_JOB, jobs={1: jobs, 2: [job(21, 2, minutes(55), name="prod eu")]}
    )
    told.poll(NOW, SINCE)
    found = _deployments(told)
    assert set(found) == {"job/12", "job/15"}
    assert found["job/12"] == Deployment(
        key="job/12",
        at=minutes(27),
        about=Ref(system="github", kind="repository", id="acme/api"),
        updated=minutes(40),
        environment="production",
        sha=NEW,
        result=DeployResult.SUCCESS,
        kind=DeployKind.PLANNED,
        started=minutes(30),
        way=DeployWay.JOB,
        task=".github/workflows/deploy-api.yml prod *",
        url="https://github.example/runs/1",
    )
    assert found["job/15"].result is DeployResult.FAILED


def test_a_run_is_a_deployment_where_its_rule_names_no_job() -> None:
    """Each attempt is one of its own."""
    again = _rollout(
        1, minutes(100), run_attempt=2, run_started_at=minutes(50).isoformat(), updated_at=minutes(45).isoformat()
    )
    told = _told([again], BY_RUN, jobs={1: [job(11, 1, minutes(99), conclusion="failure")]})
    told.poll(NOW, SINCE)
    found = _deployments(told)
    assert {key: (one.result, one.started, one.at) for key, one in found.items()} == {
        "run/1/1": (DeployResult.FAILED, minutes(100), minutes(95)),
        "run/1/2": (DeployResult.SUCCESS, minutes(50), minutes(45)),
    }


@pytest.mark.parametrize("fail_at", [None, 4])
def test_what_goes_back_is_seen_over_a_whole_import(fail_at: int | None) -> None:
    """Runs come newest first, several pages of them, and the import may break off: a rollback is told as one."""
    rows = [run(n, minutes(400 + n)) for n in range(250)]
    rows += [_rollout(1_000, minutes(700), OLD), _rollout(1_001, minutes(300)), _rollout(1_002, minutes(50), OLD)]
    told = _told(rows, BY_RUN)
    told.poll(NOW, SINCE, fail_at=fail_at)
    told.poll(NOW + MINUTE)
    assert _kinds(told) == {
        "run/1000/1": DeployKind.PLANNED,
        "run/1001/1": DeployKind.PLANNED,
        "run/1002/1": DeployKind.ROLLBACK,
    }


def test_an_old_run_that_is_run_again_is_a_rollback() -> None:
    """Told at the poll that sees it, against what was told before."""
    first, second = _rollout(1, minutes(300), OLD), _rollout(2, minutes(200))
    told = _told([first, second], BY_RUN)
    told.poll(NOW, SINCE)
    again = {
        "run_attempt": 2,
        "run_started_at": (NOW + MINUTE).isoformat(),
        "updated_at": (NOW + 3 * MINUTE).isoformat(),
    }
    assert isinstance(told.world, Github)
    told.world.repos[0].runs[0] = first | again
    told.poll(NOW + 5 * MINUTE)
    assert _kinds(told)["run/1/2"] is DeployKind.ROLLBACK
    assert _kinds(told)["run/2/1"] is DeployKind.PLANNED


def test_services_of_one_repository_are_told_apart_by_their_workflows() -> None:
    """Bringing out one service after the other at the same commits is no rollback of either."""
    rows = [
        _rollout(1, minutes(400), OLD),
        _rollout(2, minutes(300)),
        run(3, minutes(200), path=".github/workflows/deploy-web.yml", head_sha=OLD),
        run(4, minutes(100), path=".github/workflows/deploy-hotfix.yml", head_sha=NEW),
    ]
    told = _told(rows, BY_RUN)
    told.poll(NOW, SINCE)
    assert [*map(_kinds(told).get, ("run/1/1", "run/2/1", "run/3/1", "run/4/1"))] == [
        DeployKind.PLANNED,
        DeployKind.PLANNED,
        DeployKind.PLANNED,
        DeployKind.HOTFIX,
    ]


def test_deployments_of_the_api_stay_what_they_are() -> None:
    """Both are told, each once and by its way: what counts is decided per service and environment."""
    told = _told([_rollout(1, minutes(45))], BY_RUN)
    assert isinstance(told.world, Github)
    told.world.repos[0].deployments = [deployment(7, NEW, minutes(45), ("success", 5))]
    told.poll(NOW, SINCE)
    told.poll(NOW + MINUTE)
    assert {key: one.way for key, one in _deployments(told).items()} == {
        "run/1/1": DeployWay.JOB,
        "deployment/7": DeployWay.DEPLOYMENTS_API,
    }


def test_without_a_job_in_its_rules_history_costs_no_calls() -> None:
    """A rule that names jobs reads those of its workflows, and of no other."""
    rows = [_rollout(1, NOW - timedelta(days=5)), run(2, NOW - timedelta(days=6))]
    for rule, calls in ((BY_RUN, 0), (BY_JOB, 1)):
        told = _told(rows, rule)
        told.poll(NOW, SINCE)
        assert len(told.asked("/jobs")) == calls


def test_a_long_import_that_breaks_off_goes_on_behind_what_it_told() -> None:
    """Fifty rollouts are told at a time: their comparisons are not made again."""
    shas = [f"{n:040x}" for n in range(60)]
    told = _told([_rollout(n, minutes(600 - n), sha) for n, sha in enumerate(shas)], BY_RUN)
    assert isinstance(told.world, Github)
    told.world.repos[0].trunk = shas
    told.world.repos.append(Repo(name="acme/web", created=NOW))
    told.poll(NOW, SINCE, fail_at=58)
    assert len(_deployments(told)) == 50
    told.poll(NOW + MINUTE)
    assert len(told.asked("/compare/")) == 10
    assert [one.changes for one in _deployments(told).values()] == [(), *((sha,) for sha in shas[1:])]
