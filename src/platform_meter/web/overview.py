"""Overview: is the platform well, is it used, and can these numbers be trusted?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from platform_meter.measures import catalogue as c
from platform_meter.measures.ci import success_shares
from platform_meter.model.facts import (
    Deployment,
    DeployResult,
    Outcome,
    PipelineRun,
    PodStarted,
    TicketChange,
    TicketEvent,
)
from platform_meter.web.charts import Chart, Form, Series
from platform_meter.web.view import View, percent, whole

DAYS = 28
OUTCOMES = (
    Outcome.SUCCESS,
    Outcome.USER_FAILURE,
    Outcome.CANCELLED,
    Outcome.INFRA_FAILURE,
    Outcome.SKIPPED,
    Outcome.UNKNOWN,
)
"""In the order of their colours: what the platform broke must stand out."""


def overview(view: View) -> Mapping[str, Any]:
    days = view.days(DAYS)
    labels = tuple(f"{d:%d %b}" for d in days)
    start = view.now - timedelta(days=DAYS)
    runs = view.counts(PipelineRun, start, view.now)
    by_outcome: dict[str, int] = dict.fromkeys(Outcome, 0)
    for (_, dim), count in runs.items():
        by_outcome[dim] += count.n
    shares = success_shares(by_outcome)
    daily_runs = view.daily(PipelineRun, days)
    daily_deploys = view.daily(Deployment, days)
    daily_tickets = view.daily(TicketEvent, days)
    deployments = sum(c_.n for c_ in view.counts(Deployment, start, view.now).values())
    objects = sum(v for _, v in view.get(c.OBJECTS))
    unowned = sum(v for _, v in view.get(c.UNOWNED_OBJECTS))
    states = view.history.sources()
    return {
        "tiles": [
            (
                "Pipeline runs the platform did not break, 28 d",
                percent(shares.platform),
                f"{percent(shares.felt)} felt as success by users; {whole(sum(by_outcome.values()))} runs",
            ),
            ("Deployments, 28 d", whole(deployments), f"{deployments / DAYS:.1f} a day, all environments"),
            (
                "Open tickets",
                whole(sum(v for _, v in view.get(c.TICKETS_OPEN))),
                f"{whole(sum(v for _, v in view.get(c.TICKET_AT_RISK)))} at risk of missing a goal",
            ),
            ("Nodes ready", _nodes(view), "cordoned ones left out"),
            (
                "Objects without an owner",
                percent(unowned / objects if objects else None),
                f"{whole(unowned)} of {whole(objects)}",
            ),
            ("Sources up", f"{sum(s.fresh for s in states)} of {len(states)}", "see Sources for ages, quota and gaps"),
        ],
        "charts": [
            Chart(
                title="Pipeline runs by outcome",
                caption="Ended runs by day and class. Infrastructure failures are the platform's; user failures are the code's; unknown ones no rule could class.",
                labels=labels,
                series=tuple(
                    Series(name=o.replace("_", " "), values=tuple(float(d.get(o, 0)) for d in daily_runs))
                    for o in OUTCOMES
                ),
                form=Form.BARS,
            ),
            Chart(
                title="Deployments",
                caption="Ended rollouts by day, all environments. Failed ones never served.",
                labels=labels,
                series=tuple(
                    Series(
                        name=r,
                        values=tuple(
                            float(sum(n for dim, n in d.items() if dim.split("|")[1] == r)) for d in daily_deploys
                        ),
                    )
                    for r in DeployResult
                ),
                form=Form.BARS,
            ),
            Chart(
                title="Tickets",
                caption="Tickets created and resolved by day, all queues.",
                labels=labels,
                series=tuple(
                    Series(name=t, values=tuple(float(d.get(t, 0)) for d in daily_tickets))
                    for t in (TicketChange.CREATED, TicketChange.RESOLVED)
                ),
            ),
            _pod_start(view, labels),
        ],
        "capabilities": [
            {
                "id": cap.id,
                "title": cap.title or cap.id,
                "mandated": cap.mandated,
                "eligible": _eligible(view, cap.id),
                "active": view.one(c.ADOPTION_ACTIVE_RATIO, capability=cap.id),
                "adopted": view.one(c.ADOPTION_RATIO, capability=cap.id),
            }
            for cap in view.definitions.capabilities
        ],
    }


def _eligible(view: View, capability: str) -> float:
    left_out = ("not_eligible", "exempt")
    return sum(
        v
        for labels, v in view.get(c.ADOPTION_UNITS)
        if labels["capability"] == capability and labels["state"] not in left_out
    )


def _nodes(view: View) -> str:
    by_state: dict[str, float] = {}
    for labels, value in view.get(c.CLUSTER_NODES):
        by_state[labels["state"]] = by_state.get(labels["state"], 0) + value
    if not by_state:
        return "–"
    ready, not_ready = by_state.get("ready", 0), by_state.get("not_ready", 0)
    return f"{whole(ready)} of {whole(ready + not_ready)}"


def _pod_start(view: View, labels: tuple[str, ...]) -> Chart:
    """Share of pods Ready within a minute; exact, since 60 is a bucket bound of the rollups."""
    shares: list[float | None] = []
    for by_dim in view.daily(PodStarted, view.days(DAYS)):
        within = total = 0
        for dim, n in by_dim.items():
            bucket = dim.split("|")[1]
            total += n
            within += n if bucket != "+Inf" and float(bucket) <= 60 else 0
        shares.append(within / total if total else None)
    return Chart(
        title="Pods ready within a minute",
        caption="Creation to Ready with image pull, as users feel it. A day without a pod start has no value.",
        labels=labels,
        series=(Series(name="ready within 60 s", values=tuple(shares)),),
        percent=True,
    )
