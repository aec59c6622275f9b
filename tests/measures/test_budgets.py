"""What other tools say of budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures import budgets
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.budgets import ToldBudget
from platform_meter.model.history import Owner
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.testing.measures import adds_up, measures_held_to_contract

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def told(slo: str, sli: float | None, remaining: float | None, instance: str = "eu") -> tuple[str, Owner, Fact]:
    about = Ref(system="datadog", kind="slo", id=f"id-{slo}")
    return (
        instance,
        NOBODY,
        ToldBudget(about=about, slo=slo, window=timedelta(days=28), sli=sli, remaining=remaining),
    )


def test_they_keep_the_contract_of_measures() -> None:
    """Each metric is declared once and measured once."""
    measures_held_to_contract(budgets.MEASURES)


def test_each_is_as_it_was_told() -> None:
    """What was not told is absent, and so is all of a stale source; two tools that tell of one SLO stand beside each other."""
    facts = [
        told("web", 0.9995, 0.5),
        told("api", None, -1.25),
        told("old", 1.0, None),
        told("web", 0.999, 0.0, "us"),
        told("web", 0.5, 0.5, "stale"),
    ]
    sources = (
        source("eu", "datadog", watermark=NOW),
        source("us", "datadog", watermark=NOW),
        source("stale", "datadog", watermark=NOW, fresh=False),
    )
    scene = Scene(history=MemoryHistory(facts, sources=sources), definitions=Definitions(), now=NOW)
    found: dict[tuple[str, ...], float | None] = {}
    for gauge in (budgets.SLI, budgets.REMAINING):
        adds_up(gauge, scene)
        found |= {(sample.metric.name, *sample.labels): resolve(sample.value) for sample in gauge.compute(scene)}
    assert found == {
        ("platform_slo_told_sli_ratio", "eu", "web"): 0.9995,
        ("platform_slo_told_sli_ratio", "eu", "old"): 1.0,
        ("platform_slo_told_sli_ratio", "us", "web"): 0.999,
        ("platform_slo_told_budget_remaining_ratio", "eu", "web"): 0.5,
        ("platform_slo_told_budget_remaining_ratio", "eu", "api"): -1.25,
        ("platform_slo_told_budget_remaining_ratio", "us", "web"): 0.0,
    }
