"""Overview: is the platform well, is it used, and can these numbers be trusted?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from platform_meter.measures.adoption.seen import OUTSIDE
from platform_meter.measures.ci import success_shares
from platform_meter.measures.delivery.counts import first_told
from platform_meter.model.catalogue.adoption import ADOPTION_ACTIVE_RATIO, ADOPTION_RATIO, ADOPTION_UNITS
from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.catalogue.meter import OBJECTS_SEEN, UNOWNED_OBJECTS
from platform_meter.model.catalogue.support import TICKETS_OPEN
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Tallied
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Deployment, DeploymentDim, DeployResult
from platform_meter.model.facts.kubernetes import Node, PodStarted
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.model.metric import Metric
from platform_meter.slo.burnrate import window_words
from platform_meter.web.charts import Chart, Form, Series, Tone
from platform_meter.web.late import lateness
from platform_meter.web.page import WebPage
from platform_meter.web.pages import slos, support
from platform_meter.web.view import Tile, View, percent, sentence, whole

D = TypeVar("D", bound=Dim)

DAYS = 28
PATIENCE = 1.0
"""Seconds that this page waits for Prometheus."""


OUTCOMES: Mapping[str, Tone | None] = {
    Outcome.INFRA_FAILURE: Tone.BAD,
    Outcome.SUCCESS: None,
    Outcome.USER_FAILURE: None,
    Outcome.SKIPPED: None,
    Outcome.UNKNOWN: None,
    Outcome.CANCELLED: Tone.QUIET,
}
"""From the ground up: what the platform broke stands at the bottom, where days compare best."""


def overview(view: View) -> Mapping[str, Any]:
    found, _ = slos.standings(view, patience=PATIENCE)
    valid = first_told(view.history, view.definitions, view.now)
    return {
        "firing": [_firing(s) for s in sorted(found, key=lambda s: (s.worst_first, s.plan.slo)) if s.firing],
        "tiles": [
            _slos(found),
            _builds(view),
            _deployments(view, valid),
            _nodes(view),
            *_tickets(view),
            _owners(view),
            _sources(view),
        ],
        "charts": [
            _counts(
                view,
                PipelineRun,
                OUTCOMES,
                part=lambda dim: dim.outcome,
                title="Pipeline runs by outcome",
                caption="Ended runs by day and class. Infrastructure failures are the platform's; user failures are the code's; unknown ones no rule could class.",
            ),
            _counts(
                view,
                Deployment,
                dict.fromkeys(DeployResult),
                part=lambda dim: dim.result,
                valid=valid,
                title="Deployments",
                caption="Ended rollouts by day, all environments. Failed ones never served.",
            ),
            _counts(
                view,
                TicketEvent,
                dict.fromkeys((TicketChange.CREATED, TicketChange.RESOLVED)),
                part=lambda dim: dim.change,
                title="Tickets",
                caption="Tickets created and resolved by day, all queues.",
                form=Form.LINES,
            ),
            _pod_start(view),
        ],
        "capabilities": [
            {
                "id": cap.id,
                "title": cap.title or cap.id,
                "mandated": cap.mandated,
                "eligible": _eligible(view, cap.id),
                "active": view.one(ADOPTION_ACTIVE_RATIO, capability=cap.id),
                "adopted": view.one(ADOPTION_RATIO, capability=cap.id),
            }
            for cap in sorted(view.definitions.capabilities, key=lambda cap: cap.mandated)
        ],
    }


def _tile(name: str, value: str, *more: str, level: str = "", href: str = "") -> Tile:
    """What is said beside the number becomes one text."""
    return Tile(name=name, value=value, more="; ".join(m for m in more if m), level=level, href=href)


def _firing(slo: slos.SloNow) -> Mapping[str, Any]:
    """What fires now, the worst alert of it: how many were bad in its long window, and how fast that burns."""
    row = next(r for r in slo.rows if r.fires)
    total = slo.numbers.total.get(row.alert.long.label) if slo.numbers else None
    count = whole(row.bad) if total is None else f"{whole(row.bad)} of {whole(total)}"
    return {
        "slo": slo.plan.slo,
        "display": "" if slo.plan.display == slo.plan.slo else slo.plan.display,
        "level": row.alert.level,
        "owner": slo.plan.owner,
        "text": f"{count} {slo.plan.bad_text} in the last {window_words(row.alert.long.length)}, burn {slos.rate(row.long)}; "
        f"budget left {slos.budget_text(slo.budget)}",
    }


def _slos(found: Sequence[slos.SloNow]) -> Tile:
    """Whether they are met is about their periods; what burns now stands above."""
    budgets = {s.plan.slo: s.budget for s in found if s.budget is not None}
    name, href = "SLOs met", "/slos"
    unknown = f"{len(found) - len(budgets)} without data" if len(found) > len(budgets) else ""
    if not budgets:
        return _tile(name, whole(None), unknown or "no SLO file yet", href=href)
    met = sum(left >= 0 for left in budgets.values())
    burning = sum(bool(s.firing) for s in found)
    worst = min(budgets, key=lambda slo: budgets[slo])
    return _tile(
        name,
        f"{met} of {len(budgets)}",
        f"least budget left: {worst}, {percent(budgets[worst])}",
        f"{burning} burning too fast now" if burning else "",
        unknown,
        level="bad" if met < len(budgets) else "",
        href=href,
    )


def _last(
    view: View, kind: type[Tallied[D]], part: Callable[[D], str], valid: Callable[[int, D], bool] = lambda _, __: True
) -> Counter[str] | None:
    """Valid events of the last 28 days by part of their dim; None where no fresh source gives them."""
    if not view.known(kind):
        return None
    found = Counter[str]()
    for (object_, dim), count in view.counts(kind, view.now - timedelta(days=DAYS), view.now).items():
        found[part(dim)] += count.n if valid(object_, dim) else 0
    return found


def _builds(view: View) -> Tile:
    runs = _last(view, PipelineRun, lambda dim: dim.outcome)
    name, lacking = "Builds the platform did not break", view.lacking(PipelineRun)
    if not runs:
        return _tile(name, whole(None), lacking or "no run ended")
    shares = success_shares(runs)
    return _tile(
        name,
        percent(shares.platform),
        f"{whole(runs[Outcome.INFRA_FAILURE])} of {whole(runs.total())} runs in {DAYS} d were infra failures",
        f"{percent(shares.felt)} felt as success",
        lacking,
    )


def _deployments(view: View, valid: Callable[[int, DeploymentDim], bool]) -> Tile:
    found = _last(view, Deployment, lambda dim: dim.result, valid)
    name, lacking = f"Deployments, {DAYS} d", view.lacking(Deployment)
    if found is None:
        return _tile(name, whole(None), lacking)
    done, failed = found[DeployResult.SUCCESS], found[DeployResult.FAILED]
    return _tile(
        name, whole(done), f"{done / DAYS:.1f} a day, all environments", f"{whole(failed)} more failed", lacking
    )


def _tickets(view: View) -> list[Tile]:
    """Open ones, and which of them are late: of the queues whose sources are fresh."""
    queues, href = view.definitions.ticketing, "/support"
    why = dict.fromkeys(support.absence(view, q) for q in queues) if queues else ("no Ticketing file yet",)
    lacking = "; ".join(w for w in why if w)
    opened = _sum(view, TICKETS_OPEN)
    some = "in all queues" if opened is not None else "" if lacking else "not counted yet"
    found = lateness(view.scene)
    late = [found[q.id] for q in queues if q.slas and q.id in found]
    soon = f"past a goal, {whole(sum(q.soon for q in late))} more about to be"
    aimless = "no queue has a goal" if queues and not any(q.slas for q in queues) else ""
    return [
        _tile("Open tickets", whole(opened), some, lacking, href=href),
        _tile(
            "Late tickets",
            whole(sum(q.late for q in late) if late else None),
            soon if late else aimless,
            lacking,
            href=href,
        ),
    ]


def _nodes(view: View) -> Tile:
    by_state = Counter[str]()
    for labels, value in view.get(CLUSTER_NODES):
        by_state[labels["state"]] += int(value)
    ready, lacking, href = by_state["ready"], view.lacking(Node), "/clusters"
    if not by_state:
        return _tile("Nodes ready", whole(None), lacking or "not counted yet", href=href)
    of = ready + by_state["not_ready"]
    return _tile("Nodes ready", f"{whole(ready)} of {whole(of)}", "cordoned ones left out", lacking, href=href)


def _owners(view: View) -> Tile:
    objects, unowned = _sum(view, OBJECTS_SEEN), _sum(view, UNOWNED_OBJECTS)
    name, href, lacking = "Objects without an owner", "/sources#ownership", view.lacking()
    if not objects or unowned is None:
        return _tile(name, whole(None), lacking or "not counted yet", href=href)
    return _tile(name, percent(unowned / objects), f"{whole(unowned)} of {whole(objects)}", lacking, href=href)


def _sources(view: View) -> Tile:
    states = view.history.sources()
    up = f"{sum(s.fresh for s in states)} of {len(states)}" if states else whole(None)
    return _tile("Sources up", up, view.lacking() or "ages, quota and gaps", href="/sources")


def _sum(view: View, metric: Metric) -> float | None:
    """The sum of all series of a gauge; None where it is absent."""
    values = [value for _, value in view.get(metric)]
    return sum(values) if values else None


def _eligible(view: View, capability: str) -> float | None:
    units = {labels["state"]: v for labels, v in view.get(ADOPTION_UNITS) if labels["capability"] == capability}
    return sum(v for state, v in units.items() if state not in OUTSIDE) if units else None


def _caption(view: View, kind: type[Event], text: str) -> str:
    """What is left out of a number is said below it; where there is none at all, in its place."""
    return f"{text} {sentence(view.lacking(kind))}".rstrip() if view.known(kind) else text


def _counts(
    view: View,
    kind: type[Tallied[D]],
    parts: Mapping[str, Tone | None],
    *,
    part: Callable[[D], str],
    valid: Callable[[int, D], bool] = lambda _, __: True,
    title: str,
    caption: str,
    form: Form = Form.BARS,
) -> Chart:
    """Events by day, with a series for each of `parts`; `part` says to which of them the events of a dim belong.

    There is no number where no fresh source gives them.
    """
    days = view.days(DAYS)
    by_day: list[Counter[str] | None] = [None] * DAYS
    if view.known(kind):
        by_day = [_sums(day, part) for day in view.daily(kind, days, valid)]
    return Chart(
        title=title,
        caption=_caption(view, kind, f"{caption} The last day is not over."),
        labels=tuple(f"{d:%d %b}" for d in days),
        series=tuple(
            Series(
                name=name.replace("_", " "),
                values=tuple(None if day is None else float(day[name]) for day in by_day),
                tone=tone,
            )
            for name, tone in parts.items()
        ),
        form=form,
        running=True,
        absence=f"No data: {view.lacking(kind)}.",
    )


def _sums(by_dim: Mapping[D, int], part: Callable[[D], str]) -> Counter[str]:
    found = Counter[str]()
    for dim, n in by_dim.items():
        found[part(dim)] += n
    return found


def _pod_start(view: View) -> Chart:
    """Share of pods Ready within a minute; exact, since 60 is a bucket bound of the rollups."""
    days = view.days(DAYS)
    shares: list[float | None] = []
    for by_dim in view.daily(PodStarted, days):
        within = total = 0
        for dim, n in by_dim.items():
            total += n
            within += n if dim.within(60) else 0
        shares.append(within / total if total else None)
    return Chart(
        title="Pods ready within a minute",
        caption=_caption(
            view,
            PodStarted,
            "Creation to Ready with image pull, as users feel it. A day without a pod start has no value; the last day is not over.",
        ),
        labels=tuple(f"{d:%d %b}" for d in days),
        series=(Series(name="ready within 60 s", values=tuple(shares)),),
        percent=True,
        absence=f"No data: {view.lacking(PodStarted) or 'no pod was started'}.",
    )


PAGE = WebPage(path="/", title="Overview", place=0, template="overview/overview.html", fill=overview)
