"""Runs that wait for a reviewer: neither queue nor run time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.sources.github.github_server import Github, Repo, Row, deployment, job, run
from tests.sources.github.test_github import MINUTE, NEW, NOW, SINCE, Told, minutes

from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.sources.github.rows import Job, StatusRow
from platform_meter.sources.github.state import Wait
from platform_meter.sources.github.waits import KEPT, approval, keep, queued, wait_of
from platform_meter.testing.outside import Call, Reply

SECOND = timedelta(seconds=1)
HOURS_2 = timedelta(hours=2)
LINK = "https://github.example/acme/api/actions/runs/1/job/12"


def _world(
    *states: tuple[str, float], link: str = "", made: datetime | None = None, **deploy: Any
) -> tuple[Github, Repo]:
    """A run whose build took 4 minutes, and whose deployment waited for 2 hours, then 20 s for a runner, then ran."""
    created = minutes(130)
    row = deployment(7, NEW, made or minutes(125), *states)
    if link:
        row["statuses"] = [{**status, "log_url": link} for status in row["statuses"]]
    held = job(12, 1, minutes(5) + 20 * SECOND, minutes=1, created_at=(minutes(125)).isoformat(), name="prod", **deploy)
    repo = Repo(
        name="acme/api",
        created=NOW - timedelta(days=900),
        runs=[run(1, created, minutes=127)],
        jobs={(1, 1): [job(11, 1, created + 20 * SECOND), held]},
        deployments=[row],
    )
    return Github([repo]), repo


def _found(told: Told) -> tuple[timedelta, timedelta | None, timedelta | None]:
    """How long the run ran, how long it waited for a person, how long its deployment waited for a runner."""
    one, deployed = told.facts["PipelineRun", "run/1/1"], told.facts["PipelineJob", "job/12"]
    assert isinstance(one, PipelineRun)
    assert isinstance(deployed, PipelineJob)
    return one.ran, one.approval, deployed.queued


APPROVED = (("waiting", 0), ("queued", 120), ("in_progress", 120.34), ("success", 121.3))


@pytest.mark.parametrize("link", ["", LINK, LINK.replace("12", "12?pr=1")])
def test_a_wait_for_a_reviewer_is_neither_queue_nor_run_time(link: str) -> None:
    """The deployment's statuses tell when the word came, by their link or, without one, by their times."""
    world, _ = _world(*APPROVED, link=link)
    told = Told(world, codeowners=False)
    told.poll(NOW, SINCE)
    assert _found(told) == (6 * MINUTE + 20 * SECOND, HOURS_2, 20 * SECOND)


@pytest.mark.parametrize(
    ("states", "more"),
    [
        ((("queued", 0), ("in_progress", 120.34), ("success", 121.3)), {}),
        (APPROVED, {"link": LINK.replace("job/12", "job/99")}),
        (APPROVED, {"link": LINK.replace("runs/1", "runs/2").replace("/job/12", "")}),
        (APPROVED, {"made": minutes(128)}),
    ],
)
def test_a_wait_for_a_runner_is_queue_time(states: tuple[tuple[str, float], ...], more: dict[str, Any]) -> None:
    """Also where another job's deployment waited meanwhile."""
    world, _ = _world(*states, **more)
    told = Told(world, codeowners=False)
    told.poll(NOW, SINCE)
    assert _found(told) == (126 * MINUTE + 20 * SECOND, None, HOURS_2 + 20 * SECOND)


def test_a_deployment_that_waited_when_it_was_read_is_asked_again_when_its_run_has_ended() -> None:
    """One call, at the run's end; those that wait on are asked for as seldom as ever."""
    world, repo = _world(("waiting", 0), link=LINK)
    ended, jobs = repo.runs, repo.jobs
    repo.runs, repo.jobs = [{**ended[0], "status": "waiting", "conclusion": None}], {}
    told = Told(world, codeowners=False)
    told.poll(minutes(7), SINCE)
    repo.runs, repo.jobs = ended, jobs
    repo.deployments = _world(*APPROVED, link=LINK)[1].deployments
    repo.deployments[0]["updated_at"] = minutes(125).isoformat()
    told.poll(minutes(3))
    assert _found(told) == (6 * MINUTE + 20 * SECOND, HOURS_2, 20 * SECOND)
    assert len(told.asked("/statuses")) == 1


def test_a_run_seen_waiting_is_known_without_its_deployment() -> None:
    """A token that may not read deployments: nothing tells when the word came, so there is no queue time."""
    world, repo = _world()
    ended, jobs = repo.runs, repo.jobs
    repo.runs, repo.jobs = [{**ended[0], "status": "waiting", "conclusion": None}], {}
    told = Told(world, codeowners=False)

    def closed(call: Call) -> Reply:
        return Reply(status=404) if "deployments" in call.path else world(call)

    told.world = closed
    told.poll(minutes(60), SINCE)
    repo.runs, repo.jobs = ended, jobs
    told.poll(minutes(3))
    assert _found(told) == (6 * MINUTE, HOURS_2 + 20 * SECOND, None)


def test_history_of_runs_that_waited_is_read_with_their_jobs() -> None:
    """Else a run of before the first poll would have run all the time; another one costs no call."""
    world, repo = _world(*APPROVED, link=LINK)
    repo.runs.append(run(2, minutes(400)))
    told = Told(world, codeowners=False)
    told.poll(NOW + 2 * timedelta(days=1), NOW - timedelta(days=20))
    assert _found(told) == (6 * MINUTE + 20 * SECOND, HOURS_2, 20 * SECOND)
    assert [call.path for call in told.asked("/jobs")] == ["/repos/acme/api/actions/runs/1/attempts/1/jobs"]


def _status(id_: int, state: str, at: datetime) -> StatusRow:
    return StatusRow(id=id_, state=state, created_at=at, updated_at=at)


def test_a_wait_ends_with_the_state_behind_the_last_of_its_kind() -> None:
    """Two rules of one environment may hold it one after the other; what never waited tells of no wait."""
    rows = [_status(1, "waiting", minutes(9)), _status(3, "waiting", minutes(7)), _status(2, "pending", minutes(8))]
    assert wait_of(minutes(9), [*rows, _status(4, "queued", minutes(5))]) == Wait(created=minutes(9), until=minutes(5))
    assert wait_of(minutes(9), rows) == Wait(created=minutes(9))
    assert wait_of(minutes(9), [_status(1, "queued", minutes(9))]) is None


def test_only_the_last_waits_are_kept() -> None:
    """The checkpoint stays small, however often a repository waits."""
    waits: dict[str, Wait] = {}
    for id_ in range(KEPT + 2):
        keep(waits, id_, Wait(created=NOW))
    keep(waits, 2, Wait(created=NOW, until=NOW))
    keep(waits, 0, None)
    assert [*waits] == [*map(str, range(3, KEPT + 2)), "2"]


def _job(id_: int, created: float, started: float, completed: float) -> Job:
    row: Row = {"id": id_, "run_id": 1, "status": "completed", "conclusion": "success"}
    return Job(**row, created_at=minutes(created), started_at=minutes(started), completed_at=minutes(completed))


def test_what_goes_on_beside_a_wait_is_run_time() -> None:
    """Of 50 minutes for which two jobs waited one after the other, a test filled 20."""
    jobs = [_job(1, 100, 99, 90), _job(2, 90, 60, 55), _job(3, 60, 38, 30), _job(4, 85, 84, 65)]
    held = {2: (minutes(90), minutes(61)), 3: (minutes(60), None)}
    assert approval(jobs, held) == (5 + 4 + 17) * MINUTE
    assert approval(jobs, {}) is None
    assert [queued(one, held) for one in jobs] == [MINUTE, MINUTE, None, MINUTE]


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ((("waiting", 0), ("failure", 3_000)), Outcome.CANCELLED),
        ((("waiting", 0), ("queued", 60)), Outcome.INFRA_FAILURE),
    ],
)
def test_a_day_without_a_reviewer_is_no_day_without_a_runner(
    states: tuple[tuple[str, float], ...], outcome: Outcome
) -> None:
    """A job that nobody approved and somebody cancelled has not timed out in the queue; one approved in time has."""
    start, end = minutes(3_030), minutes(30)
    row = run(1, start, minutes=3_000, conclusion="cancelled")
    never: Row = {"runner_id": None, "runner_name": None, "steps": [], "conclusion": "cancelled"}
    waiting = job(12, 1, end, minutes=0, created_at=start.isoformat(), **never)
    status = deployment(7, NEW, start, *states)
    status["statuses"] = [{**one, "log_url": LINK} for one in status["statuses"]]
    repo = Repo(name="acme/api", created=start, runs=[row], jobs={(1, 1): [waiting]}, deployments=[status])
    told = Told(Github([repo]), codeowners=False)
    told.poll(NOW, SINCE)
    found = told.facts["PipelineRun", "run/1/1"]
    assert isinstance(found, PipelineRun)
    assert found.outcome is outcome
