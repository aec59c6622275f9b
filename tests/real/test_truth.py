"""What the simulated company knows of itself, against `/metrics`, the store and the pages after a whole import.

Adoption and support have modules of their own beside this one. Counters count what ended after the first poll less the lookback (domain section 4); history and windows hold all.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.support import reference
from tests.support.company import LOOKBACK, START, Running, summed
from tests.support.imported import IMPORT, end, told, whole_days

from platform_meter.demo.apis.kong.routes import CONSUMERS, LIMITED
from platform_meter.demo.apis.kubernetes import conflicts
from platform_meter.demo.company.boards import NOBODYS
from platform_meter.demo.company.gateways import AWS, KONG, NGINX, VERBS, served
from platform_meter.demo.company.mesh import meshes
from platform_meter.demo.company.tickets import COMPONENT_OWNERS, PROJECTS
from platform_meter.demo.truth import DETAIL
from platform_meter.model import catalogue
from platform_meter.model.catalogue.ci import PIPELINE_FLAKY, PIPELINE_UNCLASSIFIED
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.facts.tickets import TicketChange, TicketEvent


def counted_from(running: Running) -> datetime:
    return running.first - LOOKBACK


def stored(running: Running, kind: type[Event], *dims: str) -> Counter[tuple[Any, ...]]:
    """Events in the store by team, the values of these fields, and day."""
    found: Counter[tuple[Any, ...]] = Counter()
    with running.service.history() as history:
        for row in history.rows(kind, START - timedelta(days=400), end(running)):
            said = tuple(str(getattr(row.event, dim)) for dim in dims)
            found[history.owner(row.object).team, *said, running.truth.day(row.event.at)] += 1
    return found


def without_day(found: Counter[tuple[Any, ...]]) -> dict[tuple[Any, ...], float]:
    total: Counter[tuple[Any, ...]] = Counter()
    for key, n in found.items():
        total[key[:-1]] += n
    return dict(total)


def since(found: Counter[Any], first: date) -> Counter[Any]:
    return Counter({key: n for key, n in found.items() if key[-1] >= first})


def test_history_of_pipeline_runs(imported: Running) -> None:
    """Stored runs by team, outcome and day are the truth's; of those older than details go, the last attempt."""
    truth = imported.truth.pipeline_runs(
        START - timedelta(days=400),
        end(imported),
        first=imported.first,
        lookback=LOOKBACK,
    )
    first = whole_days(imported)
    assert since(stored(imported, PipelineRun, "outcome"), first) == since(truth, first)
    assert since(truth, first).total() > 3_000


def test_counter_of_pipeline_runs(imported: Running) -> None:
    """The counter holds exactly what ended since the first poll less the lookback.

    Owners that only repositories themselves tell are known after that poll: what it counted stays as it is.
    """
    truth = imported.runs_counted()
    assert imported.counter("platform_pipeline_runs_total", "team", "outcome") == truth
    assert 20 < sum(truth.values()) < 1_000


def test_history_of_deployments(imported: Running) -> None:
    """Stored deployments by team, environment, result, kind and day are the truth's."""
    names = {"production-eu": "production", "production-us": "production", "preview": "_other"}
    found: Counter[tuple[Any, ...]] = Counter()
    for (team, environment, *rest), n in stored(imported, Deployment, "environment", "result", "kind").items():
        found[team, names.get(environment, "production" if "/" in environment else environment), *rest] += n
    truth = imported.deployments(START - timedelta(days=400), end(imported))
    first = whole_days(imported)
    assert since(found, first) == since(truth, first)
    assert truth.total() > 300


def test_counter_of_deployments(imported: Running) -> None:
    """The counter of deployments holds what ended since the first poll less the lookback."""
    truth = imported.deployments(counted_from(imported), end(imported))
    found = imported.counter("platform_deployments_total", "team", "environment", "result", "kind")
    assert found == without_day(truth)
    assert truth.total() > 3


def test_counter_of_tickets(imported: Running) -> None:
    """Tickets created since the first poll less the lookback, by queue, category and priority at creation."""
    truth = imported.truth.tickets_created(counted_from(imported), end(imported))
    assert imported.counter("platform_tickets_created_total", "queue", "category", "priority") == without_day(truth)
    assert truth.total() > 0


def test_open_tickets(imported: Running) -> None:
    """Open tickets by queue and priority are the truth's, less those closed as no valid ticket."""
    truth = imported.truth.tickets_open(imported.clock.at)
    assert imported.counter("platform_tickets_open", "queue", "priority") == {k: n for k, n in truth.items() if n}
    assert truth.total() > 5


def test_nodes(imported: Running) -> None:
    """Nodes by state are what stands in each cluster."""
    for cluster in ("eu", "us"):
        found = {
            k[1]: n
            for k, n in imported.counter("platform_cluster_nodes", "cluster", "state").items()
            if k[0] == cluster
        }
        assert found == {k: n for k, n in imported.truth.nodes(cluster, imported.clock.at).items() if n}


def test_pods_started(imported: Running) -> None:
    """Pods that became Ready since the first poll less the lookback, and stood when one of the polls looked."""
    truth: Counter[tuple[str, str]] = Counter()
    for cluster in ("eu", "us"):
        gone = imported.truth.removed(cluster)
        for pod in imported.truth.pods(cluster, imported.clock.at):
            looks = [at for at in imported.looks if pod.ready <= at < gone.get(pod.name, end(imported))]
            if pod.ready >= counted_from(imported) and looks:
                kind = {"deployments": "deployment", "statefulsets": "statefulset", "jobs": "job"}[pod.owner_kind]
                truth[cluster, kind] += 1
    assert imported.counter("platform_pod_start_seconds_count", "cluster", "kind") == dict(truth)
    assert truth.total() > 20


def test_objects_without_an_owner(imported: Running) -> None:
    """Repositories and routes that nothing says the owner of, what belongs to the clusters themselves, topics that no team has,
    dashboards in no folder, and the monitor of a machine that is gone.
    """
    company, at = imported.world.company, imported.clock.at
    teams = {team.id for team in company.teams}
    spaces = [name for c in imported.world.clusters.values() for (_, name), _ in c.snapshot("namespaces")[1]]
    limited = served(company, imported.world.scenario, KONG)[::LIMITED]
    assert imported.counter("platform_meter_unowned_objects", "source", "kind") == {
        ("github", "repository"): sum(repo.team == "_unowned" for repo in company.repos),
        ("jira", "project"): sum(topic not in COMPONENT_OWNERS for topic in PROJECTS[0].topics),
        ("kong", "route"): imported.truth.gateway_routes(KONG)["_unowned"],
        ("kong", "consumer"): len(CONSUMERS),
        **({("kong", "plugin"): n} if (n := sum(route.service is None for route in limited)) else {}),
        ("nginx", "route"): imported.truth.gateway_routes(NGINX)["_unowned"],
        ("apigateway", "route"): imported.truth.gateway_routes(AWS)["_unowned"],
        ("apigateway", "stage"): imported.truth.gateway_routes(AWS)["_unowned"] / len(VERBS),
        ("kubernetes", "namespace"): sum(name not in teams for name in spaces),
        ("kubernetes", "workload"): sum(imported.truth.workloads(c.name, at)["_unowned"] for c in company.clusters),
        ("datadog", "monitor"): 1,
        ("grafana", "dashboard"): NOBODYS,
        **{(m, "workload"): imported.truth.workloads(name, at)["_unowned"] for name, m in meshes(company).items()},
    }


def test_objects_that_two_rules_give_to_two_teams(imported: Running) -> None:
    """A rule that names another team than the labels of a workload wins, and is counted where the workload stands, and where it serves."""
    standing = {key for key, _ in imported.world.clusters["eu"].snapshot("deployments")[1]}
    ruled = [(tuple(match.split("/")[1::2]), team) for match, team in conflicts(imported.world.company).items()]
    disputed = [place for place, team in ruled if place in standing and place[0] != team]
    found = imported.counter("platform_meter_ownership_conflicts", "source", "kind")
    meshed = imported.truth.mesh_requests("eu", START, START)
    expected = {
        ("kubernetes", "workload"): len(disputed),
        ("istio", "workload"): len(disputed),
        ("istio", "service"): sum(name in meshed for _, name in disputed),
    }
    assert found == {key: n for key, n in expected.items() if n}


@pytest.mark.parametrize("days", [28, 91])
def test_flaky_and_unclassified(imported: Running, days: int) -> None:
    """Both ratios of every team are what a second, plain computation finds."""
    at = imported.clock.at
    attempts = [
        ran
        for ran in imported.truth.attempts(at - timedelta(days=days), at, details_since=imported.first - DETAIL)
        if ran.run.created >= imported.first - IMPORT
    ]
    for metric, truth in (
        (PIPELINE_FLAKY, reference.flaky(attempts)),
        (PIPELINE_UNCLASSIFIED, reference.unclassified(attempts)),
    ):
        found = {k: v for k, v in imported.metrics()[metric.name].items() if dict(k)["system"] == "github"}
        assert {dict(k)["team"]: v for k, v in found.items() if dict(k)["window"] == f"{days}d"} == pytest.approx(truth)
        assert len(truth) >= 5


# Pages


def days_shown(imported: Running, count: int = 28) -> list[date]:
    today = imported.truth.day(imported.clock.at)
    return [today - timedelta(days=n) for n in range(count - 1, -1, -1)]


def test_overview_of_runs(imported: Running) -> None:
    """The data table of runs by outcome holds the truth of each of 28 days."""
    cells = imported.tables("/")["Last 28 days / Pipeline runs by outcome"].cells()
    truth: Counter[tuple[str, str]] = Counter()
    runs = imported.truth.pipeline_runs(
        START - timedelta(days=40),
        end(imported),
        first=imported.first,
        lookback=LOOKBACK,
    )
    for (_, outcome, day), n in runs.items():
        truth[f"{day:%d %b}", outcome.replace("_", " ")] += n
    shown = {f"{day:%d %b}" for day in days_shown(imported)}
    assert {key: n for key, n in cells.items() if n != "0"} == {k: f"{n:,}" for k, n in truth.items() if k[0] in shown}


def test_overview_of_deployments_and_tickets(imported: Running) -> None:
    """The data tables of deployments by result, and of tickets created, hold the truth of each of 28 days."""
    tables = imported.tables("/")
    deployments: Counter[tuple[str, str]] = Counter()
    for (_, _, result, _, day), n in imported.deployments(START - timedelta(days=40), end(imported)).items():
        deployments[f"{day:%d %b}", result] += n
    created: Counter[str] = Counter()
    for (_, _, _, day), n in imported.truth.tickets_created(START - timedelta(days=40), end(imported)).items():
        created[f"{day:%d %b}"] += n
    shown = {f"{day:%d %b}" for day in days_shown(imported)}
    cells = tables["Last 28 days / Deployments"].cells()
    assert {k: n for k, n in cells.items() if n != "0"} == {
        k: f"{n:,}" for k, n in deployments.items() if k[0] in shown
    }
    cells = tables["Last 28 days / Tickets"].cells()
    found = {day: n for (day, what), n in cells.items() if what == "created" and n != "0"}
    assert found == {k: f"{n:,}" for k, n in created.items() if k in shown}


def test_support_page(imported: Running) -> None:
    """Tickets by week and category on the Support page are the truth's, for each of 13 weeks."""
    today = imported.truth.day(imported.clock.at)
    monday = today - timedelta(days=today.weekday())
    weeks = [monday - timedelta(weeks=n) for n in range(13)]
    for queue in ("platform-support", "developer-help"):
        truth: Counter[tuple[str, str]] = Counter()
        for (of, category, _, day), n in imported.truth.tickets_created(START - IMPORT, end(imported)).items():
            week = day - timedelta(days=day.weekday())
            if of == queue and week in weeks[:-1]:
                truth[f"{week:%d %b}", category] += n
        table = imported.tables("/support")[f"{queue} / Tickets created by category"]
        named = set(table.columns[1:]) - {"all others"}
        merged: Counter[tuple[str, str]] = Counter()
        for (label, category), n in truth.items():
            merged[label, category if category in named else "all others"] += n
        last = f"{weeks[-1]:%d %b}"
        assert {k: n for k, n in table.cells().items() if n != "0" and k[0] != last} == {
            k: f"{n:,}" for k, n in merged.items()
        }


def test_adoption_page_says_what_metrics_say(imported: Running) -> None:
    """The states on the Adoption page are those of `/metrics`; where these say nothing yet, the page does not either."""
    units = imported.metrics()["platform_adoption_units"]
    tables = imported.tables("/adoption")
    for capability in imported.service.definitions.capabilities:
        title = f"{capability.title}{' mandated' if capability.mandated else ''} / Now"
        table = tables[title]
        shown = {row[0]: row[1] for row in (table.columns, *table.rows)}
        of = {dict(k)["state"]: v for k, v in units.items() if dict(k)["capability"] == capability.id}
        unknown = capability.active.count is not None and capability.active.window > timedelta(days=1)
        assert bool(of) is not unknown
        assert shown == (
            dict.fromkeys(shown, "–") if unknown else {k.replace("_", " "): f"{n:,.0f}" for k, n in of.items()}
        )


def test_ticket_history(imported: Running) -> None:
    """Each stored ticket has as many steps of each kind as happened to it."""
    with imported.service.history() as history:
        rows = list(history.rows(TicketEvent, START - timedelta(days=400), end(imported)))
    born = [row.event for row in rows if row.event.change is TicketChange.CREATED]
    created, names = Counter(event.name for event in born), {event.ticket: event.name for event in born}
    comments = Counter(names[row.event.ticket] for row in rows if row.event.change is TicketChange.COMMENT)
    tickets = told(imported)
    assert created == Counter({t.key: 1 for t, _ in tickets})
    assert comments == Counter({t.key: n for t, steps in tickets if (n := sum(bool(s.comment) for s in steps))})


def test_counters_show_the_same_in_both_formats(imported: Running) -> None:
    """A page of numbers has no second opinion: the store's counters are those of `/metrics`."""
    found = imported.metrics()
    for row in imported.service.store.counters():
        name = f"{row.metric}_count" if row.buckets is not None else row.metric
        labels = dict(zip(catalogue.ALL[row.metric].labels, row.labels, strict=True))
        assert found[name][tuple(sorted(labels.items()))] == row.value
    assert summed(found["platform_meter_events_total"], "kind").keys() >= {("PipelineRun",), ("TicketEvent",)}
