"""Whose failure a job's was, and what is a review."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from tests.sources.gitlab.gitlab_server import at, deployment, job, pipeline

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import DeployResult
from platform_meter.model.outcomes import OutcomeRule, classify, with_own
from platform_meter.sources.gitlab.facts import change_fact, deployment_fact, job_signs, pipeline_facts
from platform_meter.sources.gitlab.outcomes import RULES
from platform_meter.sources.gitlab.rows import Commit, DeploymentRow, JobRow, MergeRequest, Note, Pipeline

PROVISION = OutcomeRule.model_validate({"step": "provision*", "class": "infra_failure"})
MERGED = datetime(2026, 5, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "reason", "outcome"),
    [
        ("test", "script_failure", Outcome.USER_FAILURE),
        ("test", "job_execution_timeout", Outcome.USER_FAILURE),
        ("test", "stuck_or_timeout_failure", Outcome.INFRA_FAILURE),
        ("test", "runner_system_failure", Outcome.INFRA_FAILURE),
        ("test", "unknown_failure", Outcome.UNKNOWN),
        ("test", None, Outcome.UNKNOWN),
        ("provision-db", "script_failure", Outcome.INFRA_FAILURE),
    ],
)
def test_the_reason_tells_whose_failure_it_was(name: str, reason: str | None, outcome: Outcome) -> None:
    """By its documented meaning; a job that the platform answers for is its failure whatever it says."""
    row = msgspec.convert(job(1, name, "failed", "10:00:00", "10:01:00", failure_reason=reason), JobRow)
    assert classify(job_signs(row), with_own([PROVISION], RULES)).outcome is outcome


def test_jobs_of_a_pipeline_from_before_the_first_poll_only_say_why_it_failed() -> None:
    """It stays one attempt and has no jobs of its own: when it is retried and succeeds, its jobs are not read."""
    row = msgspec.convert(pipeline(7, "failed", "10:00:00", "10:05:00"), Pipeline)
    jobs = [
        msgspec.convert(job(n, "test", "failed", "10:01:00", f"10:0{n}:00", failure_reason="script_failure"), JobRow)
        for n in (2, 3)
    ]
    ref = Ref(system="gitlab", kind="repository", id="acme/shop")
    (run,) = pipeline_facts(ref, 1, row, jobs, RULES, whole=False)
    assert isinstance(run, PipelineRun)
    assert (run.key, run.attempt, run.outcome) == ("pipeline/7/1", 1, Outcome.USER_FAILURE)
    assert [fact.key for fact in pipeline_facts(ref, 1, row, jobs, RULES)] == ["pipeline/7/2", "job/2", "job/3"]


@pytest.mark.parametrize(
    ("note", "first"),
    [
        ({"created_at": at("09:00:00"), "author": {"id": 2, "username": "bob"}}, MERGED.replace(hour=9)),
        ({"created_at": at("11:00:00"), "author": {"id": 2, "username": "bob"}}, None),
        ({"created_at": at("09:00:00"), "author": {"id": 1, "username": "alice"}}, None),
        ({"created_at": at("09:00:00"), "author": {"id": 3, "username": "project_7_bot_1a2b"}}, None),
        ({"created_at": at("09:00:00"), "author": {"id": 4, "username": "renovate"}}, None),
        ({"created_at": at("09:00:00"), "author": {"id": 2, "username": "bob"}, "system": True}, None),
    ],
)
def test_a_review_is_anothers_word_before_the_merge(note: dict[str, object], first: datetime | None) -> None:
    """None by the author, a bot, or GitLab itself."""
    row = {"id": 1, "iid": 1, "title": "x", "created_at": at("08:00:00"), "updated_at": at("10:00:00")}
    request = msgspec.convert({**row, "author": {"id": 1, "username": "alice"}}, MergeRequest)
    ref = Ref(system="gitlab", kind="repository", id="acme/shop")
    notes = [msgspec.convert(note, Note)]
    assert change_fact(ref, request, MERGED, (), notes, ("renovate",)).first_review == first


def test_a_deployment_of_a_tag_is_a_version() -> None:
    """With the address of its job; a branch is none, and what was told from outside has no job."""
    ref = Ref(system="gitlab", kind="repository", id="acme/shop")
    of_tag = {"tag": True, "web_url": "https://gitlab.example/jobs/1"}
    of_branch = {"tag": False, "web_url": "javascript:alert(1)"}
    for job_, expected in (
        (of_tag, ("v1.2", "https://gitlab.example/jobs/1")),
        (of_branch, ("", "")),
        (None, ("", "")),
    ):
        row = msgspec.convert(deployment(1, "a", "success", "10:00:00", ref="v1.2", deployable=job_), DeploymentRow)
        fact = deployment_fact(ref, row, DeployResult.SUCCESS, rollback=False)
        assert (fact.version, fact.url) == expected


def test_a_hotfix_names_what_it_mends() -> None:
    """As GitLab names merge requests; what its commits take back counts too where it is a revert."""
    ref = Ref(system="gitlab", kind="repository", id="acme/team/shop")
    row = {"id": 1, "iid": 9, "title": 'Revert "Speed up"', "created_at": at("08:00:00"), "updated_at": at("10:00:00")}
    request = msgspec.convert({**row, "source_branch": "hotfix-1", "description": "Caused by !7"}, MergeRequest)
    back = msgspec.convert({"id": "b" * 40, "message": f'Revert "x"\n\nThis reverts commit {"a" * 40}.'}, Commit)
    fact = change_fact(ref, request, MERGED, [back], (), ())
    assert (fact.name, fact.labels) == ("acme/team/shop!9", ("hotfix", "revert"))
    assert (fact.mends, fact.undoes) == (("acme/team/shop!7",), ("a" * 40,))
