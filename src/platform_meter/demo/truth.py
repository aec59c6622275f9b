"""What is true in the simulated company, counted straight from its story: what meters must say of it.

All ranges are half-open and in event time: an event belongs to the moment at which it ended. Days are those of the
configured `zone`. Owners are those that ownership must find; what nobody owns is `_unowned`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from fnmatch import fnmatchcase
from math import inf

from platform_meter.demo.company.gateways import AWS, KONG, NGINX, NODES, VERBS, Served, part, served, within
from platform_meter.demo.company.layout import Repo
from platform_meter.demo.company.mesh import Counted, Member, members, standing
from platform_meter.demo.company.objects import Node, Pod, PodState, WorkloadState
from platform_meter.demo.company.pipelines import DELIVERED_TO, Build, System
from platform_meter.demo.company.records import Attempt, Deployment, Pull, Run, Step, Ticket
from platform_meter.demo.company.standards import GOLDEN, base, bounded, budgeted, isolated, scaled
from platform_meter.demo.company.syncs import App, Sync
from platform_meter.demo.company.tickets import CLOSED, COMPONENT_OWNERS, OPEN, PROJECTS, RESOLVED
from platform_meter.demo.world import World
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.delivery import DeployKind, DeployResult
from platform_meter.model.facts.kubernetes import NodeState
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import MemberState
from platform_meter.model.metric import UNOWNED

ENVIRONMENTS = {"staging": "staging", "production-eu": "production", "production-us": "production"}
"""The declared environment of each name; any other one is `_other`."""
OWNER_KINDS = {"deployments": "deployment", "statefulsets": "statefulset", "daemonsets": "daemonset", "jobs": "job"}
DETAIL = timedelta(days=28)
"""How far before its first poll a meter reads details of runs on GitHub."""
DONE = frozenset({RESOLVED, CLOSED})
QUEUES = {"PLAT": "platform-support", "HELP": "developer-help"}
"""The id of each project's Ticketing file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One attempt of a run that ended."""

    repo: Repo
    run: Run
    attempt: Attempt
    outcome: Outcome

    @property
    def at(self) -> datetime:
        return self.attempt.ended


class Truth:
    """Asks the story of a world. Every answer holds for the moments given, whatever the clock says."""

    def __init__(self, world: World, zone: tzinfo = UTC) -> None:
        self._world = world
        self._history = world.history
        self._zone = zone

    def day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    # CI

    def attempts(self, start: datetime, end: datetime, *, details_since: datetime | None = None) -> Iterator[Ran]:
        """Attempts that ended in the range.

        `details_since` is how far back a meter reads details: of a run whose last attempt (by `end`) ended before,
        it knows only that attempt, and not whose failure it was.
        """
        self._history.extend(end)
        for run in list(self._history.run.values()):
            ended = [a for a in run.attempts if a.ended < end]
            rough = bool(ended) and details_since is not None and ended[-1].ended < details_since
            for attempt in ended[-1:] if rough else ended:
                failed = attempt.conclusion in {"failure", "timed_out"}
                outcome = Outcome.UNKNOWN if rough and failed else attempt.outcome
                if attempt.ended >= start:
                    yield Ran(repo=run.repo, run=run, attempt=attempt, outcome=outcome)

    def builds(self, start: datetime, end: datetime, *, first: datetime | None = None) -> Iterator[Build]:
        """What ended in the range on other systems, less what was pruned before `first`, a meter's first poll."""
        self._history.extend(end)
        for builds in list(self._history.builds.values()):
            for build in builds:
                pruned = build.pruned is not None and first is not None and build.pruned <= first
                if start <= build.ended < end and not pruned:
                    yield build

    def pipeline_runs(
        self, start: datetime, end: datetime, *, first: datetime | None = None, lookback: timedelta = timedelta()
    ) -> Counter[tuple[str, str, date]]:
        """What ran by (team, outcome, day), over all systems.

        `first` is a meter's first poll: it reads details for `DETAIL` before it; on other systems than GitHub, for
        that and what polls overlap by, `lookback`.
        """
        found = self.attempts(start, end, details_since=first and first - DETAIL)
        runs = Counter((ran.repo.team, str(ran.outcome), self.day(ran.at)) for ran in found)
        for build in self.builds(start, end, first=first):
            # On GitLab what began since then, elsewhere what ended; the objects of Tekton say it themselves.
            decides = build.created if build.pipeline.system is System.GITLAB else build.ended
            told = build.pipeline.system is System.TEKTON or first is None or decides >= first - lookback - DETAIL
            outcome = build.outcome if told or not build.failed else Outcome.UNKNOWN
            runs[build.pipeline.team.id, str(outcome), self.day(build.ended)] += 1
        return runs

    def queue_seconds(self, start: datetime, end: datetime) -> dict[str, list[float]]:
        """Seconds in the queue of every job that a runner took and that ended in the range, by pool."""
        found: dict[str, list[float]] = {}
        self._history.extend(end)
        for run in list(self._history.run.values()):
            for attempt in run.attempts:
                for job in run.jobs(attempt):
                    if job.runner and start <= job.ended < end:
                        found.setdefault(run.repo.pool, []).append((job.started - job.created).total_seconds())
        return found

    # delivery

    def deployments_ended(self, start: datetime, end: datetime) -> Iterator[Deployment]:
        self._history.extend(end)
        for deployment in list(self._history.deployment.values()):
            if start <= deployment.ended < end:
                yield deployment

    def deployments(self, start: datetime, end: datetime) -> Counter[tuple[str, str, str, str, date]]:
        """Deployments by (team, environment, result, kind, day)."""
        found = Counter(
            (
                d.repo.team,
                ENVIRONMENTS.get(d.environment, "_other"),
                str(d.result),
                str(d.kind),
                self.day(d.ended),
            )
            for d in self.deployments_ended(start, end)
        )
        self._history.extend(end)
        for build in [build for builds in list(self._history.builds.values()) for build in builds]:
            stage = build.delivery
            if stage is not None and start <= stage.ended < end and build.outcome is not Outcome.CANCELLED:
                result = DeployResult.FAILED if build.failed else DeployResult.SUCCESS
                environment = ENVIRONMENTS[DELIVERED_TO]
                day = self.day(stage.ended)
                found[build.pipeline.team.id, environment, str(result), str(DeployKind.PLANNED), day] += 1
        return found

    def merged(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, Pull]]:
        """Pull requests merged in the range."""
        self._history.extend(end)
        for pulls in list(self._history.main.values()):
            yield from ((at, pull) for at, pull in pulls if start <= at < end)

    def merges(self, start: datetime, end: datetime) -> Counter[tuple[str, date]]:
        """Merged requests by (team, day)."""
        found = Counter((pull.repo.team, self.day(at)) for at, pull in self.merged(start, end))
        for builds in list(self._history.builds.values()):
            for build in builds:
                if build.merge is not None and start <= build.merge.merged < end:
                    found[build.pipeline.team.id, self.day(build.merge.merged)] += 1
        return found

    def syncs(self, looks: Iterable[datetime], *, settled: bool = False) -> Iterator[Sync]:
        """Syncs that were the last of their application at one of these moments, and over: Argo CD tells no others.

        `settled`: only those that succeeded, and of which all was healthy by then.
        """
        found: dict[tuple[App, datetime], Sync] = {}
        for look in looks:
            self._history.extend(look)
            for app, syncs in self._history.syncs.items():
                last = next((sync for sync in reversed(syncs) if sync.started <= look), None)
                if last is not None and (not last.failed and last.healthy <= look if settled else last.ended <= look):
                    found[app, last.started] = last
        yield from found.values()

    # support

    def tickets(self, at: datetime) -> tuple[tuple[Ticket, tuple[Step, ...]], ...]:
        """Every ticket that exists at `at`, with the steps of its history so far: what SLA clocks are computed from."""
        self._history.extend(at)
        return tuple((t, t.steps_at(at)) for t in self._history.tickets if t.created <= at)

    def tickets_created(self, start: datetime, end: datetime) -> Counter[tuple[str, str, str, date]]:
        """Tickets by (queue, category, priority at creation, day)."""
        self._history.extend(end)
        return Counter(
            (QUEUES[t.project], self._category(t), t.priority, self.day(t.created))
            for t in self._history.tickets
            if start <= t.created < end
        )

    def tickets_open(self, at: datetime) -> Counter[tuple[str, str]]:
        """Open tickets by (queue, priority now)."""
        return Counter(
            (QUEUES[t.project], t.field_at("priority", at, t.priority))
            for t, _ in self.tickets(at)
            if t.field_at("status", at, OPEN) not in DONE
        )

    # clusters

    def pods(self, cluster: str, at: datetime) -> tuple[Pod, ...]:
        """Pods that became Ready by `at`, in that order. One that `removed` says is gone can't be listed any more."""
        state = self._world.clusters[cluster]
        state.advance(at)
        return tuple(pod for pod in state.started if pod.ready <= at)

    def removed(self, cluster: str) -> dict[str, datetime]:
        """When pods went away, by name."""
        return dict(self._world.clusters[cluster].removed)

    def pods_started(self, cluster: str, start: datetime, end: datetime) -> Counter[str]:
        """Pods that became Ready in the range, by kind of owner."""
        return Counter(OWNER_KINDS[pod.owner_kind] for pod in self.pods(cluster, end) if start <= pod.ready < end)

    def nodes(self, cluster: str, at: datetime) -> Counter[str]:
        """Nodes by state; a cordoned one counts as that, ready or not."""
        state = self._world.clusters[cluster]
        state.advance(at)
        found: Counter[str] = Counter()
        for _, change in state.snapshot("nodes")[1]:
            if isinstance(node := change.object, Node):
                kind = NodeState.READY if node.ready else NodeState.NOT_READY
                found[NodeState.CORDONED if node.cordoned else kind] += 1
        return found

    def probe_ok(self, cluster: str, at: datetime) -> bool:
        """Whether /readyz is well at that moment."""
        return self._world.clusters[cluster].ready(at)

    def workloads(self, cluster: str, at: datetime) -> Counter[str]:
        """Workloads that stand, by team; those of the system are `_unowned`."""
        state = self._world.clusters[cluster]
        state.advance(at)
        teams = {team.id for team in self._world.company.teams}
        kinds = ("deployments", "statefulsets", "daemonsets", "cronjobs")
        keys = [key for kind in kinds for key, _ in state.snapshot(kind)[1]]
        return Counter(space if space in teams else UNOWNED for space, _ in keys)

    # gateways

    def gateway_requests(self, gateway: str, start: datetime, end: datetime) -> Counter[tuple[str, str]]:
        """Requests by (team, verdict) after `start`, up to `end`; what clients got wrong is left out."""
        found: Counter[tuple[str, str]] = Counter()
        for route in self._served(gateway):
            before, after, team = route.answered(start), route.answered(end), route.owner[1]
            found[team, Verdict.GOOD] += after.good - before.good
            found[team, Verdict.BAD] += after.failed - before.failed
        return found

    def gateway_within(self, gateway: str, start: datetime, end: datetime, seconds: float = inf) -> int:
        """Of the requests whose duration the gateway tells, those that took at most so many seconds.

        NGINX tells it of those that are no client's error, by status; the nodes of Kong of all that each of them had.
        """
        found = 0
        for route in self._served(gateway):
            for sign, answered in ((1, route.answered(end)), (-1, route.answered(start))):
                counts = {
                    KONG: [part(answered, node).all for node in NODES],
                    NGINX: [answered.good, answered.failed],
                }.get(gateway, [answered.all])
                found += sign * sum(within(count, seconds) for count in counts)
        return found

    def gateway_routes(self, gateway: str) -> Counter[str]:
        """Routes by team; an API at Amazon has one for each verb."""
        each = len(VERBS) if gateway == AWS else 1
        return Counter(route.owner[1] for route in self._served(gateway) for _ in range(each))

    # meshes, and what workloads keep to

    def mesh_requests(self, cluster: str, start: datetime, end: datetime) -> Mapping[str, Counted]:
        """Requests through the mesh of a cluster, by service."""
        return {one.service.id: one.between(start, end) for one in self._members(cluster)}

    def mesh_mutual(self, cluster: str, start: datetime, end: datetime) -> float:
        """Share of all these that came with mutual TLS."""
        counted = [(one.plain, one.between(start, end)) for one in self._members(cluster)]
        amounts = [(plain, each.valid + each.missing) for plain, each in counted]
        return 1 - sum(plain * amount for plain, amount in amounts) / sum(amount for _, amount in amounts)

    def mesh_members(self, cluster: str, at: datetime) -> Counter[str]:
        """Workloads with pods, by how these stand to the mesh; what a CronJob started counts while it runs."""
        state, states = self._world.clusters[cluster], standing(self._world.company, cluster)
        state.advance(at)
        pods = [change.object.pod for _, change in state.snapshot("pods")[1] if isinstance(change.object, PodState)]
        found: dict[tuple[str, str, str], str] = {}
        for pod in pods:
            job = pod.owner_kind == "jobs"
            name = pod.owner.rpartition("-")[0] if job else pod.owner  # a CronJob adds the minute to its name
            own = MemberState.EXEMPT if pod.namespace == "kube-system" else MemberState.OUTSIDE
            found[pod.owner_kind, pod.namespace, name] = own if job else states.get(name, own)
        return Counter(found.values())

    def covered(self, cluster: str, at: datetime) -> Mapping[str, int]:
        """How many workloads keep to what: golden images, autoscalers, budgets of disruption, quotas, network policies."""
        state = self._world.clusters[cluster]
        state.advance(at)
        kinds = ("deployments", "statefulsets", "daemonsets", "cronjobs")
        told = [change.object for kind in kinds for _, change in state.snapshot(kind)[1]]
        workloads = [one.workload for one in told if isinstance(one, WorkloadState)]
        selected = {(one.namespace, one.labels[:1]) for one in workloads if budgeted(one)}  # with what runs nightly
        golden = [one for one in workloads if one.marks.annotations and fnmatchcase(base(one.name), GOLDEN)]
        return {
            "GoldenImage": len(golden),
            "Autoscaler": sum(map(scaled, workloads)),
            "DisruptionBudget": sum((one.namespace, one.labels[:1]) in selected for one in workloads),
            "Quota": sum(bounded(one.namespace) for one in workloads),
            "NetworkPolicy": sum(isolated(one.namespace) for one in workloads),
            "MeshInjection": sum(bool(one.marks.proxy) for one in workloads),
        }

    def _members(self, cluster: str) -> Iterator[Member]:
        return members(self._world.company, self._world.scenario, cluster)

    def _served(self, gateway: str) -> Iterator[Served]:
        yield from served(self._world.company, self._world.scenario, gateway)

    # adoption

    def use_days(self, verb: str, start: datetime, end: datetime) -> dict[tuple[str, str], Counter[date]]:
        """Uses per day by owner (service, team), for the verbs run, deploy, merge and ticket.

        Those that people did and that came to something: not what a timer or a bot did, or what failed.

        A ticket is its component's owner's: at the help desk the team that asks. It belongs to no service.
        """
        found: dict[tuple[str, str], Counter[date]] = {}
        for owner, at in self._uses(verb, start, end):
            found.setdefault(owner, Counter())[self.day(at)] += 1
        return found

    @staticmethod
    def _category(ticket: Ticket) -> str:
        project = next(p for p in PROJECTS if p.key == ticket.project)
        return ticket.type if project.category_from == "issue_type" else ticket.component

    @staticmethod
    def _asking(ticket: Ticket) -> str:
        project = next(p for p in PROJECTS if p.key == ticket.project)
        return ticket.component if project.by_team else COMPONENT_OWNERS.get(ticket.component, UNOWNED)

    def _uses(self, verb: str, start: datetime, end: datetime) -> Iterator[tuple[tuple[str, str], datetime]]:
        match verb:
            case "run":
                runs = (ran for ran in self.attempts(start, end) if ran.run.event != "schedule")
                yield from ((ran.repo.owner, ran.at) for ran in runs if ran.outcome is Outcome.SUCCESS)
            case "deploy":
                done = (d for d in self.deployments_ended(start, end) if d.result == "success")
                yield from ((d.repo.owner, d.ended) for d in done)
            case "merge":
                yield from ((pull.repo.owner, at) for at, pull in self.merged(start, end) if not pull.bot)
            case "ticket":
                self._history.extend(end)
                created = (t for t in self._history.tickets if start <= t.created < end)
                yield from (((UNOWNED, self._asking(t)), t.created) for t in created)
            case _:
                raise ValueError(f"nobody counts {verb!r} here; ask for run, deploy, merge or ticket")
