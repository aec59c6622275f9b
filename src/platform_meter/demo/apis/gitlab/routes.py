"""The simulated GitLab: one group of projects, with pipelines and their jobs, deployments, and merged requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.pipelines import BOUGHT, DELIVERED_TO, DEPLOY, Build, Merge, Pipeline, Stage, System
from platform_meter.demo.world import World
from platform_meter.model.facts.ci import Outcome

TOKEN = "glpat-demo"  # noqa: S105 - opens nothing but the simulation
STATUS = {
    Outcome.SUCCESS: "success",
    Outcome.USER_FAILURE: "failed",
    Outcome.INFRA_FAILURE: "failed",
    Outcome.CANCELLED: "canceled",
}
REASONS = {Outcome.USER_FAILURE: "script_failure", Outcome.INFRA_FAILURE: "runner_system_failure"}
LIMIT = 20_000
"""Calls a minute: what a company allows on a server of its own. gitlab.com allows 2,000."""
MOMENT = timedelta(seconds=1)

Row = tuple[datetime, int, dict[str, Any]]
"""When it changed last, its id, and what is shown of it."""


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class GitlabApi(Api):
    """Serves one world at `base`, the address under which callers reach it."""

    def __init__(self, world: World, base: str) -> None:
        self._world, self._base = world, base
        self._projects = {one.id: one for one in world.history.pipelines if one.system is System.GITLAB}
        self._calls = Counter[int]()
        """By the minute."""
        project = "/api/v4/projects/<int:project>"
        super().__init__(
            {
                "GET /api/v4/groups/<path:group>/projects": self._of_group,
                f"GET {project}/pipelines": self._pipelines,
                f"GET {project}/pipelines/<int:number>": self._pipeline,
                f"GET {project}/pipelines/<int:number>/jobs": self._jobs,
                f"GET {project}/jobs": self._jobs_now,
                f"GET {project}/deployments": self._deployments,
                f"GET {project}/repository/compare": self._compare,
                f"GET {project}/merge_requests": self._merge_requests,
                f"GET {project}/merge_requests/<int:iid>/commits": self._commits,
                f"GET {project}/merge_requests/<int:iid>/notes": self._notes,
            }
        )

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("PRIVATE-TOKEN") != TOKEN:
            raise self._refused(401, "401 Unauthorized")
        reply = handle()
        minute = int(self._world.now().timestamp()) // 60
        self._calls[minute] += 1
        return reply.beside(
            ("RateLimit-Limit", str(LIMIT)),
            ("RateLimit-Remaining", str(max(LIMIT - self._calls[minute], 0))),
            ("RateLimit-Reset", str(60 * (minute + 1))),
        )

    def missing(self, request: Request) -> Reply:
        del request
        raise self._refused(404, "404 Not Found")

    @staticmethod
    def _refused(status: int, message: str) -> Refusal:
        return Refusal(Reply(body=encode({"message": message}), status=status))

    def _page(self, request: Request, rows: list[dict[str, Any]]) -> Reply:
        number, size = request.number("page", 1, 1, 10_000), request.number("per_page", 20, 1, 100)
        shown = rows[(number - 1) * size : number * size]
        more = number * size < len(rows)
        query = urlencode({**request.query, "page": number + 1, "per_page": size})
        link = (("Link", f'<{self._base}{request.path}?{query}>; rel="next"'),) if more else ()
        return Reply(body=encode(shown), headers=(*link, ("X-Total", str(len(rows))), ("X-Page", str(number))))

    def _changed(self, request: Request, rows: Iterator[Row]) -> Reply:
        """A page of what changed in the range that was asked for, in the order that was asked for."""
        low, high = (request.query.get(name, "") for name in ("updated_after", "updated_before"))
        first = datetime.fromisoformat(low) if low else datetime.min.replace(tzinfo=self._world.company.start.tzinfo)
        last = datetime.fromisoformat(high) if high else self._world.now() + MOMENT
        found = [row for row in rows if first < row[0] < last]
        found.sort(key=lambda row: row[:2], reverse=request.query.get("sort", "desc") == "desc")
        return self._page(request, [shown for _, _, shown in found])

    def _find(self, project: int) -> Pipeline:
        if project not in self._projects:
            raise self._refused(404, "404 Project Not Found")
        return self._projects[project]

    def _builds(self, project: int) -> list[Build]:
        pipeline, now = self._find(project), self._world.now()
        return [build for build in self._world.history.builds[pipeline.name] if build.created <= now]

    def _build(self, project: int, number: int) -> Build:
        found = next((build for build in self._builds(project) if build.id == number), None)
        if found is None:
            raise self._refused(404, "404 Pipeline Not Found")
        return found

    def _merge(self, project: int, iid: int) -> tuple[Build, Merge]:
        for build in self._builds(project):
            if build.merge is not None and build.merge.iid == iid:
                return build, build.merge
        raise self._refused(404, "404 Merge Request Not Found")

    def _of_group(self, request: Request, group: str) -> Reply:
        if group != BOUGHT:
            raise self._refused(404, "404 Group Not Found")
        return self._page(request, [self._project(one) for one in self._projects.values()])

    def _project(self, one: Pipeline) -> dict[str, Any]:
        builds = self._builds(one.id)
        return {
            "id": one.id,
            "name": one.name.rpartition("/")[2],
            "path_with_namespace": one.name,
            "created_at": _stamp(self._world.company.start - timedelta(days=500)),
            "last_activity_at": _stamp(builds[-1].created if builds else None),
            "topics": [],
            "archived": False,
            "builds_access_level": "enabled",
            "environments_access_level": "enabled",
            "merge_requests_access_level": "enabled",
            "web_url": f"{self._base}/{one.name}",
        }

    # pipelines

    def _pipelines(self, request: Request, project: int) -> Reply:
        return self._changed(request, ((self._touched(b), b.id, self._listed(b)) for b in self._builds(project)))

    def _pipeline(self, request: Request, project: int, number: int) -> Reply:
        del request
        build = self._build(project, number)
        over, now = build.ended <= self._world.now(), self._world.now()
        body = {
            **self._listed(build),
            "started_at": _stamp(build.started) if build.started <= now else None,
            "finished_at": _stamp(build.ended) if over else None,
            "duration": sum(build.seconds) if over else None,
            "queued_duration": build.queued,
            "yaml_errors": None,
            "user": _person(build.actor),
        }
        return Reply(body=encode(body))

    def _touched(self, build: Build) -> datetime:
        return max(at for at in (build.created, build.started, build.ended) if at <= self._world.now())

    def _listed(self, build: Build) -> dict[str, Any]:
        now = self._world.now()
        status = STATUS[build.outcome] if build.ended <= now else "running" if build.started <= now else "pending"
        return {
            "id": build.id,
            "iid": build.number,
            "project_id": build.pipeline.id,
            "sha": build.sha,
            "ref": "main" if build.merge else f"change-{build.number}",
            "status": status,
            "source": "push" if build.merge else "merge_request_event",
            "created_at": _stamp(build.created),
            "updated_at": _stamp(self._touched(build)),
            "web_url": f"{self._base}/{build.pipeline.name}/-/pipelines/{build.id}",
        }

    def _jobs(self, request: Request, project: int, number: int) -> Reply:
        build, now = self._build(project, number), self._world.now()
        jobs = [self._job(build, place, stage) for place, stage in enumerate(build.stages()) if stage.started <= now]
        return self._page(request, jobs[::-1])

    def _jobs_now(self, request: Request, project: int) -> Reply:
        """Jobs that wait for a runner, or have one: of a pipeline the stage that it is at."""
        if "scope[]" not in request.query:
            raise self._refused(
                400, "400 Bad Request: only jobs that wait and run are simulated; ask for their scope[]"
            )
        now = self._world.now()
        jobs = [
            self._job(build, place, stage)
            for build in self._builds(project)
            if build.ended > now
            for place, stage in enumerate(build.stages())
            if stage.ended > now and (stage.started <= now or place == 0)
        ]
        return self._page(request, jobs[::-1])

    def _job(self, build: Build, place: int, stage: Stage) -> dict[str, Any]:
        now = self._world.now()
        begun, over, last = stage.started <= now, stage.ended <= now, place == len(build.seconds) - 1
        status = STATUS[build.outcome] if last else "success"
        return {
            "id": build.id * 10 + place,
            "name": stage.name,
            "stage": stage.name,
            "status": status if over else "running" if begun else "pending",
            "created_at": _stamp(build.created),
            "started_at": _stamp(stage.started) if begun else None,
            "finished_at": _stamp(stage.ended) if over else None,
            "duration": (stage.ended - stage.started).total_seconds() if over else None,
            "queued_duration": (build.queued if place == 0 else 0) if begun else None,
            "allow_failure": False,
            **({"failure_reason": REASONS[build.outcome]} if over and last and build.outcome in REASONS else {}),
            "tag_list": [build.pipeline.pool],
            "runner": {"id": 1, "description": f"runner-{build.pipeline.pool}", "is_shared": False} if begun else None,
            "web_url": f"{self._base}/{build.pipeline.name}/-/jobs/{build.id * 10 + place}",
        }

    # delivery

    def _deployments(self, request: Request, project: int) -> Reply:
        return self._changed(request, self._delivered(project))

    def _delivered(self, project: int) -> Iterator[Row]:
        now = self._world.now()
        for build in self._builds(project):
            stage = build.delivery
            if stage is not None and stage.started <= now:
                over = stage.ended <= now
                touched = stage.ended if over else stage.started
                shown = {
                    "id": build.id,
                    "iid": build.number,
                    "ref": "main",
                    "sha": build.sha,
                    "created_at": _stamp(stage.started),
                    "updated_at": _stamp(touched),
                    "status": STATUS[build.outcome] if over else "running",
                    "environment": {"id": 1, "name": DELIVERED_TO},
                    "deployable": {
                        "id": build.id * 10 + len(build.seconds) - 1,
                        "name": DEPLOY,
                        "finished_at": _stamp(stage.ended) if over else None,
                        "tag": False,
                        "web_url": f"{self._base}/{build.pipeline.name}/-/jobs/{build.id * 10 + len(build.seconds) - 1}",
                    },
                    "user": _person(build.actor),
                }
                yield touched, build.id, shown

    def _compare(self, request: Request, project: int) -> Reply:
        """Of the commits of main, each of which a merge made."""
        shas = [build.sha for build in self._builds(project) if build.merge]
        base, head = (request.query.get(name, "") for name in ("from", "to"))
        if base not in shas or head not in shas:
            raise self._refused(404, "404 Ref Not Found")
        between = shas[shas.index(base) + 1 : shas.index(head) + 1]
        commits = [{"id": sha, "short_id": sha[:8], "title": "a change"} for sha in between]
        body = {"commit": commits[-1] if commits else None, "commits": commits, "diffs": []}
        return Reply(body=encode({**body, "compare_timeout": False, "compare_same_ref": base == head}))

    def _merge_requests(self, request: Request, project: int) -> Reply:
        if request.query.get("state") != "merged":
            raise self._refused(400, "400 Bad Request: only merged requests are simulated; ask for state=merged")
        rows = ((m.merged, m.iid, self._request(b, m)) for b in self._builds(project) if (m := b.merge))
        return self._changed(request, rows)

    def _request(self, build: Build, merge: Merge) -> dict[str, Any]:
        return {
            "id": build.id,
            "iid": merge.iid,
            "project_id": build.pipeline.id,
            "title": f"Change {merge.iid}",
            "state": "merged",
            "created_at": _stamp(merge.opened),
            "updated_at": _stamp(merge.merged),
            "merged_at": _stamp(merge.merged),
            "author": _person(merge.author),
            "labels": [],
            "source_branch": f"change-{merge.iid}",
            "target_branch": "main",
            "sha": build.sha,
            "merge_commit_sha": build.sha,
            "squash_commit_sha": None,
            "description": "",
            "web_url": f"{self._base}/{build.pipeline.name}/-/merge_requests/{merge.iid}",
        }

    def _commits(self, request: Request, project: int, iid: int) -> Reply:
        build, merge = self._merge(project, iid)
        written = {"id": build.sha, "title": "a change", "authored_date": _stamp(merge.first_commit)}
        return self._page(request, [written])

    def _notes(self, request: Request, project: int, iid: int) -> Reply:
        build, merge = self._merge(project, iid)
        note: Mapping[str, Any] = {
            "id": build.id,
            "body": "looks good",
            "author": _person(merge.reviewer),
            "created_at": _stamp(merge.reviewed),
            "system": False,
        }
        return self._page(request, [dict(note)])


def _person(handle: str) -> dict[str, Any]:
    return {"id": int(handle.removeprefix("u-"), 16), "username": handle, "name": handle, "state": "active"}
