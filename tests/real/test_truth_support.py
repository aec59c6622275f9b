"""SLAs and backlogs, computed a second time from what the simulated company knows, against gauges."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support import reference_tickets as reference
from tests.support.company import Running
from tests.support.imported import of_queue

from platform_meter.model.definitions import Ticketing


def shown(running: Running, metric: str, queue: Ticketing, *labels: str, **wanted: str) -> dict[tuple[str, ...], float]:
    """Values of one queue, by these labels."""
    found = [(dict(k), v) for k, v in running.metrics()[metric].items()]
    mine = {"queue": queue.id, **wanted}
    return {tuple(k[label] for label in labels): v for k, v in found if mine.items() <= k.items()}


def above_zero(values: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    return {key: value for key, value in values.items() if value}


@pytest.mark.parametrize("days", [28, 91])
def test_sla_met_ratio(imported: Running, days: int) -> None:
    """Met / decided of every queue, SLA and priority is what a second, plain computation finds."""
    company, at, total = imported.world.company, imported.clock.at, 0
    for queue in imported.service.definitions.ticketing:
        truth = reference.met_ratios(queue, of_queue(imported, queue), company, at, timedelta(days=days))
        found = shown(imported, "platform_ticket_sla_met_ratio", queue, "sla", "priority", window=f"{days}d")
        assert found == pytest.approx(truth)
        total += len(truth)
    assert total > 8


def test_open_tickets_by_age(imported: Running) -> None:
    """Disjoint classes of whole days, by the ticket's priority now."""
    classes: set[str] = set()
    for queue in imported.service.definitions.ticketing:
        truth = reference.ages(queue, of_queue(imported, queue), imported.clock.at)
        assert above_zero(shown(imported, "platform_tickets_open", queue, "priority", "age")) == truth
        classes |= {age for _, age in truth}
    assert len(classes) > 3


def test_age_of_the_backlog(imported: Running) -> None:
    """Business hours since the creation of what is open: half, a tenth and the oldest."""
    for queue in imported.service.definitions.ticketing:
        truth = reference.backlog(queue, of_queue(imported, queue), imported.clock.at)
        found = shown(imported, "platform_ticket_backlog_age_seconds", queue, "quantile")
        assert {float(q): value for (q,), value in found.items()} == pytest.approx(truth)


def test_tickets_at_risk(imported: Running) -> None:
    """Clocks that run with a fifth of their goal left or less."""
    total = 0
    for queue in imported.service.definitions.ticketing:
        truth = reference.at_risk(queue, of_queue(imported, queue), imported.world.company, imported.clock.at)
        assert above_zero(shown(imported, "platform_ticket_at_risk", queue, "sla", "priority")) == truth
        total += truth.total()
    assert total > 3


@pytest.mark.parametrize("days", [28, 91])
def test_reopened_tickets(imported: Running, days: int) -> None:
    """Of those resolved in the window, the share that came back."""
    for queue in imported.service.definitions.ticketing:
        truth = reference.reopened(queue, of_queue(imported, queue), imported.clock.at, timedelta(days=days))
        found = shown(imported, "platform_ticket_reopen_ratio", queue, window=f"{days}d")
        assert found == pytest.approx({(): truth})
