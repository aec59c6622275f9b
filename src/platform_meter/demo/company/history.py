"""What happens in the company, in order of time: 90 days of history, then live.

`History.extend(now)` adds all that began up to `now`. Each arrival draws from a random source of its own, seeded by
its place in the order, so the same seed, start and scenario give the same story however the calls are cut.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate, count
from threading import Lock
from typing import Literal

from platform_meter.demo.company import builds, incidents, releases, watching
from platform_meter.demo.company.arrivals import Arrival, Kind, arrivals
from platform_meter.demo.company.changes import pace
from platform_meter.demo.company.layout import BAD_WEEK, Company, Repo, active
from platform_meter.demo.company.pipelines import Build, System, build, pipelines
from platform_meter.demo.company.records import Deployment, Incident, Issue, Pull, Run, Ticket, sha_of
from platform_meter.demo.company.releases import Fate
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.company.syncs import App, Sync, applications, sync
from platform_meter.demo.company.tickets import PROJECTS, open_issue, open_ticket

Stream = Literal["runs", "deployments", "pulls"]


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
        self.incidents: list[Incident] = []
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
        self._due: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = count()
        self._rushes = count()
        self._deployed: dict[tuple[str, str], list[str]] = defaultdict(list)
        """Versions that served, in order, by repository and environment."""
        self._busy: dict[str, datetime] = {}
        """Until when a repository rolls out: it does so one version at a time."""
        self._built: set[str] = set()
        self._arrivals = arrivals(company, self.scenario)
        self._next = next(self._arrivals)
        self._horizon = datetime.min.replace(tzinfo=company.start.tzinfo)
        self._weights: dict[tuple[Kind, int], tuple[list[Repo], list[float]]] = {}
        self._lock = Lock()
        watched = company.repo[watching.watched_service(company).id]  # so that its team's Datadog has one to tell of
        self._later(company.start - watching.BEFORE, partial(self._break, watched, None, None))

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

    # what happens

    def _later(self, at: datetime, act: Callable[[datetime], None]) -> None:
        """Have it happen then, in its place among all that does."""
        heapq.heappush(self._due, (at, next(self._order), act))

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
            case "incident":
                self._break(self._choose(rng, "release", arrival.at), None, None, arrival.at)
            case "rush":
                self._rush(rng, arrival.at)

    def _settle(self, now: datetime) -> None:
        """All that was due by `now`, in order of time."""
        while self._due and self._due[0][0] <= now:
            at, _, act = heapq.heappop(self._due)
            act(at)

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
        if repo.trial:
            return 0.0
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
        if system is System.GITLAB and builds and builds[-1].ended >= at:
            return  # it has no older version deployed after a newer one
        builds.append(build(rng, pipeline, len(builds) + 1, at, pace(system, self.company.day(at))))

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
        self._opened(pull)

    def _opened(self, pull: Pull) -> None:
        self.pulls[pull.repo.name].append(pull)
        self._touch(pull.repo.name, "pulls", pull.moments())
        if pull.merged:
            self._later(pull.merged, lambda at: self.main[pull.repo.name].append((at, pull)))

    def _rush(self, rng: random.Random, at: datetime) -> None:
        """A release in a hurry of one of the teams that the bad week strikes."""
        fate = releases.RUSHED[next(self._rushes) % len(releases.RUSHED)]
        if repos := releases.struck(self.company, self.company.day(at)):
            self._hurry(rng.choice(repos), None, fate, at)

    def _hurry(self, repo: Repo, mends: Pull | None, fate: Fate, at: datetime) -> None:
        """A change that goes out as soon as it is merged; `fate` is its own, or that of the one it mends."""
        number = len(self.pulls[repo.name]) + 1
        rng, people = random.Random(f"{self.company.seed}/hurry/{repo.name}/{number}"), self._people(repo)
        pull = releases.hurry(
            rng,
            repo,
            number=number,
            id_=2_000_000_000 + next(self._ids),
            people=people,
            opened=at,
            mends=mends,
            fate=fate,
        )
        self._opened(pull)
        ready = (pull.merged or at) + timedelta(seconds=rng.randint(60, 600))
        self._later(ready, partial(self._ship, rng, pull, Fate.FINE if mends else fate))

    def _ship(self, rng: random.Random, pull: Pull, fate: Fate, at: datetime) -> None:
        """Release main to production with this change on it, once nothing else rolls out."""
        repo = pull.repo
        if (free := self._busy.get(repo.name, at)) > at:
            self._later(free, partial(self._ship, rng, pull, fate))
            return
        environments = [f"production-{region}" for region in repo.service.regions] if repo.service else []
        sha = self.main[repo.name][-1][1].merge_sha
        if all(sha not in self._deployed[repo.name, environment] for environment in environments):
            self._deploy(rng, at, repo, environments, sha, hotfix="hotfix" in pull.labels, fate=fate)

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
            new = any(sha not in shas for shas in served)
            self._deploy(rng, at, repo, environments, sha, hotfix=bool(new and head and "hotfix" in head.labels))

    def _roll_back(self, back: releases.Rollback, at: datetime) -> None:
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
        fate: Fate | None = None,
    ) -> None:
        """Roll it out, unless another rollout is under way; `fate` is that of its last region."""
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
                last = deployment.environment == environments[-1]
                self._served(rng, deployment, back=back, fate=fate if last else None)

    def _served(self, rng: random.Random, deployment: Deployment, *, back: bool, fate: Fate | None) -> None:
        """It replaces what served before; now and then it turns out bad."""
        name, environment = deployment.repo.name, deployment.environment
        for earlier in self.deployments[name]:
            same = earlier.environment == environment and earlier.result == "success"
            if same and earlier.id != deployment.id and earlier.id not in self.inactive:
                self.inactive[earlier.id] = deployment.ended
                self._touch(name, "deployments", (deployment.ended,))
        shas = self._deployed[name, environment]
        if environment.startswith("production") and not back:
            older = [sha for sha in shas if sha != deployment.sha]
            own = random.Random(f"{self.company.seed}/after/{deployment.id}")
            bad = bool(older) and rng.random() < releases.ROLLED_BACK
            fate = fate or (Fate.ROLLED_BACK if bad else releases.usual_fate(own))
            self._turns_out(own, deployment, fate, shas)
        shas.append(deployment.sha)

    def _turns_out(self, rng: random.Random, bad: Deployment, fate: Fate, before: Sequence[str]) -> None:
        """What a version in production does there; `before` are those that served there, in order."""
        repo = bad.repo
        older = [sha for sha in before if sha != bad.sha]
        carried = releases.carried(self.main[repo.name], before[-1] if before else "", bad.sha)
        if fate is Fate.FINE or (fate is Fate.ROLLED_BACK and not older):
            return
        begun = bad.ended + incidents.delay(rng)
        until = None
        if fate is Fate.ROLLED_BACK:
            due = begun + timedelta(minutes=rng.randint(8, 90))
            back = releases.Rollback(of=bad.id, repo=repo, environment=bad.environment, sha=older[-1], bad=bad.sha)
            self._later(due, partial(self._roll_back, back))
            until = due + timedelta(minutes=4)
        elif fate is not Fate.PASSES and carried:
            opened = begun + timedelta(minutes=rng.randint(5, 40))
            self._later(opened, partial(self._hurry, repo, rng.choice(carried), fate))
            until = opened + timedelta(minutes=60)
        if fate is not Fate.ROLLED_BACK or rng.random() < incidents.NOTICED:
            self._later(begun, partial(self._break, repo, bad, until))

    # what breaks

    def _break(self, repo: Repo, cause: Deployment | None, until: datetime | None, at: datetime) -> None:
        number = len(self.incidents) + 1
        rng = random.Random(f"{self.company.seed}/incident/{number}")
        made = incidents.outage(
            rng, number=number, repo=repo, people=self._people(repo), at=at, cause=cause, until=until
        )
        self.incidents.append(made)
        if rng.random() < incidents.SEEN_TWICE:
            self._later(at + timedelta(seconds=rng.randint(60, 480)), partial(self._again, rng, made))
        if rng.random() < incidents.TOLD_TWICE:
            self._later(at + timedelta(seconds=rng.randint(300, 1800)), partial(self._report, rng, made))

    def _again(self, rng: random.Random, first: Incident, at: datetime) -> None:
        if made := incidents.second(rng, first, len(self.incidents) + 1, at):
            self.incidents.append(made)

    def _report(self, rng: random.Random, incident: Incident, at: datetime) -> None:
        number, agents = next(self._ticket_numbers[incidents.PROJECT.key]), self.company.team[incidents.PROJECT.agents]
        ticket = incidents.ticket_of(rng, incident, number=number, agent=rng.choice(agents.people), at=at)
        self.tickets.append(ticket)

    # what people ask

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
