"""Monitors, dashboards and alert rules by owner."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.history import NOBODY, MemoryHistory, owner, source

from platform_meter.measures import observability
from platform_meter.measures.adoption.standing import KINDS, selected
from platform_meter.model.catalogue.observability import ALERT_RULES, DASHBOARDS, MONITORS
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.observability import AlertMonitor, AlertRule, Dashboard, MonitorState, Used
from platform_meter.model.history import Owner
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Metric, resolve
from platform_meter.testing.measures import adds_up, measures_held_to_contract

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
PAY = owner("pay", "team-pay")


def shown(number: int, whose: Owner, used: Used, instance: str = "main") -> tuple[str, Owner, Fact]:
    return (instance, whose, Dashboard(about=Ref(system="grafana", kind="dashboard", id=str(number)), used=used))


def alerting(number: int, whose: Owner, instance: str = "main") -> tuple[str, Owner, Fact]:
    return (instance, whose, AlertRule(about=Ref(system="grafana", kind="alert_rule", id=str(number))))


def watching(number: int, whose: Owner, state: MonitorState, instance: str = "main") -> tuple[str, Owner, Fact]:
    return (instance, whose, AlertMonitor(about=Ref(system="datadog", kind="monitor", id=str(number)), state=state))


def computed(gauging: Gauging, metric: Metric, *told: tuple[str, Owner, Fact]) -> dict[tuple[str, ...], float | None]:
    sources = (source("main", "grafana", watermark=NOW), source("old", "grafana", watermark=NOW, fresh=False))
    scene = Scene(history=MemoryHistory(told, sources=sources), definitions=Definitions(), now=NOW)
    adds_up(gauging, scene)
    samples = list(gauging.compute(scene))
    assert all(sample.metric is metric for sample in samples)
    return {tuple(sample.labels): resolve(sample.value) for sample in samples}


def test_they_keep_the_contract_of_measures() -> None:
    """Each metric is declared once and measured once."""
    measures_held_to_contract(observability.MEASURES)


def test_each_team_has_its_monitors_in_every_state() -> None:
    """0 where none stands so; those of nobody are shown, those of a stale source are absent."""
    found = computed(
        observability.WATCHING,
        MONITORS,
        watching(1, PAY, MonitorState.OK),
        watching(2, PAY, MonitorState.OK),
        watching(3, PAY, MonitorState.NO_DATA),
        watching(4, NOBODY, MonitorState.ALERT),
        watching(5, PAY, MonitorState.ALERT, "old"),
    )
    assert {labels: value for labels, value in found.items() if value} == {
        ("main", "team-pay", "ok"): 2.0,
        ("main", "team-pay", "no_data"): 1.0,
        ("main", "_unowned", "alert"): 1.0,
    }
    words = ("alert", "ignored", "no_data", "ok", "skipped", "unknown", "warn")
    assert sorted(found) == [("main", team, word) for team in ("_unowned", "team-pay") for word in words]


def test_each_team_has_its_dashboards_used_or_not() -> None:
    """0 where none is so; those of nobody are shown, those of a stale source are absent."""
    found = computed(
        observability.SHOWING,
        DASHBOARDS,
        shown(1, PAY, Used.YES),
        shown(2, PAY, Used.NO),
        shown(3, PAY, Used.NO),
        shown(4, NOBODY, Used.UNKNOWN),
        shown(5, PAY, Used.YES, "old"),
    )
    assert found == {
        ("main", "team-pay", "yes"): 1.0,
        ("main", "team-pay", "no"): 2.0,
        ("main", "team-pay", "unknown"): 0.0,
        ("main", "_unowned", "yes"): 0.0,
        ("main", "_unowned", "no"): 0.0,
        ("main", "_unowned", "unknown"): 1.0,
    }


def test_each_team_has_its_alert_rules() -> None:
    """Those of nobody are shown, those of a stale source are absent."""
    told = (alerting(1, PAY), alerting(2, PAY), alerting(3, NOBODY), alerting(4, PAY, "old"))
    found = computed(observability.ALERTING, ALERT_RULES, *told)
    assert found == {("main", "team-pay"): 2.0, ("main", "_unowned"): 1.0}


def test_a_capability_counts_them_and_chooses_those_that_are_used() -> None:
    """By the words that its file has for them; a folder is chosen by its label."""
    assert (KINDS["dashboards"], KINDS["alertrules"]) == (Dashboard, AlertRule)
    about = Ref(system="grafana", kind="dashboard", id="Shop/Payments/d1", labels=(("folder", "Shop/Payments"),))
    used = {"used": ["yes"], "folder": ["Shop*"]}
    assert [selected(used, Dashboard(about=about, used=one)) for one in Used] == [True, False, False]
    assert not selected({"folder": ["Payments"]}, Dashboard(about=about))
