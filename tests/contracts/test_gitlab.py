"""The gitlab source on recorded answers of GitLab."""

from __future__ import annotations

import msgspec
from tests.contracts.calls import recorded

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import DeployResult
from platform_meter.sources.gitlab.facts import DEPLOYED, ENDED, change_fact, deployment_fact, pipeline_facts
from platform_meter.sources.gitlab.outcomes import RULES
from platform_meter.sources.gitlab.rows import Commit, DeploymentRow, JobRow, MergeRequest, Pipeline

SHOP = Ref(system="gitlab", kind="repository", id="acme/shop")


def test_every_recorded_pipeline_that_ended_is_a_run() -> None:
    """With the time that its jobs ran."""
    rows = [record["data"] for record in recorded("gitlab/api_pipeline_details.devlake.json")]
    assert rows
    for row in rows:
        pipeline = msgspec.convert(row, Pipeline)
        found = [f for f in pipeline_facts(SHOP, 1, pipeline, (), RULES) if isinstance(f, PipelineRun)]
        assert [f.ran.total_seconds() for f in found] == ([row["duration"] or 0] if row["status"] in ENDED else [])
        assert all((f.outcome is Outcome.SUCCESS) == (row["status"] == "success") for f in found)


def test_every_recorded_job_is_read() -> None:
    """A job of before queue times were told has none."""
    jobs = [msgspec.convert(record["data"], JobRow) for record in recorded("gitlab/api_job.devlake.json")]
    assert jobs
    assert {job.status for job in jobs} >= {"failed"}


def test_every_recorded_deployment_is_read() -> None:
    """As it ended."""
    rows = [record["data"] for record in recorded("gitlab/api_deployments.devlake.json")]
    found = [msgspec.convert(row, DeploymentRow) for row in rows]
    results = {DEPLOYED[row.status] for row in found if row.status in DEPLOYED}
    assert DeployResult.FAILED in results
    facts = [deployment_fact(SHOP, row, DeployResult.FAILED, rollback=False) for row in found]
    assert [fact.environment for fact in facts] == [row["environment"]["name"] for row in rows]


def test_every_recorded_merge_request_is_read() -> None:
    """One that was merged is a change."""
    rows = [record["data"] for record in recorded("gitlab/api_merge_requests.devlake.json")]
    merged = [m for m in (msgspec.convert(row, MergeRequest) for row in rows) if m.merged_at]
    assert merged
    for one in merged:
        assert one.merged_at is not None
        assert change_fact(SHOP, one, one.merged_at, (), (), ()).sha
    commits = recorded("gitlab/api_merge_request_commits.devlake.json")
    assert all(msgspec.convert(record["data"], Commit).authored_date for record in commits)
