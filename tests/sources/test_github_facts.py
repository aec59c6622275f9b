"""Rows of GitHub to facts: outcome classes by rule, verdicts of deployments, labels to priorities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.github_server import deployment, job, run, text

from platform_meter.model.facts import DeployKind, DeployResult, Outcome, Ref
from platform_meter.sources._github_facts import (
    attempt_fact,
    change_fact,
    job_facts,
    job_outcome,
    marked_kind,
    pool_of,
    run_fact,
    run_outcome,
    verdict,
)
from platform_meter.sources._github_rows import DeploymentRow, Job, Pull, Run, StatusRow, more
from platform_meter.sources._github_tickets import priority_of

AT = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
REF = Ref(system="github", kind="repository", id="acme/api")
SECOND = timedelta(seconds=1)


def _job(**changes: Any) -> Job:
    return msgspec.convert(job(1, 1, AT, **changes), Job)


def _steps(*pairs: tuple[str, str | None]) -> list[dict[str, str | None]]:
    return [{"name": name, "conclusion": conclusion} for name, conclusion in pairs]


@pytest.mark.parametrize(
    ("conclusion", "outcome"),
    [
        ("success", Outcome.SUCCESS),
        ("cancelled", Outcome.CANCELLED),
        ("skipped", Outcome.SKIPPED),
        ("neutral", Outcome.SKIPPED),
        ("stale", Outcome.SKIPPED),
        ("action_required", Outcome.SKIPPED),
        ("startup_failure", Outcome.USER_FAILURE),
        ("failure", Outcome.UNKNOWN),
        ("timed_out", Outcome.UNKNOWN),
        ("a word of next year", Outcome.UNKNOWN),
        (None, Outcome.UNKNOWN),
    ],
)
def test_conclusions_without_details(conclusion: str | None, outcome: Outcome) -> None:
    """The mapping of domain section 7; what failed without details is unknown."""
    assert run_outcome(conclusion, [], ())[0] is outcome


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ("Set up job", Outcome.INFRA_FAILURE),
        ("Set up runner", Outcome.INFRA_FAILURE),
        ("Initialize containers", Outcome.INFRA_FAILURE),
        ("Complete job", Outcome.INFRA_FAILURE),
        ("Run actions/checkout@v4", Outcome.INFRA_FAILURE),
        ("Post Run actions/checkout@v4", Outcome.INFRA_FAILURE),
        ("Checkout code", Outcome.INFRA_FAILURE),
        ("Run actions/setup-node@v4", Outcome.INFRA_FAILURE),
        ("Run actions/cache/restore@v4", Outcome.INFRA_FAILURE),
        ("Run actions/upload-artifact@v4", Outcome.INFRA_FAILURE),
        ("Run make test", Outcome.USER_FAILURE),
        ("Set up job data", Outcome.USER_FAILURE),
        ("Run actions/first-interaction@v1", Outcome.USER_FAILURE),
        ("vpn up", Outcome.INFRA_FAILURE),
    ],
)
def test_failed_step_tells_whose_failure_it_was(step: str, outcome: Outcome) -> None:
    """GitHub's own steps, its actions for code and tools, and the steps named in `infra_steps` are the platform's."""
    failed = _job(conclusion="failure", steps=_steps(("Set up job", "success"), (step, "failure")))
    if step == "Set up job":
        failed = _job(conclusion="failure", steps=_steps((step, "failure"), ("Run make test", "skipped")))
    assert job_outcome(failed, ("vpn *",))[0] is outcome


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"conclusion": "failure", "steps": []}, (Outcome.INFRA_FAILURE, "runner_lost")),
        (
            {"conclusion": "failure", "steps": _steps(("Set up job", "success"), ("Run make", None))},
            (Outcome.INFRA_FAILURE, "runner_lost"),
        ),
        (
            {"conclusion": "failure", "steps": [], "runner_id": 0, "runner_name": ""},
            (Outcome.UNKNOWN, "no_details"),
        ),
        (
            {"conclusion": "timed_out", "steps": [], "runner_id": None, "runner_name": None},
            (Outcome.INFRA_FAILURE, "queue"),
        ),
        (
            {"conclusion": "timed_out", "steps": _steps(("Set up job", "success"), ("Run make", "cancelled"))},
            (Outcome.USER_FAILURE, "user_step"),
        ),
        (
            {"conclusion": "timed_out", "steps": _steps(("Set up job", "cancelled"))},
            (Outcome.INFRA_FAILURE, "platform_step"),
        ),
        (
            {"conclusion": "timed_out", "steps": _steps(("Set up job", "success"), ("Run make", None))},
            (Outcome.USER_FAILURE, "user_step"),
        ),
        (
            {"conclusion": "failure", "steps": _steps(("Run make", "success"), ("Complete job", "success"))},
            (Outcome.UNKNOWN, "no_details"),
        ),
        ({"conclusion": "timed_out", "steps": []}, (Outcome.UNKNOWN, "no_details")),
        ({"conclusion": "FAILURE", "steps": _steps(("make", "failure"))}, (Outcome.USER_FAILURE, "user_step")),
    ],
)
def test_job_outcome_by_rule(changes: dict[str, Any], expected: tuple[Outcome, str]) -> None:
    """A lost runner and a time-out in the queue are the platform's; a time-out in a step is that step's."""
    assert job_outcome(_job(**changes)) == expected


def test_the_job_that_failed_first_decides() -> None:
    """A later job often fails because of an earlier one: the run takes the class of the first."""
    late = _job(conclusion="failure", steps=_steps(("Set up job", "failure")), completed_at=text(AT + 9 * SECOND))
    early = _job(conclusion="failure", steps=_steps(("make", "failure")), completed_at=text(AT + 3 * SECOND))
    assert run_outcome("failure", [late, early], ()) == (Outcome.USER_FAILURE, "user_step")


def test_end_of_a_run_is_that_of_its_last_job() -> None:
    """`updated_at` may come late; with jobs at hand their last end is the run's."""
    row = msgspec.convert(run(1, AT, minutes=60), Run)
    assert run_fact(REF, row, [_job()], ()).at == AT + timedelta(minutes=4)
    assert run_fact(REF, row, [], ()).at == AT + timedelta(minutes=60)


def test_attempt_whose_jobs_are_gone_is_no_fact() -> None:
    """An earlier attempt is told by its jobs alone."""
    row = msgspec.convert(run(1, AT, run_attempt=2), Run)
    assert attempt_fact(REF, row, 1, [], ()) is None


@pytest.mark.parametrize(
    ("conclusions", "outcome"),
    [
        (["success", "skipped"], Outcome.SUCCESS),
        (["success", "cancelled"], Outcome.CANCELLED),
        (["skipped"], Outcome.SKIPPED),
    ],
)
def test_outcome_of_an_earlier_attempt(conclusions: list[str], outcome: Outcome) -> None:
    """Without a failed job the attempt was cancelled if one job was, else it went well if one did."""
    row = msgspec.convert(run(1, AT, run_attempt=2), Run)
    fact = attempt_fact(REF, row, 1, [_job(conclusion=word) for word in conclusions], ())
    assert fact is not None
    assert fact.outcome is outcome


@pytest.mark.parametrize(
    ("changes", "queued"),
    [
        ({}, timedelta(seconds=20)),
        ({"runner_id": None, "runner_name": None, "steps": []}, None),
        ({"created_at": text(AT + SECOND)}, None),
        ({"created_at": None}, None),
    ],
)
def test_queue_time(changes: dict[str, Any], queued: timedelta | None) -> None:
    """Runner start less creation; absent where no runner took the job or the stamps contradict each other."""
    row = msgspec.convert(run(1, AT), Run)
    (fact,) = job_facts(REF, row, 1, [_job(**changes)], ())
    assert fact.queued == queued


@pytest.mark.parametrize(
    ("labels", "group", "pool"),
    [
        (["ubuntu-latest"], "GitHub Actions", "ubuntu-latest"),
        (["self-hosted", "gpu"], "Default", "gpu"),
        (["self-hosted"], "build-farm", "build-farm"),
        (["self-hosted"], None, "self-hosted"),
        ([], None, ""),
    ],
)
def test_pool_is_the_first_telling_label(labels: list[str], group: str | None, pool: str) -> None:
    """`self-hosted` says nothing; the runner's group then names the pool."""
    assert pool_of(_job(labels=labels, runner_group_name=group)) == pool


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([("pending", 0), ("in_progress", 1)], None),
        ([("success", 3), ("inactive", 9)], (DeployResult.SUCCESS, 3)),
        ([("failure", 3), ("success", 5)], (DeployResult.SUCCESS, 5)),
        ([("error", 3), ("inactive", 9)], (DeployResult.FAILED, 3)),
        ([("inactive", 9)], None),
    ],
)
def test_verdict_of_a_deployment(states: list[tuple[str, float]], expected: tuple[DeployResult, float] | None) -> None:
    """What succeeded once has served; `inactive` alone says nothing."""
    rows = msgspec.convert(deployment(1, "a", AT, *states)["statuses"], list[StatusRow])
    found = verdict(rows)
    assert (found and (found[0], (found[1].created_at - AT) / timedelta(minutes=1))) == expected


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, DeployKind.PLANNED),
        ({"task": "deploy:hotfix"}, DeployKind.HOTFIX),
        ({"ref": "hot-fix/login"}, DeployKind.HOTFIX),
        ({"description": "Roll-back to 1.2"}, DeployKind.ROLLBACK),
    ],
)
def test_what_a_deployment_calls_itself(changes: dict[str, Any], kind: DeployKind) -> None:
    """Task, ref and description may say hotfix or rollback."""
    assert marked_kind(msgspec.convert(deployment(1, "a", AT, **changes), DeploymentRow)) is kind


def test_change_of_a_machine_user() -> None:
    """Apps are bots by type or name, machine users by configuration; a branch named hotfix gives the label."""
    row = {
        "id": 1, "number": 1, "title": "Bump x", "user": {"login": "renovate", "type": "User"}, "labels": [],
        "created_at": text(AT), "updated_at": text(AT), "merged_at": text(AT), "merge_commit_sha": None,
        "head": {"ref": "hotfix/1", "sha": "f00"},
    }  # fmt: skip
    pull = msgspec.convert(row, Pull)
    assert not change_fact(REF, pull, AT, [], ()).bot
    fact = change_fact(REF, pull, AT, [], ("renovate",))
    assert (fact.bot, fact.labels, fact.sha, fact.first_commit) == (True, ("hotfix",), "f00", None)


@pytest.mark.parametrize(
    ("labels", "priority"),
    [
        (["bug"], ""),
        (["p2", "P1"], "P1"),
        (["priority: high"], "high"),
        (["Priority/p3"], "P3"),
        (["P10", "prioritised"], ""),
    ],
)
def test_priority_labels(labels: list[str], priority: str) -> None:
    """`P1` and `priority:*`; of several the first by name."""
    assert priority_of(labels) == priority


@pytest.mark.parametrize(
    ("headers", "got", "expected"),
    [
        ({"link": '<x?page=2>; rel="next", <x?page=9>; rel="last"'}, 3, True),
        ({"Link": '<x?page=1>; rel="prev"'}, 100, False),
        ({}, 100, True),
        ({}, 99, False),
    ],
)
def test_next_page(headers: dict[str, str], got: int, expected: bool) -> None:
    """The Link header decides; without one a full page may have a next."""
    assert more(headers, got, 100) is expected
