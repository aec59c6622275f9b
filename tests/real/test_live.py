"""The running exporter on a company that lives: what is new appears, counted exactly, and troubles show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from tests.support.company import LOOKBACK, START, Running, company
from tests.support.waiting import same, until

from platform_meter.demo.company.scenarios import Trouble
from platform_meter.demo.truth import OWNER_KINDS
from platform_meter.model.facts.ci import PipelineRun

SECOND = timedelta(seconds=1)
OUTAGE = START + timedelta(minutes=60)
STEPS = 6
"""Of ten minutes, on both sides of the outage."""
COUNTED = {"github", "gitlab", "jenkins", "tekton", "argocd-eu", "argocd-us", "cluster-eu", "cluster-us", "jira"}
"""Sources of what is counted here."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Polls and ticks by itself, once a second; the CI outage begins an hour into live time."""
    with company(
        tmp_path_factory.mktemp("live"),
        teams=8,
        services=40,
        trouble=Trouble.CI_OUTAGE,
        trouble_after=OUTAGE - START,
        every=SECOND,
        often=COUNTED,
    ) as running:
        running.service.start()
        all_of_them = len(running.service.config.sources)
        until(lambda: sum(running.metrics().get("platform_meter_source_up", {}).values()) == all_of_them)
        running.looks.append(running.clock.at)
        yield running


def pods(live: Running) -> dict[tuple[str, ...], float]:
    """Pods that became Ready since the first poll less the lookback, and were not gone before it."""
    found: Counter[tuple[str, ...]] = Counter()
    for cluster in ("eu", "us"):
        gone = live.truth.removed(cluster)
        for pod in live.truth.pods(cluster, live.clock.at):
            if pod.ready >= live.first - LOOKBACK and gone.get(pod.name, live.clock.at) > live.first:
                found[cluster, OWNER_KINDS[pod.owner_kind]] += 1
    return dict(found)


def test_counters_grow_by_the_truth(live: Running) -> None:
    """Step by step of ten minutes, runs, deployments, tickets and pods are counted, none twice and none missed.

    A pod that came and went between two polls counts too: the watch tells it.
    """
    since = live.first - LOOKBACK
    for _ in range(STEPS):
        before = live.counter("platform_pipeline_runs_total", "team", "outcome")
        live.clock.at += timedelta(minutes=10)
        live.looks.append(live.clock.at)
        same(live.runs_counted, lambda: live.counter("platform_pipeline_runs_total", "team", "outcome"))
        same(lambda: pods(live), lambda: live.counter("platform_pod_start_seconds_count", "cluster", "kind"))
        grown = live.counter("platform_pipeline_runs_total", "team", "outcome")
        assert all(grown[key] >= value for key, value in before.items())
    tickets = live.truth.tickets_created(since, live.clock.at + SECOND)
    same(lambda: {(): float(tickets.total())}, lambda: live.counter("platform_tickets_created_total"))
    deployments = live.deployments(since, live.clock.at + SECOND)
    same(lambda: {(): float(deployments.total())}, lambda: live.counter("platform_deployments_total"))


def test_an_outage_shows(live: Running) -> None:
    """Once the runners are out of order, infrastructure failures are a large share of what ends; before, a small one."""

    def share(start: datetime, end: datetime) -> float:
        found: Counter[str] = Counter()
        with live.service.history() as history:
            for (_, dim), count in history.counts(*_github(start, end)).items():
                found[dim.outcome] += count.n
        return found["infra_failure"] / found.total()

    assert share(OUTAGE - timedelta(days=2), OUTAGE) < 0.12
    assert share(OUTAGE + timedelta(minutes=5), live.clock.at) > 0.3
    failed = live.counter("platform_pipeline_runs_total", "outcome")
    assert failed["infra_failure",] > 5


def _github(start: datetime, end: datetime) -> tuple[type[PipelineRun], str, datetime, datetime]:
    return PipelineRun, "github", start, end


def test_nothing_failed(live: Running) -> None:
    """Every stream of every source was read well all along."""
    states = {f"{s.instance}/{s.stream}": s for s in live.service.store.stream_states()}
    assert {name for name, state in states.items() if state.last_error} == set()
    assert len(states) == 83
    assert states["github/api"].polls > STEPS
