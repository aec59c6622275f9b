"""What happens in one Kubernetes cluster: objects with versions, and a log of changes for those who watch.

What stands at `company.start` follows from the history; from there changes are applied in order of time. The order,
the versions and every name follow from the seed.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from threading import Lock

from platform_meter.demo.company.history import History
from platform_meter.demo.company.layout import TEAM_LABEL, Cluster, Service, active
from platform_meter.demo.company.mesh import ISTIO, PROXIES, meshes, standing, stateful
from platform_meter.demo.company.objects import (
    Change,
    Key,
    Labels,
    Marks,
    Namespace,
    Node,
    Object,
    Pod,
    PodState,
    Workload,
    WorkloadState,
)
from platform_meter.demo.company.records import Deployment, sha_of
from platform_meter.demo.company.scenarios import Trouble
from platform_meter.demo.company.standards import base
from platform_meter.model.facts.traffic import MemberState

KINDS = ("namespaces", "nodes", "pods", "deployments", "statefulsets", "daemonsets", "cronjobs")
FIRST_VERSION = 100_000
EVICTION = timedelta(seconds=30)
"""One pod is moved to another node so often, and every tenth time a job runs."""
JOB_RUNS = timedelta(seconds=90)
CRON_EVERY = 15
"""Every so manieth workload has a CronJob beside it."""
SICK_NODES = 3
PROBE_SLICE = 10
"""Seconds for which /readyz keeps its mind."""
BASE = "org.opencontainers.image.base.name"
"""The annotation that says what an image is built upon."""
LOG = 2_000
"""Changes that a cluster remembers; a watch from before them gets 410."""


class ClusterState:
    """The objects of one cluster. `advance` first, then read; all of it is safe between threads."""

    def __init__(self, cluster: Cluster, history: History, *, log: int = LOG) -> None:
        self.cluster = cluster
        self.started: list[Pod] = []
        """Every pod that became Ready, in order; what the meter must count."""
        self.removed: dict[str, datetime] = {}
        """When a pod went away, by its name."""
        self._history = history
        self._company = history.company
        self._objects: dict[str, dict[Key, Change]] = {kind: {} for kind in KINDS}
        self._log: deque[Change] = deque(maxlen=log)
        self._version = FIRST_VERSION
        self._dropped = FIRST_VERSION
        """Changes up to this version are no longer remembered."""
        self._agenda: list[tuple[datetime, str, Callable[[datetime], None]]] = []
        self._workloads: dict[Key, Workload] = {}
        self._pods: dict[Key, list[Pod]] = {}
        self._seen = 0
        self._lock = Lock()
        self._stand_up()

    # reading

    def advance(self, now: datetime) -> int:
        """Apply all that is due; gives the version then."""
        self._history.extend(now)
        with self._lock:
            for deployment in islice(self._history.deployment.values(), self._seen, None):
                self._seen += 1
                self._plan_rollout(deployment)
            while self._agenda and self._agenda[0][0] <= now:
                at, _, do = heapq.heappop(self._agenda)
                do(at)
            return self._version

    def snapshot(self, kind: str) -> tuple[int, list[tuple[Key, Change]]]:
        """(version, the last change of each object, in the order of their keys)."""
        with self._lock:
            return self._version, sorted(self._objects[kind].items(), key=lambda item: item[0])

    def changes(self, kind: str, after: int) -> list[Change] | None:
        """What changed after that version; None when it is too long ago to know."""
        with self._lock:
            if after < self._dropped:
                return None
            return [change for change in self._log if change.version > after and change.kind == kind]

    def ready(self, at: datetime) -> bool:
        """Whether /readyz is well."""
        if not self._slow(at):
            return True
        part = int(at.timestamp()) // PROBE_SLICE
        return random.Random(f"probe/{self._company.seed}/{self.cluster.name}/{part}").random() >= 0.25

    # changing

    @property
    def _created(self) -> datetime:
        """When the cluster itself came up, with all that is no team's."""
        return datetime.combine(self._company.epoch - timedelta(days=30), datetime.min.time(), tzinfo=UTC)

    @property
    def _may_slow(self) -> bool:
        """Only the first cluster falls ill, so that the other one can be compared with it."""
        first = self.cluster.name == self._company.clusters[0].name
        return first and self._history.scenario.trouble is Trouble.CLUSTER_SLOW

    def _slow(self, at: datetime) -> bool:
        return self._may_slow and self._history.scenario.holds(Trouble.CLUSTER_SLOW, at)

    def _plan(self, at: datetime, label: str, do: Callable[[datetime], None]) -> None:
        heapq.heappush(self._agenda, (at, label, do))

    def _put(self, type_: str, kind: str, key: Key, thing: Object) -> None:
        self._version += 1
        change = Change(version=self._version, type=type_, kind=kind, object=thing)
        if type_ == "DELETED":
            del self._objects[kind][key]
        else:
            self._objects[kind][key] = change
        if len(self._log) == self._log.maxlen:
            self._dropped = self._log[0].version
        self._log.append(change)

    def _stand_up(self) -> None:
        start = self._company.start
        old = self._created
        for team in ("kube-system", "monitoring", *(team.id for team in self._company.teams)):
            labels: Labels = () if team in {"kube-system", "monitoring"} else ((TEAM_LABEL, team),)
            self._put("ADDED", "namespaces", ("", team), Namespace(name=team, labels=labels, created=old))
        for node in self.cluster.nodes:
            self._put_node("ADDED", node, since=old, ready=True)
        for workload in [*self._system(old), *self._services(start)]:
            key = (workload.namespace, workload.name)
            self._workloads[key], self._pods[key] = workload, []
            rollout = self._last_rollout(workload)
            for index in range(workload.wanted):
                self._add_pod(workload, rollout + timedelta(seconds=index), f"old/{index}", settled=True)
            self._put_workload("ADDED", workload)
        self._seen = 0
        self._plan(start + EVICTION, "churn/1", lambda at: self._churn(at, 1))
        sick = self.cluster.nodes[:SICK_NODES] if self._may_slow else ()
        for index, node in enumerate(sick):
            self._plan(start + timedelta(seconds=15 + index), f"node/{node}", partial(self._sicken, node=node))
        self._dropped = self._version

    def _system(self, old: datetime) -> list[Workload]:
        """What no team owns."""
        nodes = len(self.cluster.nodes)
        return [
            Workload(kind=kind, namespace=namespace, name=name, labels=(("k8s-app", name),), wanted=n, created=old)
            for kind, namespace, name, n in (
                ("daemonsets", "kube-system", "node-proxy", nodes),
                ("daemonsets", "monitoring", "log-shipper", nodes),
                ("deployments", "kube-system", "cluster-dns", 2),
                ("statefulsets", "monitoring", "metrics-store", 2),
            )
        ]

    def _services(self, start: datetime) -> list[Workload]:
        today = self._company.day(start)
        states = standing(self._company, self.cluster.name)
        found = [
            self._workload(service, states[service.id])
            for service in self._company.services
            if self.cluster.name in service.regions and active(service.kubernetes, today)
        ]
        nightly = [
            replace(
                w, kind="cronjobs", name=f"{w.name}-nightly", wanted=0, marks=Marks()
            )  # jobs stay outside of meshes
            for w in found[::CRON_EVERY]
        ]
        return found + nightly

    def _workload(self, service: Service, state: MemberState) -> Workload:
        begun = max(service.kubernetes[-1][0], -60)
        created = datetime.combine(self._company.epoch + timedelta(days=begun), datetime.min.time(), tzinfo=UTC)
        return Workload(
            kind="statefulsets" if stateful(service) else "deployments",
            namespace=service.team,
            name=service.id,
            labels=(
                ("app.kubernetes.io/name", service.id),
                ("app.kubernetes.io/part-of", service.id),
                (TEAM_LABEL, service.team),
            ),
            wanted={"tier-1": 3, "tier-2": 2}.get(service.tier, 1),
            created=created + timedelta(hours=10),
            marks=self._marks(service, state),
        )

    def _marks(self, service: Service, state: MemberState) -> Marks:
        """What it is built upon, and how it stands to the mesh of this cluster, as that wants it said."""
        mesh, built = meshes(self._company)[self.cluster.name], (BASE, base(service.id))
        if state is MemberState.OUTSIDE:
            return Marks(annotations=(built,))
        inside = state is MemberState.IN_MESH
        proxy = PROXIES[mesh] if inside else ""
        if mesh == ISTIO:
            labels = (("sidecar.istio.io/inject", str(inside).lower()),)
            return Marks(labels=labels, annotations=(built,), proxy=proxy)
        said = ("linkerd.io/inject", "enabled" if inside else "disabled")
        return Marks(annotations=(built, said), proxy=proxy)

    def _last_rollout(self, workload: Workload) -> datetime:
        done = [
            d.ended
            for d in self._history.deployments.get(workload.name, ())
            if d.environment == f"production-{self.cluster.name}"
            and d.result == "success"
            and d.ended <= self._company.start
        ]
        return max([workload.created, *(at - timedelta(seconds=60) for at in done[-1:])])

    def _start_seconds(self, rng: random.Random, at: datetime) -> float:
        if self._slow(at):
            return 62 + rng.lognormvariate(3.4, 0.6)
        return 1.5 + rng.lognormvariate(1.3, 0.6)

    def _add_pod(self, workload: Workload, at: datetime, label: str, *, settled: bool = False) -> Pod:
        key = (workload.namespace, workload.name)
        name = f"{workload.name}-{sha_of(self.cluster.name, *key, label)[:10]}"
        rng = random.Random(f"pod/{self._company.seed}/{self.cluster.name}/{name}/{label}")
        pod = Pod(
            name=name,
            namespace=workload.namespace,
            owner_kind=workload.kind,
            owner=workload.name,
            labels=workload.labels,
            node=rng.choice(self.cluster.nodes),
            created=at,
            marks=workload.marks,
            ready=(at + timedelta(seconds=self._start_seconds(rng, at))).replace(microsecond=0),
        )
        self._pods[key].append(pod)
        self._put("ADDED", "pods", (pod.namespace, pod.name), PodState(pod=pod, ready=settled))
        if settled:
            self.started.append(pod)
        return pod

    def _put_workload(self, type_: str, workload: Workload) -> None:
        key = (workload.namespace, workload.name)
        ready = sum(self._is_ready(pod) for pod in self._pods[key])
        self._put(type_, workload.kind, key, WorkloadState(workload=workload, ready=min(ready, workload.wanted)))

    def _is_ready(self, pod: Pod) -> bool:
        return self._objects["pods"][pod.namespace, pod.name].object == PodState(pod=pod, ready=True)

    def _put_node(self, type_: str, name: str, *, since: datetime, ready: bool) -> None:
        node = Node(
            name=name,
            version=self.cluster.version,
            created=self._created,
            since=since,
            ready=ready,
            cordoned=name in self.cluster.cordoned,
        )
        self._put(type_, "nodes", ("", name), node)

    def _sicken(self, at: datetime, node: str) -> None:
        """Nodes fall ill once the cluster is slow; until then somebody looks again every 15 s."""
        if self._slow(at):
            self._put_node("MODIFIED", node, since=at, ready=False)
        else:
            self._plan(at + timedelta(seconds=15), f"node/{node}", partial(self._sicken, node=node))

    def _plan_rollout(self, deployment: Deployment) -> None:
        begin = dict(deployment.statuses)["in_progress"]
        here = deployment.environment == f"production-{self.cluster.name}"
        if not here or deployment.result != "success" or begin <= self._company.start:
            return
        workload = self._workloads.get((deployment.repo.team, deployment.repo.name))
        if workload:
            label = f"rollout/{deployment.id}"
            self._plan(begin, label, lambda at: self._replace(at, workload, label, len(self._pods_of(workload))))

    def _pods_of(self, workload: Workload) -> list[Pod]:
        return self._pods[workload.namespace, workload.name]

    def _replace(self, at: datetime, workload: Workload, label: str, count: int) -> None:
        """New pods come up beside the `count` oldest ones, each of which goes when its successor is ready."""
        leaving = self._pods_of(workload)[:count]
        for index, old in enumerate(leaving):
            new = self._add_pod(workload, at, f"{label}/{index}")
            swap = partial(self._swap, workload=workload, new=new, old=old)
            self._plan(new.ready, f"{label}/{index}/ready", swap)
        self._put_workload("MODIFIED", workload)

    def _swap(self, at: datetime, workload: Workload, new: Pod, old: Pod) -> None:
        self._become_ready(new)
        if old in self._pods_of(workload):
            self._remove(at, workload, old)
        self._put_workload("MODIFIED", workload)

    def _become_ready(self, pod: Pod) -> None:
        if (pod.namespace, pod.name) in self._objects["pods"]:
            self._put("MODIFIED", "pods", (pod.namespace, pod.name), PodState(pod=pod, ready=True))
            self.started.append(pod)

    def _remove(self, at: datetime, workload: Workload, pod: Pod) -> None:
        self._pods_of(workload).remove(pod)
        self.removed[pod.name] = at
        key = (pod.namespace, pod.name)
        self._put("DELETED", "pods", key, PodState(pod=pod, ready=self._is_ready(pod)))

    def _churn(self, at: datetime, number: int) -> None:
        """Something always moves: one pod is evicted and replaced, now and then a job runs."""
        rng = random.Random(f"churn/{self._company.seed}/{self.cluster.name}/{number}")
        self._plan(at + EVICTION, f"churn/{number + 1}", lambda then: self._churn(then, number + 1))
        nightly = [w for w in self._workloads.values() if w.kind == "cronjobs"]
        movable = [w for w in self._workloads.values() if w.kind in {"deployments", "statefulsets"}]
        if number % 10 or not nightly:
            self._replace(at, rng.choice(movable), f"churn/{number}", 1)
        else:
            self._run_job(at, rng.choice(nightly))

    def _run_job(self, at: datetime, cron: Workload) -> None:
        minute = int(at.timestamp()) // 60  # a CronJob names its Jobs so
        job = replace(cron, kind="jobs", name=f"{cron.name}-{minute}", created=at)
        self._pods[job.namespace, job.name] = []
        pod = self._add_pod(job, at, "job")
        self._plan(pod.ready, f"{job.name}/ready", lambda _: self._become_ready(pod))
        self._plan(pod.ready + JOB_RUNS, f"{job.name}/end", lambda then: self._remove(then, job, pod))
