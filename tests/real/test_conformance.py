"""Cases of docs/correctness.md that no one folder can show: a store on disk, opened again, and what measures say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.stores import LOOKBACK, NOON, Opener, configured, counted, put, run

from platform_meter.measures.delivery.numbers import GAUGES
from platform_meter.measures.objectives.windows import configured as windows
from platform_meter.model.catalogue.delivery import DORA_SAMPLES
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_WINDOW_EVENTS
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event, Reading, Ref
from platform_meter.model.facts.ci import PIPELINE_RUNS, Outcome, PipelineRun
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult
from platform_meter.model.facts.gitops import GitopsApp, Health, SyncState
from platform_meter.model.measure import Gauging, Measure, Scene
from platform_meter.model.metric import resolve
from platform_meter.model.objective import StoredObjective, StoredSli
from platform_meter.store import Store

DAY = timedelta(days=1)
OBJECTIVE = StoredObjective(
    slo="builds",
    service="ci",
    profile="standard",
    objective=Decimal("0.8"),
    period=28 * DAY,
    period_label="28d",
    windows=(3 * DAY,),
    sli=StoredSli(events=PIPELINE_RUNS),
)
APP = Ref(system="argocd", kind="app", id="argocd/pay")


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opener]:
    made = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield made
    made.close()


def said(
    store: Store, now: datetime, definitions: Definitions, measure: Measure, *kinds: type[Event | Reading]
) -> Mapping[str, Mapping[tuple[str, ...], float | None]]:
    """What a measure says of the store at a moment, by metric and labels."""
    assert isinstance(measure, Gauging)
    found: dict[str, dict[tuple[str, ...], float | None]] = {}
    with store.history(now, [configured("gh", *kinds)]) as history:
        for sample in measure.compute(Scene(history=history, definitions=definitions, now=now)):
            found.setdefault(sample.metric.name, {})[sample.labels] = resolve(sample.value)
    return found


def test_rare_events_outlive_a_restart_and_one_that_comes_late_counts_where_it_ended(opener: Opener) -> None:
    """Five runs in four weeks, one of them failed; after a restart they come again with a failure of two days ago.

    The window of three days held nothing, and holds the late one alone; the 28 days hold each once: 4 good and 2 bad, of
    which a fifth were allowed. The counter has none: all of it ended before anybody looked, which is history.
    """
    definitions = Definitions(objectives=(OBJECTIVE,))
    (measure,) = windows(definitions)
    runs = [run(f"{n}", NOON - n * DAY, outcome=Outcome.SUCCESS) for n in (5, 11, 17, 23)]
    runs.append(run("failed", NOON - 8 * DAY, outcome=Outcome.INFRA_FAILURE))
    store = opener()
    put(store, runs, NOON)
    before = said(store, NOON, definitions, measure, PipelineRun)
    assert before[SLO_WINDOW_EVENTS.name] == {
        ("builds", "3d", "good"): 0, ("builds", "3d", "bad"): 0, ("builds", "28d", "good"): 4, ("builds", "28d", "bad"): 1,
    }  # fmt: skip
    assert before[SLO_BUDGET_REMAINING.name] == {("builds", "28d"): pytest.approx(0.0)}
    store.close()

    again, now = opener(), NOON + LOOKBACK
    late = run("late", NOON - 2 * DAY, outcome=Outcome.INFRA_FAILURE)
    put(again, [*runs, late], now)
    after = said(again, now, definitions, measure, PipelineRun)
    assert after[SLO_WINDOW_EVENTS.name] == {
        ("builds", "3d", "good"): 0, ("builds", "3d", "bad"): 1, ("builds", "28d", "good"): 4, ("builds", "28d", "bad"): 2,
    }  # fmt: skip
    assert after[SLO_BUDGET_REMAINING.name] == {("builds", "28d"): pytest.approx(1 - (2 / 6) / 0.2)}
    assert counted(again) == {("github", "pay", "success"): 0, ("github", "pay", "infra_failure"): 0}


def test_an_app_that_is_deleted_keeps_what_it_deployed(opener: Opener) -> None:
    """Six deployments of an app, which is then gone from the list: it stands nowhere any more, and they still count."""
    store = opener()
    standing = GitopsApp(
        about=APP, project="shop", cluster="eu", namespace="pay", auto_sync=True, sync=SyncState.SYNCED, health=Health.HEALTHY
    )  # fmt: skip
    put(store, [standing, *(_deployed(n) for n in range(1, 7))], NOON, complete=frozenset({GitopsApp}))
    put(store, [], NOON + LOOKBACK, complete=frozenset({GitopsApp}))
    now = NOON + LOOKBACK
    with store.history(now, [configured("gh", GitopsApp)]) as history:
        assert history.readings(GitopsApp) == []
    found = said(store, now, Definitions(), GAUGES, Deployment)
    assert found[DORA_SAMPLES.name]["_unowned", "deployments", "28d"] == 6


def _deployed(days: int) -> Deployment:
    return Deployment(
        key=f"sync/{days}",
        at=NOON - days * DAY,
        about=APP,
        environment="production",
        sha=f"{days:040d}",
        started=NOON - days * DAY - timedelta(minutes=5),
        result=DeployResult.SUCCESS,
        kind=DeployKind.PLANNED,
    )
