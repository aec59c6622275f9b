"""Workflow runs when their list moves under the reader, and those that change long after they were listed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.sources.github.github_server import Github, Repo, Row, job, run, text
from tests.sources.github.test_github import MINUTE, NOW, SINCE, Told, minutes

from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineRun
from platform_meter.testing.outside import Call, Reply

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
ANSWERS = "/actions/runs"


def _told(*runs: Row, **settings: Any) -> tuple[Told, Repo]:
    repo = Repo(name="acme/api", created=NOW - 900 * DAY, runs=[*runs])
    return Told(Github([repo]), codeowners=False, **settings), repo


def _outcome(told: Told, key: str) -> tuple[Outcome, datetime]:
    found = told.facts["PipelineRun", key]
    assert isinstance(found, PipelineRun)
    return found.outcome, found.at


@pytest.mark.parametrize("pages", [1, 2, 11, 12])
@pytest.mark.parametrize("gone", [1, 250])
@pytest.mark.parametrize("cap_all", [False, True])
def test_a_deleted_run_hides_no_other(pages: int, gone: int, cap_all: bool) -> None:
    """A clean-up deletes runs that were read, so that others move to pages that were read: each of those is told."""
    told, repo = _told(*(run(n, minutes(100 + n)) for n in range(1_500)))
    assert isinstance(told.world, Github)
    told.world.cap_all = cap_all
    deleted = {row["id"] for row in repo.runs[:gone]}

    def clean_up() -> None:
        repo.runs = [row for row in repo.runs if row["id"] not in deleted]

    told.after(ANSWERS, pages, clean_up)
    told.poll(NOW, NOW - 90 * DAY)
    assert {f"run/{n}/1" for n in range(gone, 1_500)} <= told.runs()


def test_runs_deleted_while_the_import_was_interrupted_hide_no_other() -> None:
    """The next poll goes on by time, wherever the pages are by then."""
    told, repo = _told(*(run(n, minutes(100 + n)) for n in range(1_000)))
    told.poll(NOW, NOW - 90 * DAY, fail_at=6)
    assert len(told.runs()) == 399
    repo.runs = repo.runs[150:]
    told.poll(NOW + MINUTE, NOW - 90 * DAY)
    assert {f"run/{n}/1" for n in range(150, 1_000)} <= told.runs()


def test_runs_of_one_second_cost_no_more_calls() -> None:
    """A push starts five workflows at once: 3,000 such runs are read in 31 calls."""
    told, _ = _told(*(run(n, minutes(500 + n // 5)) for n in range(3_000)))
    told.poll(NOW, NOW - 90 * DAY)
    assert len(told.runs()) == 3_000
    assert len(told.asked(ANSWERS)) == 31


def test_a_short_page_is_not_the_end() -> None:
    """GitHub may leave a row out of a page: the runs behind it are read all the same."""
    told, _ = _told(*(run(n, minutes(n + 500)) for n in range(2_500)))
    world = told.world

    def shortened(call: Call) -> Reply:
        reply = world(call)
        if call.path.endswith(ANSWERS) and call.params["page"] in {1, 3} and len(reply.body["workflow_runs"]) == 100:
            del reply.body["workflow_runs"][50]
        return reply

    told.world = shortened
    told.poll(NOW, NOW - 90 * DAY)
    assert len(told.runs()) == 2_500 - 7  # pages 1 and 3 of three searches, and the first page
    assert "run/2499/1" in told.runs()


@pytest.mark.parametrize("others", [0, 150])
@pytest.mark.parametrize("seen", [True, False])
def test_a_run_that_is_approved_is_told_as_it_ended(others: int, seen: bool) -> None:
    """It stands in the list as completed until somebody lets it run: it is told at its end, not as skipped.

    Behind the first page that is found within the hour in which old runs are looked at again.
    """
    held = run(1, minutes(60), conclusion="action_required", event="pull_request")
    told, repo = _told(held, *(run(n, minutes(50) + n * SECOND) for n in range(2, 2 + others)))
    repo.jobs[1, 1] = [
        job(5, 1, NOW + 5 * MINUTE, conclusion="failure", steps=[{"name": "make", "conclusion": "failure"}])
    ]
    told.poll(NOW, SINCE)
    told.poll(NOW + MINUTE)
    assert "run/1/1" not in told.runs()
    held |= {"status": "in_progress", "conclusion": None, "updated_at": text(NOW + 5 * MINUTE)}
    held["run_started_at"] = text(NOW + 5 * MINUTE)
    if seen:
        told.poll(NOW + 6 * MINUTE)
    held |= {"status": "completed", "conclusion": "failure", "updated_at": text(NOW + 9 * MINUTE)}
    for minute in range(10, 75, 5):
        told.poll(NOW + minute * MINUTE)
    assert _outcome(told, "run/1/1") == (Outcome.USER_FAILURE, NOW + 9 * MINUTE)


def test_a_run_that_nobody_approves_is_told_as_skipped_in_the_end() -> None:
    """For 30 days it may still be approved, and waits at no call of its own; then it is asked for once."""
    told, _ = _told(run(1, minutes(60), conclusion="action_required"), *(run(n, minutes(9)) for n in range(2, 150)))
    asked = []
    for moment in (*(NOW + n * MINUTE for n in range(5)), *(NOW + n * DAY for n in range(1, 31))):
        told.poll(moment, SINCE)
        asked += [moment for call in told.outside.calls if call.path.endswith("/runs/1")]
        assert ("run/1/1" in told.runs()) == (moment == NOW + 30 * DAY)
    assert _outcome(told, "run/1/1") == (Outcome.SKIPPED, minutes(55))
    assert asked == [NOW + 30 * DAY]


def test_an_old_run_that_was_never_approved_is_skipped_at_once() -> None:
    """What an import finds older than 30 days can't begin any more."""
    told, _ = _told(run(1, NOW - 31 * DAY, conclusion="action_required"))
    told.poll(NOW, NOW - 90 * DAY)
    assert _outcome(told, "run/1/1")[0] is Outcome.SKIPPED


@pytest.mark.parametrize(
    ("status", "queued", "running"),
    [("queued", 1, 0), ("pending", 1, 0), ("requested", 1, 0), ("in_progress", 0, 1), ("waiting", 0, 0)],
)
def test_who_waits_for_a_person_is_not_queued(status: str, queued: int, running: int) -> None:
    """`pending` waits for other runs of its group, `waiting` for a reviewer: no runner is missing there."""
    told, repo = _told(run(1, minutes(9)), run(2, minutes(5), status=status, conclusion=None))
    repo.jobs[1, 1] = [job(5, 1, minutes(9))]
    told.poll(NOW, SINCE)
    (active,) = (fact for fact in told.facts.values() if isinstance(fact, PipelineActive))
    assert (active.queued, active.running) == (queued, running)


def test_jobs_are_asked_once_although_runs_are_looked_at_again() -> None:
    """With three runs a minute each is off the first page at the hourly look; its jobs are known then."""
    told, repo = _told(*(run(n, NOW - n * MINUTE) for n in range(30, 500)))
    told.poll(NOW, SINCE)
    asked = Counter[str]()
    for second in range(40, 4_840, 40):
        for id_ in (second * 10, second * 10 + 1):
            start = NOW + (second - 39) * SECOND
            repo.runs.append(run(id_, start, minutes=0.5))
            repo.jobs[id_, 1] = [job(id_ * 10, id_, start, minutes=0.5)]
        told.poll(NOW + second * SECOND)
        asked.update(call.path for call in told.asked("/jobs"))
    assert len(asked) == 240
    assert set(asked.values()) == {1}


def test_jobs_of_a_quiet_repository_are_asked_once() -> None:
    """Hours later a new run changes the page, on which the old ones stand as they were."""
    told, repo = _told(run(1, minutes(9)))
    told.poll(NOW, SINCE)
    for hour in (1, 3, 5):
        repo.runs.append(run(10 + hour, NOW + hour * 60 * MINUTE, minutes=1))
        told.poll(NOW + (hour * 60 + 2) * MINUTE)
        assert [call.path.split("/")[6] for call in told.asked("/jobs")] == [str(10 + hour)]


def test_a_followed_run_that_is_hidden_for_a_moment_is_told() -> None:
    """GitHub answers 404 for a run that goes on, and then knows it again: the next look at old runs finds its end."""
    going = run(1, minutes(60), status="in_progress", conclusion=None)
    told, _ = _told(going, *(run(n, minutes(50) + n * SECOND) for n in range(2, 200)))
    whole = told.world
    told.poll(NOW, SINCE)
    told.world = lambda call: Reply(status=404) if call.path.endswith("/runs/1") else whole(call)
    told.poll(NOW + MINUTE)
    told.world = whole
    going |= {"status": "completed", "conclusion": "success", "updated_at": text(NOW + 20 * MINUTE)}
    for minute in range(25, 70, 5):
        told.poll(NOW + minute * MINUTE)
    assert _outcome(told, "run/1/1") == (Outcome.SUCCESS, NOW + 20 * MINUTE)


@pytest.mark.parametrize("others", [0, 150])
def test_jobs_that_end_after_their_run_are_waited_for(others: int) -> None:
    """GitHub may show a run as ended while its jobs still go on: both are asked for again, and the failure gets its class."""
    told, repo = _told(run(1, minutes(9), conclusion="failure"), *(run(n, minutes(8)) for n in range(2, 2 + others)))
    going = job(5, 1, minutes(9), status="in_progress", conclusion=None, completed_at=None)
    repo.jobs[1, 1] = [going]
    told.poll(NOW, SINCE)
    told.poll(NOW + MINUTE)
    assert "run/1/1" not in told.runs()
    assert [fact.queued + fact.running for fact in told.facts.values() if isinstance(fact, PipelineActive)] in ([], [0])
    repo.jobs[1, 1] = [
        job(5, 1, minutes(9), conclusion="failure", steps=[{"name": "Set up job", "conclusion": "failure"}])
    ]
    told.poll(NOW + 2 * MINUTE)
    assert _outcome(told, "run/1/1") == (Outcome.INFRA_FAILURE, minutes(5))
    assert ("PipelineJob", "job/5") in told.facts


def test_jobs_that_never_end_are_waited_for_as_long_as_polls_overlap() -> None:
    """Then the run is told as it is."""
    told, repo = _told(run(1, minutes(9), conclusion="failure"))
    repo.jobs[1, 1] = [job(5, 1, minutes(9), status="in_progress", conclusion=None, completed_at=None)]
    for minute in range(13):
        told.poll(NOW + minute * MINUTE, SINCE)
        assert ("run/1/1" in told.runs()) == (minute >= 12)
    assert _outcome(told, "run/1/1")[0] is Outcome.UNKNOWN


def _again(**more: Any) -> Row:
    return run(1, minutes(40), run_attempt=2, run_started_at=text(minutes(20)), updated_at=text(minutes(10)), **more)


def test_an_earlier_attempt_ended_as_github_says() -> None:
    """A job that may fail failed in it, the attempt went well: one call more for each attempt tells."""
    told, repo = _told(_again())
    nightly = job(6, 1, minutes(38), conclusion="failure", steps=[{"name": "nightly", "conclusion": "failure"}])
    repo.jobs[1, 1] = [job(5, 1, minutes(39)), nightly]
    repo.attempts[1, 1] = {"conclusion": "success"}
    told.poll(NOW, SINCE)
    assert _outcome(told, "run/1/1") == (Outcome.SUCCESS, minutes(34))
    assert len(told.asked("/attempts/1")) == 2


def test_an_earlier_attempt_without_jobs_ended_before_the_next_began() -> None:
    """One that could not start has no jobs; it is told by what the run was then."""
    told, repo = _told(_again())
    then = run(1, minutes(40), conclusion="startup_failure", updated_at=text(minutes(5)))
    repo.attempts[1, 1] = then
    told.poll(NOW, SINCE)
    assert _outcome(told, "run/1/1") == (Outcome.USER_FAILURE, minutes(20))


def test_an_earlier_attempt_that_was_deleted_is_not_told() -> None:
    """GitHub answers 404 for it."""
    told, _ = _told(_again())
    told.poll(NOW, SINCE)
    assert told.runs() == {"run/1/2"}


@pytest.mark.parametrize(("minutes_", "asked"), [(30.0, 0), (361.0, 1)])
def test_jobs_of_a_run_that_was_cancelled_at_a_limit_are_read(minutes_: float, asked: int) -> None:
    """GitHub says of a job at its limit of six hours that it was cancelled: then its jobs tell whose step took so long."""
    row = run(1, minutes(600), minutes=minutes_, conclusion="cancelled")
    told, repo = _told(row, jobs="failed")
    steps = [{"name": "Set up job", "conclusion": "success"}, {"name": "make", "conclusion": "cancelled"}]
    repo.jobs[1, 1] = [job(5, 1, minutes(600), minutes=360.1, conclusion="cancelled", steps=steps)]
    told.poll(NOW, SINCE)
    assert len(told.asked("/jobs")) == asked
    assert _outcome(told, "run/1/1")[0] is (Outcome.USER_FAILURE if asked else Outcome.CANCELLED)


@pytest.mark.parametrize(
    ("event", "groups"),
    [("push", 1), ("pull_request", 2), ("merge_group", 1), ("workflow_dispatch", 2), ("schedule", 2)],
)
def test_runs_with_inputs_of_their_own_are_groups_of_their_own(event: str, groups: int) -> None:
    """Two runs on one commit flake together only where the commit is all that they run on: a pull request has a title."""
    told, _ = _told(*(run(n, minutes(60 - n), event=event, head_sha="a" * 40) for n in (1, 2)))
    told.poll(NOW, SINCE)
    assert len({fact.group for fact in told.facts.values() if isinstance(fact, PipelineRun)}) == groups


def test_a_search_that_finds_nothing_where_the_list_shows_runs_is_no_end() -> None:
    """As in an outage of GitHub's search: it is a gap while it lasts, and afterwards nothing is missing."""
    world = Github(
        [Repo(name="acme/api", created=NOW - timedelta(days=900), runs=[run(n, minutes(n)) for n in range(250)])]
    )
    down = True

    def answer(call: Call) -> Reply:
        if down and "created" in call.params:
            return Reply(body={"total_count": 0, "workflow_runs": []})
        return world(call)

    told = Told(world, codeowners=False, jobs="none")
    told.world = answer
    told.poll(NOW, SINCE - timedelta(days=1))
    assert len(told.runs()) == 100
    (gap,) = told.outside.gaps
    down = False
    told.poll(NOW + MINUTE)
    filled = [*told.outside.fills]
    told.poll(NOW + 2 * MINUTE)
    assert len(told.runs()) == 250
    assert [what for what, *_ in (*filled, *told.outside.fills)] == [gap.what] == ["acme/api runs"]


@pytest.mark.parametrize(("lost", "fills"), [(0, 1), (1, 0)])
def test_what_could_not_be_read_and_then_is_read_whole_is_no_gap_any_more(lost: int, fills: int) -> None:
    """More runs are promised than there are: an hour later, when the last two days are read again, there are all."""
    told, _ = _told(*(run(n, minutes(10 + 5 * n)) for n in range(150)), jobs="none")
    world, missing = told.world, 1

    def answer(call: Call) -> Reply:
        reply = world(call)
        if "created" in call.params:
            return Reply(body={**reply.body, "total_count": reply.body["total_count"] + missing}, headers=reply.headers)
        return reply

    told.world = answer
    told.poll(NOW, NOW - timedelta(days=1))
    (gap,) = told.outside.gaps
    assert (gap.reason, gap.what) == ("unreadable", "acme/api runs")
    missing = lost
    told.poll(NOW + timedelta(hours=2))
    assert [gap.lies_in(*fill) for fill in told.outside.fills] == [True] * fills
    told.poll(NOW + timedelta(hours=4))
    assert told.outside.fills == []
