"""Rows of GitHub to facts: outcome classes by rule, verdicts of deployments, labels to priorities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.github.github_server import deployment, job, run, text

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.delivery import DeployKind, DeployResult
from platform_meter.model.outcomes import OutcomeRule, Signs, classify, with_own
from platform_meter.sources.github.facts import (
    attempt_fact,
    change_fact,
    deployment_fact,
    job_facts,
    job_signs,
    marked_kind,
    pool_of,
    run_fact,
    run_signs,
    service_of,
    verdict,
    version_of,
)
from platform_meter.sources.github.outcomes import RULES
from platform_meter.sources.github.rows import Job, Pull, Review, Run, StatusRow, more
from platform_meter.sources.github.tickets import priority_of

AT = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
REF = Ref(system="github", kind="repository", id="acme/api")
SECOND = timedelta(seconds=1)
VPN = OutcomeRule.model_validate({"step": "vpn *", "class": "infra_failure"})


def _job(**changes: Any) -> Job:
    return msgspec.convert(job(1, 1, AT, **changes), Job)


def _decide(signs: Signs, *own: OutcomeRule) -> tuple[Outcome, str]:
    return classify(signs, with_own(own, RULES))


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
    assert _decide(run_signs(conclusion, []))[0] is outcome


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ("Set up job", Outcome.INFRA_FAILURE),
        ("Set up runner", Outcome.INFRA_FAILURE),
        ("Initialize containers", Outcome.INFRA_FAILURE),
        ("Complete job", Outcome.INFRA_FAILURE),
        ("Run actions/checkout@v4", Outcome.INFRA_FAILURE),
        ("Post Run actions/checkout@v4", Outcome.INFRA_FAILURE),
        ("Checkout", Outcome.INFRA_FAILURE),
        ("Check out the source code", Outcome.INFRA_FAILURE),
        ("Post Checkout code", Outcome.INFRA_FAILURE),
        ("Checkout tests", Outcome.USER_FAILURE),
        ("Checkout service e2e", Outcome.USER_FAILURE),
        ("check out flow: smoke", Outcome.USER_FAILURE),
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
    """GitHub's own steps, its actions for code and tools, and the steps of one's own rules are the platform's."""
    failed = _job(conclusion="failure", steps=_steps(("Set up job", "success"), (step, "failure")))
    if step == "Set up job":
        failed = _job(conclusion="failure", steps=_steps((step, "failure"), ("Run make test", "skipped")))
    assert _decide(job_signs(failed), VPN)[0] is outcome


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
            (Outcome.UNKNOWN, ""),
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
            (Outcome.UNKNOWN, ""),
        ),
        ({"conclusion": "timed_out", "steps": []}, (Outcome.UNKNOWN, "")),
        ({"conclusion": "FAILURE", "steps": _steps(("make", "failure"))}, (Outcome.USER_FAILURE, "user_step")),
    ],
)
def test_job_outcome_by_rule(changes: dict[str, Any], expected: tuple[Outcome, str]) -> None:
    """A lost runner and a time-out in the queue are the platform's; a time-out in a step is that step's."""
    assert _decide(job_signs(_job(**changes))) == expected


def test_the_job_that_failed_first_decides() -> None:
    """A later job often fails because of an earlier one: the run takes the class of the first."""
    late = _job(conclusion="failure", steps=_steps(("Set up job", "failure")), completed_at=text(AT + 9 * SECOND))
    early = _job(conclusion="failure", steps=_steps(("make", "failure")), completed_at=text(AT + 3 * SECOND))
    assert _decide(run_signs("failure", [late, early])) == (Outcome.USER_FAILURE, "user_step")


def test_end_of_a_run_is_that_of_its_last_job() -> None:
    """`updated_at` may come late; with jobs at hand their last end is the run's."""
    row = msgspec.convert(run(1, AT, minutes=60), Run)
    assert run_fact(REF, row, [_job()], RULES).at == AT + timedelta(minutes=4)
    assert run_fact(REF, row, [], RULES).at == AT + timedelta(minutes=60)


def test_what_was_executed_begins_with_the_first_runner() -> None:
    """Not with the run, which waits for one before; without a job that a runner took nobody knows."""
    row = msgspec.convert(run(1, AT - 10 * SECOND, minutes=60), Run)
    late = _job(started_at=text(AT + 60 * SECOND), completed_at=text(AT + 90 * SECOND))
    queued = _job(**{**NO_RUNNER, "started_at": text(AT - 5 * SECOND), "completed_at": text(AT)})
    first = _job(completed_at=text(AT + 30 * SECOND))
    assert run_fact(REF, row, [late, queued, first], RULES).executing == 90 * SECOND
    assert run_fact(REF, row, [queued], RULES).executing is None
    assert run_fact(REF, row, [], RULES).executing is None


CANCELLED: dict[str, Any] = {"conclusion": "cancelled"}
NO_RUNNER: dict[str, Any] = {"runner_id": 0, "runner_name": "", "steps": []}
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"minutes": 360, "steps": _steps(("Set up job", "success"), ("make", "cancelled"))},
            (Outcome.USER_FAILURE, "user_step"),
        ),
        ({"minutes": 361, "steps": _steps(("Set up job", "cancelled"))}, (Outcome.INFRA_FAILURE, "platform_step")),
        ({"minutes": 361, "steps": _steps(("Set up job", "success"))}, (Outcome.UNKNOWN, "")),
        ({"minutes": 359, "steps": _steps(("make", "cancelled"))}, (Outcome.CANCELLED, "cancelled")),
        ({**NO_RUNNER, "created_at": text(AT - 24 * HOUR), "minutes": 0}, (Outcome.INFRA_FAILURE, "queue")),
        ({**NO_RUNNER, "created_at": None, "minutes": 24 * 60}, (Outcome.INFRA_FAILURE, "queue")),
        ({**NO_RUNNER, "created_at": text(AT - 23 * HOUR), "minutes": 0}, (Outcome.CANCELLED, "cancelled")),
        ({"created_at": text(AT - 25 * HOUR)}, (Outcome.CANCELLED, "cancelled")),
    ],
)
def test_a_job_that_github_cancelled_at_a_limit_timed_out(
    changes: dict[str, Any], expected: tuple[Outcome, str]
) -> None:
    """After six hours by the step then running, after a day without a runner in the queue; else somebody cancelled it."""
    job_ = _job(**CANCELLED, **changes)
    assert _decide(job_signs(job_)) == expected
    assert _decide(run_signs("cancelled", [_job(**CANCELLED), job_]))[0] is expected[0]
    (fact,) = job_facts(REF, msgspec.convert(run(1, AT), Run), 1, [job_], RULES)
    assert fact.outcome is expected[0]


def test_a_cancelled_run_stays_cancelled_whatever_failed_in_it() -> None:
    """Who cancels a run because a job failed has judged it; in a run that failed, a job at its limit counts as failed."""
    failed = _job(conclusion="failure", steps=_steps(("make", "failure")), completed_at=text(AT + 400 * HOUR))
    late = _job(**CANCELLED, minutes=360, steps=_steps(("Set up job", "cancelled")))
    assert _decide(run_signs("cancelled", [failed])) == (Outcome.CANCELLED, "cancelled")
    assert _decide(run_signs("failure", [failed, late])) == (Outcome.INFRA_FAILURE, "platform_step")


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("success", Outcome.SUCCESS),
        ("cancelled", Outcome.CANCELLED),
        ("skipped", Outcome.SKIPPED),
        ("startup_failure", Outcome.USER_FAILURE),
    ],
)
def test_an_earlier_attempt_is_the_run_as_it_was_then(word: str, outcome: Outcome) -> None:
    """Its own conclusion and start, and the end of its last job."""
    row = msgspec.convert(run(1, AT, run_attempt=2, run_started_at=text(AT + HOUR)), Run)
    then = msgspec.convert(run(1, AT, conclusion=word), Run)
    fact = attempt_fact(REF, row, then, 1, [_job()], RULES)
    assert (fact.key, fact.attempt, fact.outcome) == ("run/1/1", 1, outcome)
    assert (fact.at, fact.updated, fact.ran) == (AT + 4 * 60 * SECOND, AT + 4 * 60 * SECOND, 4 * 60 * SECOND)


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
    (fact,) = job_facts(REF, row, 1, [_job(**changes)], RULES)
    assert fact.queued == queued


@pytest.mark.parametrize(
    ("labels", "group", "pool"),
    [
        (["ubuntu-latest"], "GitHub Actions", "ubuntu-latest"),
        (["self-hosted", "gpu"], "Default", "gpu"),
        (["self-hosted", "linux", "x64", "gpu"], "training", "training"),
        (["self-hosted", "linux", "x64", "gpu"], None, "linux,x64,gpu"),
        (["self-hosted"], "Default", "Default"),
        (["self-hosted"], "build-farm", "build-farm"),
        (["self-hosted"], None, "self-hosted"),
        ([], None, ""),
    ],
)
def test_pool_is_what_tells_runners_apart(labels: list[str], group: str | None, pool: str) -> None:
    """GitHub's own by their label; those of one's own by their group, or by all labels: many are `linux`."""
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
        ({"task": "rollback"}, DeployKind.ROLLBACK),
        ({"ref": "refs/heads/rollback-1.2"}, DeployKind.ROLLBACK),
        ({"ref": "feature/rollback-button"}, DeployKind.PLANNED),
        ({"description": "Explain how to roll-back a release"}, DeployKind.PLANNED),
        ({"description": "ci: forbid hotfix branches"}, DeployKind.PLANNED),
    ],
)
def test_what_a_deployment_calls_itself(changes: dict[str, Any], kind: DeployKind) -> None:
    """Its task, and a ref that begins so, say hotfix or rollback; what is about them is none."""
    row = deployment(1, "a", AT, **changes)
    assert marked_kind(row["task"], row["ref"]) is kind


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


def _pull(**more: Any) -> Pull:
    row = {
        "id": 1, "number": 12, "title": "Do", "user": {"login": "ada", "type": "User"}, "labels": [],
        "created_at": text(AT), "updated_at": text(AT), "merged_at": text(AT + HOUR), "merge_commit_sha": "f00",
        "head": {"ref": "do", "sha": "c0"}, "base": {"ref": "main", "sha": "b0"},
        "html_url": "https://github.example/acme/api/pull/12",
    }  # fmt: skip
    return msgspec.convert(row | more, Pull)


def _reviewed(minutes: float | None, login: str | None = "bob", kind: str = "User") -> Review:
    at = None if minutes is None else text(AT + timedelta(minutes=minutes))
    user = None if login is None else {"login": login, "type": kind}
    return msgspec.convert({"id": 1, "state": "APPROVED", "user": user, "submitted_at": at}, Review)


@pytest.mark.parametrize(
    ("reviews", "first"),
    [
        ([], None),
        ([_reviewed(30), _reviewed(20)], 20),
        ([_reviewed(10, "ada"), _reviewed(20)], 20),
        ([_reviewed(10, "checks[bot]"), _reviewed(11, "machine"), _reviewed(12, "app", "Bot")], None),
        ([_reviewed(None), _reviewed(10, None)], None),
        ([_reviewed(61)], None),
    ],
)
def test_first_review_is_that_of_another_person_before_the_merge(reviews: list[Review], first: float | None) -> None:
    """None by the author, a bot or an account that is gone, none that is still written, none behind the merge."""
    fact = change_fact(REF, _pull(), AT + HOUR, [], ("machine",), reviews)
    assert fact.first_review == (None if first is None else AT + timedelta(minutes=first))


def test_whose_author_is_gone_has_no_review() -> None:
    """Nobody knows who is another."""
    assert change_fact(REF, _pull(user=None), AT + HOUR, [], (), [_reviewed(20)]).first_review is None


def test_a_change_is_called_as_people_call_it() -> None:
    """With its repository, its branch and its page; what it takes back is named whole, and no text is kept."""
    row = _pull(title='Revert "Secret plan"', body="Reverts #9\n\nSecret reasons")
    fact = change_fact(REF, row, AT + HOUR, [], ())
    assert (fact.name, fact.branch) == (f"{REF.id}#12", "main")
    assert fact.url == "https://github.example/acme/api/pull/12"
    assert fact.undoes == (f"{REF.id}#9",)
    assert "ecret" not in repr(fact)


@pytest.mark.parametrize(
    ("task", "service"),
    [
        ("deploy", ""),
        ("deploy:hotfix", ""),
        ("rollback", ""),
        ("deploy:basket", "deploy:basket"),
        ("deploy:basket:hot-fix", "deploy:basket"),
        ("rollbackable", "rollbackable"),
    ],
)
def test_a_hotfix_goes_where_all_else_goes(task: str, service: str) -> None:
    """What a task says of the kind makes no other place of it, so that what comes next is compared with the hotfix."""
    assert service_of(task) == service


@pytest.mark.parametrize(
    ("ref", "version"),
    [
        ("v1.2.3", "v1.2.3"),
        ("1.2", "1.2"),
        ("v2.0.0-rc.1+7", "v2.0.0-rc.1+7"),
        ("refs/tags/release-7", "release-7"),
        ("main", ""),
        ("refs/heads/1.2", ""),
        ("release/1.2", ""),
        ("7", ""),
        ("a" * 40, ""),
    ],
)
def test_a_tag_is_a_version(ref: str, version: str) -> None:
    """Where its ref says so or looks like one; branches and commits are none."""
    assert version_of(ref) == version


@pytest.mark.parametrize(
    ("links", "url"),
    [
        ({"log_url": "https://ci.example/1", "target_url": "https://ci.example/2"}, "https://ci.example/1"),
        ({"log_url": "", "target_url": "https://ci.example/2"}, "https://ci.example/2"),
        ({"log_url": "javascript:alert(1)", "target_url": None}, ""),
    ],
)
def test_a_deployment_has_the_address_of_its_log(links: dict[str, str | None], url: str) -> None:
    """Where its status tells one that leads somewhere."""
    (row,) = deployment(1, "a", AT, ("success", 3))["statuses"]
    ended = verdict([msgspec.convert(row | links, StatusRow)])
    assert ended is not None
    fact = deployment_fact(
        REF, id_=1, sha="a", environment="production", created=AT, kind=DeployKind.PLANNED, ended=ended
    )
    assert fact.url == url


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
