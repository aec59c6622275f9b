"""What happens in the company, in order of time: 90 days of history, then live.

`History.extend(now)` adds all that began up to `now`. Each arrival draws from a random source of its own, seeded by
its place in the order, so the same seed, start and scenario give the same story however the calls are cut.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, count
from threading import Lock
from typing import Literal

from platform_meter.demo.company import builds, days, releases
from platform_meter.demo.company.layout import BAD_WEEK, HISTORY_DAYS, Company, Repo, active
from platform_meter.demo.company.pipelines import Build, System, build, pipelines
from platform_meter.demo.company.records import Deployment, Issue, Pull, Run, Ticket, sha_of
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.company.syncs import App, Sync, applications, sync
from platform_meter.demo.company.tickets import PROJECTS, open_issue, open_ticket

Kind = Literal["run", "pull", "release", "ticket", "issue", "jenkins", "gitlab", "tekton", "sync"]
PER_DAY: dict[Kind, float] = {
    "run": 242,
    "pull": 96,
    "release": 14.5,
    "ticket": 24,
    "issue": 2,
    "jenkins": 45,
    "gitlab": 14,
    "tekton": 30,
    "sync": 60,
}
"""Arrivals on a working day in the middle of the history, in a company of `USUAL_SERVICES`."""
USUAL_SERVICES = 300
GROWTH = (0.85, 1.15)
"""Factors on arrivals at the history's start and end."""
SLOT = timedelta(seconds=20)
"""In live time each slot has one run, and of the rest one every so many slots."""
EVERY: dict[Kind, int] = {
    "run": 1,
    "pull": 5,
    "release": 9,
    "ticket": 30,
    "issue": 90,
    "jenkins": 4,
    "gitlab": 6,
    "tekton": 6,
    "sync": 9,
}
BAD_WEEK_TICKETS = 2.2
FLOOD = 10
"""Tickets come so much faster in a ticket flood."""

Stream = Literal["runs", "deployments", "pulls"]


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    at: datetime
    seed: str
    kind: Kind


class History:
    """The story so far. Records stand in order of their beginning; readers cut them off at their own `now`."""

    def __init__(self, company: Company, scenario: Scenario | None = None) -> None:
        self.company = company
        self.scenario = scenario or Scenario()
        self.runs: dict[str, list[Run]] = defaultdict(list)
        """By repository name, as the next two."""
        self.deployments: dict[str, list[Deployment]] = defaultdict(list)
        self.pulls: dict[str, list[Pull | Issue]] = defaultdict(list)
        """Pull requests and issues share one row of numbers, starting at 1."""
        self.tickets: list[Ticket] = []
        self.run: dict[int, Run] = {}
        self.deployment: dict[int, Deployment] = {}
        self.pipelines = pipelines(company)
        self.builds: dict[str, list[Build]] = {pipeline.name: [] for pipeline in self.pipelines}
        """On other systems, by the name of the pipeline."""
        self.apps = applications(company)
        self.syncs: dict[App, list[Sync]] = {app: [] for app in self.apps}
        self.inactive: dict[int, datetime] = {}
        """When a deployment was replaced by the next one in its environment."""
        self.main: dict[str, list[tuple[datetime, Pull]]] = defaultdict(list)
        """What was merged, in order."""
        self._moments: dict[tuple[str, Stream], list[datetime]] = defaultdict(list)
        self._ids = count(1)
        self._ticket_numbers = {project.key: count(1) for project in PROJECTS}
        self._merges: list[tuple[datetime, int, Pull]] = []
        self._waiting: list[tuple[datetime, int, releases.Rollback]] = []
        self._deployed: dict[tuple[str, str], list[str]] = defaultdict(list)
        """Versions that served, in order, by repository and environment."""
        self._busy: dict[str, datetime] = {}
        """Until when a repository rolls out: it does so one version at a time."""
        self._built: set[str] = set()
        self._arrivals = self._all_arrivals()
        self._next = next(self._arrivals)
        self._horizon = datetime.min.replace(tzinfo=company.start.tzinfo)
        self._weights: dict[tuple[Kind, int], tuple[list[Repo], list[float]]] = {}
        self._lock = Lock()

    def extend(self, now: datetime) -> None:
        """Make the story known up to `now`. Cheap when it is."""
        if now <= self._horizon:
            return
        with self._lock:
            while self._next.at <= now:
                self._happen(self._next)
                self._next = next(self._arrivals)
            self._settle(now)
            self._horizon = max(self._horizon, now)

    def version(self, repo: str, stream: Stream, now: datetime) -> int:
        """Grows whenever anything in this stream of the repository looks different."""
        return bisect_right(self._moments[repo, stream], now)

    def pushed(self, repo: Repo, now: datetime) -> datetime:
        """The last moment at which commits came in."""
        moments = self._moments[repo.name, "pulls"]
        found = bisect_right(moments, now)
        return moments[found - 1] if found else repo.created

    # arrivals

    def _all_arrivals(self) -> Iterator[Arrival]:
        for day in range(HISTORY_DAYS + 1):
            yield from sorted(a for a in self._day(day) if a.at < self.company.start)
        for slot in count():
            yield from self._slot(slot)

    def _day(self, number: int) -> Iterator[Arrival]:
        day = self.company.epoch + timedelta(days=number)
        rng = random.Random(f"day/{self.company.seed}/{number}")
        low, high = GROWTH
        size = len(self.company.services) / USUAL_SERVICES
        busy = size * days.rhythm(day) * (low + (high - low) * number / HISTORY_DAYS)
        for kind, usual in PER_DAY.items():
            hard = BAD_WEEK_TICKETS if kind == "ticket" and number in BAD_WEEK else 1
            for n in range(round(usual * busy * hard * rng.uniform(0.85, 1.15))):
                yield Arrival(days.moment(day, rng), f"{number}/{kind}/{n}", kind)

    def _slot(self, number: int) -> Iterator[Arrival]:
        begin = self.company.start + number * SLOT
        flood = self.scenario.holds(Trouble.TICKET_FLOOD, begin)
        found = []
        for kind, every in EVERY.items():
            rate = every // FLOOD if kind == "ticket" and flood else every
            if number % rate == rate // 2:
                jitter = random.Random(f"slot/{self.company.seed}/{number}/{kind}").randint(1, 8)
                found.append(Arrival(begin + timedelta(seconds=jitter), f"live/{number}/{kind}", kind))
        yield from sorted(found)

    def _happen(self, arrival: Arrival) -> None:
        rng = random.Random(f"{self.company.seed}/{arrival.seed}")
        self._settle(arrival.at)
        match arrival.kind:
            case "run":
                self._build(rng, arrival.at)
            case "pull":
                self._open_pull(rng, arrival.at)
            case "release":
                self._release(rng, arrival.at)
            case "ticket":
                self._open_ticket(rng, arrival.at)
            case "issue":
                self._open_issue(rng, arrival.at)
            case "jenkins" | "gitlab" | "tekton":
                self._build_elsewhere(rng, System(arrival.kind), arrival.at)
            case "sync":
                self._sync(rng, arrival.at)

    def _settle(self, now: datetime) -> None:
        """Merges and rollbacks that were due before `now`."""
        while self._merges and self._merges[0][0] <= now:
            at, _, pull = heapq.heappop(self._merges)
            self.main[pull.repo.name].append((at, pull))
        while self._waiting and self._waiting[0][0] <= now:
            at, _, back = heapq.heappop(self._waiting)
            self._roll_back(at, back)

    def _choose(self, rng: random.Random, kind: Kind, at: datetime) -> Repo:
        """A repository, the busy ones more often, of those that use this part of the platform on that day."""
        day = self.company.day(at)
        key = (kind, day)
        if key not in self._weights:
            found = [(r, self._weight(r, kind, day)) for r in self.company.repos if not r.archived]
            chosen = [(r, w) for r, w in found if w]
            self._weights[key] = [r for r, _ in chosen], list(accumulate(w for _, w in chosen))
        repos, weights = self._weights[key]
        return rng.choices(repos, cum_weights=weights)[0]

    def _weight(self, repo: Repo, kind: Kind, day: int) -> float:
        if repo.service is None:
            return 0.5 if kind != "release" else 0.0
        spans = repo.service.delivery if kind == "release" else repo.service.ci
        if kind == "pull":
            return repo.service.weight if day < self.company.team[repo.team].until else 0.0
        return (min(repo.service.weight, 6.0) if kind == "release" else repo.service.weight) * active(spans, day)

    def _people(self, repo: Repo) -> tuple[str, ...]:
        return self.company.team.get(repo.team, self.company.teams[0]).people

    def _touch(self, repo: str, stream: Stream, moments: Iterable[datetime]) -> None:
        for moment in moments:
            insort(self._moments[repo, stream], moment)

    # what arrives

    def _build(self, rng: random.Random, at: datetime) -> None:
        repo = self._choose(rng, "run", at)
        event = rng.choices(("pull_request", "push", "schedule", "workflow_dispatch"), (55, 33, 8, 4))[0]
        number = len(self.runs[repo.name]) + 1
        pull = self._newest(repo, event, at)
        sha = sha_of("run", repo.name, number) if pull is None else pull.merge_sha if event == "push" else pull.head
        self._built.add(sha)
        workflow = "release" if event == "push" and rng.random() < 0.3 else "ci"
        run = Run(
            id=9_000_000_000 + 7 * next(self._ids),
            repo=repo,
            number=number,
            workflow=workflow,
            event=event,
            branch=pull.branch if pull and event == "pull_request" else "main",
            sha=sha,
            actor=rng.choice(self._people(repo)),
            title=pull.title if pull else f"{workflow} of {repo.name}",
            created=at,
            attempts=builds.attempts(rng, self.company, self.scenario, workflow, at),
        )
        self.runs[repo.name].append(run)
        self.run[run.id] = run
        self._touch(repo.name, "runs", run.moments())

    def _build_elsewhere(self, rng: random.Random, system: System, at: datetime) -> None:
        pipeline = rng.choice([one for one in self.pipelines if one.system is system])
        builds = self.builds[pipeline.name]
        builds.append(build(rng, pipeline, len(builds) + 1, at))

    def _sync(self, rng: random.Random, at: datetime) -> None:
        app = rng.choice(self.apps)
        before = self.syncs[app][-1] if self.syncs[app] else None
        if (begun := sync(rng, self.company, app, before, at)) is not None:
            self.syncs[app].append(begun)

    def _newest(self, repo: Repo, event: str, at: datetime) -> Pull | None:
        """What a run of this event builds: the newest merge or the newest open pull request, unless it was built already."""
        if event == "push":
            merged = self.main[repo.name][-1:]
            return next((pull for _, pull in merged if pull.merge_sha not in self._built), None)
        if event != "pull_request":
            return None
        newest = [p for p in self.pulls[repo.name][-6:] if isinstance(p, Pull) and (p.closed is None or p.closed > at)]
        return next((p for p in reversed(newest) if p.head not in self._built), None)

    def _open_pull(self, rng: random.Random, at: datetime) -> None:
        repo = self._choose(rng, "pull", at)
        number = len(self.pulls[repo.name]) + 1
        pull = releases.open_pull(
            rng, repo, number=number, id_=2_000_000_000 + next(self._ids), people=self._people(repo), opened=at
        )
        self.pulls[repo.name].append(pull)
        self._touch(repo.name, "pulls", pull.moments())
        if pull.merged:
            heapq.heappush(self._merges, (pull.merged, pull.id, pull))

    def _release(self, rng: random.Random, at: datetime) -> None:
        repo = self._choose(rng, "release", at)
        regions = repo.service.regions if repo.service else ()
        environments = ["preview"] if rng.random() < 0.04 else ["staging"]
        if rng.random() < 0.82:
            environments += [f"production-{region}" for region in regions]
        merged = self.main[repo.name]
        head = merged[-1][1] if merged else None
        sha = head.merge_sha if head else sha_of("base", repo.name)
        served = [self._deployed[repo.name, environment] for environment in environments]
        undone = any(sha in shas and shas[-1] != sha for shas in served)  # rolled back: it waits for a fix
        if not undone:
            self._deploy(rng, at, repo, environments, sha, hotfix=bool(head and "hotfix" in head.labels))

    def _roll_back(self, at: datetime, back: releases.Rollback) -> None:
        """Unless a newer version went out meanwhile."""
        if self._deployed[back.repo.name, back.environment][-1] == back.bad:
            rng = random.Random(f"{self.company.seed}/back/{back.of}")
            self._deploy(rng, at, back.repo, [back.environment], back.sha, back=True)

    def _deploy(
        self,
        rng: random.Random,
        at: datetime,
        repo: Repo,
        environments: list[str],
        sha: str,
        *,
        hotfix: bool = False,
        back: bool = False,
    ) -> None:
        if self._busy.get(repo.name, at) > at:
            return
        slow = self.scenario.holds(Trouble.CLUSTER_SLOW, at) or self.company.day(at) in BAD_WEEK
        for deployment in releases.roll_out(
            rng,
            ids=self._ids,
            repo=repo,
            environments=environments,
            sha=sha,
            at=at,
            people=self._people(repo),
            hotfix=hotfix,
            slow=slow,
            back=back,
        ):
            self._busy[repo.name] = max(self._busy.get(repo.name, at), deployment.ended + timedelta(seconds=1))
            insort(self.deployments[repo.name], deployment, key=lambda d: d.created)
            self.deployment[deployment.id] = deployment
            self._touch(repo.name, "deployments", (deployment.created, *(m for _, m in deployment.statuses)))
            if deployment.result == "success":
                self._served(rng, deployment, back=back)

    def _served(self, rng: random.Random, deployment: Deployment, *, back: bool) -> None:
        """It replaces what served before; now and then it turns out bad and is rolled back."""
        name, environment = deployment.repo.name, deployment.environment
        for earlier in self.deployments[name]:
            same = earlier.environment == environment and earlier.result == "success"
            if same and earlier.id != deployment.id and earlier.id not in self.inactive:
                self.inactive[earlier.id] = deployment.ended
                self._touch(name, "deployments", (deployment.ended,))
        shas = self._deployed[name, environment]
        older = [sha for sha in shas if sha != deployment.sha]
        if older and not back and environment.startswith("production") and rng.random() < 0.05:
            due = deployment.ended + timedelta(minutes=rng.randint(8, 90))
            again = releases.Rollback(
                of=deployment.id, repo=deployment.repo, environment=environment, sha=older[-1], bad=deployment.sha
            )
            heapq.heappush(self._waiting, (due, deployment.id, again))
        shas.append(deployment.sha)

    def _open_ticket(self, rng: random.Random, at: datetime) -> None:
        project, day = rng.choices(PROJECTS, [p.share for p in PROJECTS])[0], self.company.day(at)
        asking = [t for t in self.company.teams if t.org != "platform" and day < t.until]
        desk = [t for t in asking if active(t.support, day)] if project.by_team else []
        team = rng.choice(desk or asking)
        number = next(self._ticket_numbers[project.key])
        ticket = open_ticket(rng, self.company, self.scenario, number=number, project=project, team=team, at=at)
        self.tickets.append(ticket)

    def _open_issue(self, rng: random.Random, at: datetime) -> None:
        repo = next(r for r in self.company.repos if r.team == "platform-ci")
        number = len(self.pulls[repo.name]) + 1
        issue = open_issue(
            rng, repo, number=number, id_=3_000_000_000 + next(self._ids), team=self.company.team[repo.team], at=at
        )
        self.pulls[repo.name].append(issue)
        self._touch(repo.name, "pulls", issue.moments())
