"""The jenkins source on recorded answers of Jenkins: folders, multibranch projects, stages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.contracts.calls import recorded

from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.sources.jenkins.facts import Known, Place, facts_of
from platform_meter.sources.jenkins.outcomes import RULES
from platform_meter.sources.jenkins.rows import Build, Item, Stage

RESULTS = {"SUCCESS": Outcome.SUCCESS, "ABORTED": Outcome.CANCELLED}
"""All others, a misspelt one too, tell nothing of whose failure it was."""


@pytest.mark.parametrize("name", ["api_builds", "api_builds_multibranch"])
def test_every_recorded_build_is_a_run(name: str) -> None:
    """With its commit and repository where it was built from one."""
    rows = [record["data"] for record in recorded(f"jenkins/{name}.devlake.json")]
    assert len(rows) >= 5
    for row in rows:
        build = msgspec.convert(row, Build)
        found = tuple(facts_of(Place(name="folder/job"), build, "", Known(), RULES))
        assert len(found) == (0 if row.get("building") else 2)
        if not found:  # its result stands while it still tidies up
            continue
        run = found[0]
        assert isinstance(run, PipelineRun)
        assert (run.outcome, run.ran.total_seconds() * 1000) == (
            RESULTS.get(row["result"], Outcome.UNKNOWN),
            row["duration"],
        )
        assert run.sha == _commit(row)
        assert ("github:" in " ".join(run.about.links)) == any("github.com" in url for url in _remotes(row))


def _commit(row: dict[str, Any]) -> str:
    revisions = (action["lastBuiltRevision"] for action in row["actions"] if action.get("lastBuiltRevision"))
    return next((str(revision["SHA1"]) for revision in revisions), "")


def _remotes(row: dict[str, Any]) -> list[str]:
    return [url for action in row["actions"] for url in action.get("remoteUrls") or ()][:1]


def test_every_recorded_job_and_stage_is_read() -> None:
    """A job by its class, a stage by its status."""
    items = [msgspec.convert(r["data"], Item) for r in recorded("jenkins/api_jobs_multibranch.devlake.json")]
    assert items
    assert all(item.name and item.class_ for item in items)
    for name in ("api_stages", "api_stages_multibranch"):
        stages = [msgspec.convert(r["data"], Stage) for r in recorded(f"jenkins/{name}.devlake.json")]
        assert stages
        assert {stage.status for stage in stages} >= {"SUCCESS", "ABORTED"}
