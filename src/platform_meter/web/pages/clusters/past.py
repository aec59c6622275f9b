"""The last four weeks of one cluster, day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from platform_meter.model.facts import Tallied
from platform_meter.model.facts.kubernetes import NODE_READY, ApiRequests, Node, PodStarted
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.model.facts.slis import SliCount, Verdict
from platform_meter.web.charts import Chart, Series
from platform_meter.web.pages.clusters.seen import Cluster
from platform_meter.web.related import DAYS, given, why_none
from platform_meter.web.view import View

PROMISED = 60.0
"""Seconds, a bound, within which pods are counted as started."""


def past(view: View, cluster: Cluster) -> Iterator[Chart]:
    """A chart each of how its API answered, how its pods started and how its nodes stood."""
    days = view.days(DAYS)
    last = days[-1] + timedelta(days=1)
    parts = defaultdict[tuple[str, date], list[float]](lambda: [0.0, 0.0])

    def add(what: str, day: date, amount: float, *, good: bool) -> None:
        parts[what, day][0] += amount if good else 0.0
        parts[what, day][1] += amount

    def fresh(kind: type[Tallied[Any]]) -> list[str]:
        return [s.instance for s in given(view, kind, cluster.sources)]

    for probe in view.history.daily(ProbeCheck, fresh(ProbeCheck), days[0], last):
        if probe.dim.target == cluster.target:
            add("probes", probe.day, probe.n, good=probe.dim.result is ProbeResult.OK)
    for request in view.history.daily(ApiRequests, fresh(ApiRequests), days[0], last):
        add("requests", request.day, request.amount, good=request.dim.verdict is Verdict.GOOD)
    for pod in view.history.daily(PodStarted, fresh(PodStarted), days[0], last):
        add("pods", pod.day, pod.n, good=pod.dim.within(PROMISED))
    for minute in view.history.daily(SliCount, fresh(SliCount), days[0], last):
        if minute.dim.sli == f"{cluster.name}/{NODE_READY}":
            add("nodes", minute.day, minute.amount, good=minute.dim.verdict is Verdict.GOOD)

    def series(name: str, what: str) -> Series:
        told = [parts.get((what, day)) for day in days]
        return Series(name=name, values=tuple(one[0] / one[1] if one and one[1] else None for one in told))

    labels, over = tuple(f"{d:%d %b}" for d in days), "The last day is not over, and the axis does not begin at 0."
    own = series("requests that it served", "requests")
    yield Chart(
        title="The API answers",
        caption=f"By day, of our probes of /readyz those answered ok within 5 s, and where the API server's own numbers are read, of its requests those with neither 5xx nor 429. {over}",
        labels=labels,
        series=(series("probes", "probes"), *((own,) if any(v is not None for v in own.values) else ())),
        percent=True,
        zoom=True,
        running=True,
        digits=3,
        absence=f"No data: {why_none(view, ProbeCheck, cluster.sources) or 'not probed in these days'}.",
    )
    yield Chart(
        title="Pods ready within a minute",
        caption=f"By day, of the pods that became ready, from their creation with image pull; those that never did are in no share. {over}",
        labels=labels,
        series=(series("ready within 60 s", "pods"),),
        percent=True,
        zoom=True,
        running=True,
        absence=f"No data: {why_none(view, PodStarted, cluster.sources) or 'no pod was started'}.",
    )
    yield Chart(
        title="Node-minutes ready",
        caption=f"By day. Cordoned nodes, those that are taken away and those younger than 10 minutes are left out. {over}",
        labels=labels,
        series=(series("ready", "nodes"),),
        percent=True,
        zoom=True,
        running=True,
        digits=3,
        absence=f"No data: {why_none(view, Node, cluster.sources) or 'no node was counted'}.",
    )
