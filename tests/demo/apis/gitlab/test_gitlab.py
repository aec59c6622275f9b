"""The simulated GitLab: who may ask, pages and ranges, and a pipeline from its merge to its deployment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.demo.worlds import START, Caller, Clock, gitlab, small_world

from platform_meter.demo.apis.gitlab.routes import LIMIT
from platform_meter.demo.company.pipelines import Build, System
from platform_meter.demo.world import World

GROUP = "/api/v4/groups/bought/projects"


def of(build: Build) -> str:
    return f"/api/v4/projects/{build.pipeline.id}"


def builds(world: World) -> list[Build]:
    return [build for held in world.history.builds.values() for build in held if build.pipeline.system is System.GITLAB]


def rows(api: Caller, path: str) -> list[Any]:
    return [row for page in api.pages(path) for row in page]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/v4/groups/others/projects", "404 Group Not Found"),
        ("/api/v4/projects/1/pipelines", "404 Project Not Found"),
        ("/nothing", "404 Not Found"),
    ],
)
def test_what_is_not_there(still: World, path: str, message: str) -> None:
    """Gets 404 and says what is missing; 1 is the number of a job on Jenkins."""
    answer = gitlab(still).get(path)
    assert (answer.status_code, answer.json) == (404, {"message": message})


def test_who_may_ask(still: World) -> None:
    """A wrong token gets 401; the headers of each answer say what is left of the minute."""
    api = gitlab(still)
    assert api.get(GROUP, PRIVATE_TOKEN="wrong").status_code == 401
    headers = api.get(GROUP).headers
    assert int(headers["RateLimit-Remaining"]) < int(headers["RateLimit-Limit"]) == LIMIT


def test_pages_add_up(still: World) -> None:
    """Pages of any size give the same projects; pipelines come in the order of their last change, each once."""
    api = gitlab(still)
    projects = rows(api, f"{GROUP}?per_page=2")
    assert [p["path_with_namespace"] for p in projects] == [
        one.name for one in still.history.pipelines if one.system is System.GITLAB
    ]
    path = f"/api/v4/projects/{projects[0]['id']}/pipelines?per_page=7&order_by=updated_at&sort=desc"
    found = rows(api, path)
    assert len({row["id"] for row in found}) == len(found) > 14
    assert [row["updated_at"] for row in found] == sorted((row["updated_at"] for row in found), reverse=True)


def test_a_range_of_changes(still: World) -> None:
    """`updated_after` and `updated_before` leave out what changed at their very moments."""
    api, project = gitlab(still), builds(still)[0].pipeline.id
    path = f"/api/v4/projects/{project}/pipelines?sort=asc"
    whole = rows(api, f"{path}&per_page=100")
    low, high = quote(whole[3]["updated_at"]), quote(whole[8]["updated_at"])
    assert rows(api, f"{path}&updated_after={low}&updated_before={high}") == whole[4:8]


def test_what_lies_between_two_commits(still: World) -> None:
    """Commits of main alone, oldest first; nothing the other way; an unknown one is not there."""
    api, held = gitlab(still), [build for build in builds(still) if build.merge]
    mine = [build for build in held if build.pipeline is held[0].pipeline]
    path = f"{of(mine[0])}/repository/compare"
    found = api.get(f"{path}?from={mine[1].sha}&to={mine[4].sha}").json
    assert [commit["id"] for commit in found["commits"]] == [build.sha for build in mine[2:5]]
    assert found["commit"]["id"] == mine[4].sha
    assert api.get(f"{path}?from={mine[4].sha}&to={mine[1].sha}").json["commits"] == []
    assert api.get(f"{path}?from={mine[1].sha}&to=unknown").status_code == 404


def test_from_a_merge_to_a_deployment() -> None:
    """A merged request with its review and first commit, its pipeline with its jobs, and what that delivered."""
    clock = Clock()
    world = small_world(clock)
    clock.at = START + timedelta(hours=2)
    world.now()
    build = next(b for b in builds(world) if b.created > START and b.merge and b.delivery and not b.failed)
    api, merge, stage = gitlab(world), build.merge, build.delivery
    assert merge is not None
    assert stage is not None

    clock.at = build.created
    (request,) = [m for m in rows(api, f"{of(build)}/merge_requests?state=merged") if m["iid"] == merge.iid]
    assert (request["merge_commit_sha"], request["author"]["username"]) == (build.sha, merge.author)
    path = f"{of(build)}/merge_requests/{merge.iid}"
    assert api.get(f"{path}/notes").json[0]["author"]["username"] == merge.reviewer
    assert api.get(f"{path}/commits").json[0]["authored_date"] < request["created_at"]
    assert api.get(f"{of(build)}/pipelines/{build.id}").json["status"] == "pending"

    clock.at = stage.started
    assert api.get(f"{of(build)}/pipelines/{build.id}").json["status"] == "running"
    running = next(d for d in rows(api, f"{of(build)}/deployments") if d["id"] == build.id)
    assert (running["status"], running["deployable"]["finished_at"]) == ("running", None)

    clock.at = build.ended
    shown = api.get(f"{of(build)}/pipelines/{build.id}").json
    assert (shown["status"], shown["duration"]) == ("success", sum(build.seconds))
    jobs = rows(api, f"{of(build)}/pipelines/{build.id}/jobs")
    assert [job["name"] for job in jobs] == ["deploy", "test", "build"]
    delivered = next(d for d in rows(api, f"{of(build)}/deployments") if d["id"] == build.id)
    assert (delivered["status"], delivered["sha"]) == ("success", build.sha)


def test_the_job_that_waits_or_runs_now() -> None:
    """One of a pipeline that goes on: it has a runner once it runs; none when the pipeline has ended."""
    clock = Clock()
    world = small_world(clock)
    clock.at = START + timedelta(hours=2)
    world.now()
    build = next(b for b in builds(world) if b.created > START and b.queued and len(b.seconds) > 1)
    api, first = gitlab(world), next(build.stages())

    def now() -> list[tuple[str, str, bool]]:
        jobs = rows(api, f"{of(build)}/jobs?scope[]=pending&scope[]=running")
        mine = [job for job in jobs if job["id"] // 10 == build.id]
        return [(job["name"], job["status"], job["runner"] is not None) for job in mine]

    clock.at = build.created
    assert now() == [(first.name, "pending", False)]
    clock.at = build.started
    assert now() == [(first.name, "running", True)]
    clock.at = first.ended
    assert now() == [(build.names[1], "running", True)]
    clock.at = build.ended
    assert now() == []
    assert api.get(f"{of(build)}/jobs").status_code == 400


def test_only_merged_requests_are_simulated(still: World) -> None:
    """Others are refused, and the refusal says what can be asked."""
    answer = gitlab(still).get(f"{of(builds(still)[0])}/merge_requests")
    assert answer.status_code == 400
    assert "state=merged" in answer.json["message"]
