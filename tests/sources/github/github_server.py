"""A GitHub in memory: repositories with runs, jobs, deployments, pull requests and issues, served as its API does.

Lists are cut in pages with a Link header; a list of runs with a `created` filter gives at most 1,000, as the real one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from platform_meter.testing.outside import Call, Reply

Row = dict[str, Any]
REPO = re.compile(r"/repos/(?P<repo>[^/]+/[^/]+)/(?P<rest>.+)")


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def run(id_: int, created: datetime, *, minutes: float = 5, **more: Any) -> Row:
    """A run that ended well after `minutes`."""
    return {
        "id": id_,
        "name": "CI",
        "path": ".github/workflows/ci.yml",
        "workflow_id": 7,
        "head_sha": f"{id_:040x}",
        "event": "push",
        "status": "completed",
        "conclusion": "success",
        "run_attempt": 1,
        "created_at": text(created),
        "run_started_at": text(created),
        "updated_at": text(created + timedelta(minutes=minutes)),
        "html_url": f"https://github.example/runs/{id_}",
        "actor": {"login": "mona-lisa", "type": "User"},
        "head_commit": {
            "message": "Fix the secret of Mona",
            "author": {"name": "Mona Lisa", "email": "m@example.test"},
        },
        **more,
    }


def job(id_: int, run_id: int, start: datetime, *, minutes: float = 4, **more: Any) -> Row:
    """A job that ended well and waited for 20 seconds."""
    return {
        "id": id_,
        "run_id": run_id,
        "run_attempt": 1,
        "status": "completed",
        "conclusion": "success",
        "created_at": text(start - timedelta(seconds=20)),
        "started_at": text(start),
        "completed_at": text(start + timedelta(minutes=minutes)),
        "name": "build",
        "labels": ["ubuntu-latest"],
        "runner_id": 5,
        "runner_name": "GitHub Actions 5",
        "runner_group_name": "GitHub Actions",
        "steps": [{"name": "Set up job", "conclusion": "success"}, {"name": "Test", "conclusion": "success"}],
        **more,
    }


def runner(id_: int, *labels: str, group: int = 1, status: str = "online", busy: bool = False) -> Row:
    """A runner with GitHub's own labels and these."""
    own = [{"name": name, "type": "read-only"} for name in ("self-hosted", "Linux", "X64")]
    return {
        "id": id_,
        "name": f"host-{id_}",
        "os": "linux",
        "status": status,
        "busy": busy,
        "runner_group_id": group,
        "labels": [*own, *({"name": name, "type": "custom"} for name in labels)],
    }


def deployment(id_: int, sha: str, created: datetime, *states: tuple[str, float], **more: Any) -> Row:
    """A deployment to production; `states` are (state, minutes after its creation)."""
    history = [
        {
            "id": id_ * 100 + number,
            "state": state,
            "created_at": text(created + timedelta(minutes=after)),
            "updated_at": text(created + timedelta(minutes=after)),
            "log_url": f"https://ci.example/rollouts/{id_}",
        }
        for number, (state, after) in enumerate(states)
    ]
    last = max((after for _, after in states), default=0)
    return {
        "id": id_,
        "sha": sha,
        "ref": "main",
        "task": "deploy",
        "environment": "production",
        "description": None,
        "created_at": text(created),
        "updated_at": text(created + timedelta(minutes=last)),
        "statuses": history[::-1],
        **more,
    }


@dataclass(slots=True)
class Repo:
    name: str
    created: datetime
    archived: bool = False
    topics: Sequence[str] = ()
    runs: list[Row] = field(default_factory=list)
    jobs: dict[tuple[int, int], list[Row]] = field(default_factory=dict)
    """By run and attempt."""
    attempts: dict[tuple[int, int], Row] = field(default_factory=dict)
    """What a run was in an attempt before the current one, where its jobs don't say it all."""
    deployments: list[Row] = field(default_factory=list)
    pulls: list[Row] = field(default_factory=list)
    commits: dict[int, list[Row]] = field(default_factory=dict)
    reviews: dict[int, list[Row]] = field(default_factory=dict)
    """By pull request, as the one before."""
    trunk: list[str] = field(default_factory=list)
    """Commits, oldest first, that can be compared."""
    forks: dict[str, list[str]] = field(default_factory=dict)
    """By the last commit of each branch: its commits, the first of which stands in the trunk."""
    issues: list[Row] = field(default_factory=list)
    timelines: dict[int, list[Row]] = field(default_factory=dict)
    pushed: datetime | None = None
    files: dict[str, str] = field(default_factory=dict)
    """Texts by path."""
    teams: list[Row] = field(default_factory=list)
    id: int = 0
    """0 as in answers that were recorded without."""


@dataclass(slots=True)
class Github:
    """The server; change its rows between polls and the validators change with them."""

    repos: list[Repo]
    cap: int = 1_000
    page_limit: int = 100
    """Rows on a page at most."""
    cap_all: bool = False
    """Cap the unfiltered list of runs too, as a proxy or another server might."""
    runners: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    plans: list[Repo] = field(default_factory=list)
    """Repositories of somebody else that can be read too."""
    projects: dict[str, list[Row]] = field(default_factory=dict)
    """Items by what the project is called, such as `acme/7`."""
    project_page: int = 100

    def __call__(self, call: Call) -> Reply:
        if call.path.endswith("/graphql"):
            return self._project(call.body["variables"])
        if call.path.endswith("/actions/runners"):
            return self._page(call, self.runners, "runners")
        if call.path.endswith("/actions/runner-groups"):
            return self._page(call, self.groups, "runner_groups")
        if call.path.startswith("/orgs/"):
            rows = sorted(self.repos, key=lambda repo: repo.created, reverse=True)
            return self._page(call, [self._repo(repo) for repo in rows])
        match = REPO.fullmatch(call.path)
        repo = next((repo for repo in (*self.repos, *self.plans) if match and repo.name == match["repo"]), None)
        if match is None or repo is None:
            return Reply(status=404)
        return self._of(repo, match["rest"], call)

    def _project(self, asked: Row) -> Reply:
        items = self.projects.get(f"{asked['owner']}/{asked['number']}")
        if items is None:
            return Reply(
                body={
                    "data": {"repositoryOwner": {"projectV2": None}},
                    "errors": [{"type": "NOT_FOUND", "message": "Could not resolve"}],
                }
            )
        start = int(asked["after"] or 0)
        end = start + self.project_page
        info = {"hasNextPage": end < len(items), "endCursor": str(end)}
        return Reply(
            body={"data": {"repositoryOwner": {"projectV2": {"items": {"pageInfo": info, "nodes": items[start:end]}}}}}
        )

    @staticmethod
    def _repo(repo: Repo) -> Row:
        return {
            **({"id": repo.id} if repo.id else {}),
            "full_name": repo.name,
            "archived": repo.archived,
            "topics": list(repo.topics),
            "created_at": text(repo.created),
            "has_issues": True,
            "pushed_at": text(repo.pushed) if repo.pushed else None,
        }

    def _of(self, repo: Repo, rest: str, call: Call) -> Reply:
        parts = rest.split("/")
        match parts:
            case ["actions", "runs"]:
                return self._runs(repo, call)
            case ["actions", "runs", id_]:
                found = [row for row in repo.runs if row["id"] == int(id_)]
                return Reply(body=found[0]) if found else Reply(status=404)
            case ["actions", "runs", id_, "attempts", attempt]:
                then = self._attempt(repo, int(id_), int(attempt))
                return Reply(body=then) if then else Reply(status=404)
            case ["actions", "runs", id_, "attempts", attempt, "jobs"]:
                jobs = repo.jobs.get((int(id_), int(attempt)), [])
                return self._page(call, jobs, "jobs")
            case ["deployments"]:
                return self._page(call, sorted(repo.deployments, key=lambda row: row["created_at"], reverse=True))
            case ["deployments", id_, "statuses"]:
                found = [row for row in repo.deployments if row["id"] == int(id_)]
                return self._page(call, found[0]["statuses"]) if found else Reply(status=404)
            case ["pulls"]:
                return self._page(call, sorted(repo.pulls, key=lambda row: row["updated_at"], reverse=True))
            case ["pulls", number, "commits"]:
                return self._page(call, repo.commits.get(int(number), []))
            case ["pulls", number, "reviews"]:
                return self._page(call, repo.reviews.get(int(number), []))
            case ["compare", pair]:
                return self._compare(repo, pair, call)
            case ["issues"]:
                rows = [row for row in repo.issues if call.params.get("state", "open") in {"all", row["state"]}]
                if call.params.get("milestone") == "*":
                    rows = [row for row in rows if row.get("milestone")]
                    return self._page(call, sorted(rows, key=lambda row: row["created_at"]))
                return self._page(call, sorted(rows, key=lambda row: row["updated_at"], reverse=True))
            case ["issues", number]:
                found = [row for row in repo.issues if row["number"] == int(number)]
                here = {"repository_url": f"https://api.github.com/repos/{repo.name}"}
                return Reply(body=found[0] | here) if found else Reply(status=410)
            case ["issues", number, "timeline"]:
                return self._page(call, repo.timelines.get(int(number), []))
            case ["contents"]:
                return Reply(body=[{"type": "file", "path": path} for path in repo.files])
            case ["contents", *path] if "/".join(path) in repo.files:
                content = base64.encodebytes(repo.files["/".join(path)].encode()).decode()
                return Reply(body={"type": "file", "encoding": "base64", "content": content})
            case ["teams"]:
                return self._page(call, repo.teams)
            case _:
                return Reply(status=404)

    @staticmethod
    def _attempt(repo: Repo, id_: int, attempt: int) -> Row:
        """A run as it was in an earlier attempt: as its jobs ended."""
        jobs = repo.jobs.get((id_, attempt))
        found = [row for row in repo.runs if row["id"] == id_ and attempt <= row["run_attempt"]]
        if not found or not jobs:
            return repo.attempts.get((id_, attempt), {})
        words = {job["conclusion"] for job in jobs}
        return {
            **found[0],
            "run_attempt": attempt,
            "status": "completed",
            "conclusion": next(word for word in ("failure", "cancelled", "success", "skipped") if word in words),
            "run_started_at": found[0]["created_at"] if attempt == 1 else min(job["started_at"] for job in jobs),
            "updated_at": max(job["completed_at"] for job in jobs),
            **repo.attempts.get((id_, attempt), {}),
        }

    def _compare(self, repo: Repo, pair: str, call: Call) -> Reply:
        def before(sha: str) -> list[str]:
            """The commit and all that it is made on."""
            branch = repo.forks.get(sha) or [sha]
            if branch[0] not in repo.trunk:
                return []
            return [*repo.trunk[: repo.trunk.index(branch[0])], *branch]

        base, _, head = pair.partition("...")
        one, other = before(base), before(head)
        if not one or not other:
            return Reply(status=404)
        ahead, behind = [sha for sha in other if sha not in one], [sha for sha in one if sha not in other]
        status = ("diverged" if behind else "ahead") if ahead else ("behind" if behind else "identical")
        more = {"status": status, "total_commits": len(ahead)}
        reply = self._page(call, [{"sha": sha} for sha in ahead], "commits")
        return Reply(body={**reply.body, **more}, headers=reply.headers)

    def _runs(self, repo: Repo, call: Call) -> Reply:
        rows = sorted(repo.runs, key=lambda row: (row["created_at"], row["id"]), reverse=True)
        if created := call.params.get("created"):
            low, high = str(created).split("..")
            rows = [row for row in rows if low <= row["created_at"] <= high]
        total = len(rows)
        if created or self.cap_all:
            rows = rows[: self.cap]
        return self._page(call, rows, "workflow_runs", total)

    def _page(self, call: Call, rows: Sequence[Row], under: str = "", total: int | None = None) -> Reply:
        number = int(call.params.get("page", 1))
        size = min(self.page_limit, int(call.params.get("per_page", 30)))
        part = list(rows[(number - 1) * size : number * size])
        links = []
        if number > 1:
            links.append(f'<https://api.github.com{call.path}?page={number - 1}>; rel="prev"')
        if number * size < len(rows):
            links.append(f'<https://api.github.com{call.path}?page={number + 1}>; rel="next"')
        body: Any = {"total_count": len(rows) if total is None else total, under: part} if under else part
        return Reply(body=body, headers={"Link": ", ".join(links)} if links else {})
