"""GitHub's REST API of the simulated company: the paths that a meter polls, with their filters and orders.

Answers follow the official OpenAPI description. A list's ETag is that of its bytes; where nothing changed since, the
body isn't even built again.
"""

from __future__ import annotations

import shlex
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from platform_meter.demo.apis.github import changes, ci
from platform_meter.demo.apis.github.bodies import WORKFLOWS, closed_at
from platform_meter.demo.apis.github.front import LIMIT, refuse
from platform_meter.demo.apis.github.owners import GithubOwners
from platform_meter.demo.apis.github.query import CAP, PageOf, meets, moment, span
from platform_meter.demo.apis.wsgi import Reply, Request
from platform_meter.demo.company.layout import ORG, Repo
from platform_meter.demo.company.records import Issue, Pull, Run, sha_of
from platform_meter.demo.world import World

STATUSES = frozenset({"queued", "in_progress", "completed", "requested", "waiting", "pending"})
FILTERS = ("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status")


class GithubApi(GithubOwners):
    """Serves one world at `base`, the address under which callers reach it."""

    def __init__(self, world: World, base: str, limit: int = LIMIT) -> None:
        repo = "/repos/<owner>/<repo>"
        runs, deployments = f"{repo}/actions/runs", f"{repo}/deployments"
        issue = f"{repo}/issues/<int:number>"
        super().__init__(
            world,
            base,
            limit,
            {
                "GET /orgs/<org>/repos": self._repos,
                f"GET {repo}": self._repo,
                f"GET {repo}/contents": self.top,
                f"GET {repo}/contents/<path:path>": self.file,
                f"GET {repo}/teams": self.teams,
                f"GET {repo}/actions/workflows": self._workflows,
                f"GET {repo}/actions/workflows/<workflow>/runs": self._runs,
                f"GET {runs}": self._runs,
                f"GET {runs}/<int:run_id>": self._run,
                f"GET {runs}/<int:run_id>/jobs": self._jobs,
                f"GET {runs}/<int:run_id>/timing": self._timing,
                f"GET {runs}/<int:run_id>/attempts/<int:attempt>": self._run,
                f"GET {runs}/<int:run_id>/attempts/<int:attempt>/jobs": self._jobs,
                f"GET {deployments}": self._deployments,
                f"GET {deployments}/<int:deployment_id>/statuses": self._statuses,
                f"GET {repo}/issues": self._issues,
                f"GET {issue}": self._issue,
                f"GET {issue}/timeline": self._timeline,
                f"GET {issue}/events": self._events,
                f"GET {repo}/pulls": self._pulls,
                f"GET {repo}/pulls/<int:number>/commits": self._pull_commits,
                f"GET {repo}/pulls/<int:number>/reviews": self._reviews,
                f"GET {repo}/commits": self._commits,
                f"GET {repo}/compare/<basehead>": self._compare,
                f"GET {repo}/releases": self._releases,
                "GET /search/issues": self._search,
            },
        )

    # repositories

    def _repos(self, request: Request, org: str) -> Reply:
        if org != ORG:
            raise refuse(404, "Not Found")
        now = self._world.now()
        orders: dict[str, Callable[[Repo], Any]] = {
            "created": lambda repo: (repo.created, repo.id),
            "full_name": lambda repo: repo.name,
        }
        by = request.query.get("sort", "created")
        order = orders.get(by, lambda repo: (self._history.pushed(repo, now), repo.id))
        down = request.query.get("direction", "asc" if by == "full_name" else "desc") == "desc"
        repos = sorted(self._world.company.repos, key=order, reverse=down)
        return self._page(request, repos, lambda repo: self._bodies.repo(repo, now))

    def _repo(self, request: Request, owner: str, repo: str) -> Reply:
        return self._whole(request, self._bodies.repo(self._find(owner, repo), self._world.now(), full=True))

    # actions

    def _workflows(self, request: Request, owner: str, repo: str) -> Reply:
        found = self._find(owner, repo)
        return self._page(request, list(WORKFLOWS), lambda name: self._bodies.workflow(found, name), under="workflows")

    def _runs(self, request: Request, owner: str, repo: str, workflow: str = "") -> Reply:
        found = self._find(owner, repo)
        names = {str(found.id * 10 + number): name for name, number in WORKFLOWS.items()}
        names |= {f"{name}.yml": name for name in WORKFLOWS}
        if workflow and workflow not in names:
            raise refuse(404, "Not Found")

        def build() -> Reply:
            now = self._world.now()
            runs = self._select_runs(request, found, names.get(workflow, ""), now)
            capped = runs[:CAP] if any(name in request.query for name in FILTERS) else runs
            return self._page(
                request, capped, lambda run: ci.run(self._bodies, run, now), under="workflow_runs", total=len(runs)
            )

        return self._since(request, found, "runs", build)

    def _select_runs(self, request: Request, repo: Repo, workflow: str, now: datetime) -> list[Run]:
        """Newest first."""
        query = request.query
        try:
            low, high = span(query.get("created", ""))
        except ValueError:
            raise refuse(
                422, "Validation Failed", errors=[{"resource": "WorkflowRun", "field": "created", "code": "invalid"}]
            ) from None
        runs = self._history.runs[repo.name]
        first = bisect_left(runs, low, key=lambda run: run.created)
        end = bisect_right(runs, min(high, now), key=lambda run: run.created)

        def wanted(run: Run) -> bool:
            attempt = run.attempt_at(now)
            status = query.get("status", "")
            if status:
                done = attempt.ended <= now
                if status in STATUSES:
                    body = ci.run(self._bodies, run, now)
                    if body["status"] != status:
                        return False
                elif not done or attempt.conclusion != status:
                    return False
            return (
                workflow in {"", run.workflow}
                and query.get("event", run.event) == run.event
                and query.get("branch", run.branch) == run.branch
                and query.get("actor", run.actor) == run.actor
                and query.get("head_sha", run.sha) == run.sha
                and query.get("check_suite_id", str(run.id + 1)) == str(run.id + 1)
            )

        return [run for run in reversed(runs[first:end]) if wanted(run)]

    def _one_run(self, owner: str, repo: str, run_id: int) -> Run:
        found, run = self._find(owner, repo), self._history.run.get(run_id)
        if run is None or run.repo is not found or run.created > self._world.now():
            raise refuse(404, "Not Found")
        return run

    def _run(self, request: Request, owner: str, repo: str, run_id: int, attempt: int = 0) -> Reply:
        run, now = self._one_run(owner, repo, run_id), self._world.now()
        chosen = [a for a in run.attempts if a.started <= now and attempt in {0, a.number}]
        if not chosen:
            raise refuse(404, "Not Found")
        return self._whole(request, ci.run(self._bodies, run, now, chosen[-1]))

    def _jobs(self, request: Request, owner: str, repo: str, run_id: int, attempt: int = 0) -> Reply:
        run, now = self._one_run(owner, repo, run_id), self._world.now()
        begun = [a for a in run.attempts if a.started <= now]
        chosen = [a for a in begun if a.number == attempt] if attempt else begun[-1:]
        if request.query.get("filter") == "all" and not attempt:
            chosen = begun
        if not chosen:
            raise refuse(404, "Not Found")
        jobs = [job for a in chosen for job in ci.jobs(self._bodies, run, a, now)]
        return self._page(request, jobs, lambda job: job, under="jobs")

    def _timing(self, request: Request, owner: str, repo: str, run_id: int) -> Reply:
        run, now = self._one_run(owner, repo, run_id), self._world.now()
        attempt = run.attempt_at(now)
        took = (min(attempt.ended, now) - attempt.started) // timedelta(milliseconds=1)
        return self._whole(request, {"billable": {}, "run_duration_ms": took})  # own runners cost nothing

    # deployments

    def _deployments(self, request: Request, owner: str, repo: str) -> Reply:
        found = self._find(owner, repo)

        def build() -> Reply:
            now, query = self._world.now(), request.query
            deployments = [
                d
                for d in reversed(self._history.deployments[found.name])
                if d.created <= now
                and query.get("sha", d.sha) == d.sha
                and query.get("ref", d.ref) == d.ref
                and query.get("task", d.task) == d.task
                and query.get("environment", d.environment) == d.environment
            ]
            return self._page(request, deployments, lambda d: ci.deployment(self._bodies, d, now))

        return self._since(request, found, "deployments", build)

    def _statuses(self, request: Request, owner: str, repo: str, deployment_id: int) -> Reply:
        found, now = self._find(owner, repo), self._world.now()
        deployment = self._history.deployment.get(deployment_id)
        if deployment is None or deployment.repo is not found or deployment.created > now:
            raise refuse(404, "Not Found")
        states = ci.states(self._bodies, deployment, now)
        numbered = [(len(states) - n, state, at) for n, (state, at) in enumerate(states)]
        return self._page(request, numbered, lambda item: ci.status(self._bodies, deployment, *item))

    # issues and pull requests

    def _select(self, request: Request, things: Iterable[Any], now: datetime) -> list[Any]:
        """By state, label and `since`, in the order asked for."""
        query = request.query
        state, labels = query.get("state", "open"), [name for name in query.get("labels", "").split(",") if name]
        try:
            since = moment(query.get("since", ""), span("")[0])
        except ValueError:
            raise refuse(
                422, "Validation Failed", errors=[{"resource": "Issue", "field": "since", "code": "invalid"}]
            ) from None
        found = [
            thing
            for thing in things
            if thing.opened <= now
            and state in {"all", "closed" if closed_at(thing, now) else "open"}
            and thing.updated_at(now) >= since
            and set(labels) <= set(thing.labels)
        ]
        updated = query.get("sort") == "updated"
        found.sort(key=lambda t: ((t.updated_at(now) if updated else t.opened), t.number))
        return found

    def _issues(self, request: Request, owner: str, repo: str) -> Reply:
        found = self._find(owner, repo)

        def build() -> Reply:
            now = self._world.now()
            issues = self._select(request, self._history.pulls[found.name], now)
            if request.query.get("direction", "desc") == "desc":
                issues.reverse()
            return self._page(request, issues, lambda thing: changes.issue(self._bodies, thing, now))

        return self._since(request, found, "pulls", build)

    def _pulls(self, request: Request, owner: str, repo: str) -> Reply:
        found = self._find(owner, repo)

        def build() -> Reply:
            now = self._world.now()
            pulls = [p for p in self._history.pulls[found.name] if isinstance(p, Pull)]
            chosen = self._select(request, pulls, now)
            usual = "desc" if request.query.get("sort", "created") == "created" else "asc"
            if request.query.get("direction", usual) == "desc":
                chosen.reverse()
            return self._page(request, chosen, lambda pull: changes.pull(self._bodies, pull, now))

        return self._since(request, found, "pulls", build)

    def _thing(self, owner: str, repo: str, number: int) -> Pull | Issue:
        things = self._history.pulls[self._find(owner, repo).name]
        if not 0 < number <= len(things) or things[number - 1].opened > self._world.now():
            raise refuse(404, "Not Found")
        return things[number - 1]

    def _issue(self, request: Request, owner: str, repo: str, number: int) -> Reply:
        return self._whole(request, changes.issue(self._bodies, self._thing(owner, repo, number), self._world.now()))

    def _timeline(self, request: Request, owner: str, repo: str, number: int) -> Reply:
        found = changes.timeline(self._bodies, self._thing(owner, repo, number), self._world.now())
        return self._page(request, found, lambda body: body)

    def _events(self, request: Request, owner: str, repo: str, number: int) -> Reply:
        found = changes.events(self._bodies, self._thing(owner, repo, number), self._world.now())
        return self._page(request, found, lambda body: body)

    def _pull_commits(self, request: Request, owner: str, repo: str, number: int) -> Reply:
        pull = self._thing(owner, repo, number)
        if not isinstance(pull, Pull):
            raise refuse(404, "Not Found")
        return self._page(request, changes.pull_commits(self._bodies, pull), lambda body: body)

    def _reviews(self, request: Request, owner: str, repo: str, number: int) -> Reply:
        pull = self._thing(owner, repo, number)
        if not isinstance(pull, Pull):
            raise refuse(404, "Not Found")
        return self._page(request, changes.reviews(self._bodies, pull, self._world.now()), lambda body: body)

    # commits and releases

    def _merged(self, repo: Repo) -> list[tuple[datetime, Pull]]:
        now = self._world.now()
        return [(at, pull) for at, pull in self._history.main[repo.name] if at <= now]

    def _trunk(self, repo: Repo, begin: int = 0, end: int | None = None) -> list[dict[str, Any]]:
        """Commits of main, oldest first: the first one, then each merge; of all these the ones from `begin` up to `end`."""
        merged, base, found = self._merged(repo), sha_of("base", repo.name), list[dict[str, Any]]()
        for number in range(begin, len(merged) + 1 if end is None else end):
            parent = "" if number == 0 else base if number == 1 else merged[number - 2][1].merge_sha
            at, author, message, sha = repo.created, ORG, "first commit", base
            if number:
                at, pull = merged[number - 1]
                author, message, sha = pull.author, pull.title, pull.merge_sha
            found.append(changes.commit(self._bodies, repo, sha, at=at, author=author, message=message, parent=parent))
        return found

    def _commits(self, request: Request, owner: str, repo: str) -> Reply:
        found = self._find(owner, repo)
        low, high = span("")
        try:
            since, until = moment(request.query.get("since", ""), low), moment(request.query.get("until", ""), high)
        except ValueError:
            raise refuse(422, "Validation Failed", errors=[{"resource": "Commit", "field": "since"}]) from None
        chosen = [
            body
            for body in reversed(self._trunk(found))
            if since <= datetime.fromisoformat(body["commit"]["committer"]["date"]) <= until
        ]
        start = request.query.get("sha", "main")
        if start != "main":
            at = next((n for n, body in enumerate(chosen) if body["sha"] == start), None)
            if at is None:
                raise refuse(404, "Not Found")
            chosen = chosen[at:]
        return self._page(request, chosen, lambda body: body)

    def _compare(self, request: Request, owner: str, repo: str, basehead: str) -> Reply:
        found = self._find(owner, repo)
        base, dots, head = basehead.partition("...")
        shas = [sha_of("base", found.name), *(pull.merge_sha for _, pull in self._merged(found))]
        place = {sha: n for n, sha in enumerate(shas)} | {"main": len(shas) - 1}
        if not dots or base not in place or head not in place:
            raise refuse(404, "Not Found")
        low, high = place[base], place[head]
        page = PageOf(number=request.number("page", 1, 1, 10**6), size=request.number("per_page", 250, 1, 250))
        count = max(0, high - low)
        first = low + 1 + (page.number - 1) * page.size
        me = self._bodies.at(found, "compare", basehead)
        html = f"{me}/html"
        body = {
            "url": me,
            "html_url": html,
            "permalink_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "base_commit": self._trunk(found, low, low + 1)[0],
            "merge_base_commit": self._trunk(found, min(low, high), min(low, high) + 1)[0],
            "status": "identical" if low == high else "ahead" if low < high else "behind",
            "ahead_by": count,
            "behind_by": max(0, low - high),
            "total_commits": count,
            "commits": self._trunk(found, first, min(first + page.size, high + 1)),
            "files": [],
        }
        link = page.link(self._bodies.base + request.path, request.query_string, count)
        return self._whole(request, body, link)

    def _releases(self, request: Request, owner: str, repo: str) -> Reply:
        found, now = self._find(owner, repo), self._world.now()
        live = [d for d in self._history.deployments[found.name] if d.environment == "production-eu" and d.ended <= now]
        done = [d for d in live if d.result == "success" and d.kind != "rollback"]
        numbered = list(reversed(list(enumerate(done, 1))))
        return self._page(
            request,
            numbered,
            lambda item: changes.release(
                self._bodies, found, item[0], sha=item[1].sha, at=item[1].ended, author=item[1].creator
            ),
        )

    # search

    def _search(self, request: Request) -> Reply:
        now, page = self._world.now(), PageOf.of(request)
        if page.number * page.size > CAP and (page.number - 1) * page.size >= CAP:
            raise refuse(422, "Only the first 1000 search results are available")
        try:
            terms = [part.partition(":")[::2] for part in shlex.split(request.query["q"])]
            ranges = {key: span(value) for key, value in terms if key in {"created", "updated", "merged", "closed"}}
        except (KeyError, ValueError):
            raise refuse(
                422, "Validation Failed", errors=[{"resource": "Search", "field": "q", "code": "invalid"}]
            ) from None
        repos = [value.partition("/")[2] for key, value in terms if key == "repo"] or list(self._world.company.repo)
        things = [t for repo in repos for t in self._history.pulls.get(repo, ()) if t.opened <= now]
        found = [thing for thing in things if meets(thing, terms, ranges, now)]
        by_update = request.query.get("sort") == "updated"
        found.sort(
            key=lambda t: ((t.updated_at(now) if by_update else t.opened), t.id),
            reverse=request.query.get("order", "desc") == "desc",
        )
        items = [{**changes.issue(self._bodies, t, now), "score": 1.0} for t in page.cut(found[:CAP])]
        body = {"total_count": len(found), "incomplete_results": False, "items": items, "search_type": "lexical"}
        url = self._bodies.base + request.path
        return self._whole(request, body, page.link(url, request.query_string, min(CAP, len(found))))
