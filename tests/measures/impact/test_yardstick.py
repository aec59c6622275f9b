"""Metrics by which effects are judged, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

from platform_meter.measures.impact.yardstick import Kind, Seen, by_metric, refusals
from platform_meter.model import catalogue


def test_what_effects_are_judged_by() -> None:
    """Metrics of the catalogue, of three kinds."""
    assert {name: one.kind for name, one in by_metric().items()} == {
        "platform_active_units": Kind.WEEKLY,
        "platform_dora_change_failure_ratio": Kind.RATIO,
        "platform_dora_lead_time_seconds": Kind.DURATIONS,
        "platform_dora_recovery_time_seconds": Kind.DURATIONS,
        "platform_dora_rework_ratio": Kind.RATIO,
        "platform_pipeline_queue_duration_seconds": Kind.DURATIONS,
        "platform_pipeline_run_duration_seconds": Kind.DURATIONS,
        "platform_ticket_sla_met_ratio": Kind.RATIO,
        "platform_ticket_sla_seconds": Kind.DURATIONS,
        "platform_time_to_first_seconds": Kind.DURATIONS,
    }
    assert by_metric().keys() <= catalogue.ALL.keys()


def test_refusals_say_what_to_write() -> None:
    """A metric without single values, labels that are missing, and one that it has not."""
    ((about, text),) = refusals("platform_tickets_open", {})
    assert about == ""
    assert text.startswith("an effect can't be judged by 'platform_tickets_open'; write one of platform_active_units, ")
    assert list(refusals("platform_ticket_sla_seconds", {"queue": "help", "team": "a"})) == [
        ("", "platform_ticket_sla_seconds lacks its sla; write labels: {queue: ..., sla: ...}"),
        ("team", "no value of platform_ticket_sla_seconds has a team; it takes queue, sla, priority"),
    ]
    assert list(refusals("platform_dora_lead_time_seconds", {"stage": "review"})) == []


def test_a_service_comes_before_its_team() -> None:
    """Where both are named."""
    seen = Seen(datetime(2026, 6, 1, tzinfo=UTC), 1.0, "pay", "shop")
    assert [seen.among(units) for units in (("pay",), ("pay", "shop"), ("other",), ())] == ["pay", "shop", "", ""]
