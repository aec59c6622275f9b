"""Clusters: does each answer, do pods start in it, whose is what runs there, and which does nobody measure?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platform_meter.model.catalogue.kubernetes import CLUSTER_MEASURED
from platform_meter.model.facts.instances import REPORTED, Instances
from platform_meter.model.facts.kubernetes import (
    POD_START_BUCKETS,
    ApiRequests,
    CloudCluster,
    Node,
    NodeState,
    PodStarted,
    Workload,
)
from platform_meter.model.facts.probes import ProbeCheck
from platform_meter.model.metric import UNOWNED
from platform_meter.model.objective import StoredSli
from platform_meter.web.bounds import failed_words
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.pages.clusters.evidence import SHOWN, evidence, gitops
from platform_meter.web.pages.clusters.past import PROMISED, past
from platform_meter.web.pages.clusters.seen import (
    Checks,
    Cluster,
    Starts,
    checks,
    clusters,
    nodes,
    served,
    starts,
    waiting,
)
from platform_meter.web.related import DAY, DAYS, WEEK, given, groups, names, slos, why_none
from platform_meter.web.view import Tile, View, percent, sentence, whole

OFF = (NodeState.NOT_READY, NodeState.CORDONED)
CLUSTER = """
sources:
  cluster-eu:
    type: kubernetes
    cluster: eu
    context: prod-eu
"""
CLOUDS = """
sources:
  clusters-eu:
    type: clusters
    eks: {region: eu-central-1}
"""


def page(view: View) -> Mapping[str, Any]:
    """All of them, and those that clouds list and nobody reads."""
    found = [_line(view, cluster) for cluster in clusters(view)]
    listed = [(labels, value) for labels, value in view.get(CLUSTER_MEASURED)]
    return {
        "tiles": _tiles(view, found, listed),
        "lines": found,
        "absence": view.lacking(Workload),
        "cluster": CLUSTER,
        "clouds": CLOUDS,
        "listed": bool(listed),
        "no_clouds": view.lacking(CloudCluster) or "the clouds list none",
        "asked": bool(view.history.sources(CloudCluster)),
        "unmeasured": [labels for labels, value in listed if not value],
    }


def _line(view: View, cluster: Cluster) -> Mapping[str, Any]:
    week, states = starts(view, cluster, WEEK)[""], nodes(view, cluster.name)
    return {
        "name": cluster.name,
        "api": checks(view, cluster, DAY).share,
        "nodes": states,
        "ready": _ready(states),
        "half": week.took.most(0.5, POD_START_BUCKETS),
        "most": week.took.most(0.95, POD_START_BUCKETS),
        "waiting": waiting(view, cluster.name),
        "never": week.never,
        "workloads": None if cluster.workloads is None else len(cluster.workloads),
        "unowned": cluster.unowned,
        "why": why_none(view, Workload, cluster.sources),
    }


def _ready(states: Mapping[NodeState, float] | None) -> str:
    """Of the nodes that should be ready; a cordoned one need not be."""
    if states is None:
        return "–"
    ready = states.get(NodeState.READY, 0.0)
    return f"{whole(ready)} of {whole(ready + states.get(NodeState.NOT_READY, 0.0))}"


def _tiles(
    view: View, found: Sequence[Mapping[str, Any]], listed: Sequence[tuple[Mapping[str, str], float]]
) -> list[Tile]:
    states = [line["nodes"] for line in found if line["nodes"] is not None]
    ready = {s: sum(one.get(s, 0.0) for one in states) for s in NodeState} if states else None
    waits = [line["waiting"] for line in found if line["waiting"] is not None]
    alone = sum(not value for _, value in listed)
    return [
        Tile(name="Clusters read", value=whole(len(found)) if found else "–", more=view.lacking(Workload)),
        Tile(
            name="Measured by nobody",
            value=whole(alone if listed else None),
            more=f"of {whole(len(listed))} that clouds list" if listed else view.lacking(CloudCluster) or "none listed",
            level="bad" if alone else "",
            href="#unmeasured",
        ),
        Tile(
            name="Nodes ready",
            value=_ready(ready),
            more=f"{whole(ready[NodeState.CORDONED])} more cordoned"
            if ready
            else view.lacking(Node) or "not counted yet",
            level="bad" if ready and ready[NodeState.NOT_READY] else "",
        ),
        Tile(
            name="Pods waiting",
            value=whole(sum(waits) if waits else None),
            more="have a node and do not start" if waits else "not told",
            level="warn" if sum(waits) else "",
        ),
    ]


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """One cluster; None for a name that nothing stands under."""
    cluster = next((one for one in clusters(view) if one.name == name), None)
    if cluster is None:
        return None
    week = starts(view, cluster, WEEK)
    own, apps = served(view, cluster, DAY), gitops(view, name, DAY)
    api = checks(view, cluster, DAY), checks(view, cluster, timedelta(days=DAYS))
    return {
        "cluster": cluster,
        "absence": why_none(view, Workload, cluster.sources),
        "tiles": _tiles_of(view, cluster, week[""], *api),
        "slos": slos(view, lambda sli: _counts(sli, cluster)),
        "charts": list(past(view, cluster)),
        "served": own,
        "asked": bool(given(view, ApiRequests, cluster.sources)),
        "starts": [(kind, one) for kind, one in week.items() if kind],
        "no_starts": sentence(why_none(view, PodStarted, cluster.sources) or "no pod started in 7 days"),
        "bounds": POD_START_BUCKETS,
        "promised": PROMISED,
        "teams": _teams(cluster),
        "more_teams": max(0, len(cluster.teams) - SHOWN),
        "evidence": evidence(view, cluster),
        "gitops": apps,
        "shown": SHOWN,
        "groups": groups(view, lambda one: one.cluster == name),
        "no_groups": sentence(view.lacking(Instances) or "no instances are expected in this cluster"),
        "unowned": UNOWNED,
        "fine": failed_words,
    }


def _tiles_of(view: View, cluster: Cluster, week: Starts, day: Checks, past: Checks) -> list[Tile]:
    states = nodes(view, cluster.name)
    off = [f"{whole(states[s])} {s.replace('_', ' ')}" for s in OFF if states and states.get(s)]
    stuck = waiting(view, cluster.name)
    never = "" if week.never is None else f"{whole(week.never)} never became ready in 7 d"
    return [
        Tile(
            name="API answered",
            value=percent(day.share),
            more=f"of {whole(day.all)} probes in 24 h; {percent(past.share)} in {DAYS} d"
            if past.share is not None
            else "fewer than 5 probes so far"
            if past.all
            else why_none(view, ProbeCheck, cluster.sources) or "not probed yet",
            level="bad" if day.share is not None and day.ok < day.all else "",
            href="#past",
        ),
        Tile(
            name="Nodes ready",
            value=_ready(states),
            more=", ".join(off) or why_none(view, Node, cluster.sources),
            href="#past",
        ),
        Tile(
            name="95 % of pods ready within",
            value=week.took.most(0.95, POD_START_BUCKETS),
            more=f"half within {week.took.most(0.5, POD_START_BUCKETS)}, of {whole(week.took.total)} in 7 d",
            href="#pods",
        ),
        Tile(name="Pods waiting", value=whole(stuck), more=never, level="warn" if stuck else "", href="#pods"),
        Tile(
            name="Without an owner",
            value=percent(cluster.unowned),
            more=f"{whole(cluster.teams[UNOWNED])} of {whole(cluster.teams.total())} workloads"
            if cluster.teams
            else "",
            href="/sources#ownership",
        ),
    ]


def _counts(sli: StoredSli, cluster: Cluster) -> bool | None:
    """Whether an SLO counts something of this cluster."""
    if sli.events.event is ProbeCheck:
        return True if sli.where.get("target") == cluster.target else None
    named = names(sli, "cluster", cluster.name)
    # Instances of all clusters may be of a kind that this one has none of.
    return named or (None if sli.events is REPORTED else named)


def _teams(cluster: Cluster) -> list[tuple[str, int, float]]:
    """(team, workloads, share), those with most first."""
    total = cluster.teams.total()
    ordered = sorted(cluster.teams.items(), key=lambda one: (-one[1], one[0]))
    return [(team, n, n / total) for team, n in ordered[:SHOWN]]


PAGE = WebPage(
    path="/clusters",
    title="Clusters",
    place=5,
    template="clusters/clusters.html",
    fill=page,
    detail=Detail(template="clusters/cluster.html", fill=detail),
)
