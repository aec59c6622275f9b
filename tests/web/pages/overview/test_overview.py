"""The Overview page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.adoption import capability
from tests.support.history import MemoryHistory, owner, source
from tests.support.our_slos import our_plans
from tests.support.stores import configured, counted, open_at, put, run
from tests.support.tickets import created, ticketing
from tests.support.views import html, rows, tables, view

from platform_meter.measures import load
from platform_meter.model.catalogue.adoption import ADOPTION_ACTIVE_RATIO, ADOPTION_UNITS
from platform_meter.model.catalogue.delivery import DEPLOYMENTS
from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.catalogue.meter import OBJECTS_SEEN, UNOWNED_OBJECTS
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_BURN, SLO_WINDOW_EVENTS
from platform_meter.model.catalogue.support import TICKETS_OPEN
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult
from platform_meter.model.facts.kubernetes import PodStarted
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Counting
from platform_meter.model.metric import Metric
from platform_meter.model.objective import StoredSli
from platform_meter.model.source import Outside, Unreachable
from platform_meter.slo.plan import Plan
from platform_meter.slo.stored import stored_objective
from platform_meter.testing.outside import FakeOutside
from platform_meter.web.charts import Tone
from platform_meter.web.pages.overview import overview
from platform_meter.web.view import Tile, View

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
POD = Ref(system="kubernetes", kind="pod", id="eu/pay/x")


def pod(key: str, seconds: float, at: datetime = NOW) -> PodStarted:
    return PodStarted(key=key, at=at, about=POD, cluster="eu", owner_kind="deployment", seconds=seconds)


def deployed(key: str, result: DeployResult) -> Deployment:
    about = Ref(system="github", kind="repository", id="acme/pay")
    at = NOW - timedelta(days=3)
    return Deployment(key=key, at=at, about=about, environment="prod", sha=key, result=result, kind=DeployKind.PLANNED)


def tiles(seen: View) -> dict[str, tuple[str, str]]:
    return {tile.name: (tile.value, tile.more) for tile in overview(seen)["tiles"]}


def test_the_tiles_say_what_is_true_now() -> None:
    """Runs the platform did not break leave out what was cancelled; nodes leave out the cordoned ones."""
    outcomes = [Outcome.SUCCESS] * 6 + [Outcome.USER_FAILURE] * 3 + [Outcome.INFRA_FAILURE] + [Outcome.CANCELLED] * 5
    told = [("gh", owner("pay"), run(str(n), NOW - timedelta(hours=n), outcome=o)) for n, o in enumerate(outcomes, 1)]
    counted = rows(
        (CLUSTER_NODES, ("eu", "ready"), 9.0),
        (CLUSTER_NODES, ("eu", "not_ready"), 1.0),
        (CLUSTER_NODES, ("eu", "cordoned"), 3.0),
        (OBJECTS_SEEN, ("github", "repository"), 8.0),
        (UNOWNED_OBJECTS, ("github", "repository"), 2.0),
    )
    found = tiles(view(NOW, MemoryHistory(told, sources=[source("gh", watermark=NOW)]), rows=counted))
    assert found["Builds the platform did not break"] == (
        "90.0 %",
        "1 of 15 runs in 28 d were infra failures; 60.0 % felt as success",
    )
    assert found["Deployments, 28 d"] == ("0", "0.0 a day, all environments; 0 more failed")
    assert found["Nodes ready"] == ("9 of 10", "cordoned ones left out")
    assert found["Objects without an owner"] == ("25.0 %", "2 of 8")
    assert found["Sources up"] == ("1 of 1", "ages, quota and gaps")


def test_a_failed_rollout_is_no_deployment() -> None:
    """It never served, so it is counted apart."""
    results = [DeployResult.SUCCESS] * 14 + [DeployResult.FAILED] * 2
    told = [("gh", owner("pay"), deployed(str(n), result)) for n, result in enumerate(results)]
    seen = view(NOW, MemoryHistory(told, sources=[source("gh", watermark=NOW)]))
    assert tiles(seen)["Deployments, 28 d"] == ("14", "0.5 a day, all environments; 2 more failed")


HELP = Definitions(ticketing=(ticketing(),), capabilities=(capability(),))
NAMES = [
    "SLOs met",
    "Builds the platform did not break",
    "Deployments, 28 d",
    "Nodes ready",
    "Open tickets",
    "Late tickets",
    "Objects without an owner",
    "Sources up",
]


def test_an_environment_may_have_any_name(tmp_path: Path) -> None:
    """Also one with what separates words in the store: its rollout is a deployment, on the page as in the counter."""
    countings = [m for m in load(Definitions()) if isinstance(m, Counting)]
    store = open_at(f"sqlite:///{tmp_path / 'meter.db'}", countings=countings)
    one = replace(deployed("1", DeployResult.SUCCESS), at=NOW - timedelta(minutes=1), environment="eu|blue")
    put(store, [one], NOW)
    with store.history(NOW, [configured("gh", Deployment)]) as history:
        assert tiles(replace(view(NOW), history=history))["Deployments, 28 d"] == (
            "1",
            "0.0 a day, all environments; 0 more failed",
        )
    assert counted(store, DEPLOYMENTS.name) == {("pay", "eu|blue", "success", "planned"): 1.0}
    store.close()


def test_open_and_late_tickets_are_counted_apart() -> None:
    """Two wait past a goal, one of them past both, and one is about to."""
    told = [
        ("jira", owner("platform"), created(NOW - timedelta(hours=hours), ticket=f"PLAT-{hours}"))
        for hours in (30, 5, 3.5, 1)
    ]
    opened = rows((TICKETS_OPEN, ("help", "P3", "1d"), 3.0), (TICKETS_OPEN, ("help", "P3", "3d"), 1.0))
    history = MemoryHistory(told, sources=[source("jira", watermark=NOW)])
    found = tiles(view(NOW, history, definitions=HELP, rows=opened))
    assert found["Open tickets"] == ("4", "in all queues")
    assert found["Late tickets"] == ("2", "past a goal, 1 more about to be")
    aimless = Definitions(ticketing=(ticketing(slas=[]),))
    assert tiles(view(NOW, history, definitions=aimless, rows=opened))["Late tickets"] == ("–", "no queue has a goal")
    assert tiles(view(NOW))["Late tickets"] == ("–", "no Ticketing file yet")


@pytest.mark.parametrize(
    ("sources", "why", "why_no_tickets", "up"),
    [
        ([source("jira", watermark=NOW, fresh=False)], "no fresh data from jira", "no fresh data from jira", "0 of 1"),
        ([source("jira", watermark=None, fresh=False)], "no fresh data from jira", "no fresh data from jira", "0 of 1"),
        ([], "no configured source gives it", "no source of type jira is configured", "–"),
    ],
    ids=["stale", "never read", "missing"],
)
def test_what_is_unknown_is_never_zero(sources: list[SourceState], why: str, why_no_tickets: str, up: str) -> None:
    """Every tile is a dash with its reason, every chart says that it has no data, and no share has a bar."""
    told = [
        ("jira", owner("pay"), run("1", NOW - timedelta(days=2))),
        ("jira", owner("platform"), created(NOW - timedelta(days=2))),
    ]
    seen = view(NOW, MemoryHistory(told, sources=sources), definitions=HELP)
    found = tiles(seen)
    assert list(found) == NAMES
    everything = why if sources else "no source is configured"
    assert found == {
        "SLOs met": ("–", "no SLO file yet"),
        "Builds the platform did not break": ("–", why),
        "Deployments, 28 d": ("–", why),
        "Nodes ready": ("–", why),
        "Open tickets": ("–", why_no_tickets),
        "Late tickets": ("–", why_no_tickets),
        "Objects without an owner": ("–", everything),
        "Sources up": (up, everything),
    }
    text = html(seen, "/")
    assert text.count(f'<p class="soft">No data: {why}.</p>') == 4
    assert 'class="chart"' not in text
    assert 'class="bar"' not in text
    assert tables(seen, "/")["Capabilities"].rows[0][:4] == ("gateway", "–", "–", "–")


def test_what_is_left_out_of_a_number_is_said() -> None:
    """One of two sources is stale: the other's runs are shown, and tile and caption name the one that is not in them."""
    told = [("gh", owner("pay"), run("1", NOW - timedelta(days=1)))]
    sources = [source("gh", watermark=NOW), source("old", watermark=NOW, fresh=False)]
    seen = view(NOW, MemoryHistory(told, sources=sources))
    assert tiles(seen)["Builds the platform did not break"] == (
        "100.0 %",
        "0 of 1 runs in 28 d were infra failures; 100.0 % felt as success; no fresh data from old",
    )
    assert "unknown ones no rule could class. The last day is not over. No fresh data from old.</figcaption>" in html(
        seen, "/"
    )


def test_no_run_is_no_share() -> None:
    """Its source is fresh: nothing ran, so the chart has true zeros, and the share is undefined."""
    seen = view(NOW, MemoryHistory(sources=[source("gh", watermark=NOW)]))
    assert tiles(seen)["Builds the platform did not break"] == ("–", "no run ended")
    assert tables(seen, "/")["Last 28 days / Pipeline runs by outcome"].rows[0][1:] == ("0",) * 6
    assert "No data: no pod was started." in html(seen, "/")


def test_what_the_platform_broke_stands_out() -> None:
    """At the bottom of the stack, in the colour kept for it; the running day is marked in every chart of counts."""
    told = [
        ("gh", owner("pay"), run(str(n), NOW - timedelta(hours=1), outcome=outcome))
        for n, outcome in enumerate((Outcome.SUCCESS, Outcome.INFRA_FAILURE))
    ]
    charts = {
        chart.title: chart
        for chart in overview(view(NOW, MemoryHistory(told, sources=[source("gh", watermark=NOW)])))["charts"]
    }
    broken = charts["Pipeline runs by outcome"].series[0]
    assert (broken.name, broken.tone, broken.values[-1]) == ("infra failure", Tone.BAD, 1.0)
    assert [title for title, chart in charts.items() if chart.running] == [
        "Pipeline runs by outcome",
        "Deployments",
        "Tickets",
    ]


class Slow(FakeOutside):
    """A Prometheus that does not answer; it keeps how long it was waited for."""

    waited: ClassVar[list[float | None]] = []

    def text(
        self, path: str, *, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> tuple[int, str]:
        self.waited.append(timeout)
        raise Unreachable("no answer")


def slo_tile(*budgets: tuple[str, float], plans: tuple[Plan, ...], prometheus: Outside | None = None) -> Tile:
    """The tile where these budgets are left."""
    objectives = tuple(o for o in map(stored_objective, plans) if o is not None)
    told: list[tuple[Metric, tuple[str, ...], float]] = []
    told += [(SLO_BUDGET_REMAINING, (slo, "28d"), left) for slo, left in budgets]
    told += [(SLO_WINDOW_EVENTS, (slo, "28d", "good"), 100.0) for slo, _ in budgets]
    definitions = Definitions(objectives=objectives)
    seen = view(NOW, definitions=definitions, rows=rows(*told), plans=plans, prometheus=prometheus)
    tile: Tile = overview(seen)["tiles"][0]
    return tile


def test_nodes_lead_to_their_clusters() -> None:
    """Whether they are counted or not."""
    counted = rows((CLUSTER_NODES, ("eu", "ready"), 9.0))
    for seen in (view(NOW, rows=counted), view(NOW)):
        assert '<a href="/clusters">Nodes ready</a>' in html(seen, "/")


def test_the_slo_tile_names_the_worst() -> None:
    """SLOs inside their budget, of those with data; a budget of just 0 is met."""
    plans = tuple(p for p in our_plans() if isinstance(p.sli, StoredSli))
    first, second, third, *rest = sorted(p.slo for p in plans)
    met = slo_tile((first, 0.5), (second, 0.0), plans=plans)
    assert (met.value, met.level, met.href) == ("2 of 2", "", "/slos")
    assert met.more == f"least budget left: {second}, 0.0 %; {1 + len(rest)} without data"
    broken = slo_tile((first, 0.5), (second, 0.0), (third, -0.12), plans=plans)
    assert (broken.value, broken.level) == ("2 of 3", "bad")
    assert broken.more.startswith(f"least budget left: {third}, -12.0 %")
    assert slo_tile(plans=plans) == Tile(name="SLOs met", value="–", more=f"{len(plans)} without data", href="/slos")


def burning(slo: str, burn: float, bad: float, windows: tuple[str, ...]) -> list[tuple[Metric, tuple[str, ...], float]]:
    """This SLO burns so fast in these windows, with so many bad events of 100 in each; half of its budget is left."""
    said: list[tuple[Metric, tuple[str, ...], float]] = [(SLO_BUDGET_REMAINING, (slo, "28d"), 0.5)]
    for window in windows:
        said += [(SLO_BURN, (slo, window), burn), (SLO_WINDOW_EVENTS, (slo, window, "bad"), bad)]
        said += [(SLO_WINDOW_EVENTS, (slo, window, "good"), 100 - bad)]
    return said


def test_what_fires_is_said_first_and_in_colour() -> None:
    """Pages before tickets, each with what is bad, what is left, whose it is and a link, in the words of the alert; the tile is of
    the periods, so that it is red where a budget is spent.
    """
    plans = tuple(p for p in our_plans() if p.slo in {"ci-platform-success", "pod-start"})
    objectives = tuple(o for o in map(stored_objective, plans) if o is not None)
    told = burning("pod-start", 4.0, 20.0, ("1d", "2h")) + burning("ci-platform-success", 100.0, 6.0, ("1h", "5m"))
    seen = view(NOW, definitions=Definitions(objectives=objectives), rows=rows(*told), plans=plans)
    assert [(f["slo"], f["level"], f["text"]) for f in overview(seen)["firing"]] == [
        ("ci-platform-success", "page", "6 of 100 builds failed in the last hour, burn 100.0; budget left 50.0 %"),
        ("pod-start", "ticket", "20 of 100 pods started too slowly in the last day, burn 4.00; budget left 50.0 %"),
    ]
    tile: Tile = overview(seen)["tiles"][0]
    assert (tile.value, tile.level) == ("2 of 2", "")
    assert tile.more.endswith("; 2 burning too fast now")
    text = html(seen, "/")
    first = text.index('<p class="banner bad"><span class="tag bad">page</span> <a href="/slos/ci-platform-success">')
    second = text.index('<p class="banner "><span class="tag warn">ticket</span> <a href="/slos/pod-start">')
    assert first < second < text.index('<p class="lead">')
    assert "kept by platform-ci" in text


def test_where_nothing_fires_nothing_is_said() -> None:
    """No word of alerts while all is quiet."""
    seen = view(NOW, plans=our_plans())
    assert overview(seen)["firing"] == []
    assert 'class="banner' not in html(seen, "/")


def test_the_overview_does_not_wait_for_prometheus() -> None:
    """A second at most; the SLOs that it counts are then without data, and the others are shown."""
    plans = our_plans()
    stored = next(p.slo for p in plans if isinstance(p.sli, StoredSli))
    tile = slo_tile((stored, 0.5), plans=plans, prometheus=Slow({}))
    assert (tile.value, tile.more) == ("1 of 1", f"least budget left: {stored}, 50.0 %; {len(plans) - 1} without data")
    assert Slow.waited == [1.0]


def test_pods_are_judged_at_a_minute() -> None:
    """60 s is in time; a day without a start has no value."""
    told = [("k8s", owner("pay"), pod(str(n), s)) for n, s in enumerate((3.0, 60.0, 61.0, 700.0))]
    seen = view(NOW, MemoryHistory(told, sources=[source("k8s", watermark=NOW)]))
    table = tables(seen, "/")["Last 28 days / Pods ready within a minute"]
    assert table.rows[-1] == ("10 Jun", "50.0 %")
    assert table.rows[-2] == ("09 Jun", "–")


def test_capabilities_lead_to_their_own_page() -> None:
    """Units left out of the denominator are not eligible here either."""
    counted = rows(
        (ADOPTION_UNITS, ("gateway", "team", "active"), 3.0),
        (ADOPTION_UNITS, ("gateway", "team", "eligible"), 1.0),
        (ADOPTION_UNITS, ("gateway", "team", "exempt"), 5.0),
        (ADOPTION_ACTIVE_RATIO, ("gateway", "team", "true"), 0.75),
    )
    seen = view(NOW, definitions=Definitions(capabilities=(capability(mandated=True),)), rows=counted)
    (row,) = tables(seen, "/")["Capabilities"].rows
    assert row[:4] == ("gateway mandated", "4", "–", "75.0 %")
    assert 'href="/adoption#gateway"' in html(seen, "/")
