"""What counters hold after days of a company's life, on twelve of which nobody looked; each computed a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.support import reference, reference_tickets
from tests.support.company import LOOKBACK, Running, company
from tests.support.imported import capabilities, found_changes, of_queue, truth_of

DAY = timedelta(days=1)
OUTAGE = 12 * DAY


@pytest.fixture(scope="module")
def outlived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A company polled once a day for a week, then not for twelve days, then again.

    It happens in its past, which is as busy as a company is: a day of its live time is thousands of calls.
    """
    only: dict[str, dict[str, Any]] = {"github": {}, "jira": {}}
    with company(tmp_path_factory.mktemp("outlived"), teams=8, services=40, only=only, begin=-30 * DAY) as made:
        made.poll()
        for after in (*(7 * [DAY]), OUTAGE, DAY):
            made.poll(after=after)
        yield made


def test_the_counter_holds_every_transition_since_the_first_poll(outlived: Running) -> None:
    """Not one of the reconstructed past, and all of the twelve days on which nobody looked, each on its own day."""
    live = outlived.truth.day(outlived.first)
    truth: Counter[tuple[str, str]] = Counter()
    past = silent = 0
    for capability in capabilities(outlived):
        changes = reference.changes(truth_of(outlived, capability)[0])
        assert found_changes(outlived, capability) == changes
        for day, of in changes.items():
            truth.update((capability.id, change) for _, change in of if day >= live)
            past += len(of) * (day < live)
            silent += len(of) * (live + 7 * DAY <= day < live + 7 * DAY + OUTAGE)
    by_use = {c.id for c in capabilities(outlived)}
    found = outlived.counter("platform_adoption_transitions_total", "capability", "transition")
    assert {key: n for key, n in found.items() if key[0] in by_use} == truth
    assert past > 20
    assert silent > 5


def test_sla_cycles_are_counted_as_they_are_decided(outlived: Running) -> None:
    """Each cycle once, as it stood at the poll that first showed it decided; none that was decided before we looked."""
    company = outlived.world.company
    truth: Counter[tuple[str, str, str, str]] = Counter()
    seen: set[tuple[str, str]] = set()
    for at in outlived.looks:
        for queue in outlived.service.definitions.ticketing:
            for told in of_queue(outlived, queue, at):
                for sla, clock in reference_tickets.clocks(queue, told, company, at).items():
                    decided = clock.decided
                    if decided is None or (told[0].key, sla) in seen:
                        continue
                    seen.add((told[0].key, sla))
                    if decided.at >= outlived.first - LOOKBACK:
                        truth[queue.id, sla, decided.priority, "met" if decided.met else "breached"] += 1
    assert outlived.counter("platform_ticket_sla_cycles_total", "queue", "sla", "priority", "result") == truth
    assert truth.total() > 40
