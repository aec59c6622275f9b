"""Tickets on a big store: a restart up to a full `/metrics`, ticks after one event, and what is held in memory.

    python -m bench.tickets [--events N]

Tickets have five events each and come evenly over a year. They are read by the gauges of a queue, by its SLA cycles and
by two SLOs over these. The floor is reading and decoding the events once.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench.ingest import Teams
from bench.measures import cpu_ms, metered
from platform_meter.measures import load
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import SLA_CYCLES, Role, SlaCycle, TicketChange, TicketEvent
from platform_meter.model.measure import Counting
from platform_meter.model.objective import StoredObjective, StoredSli
from platform_meter.model.source import Page
from platform_meter.runtime.tick.meter import Meter
from platform_meter.store import Configured, ConfiguredStream, Store

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TICK = timedelta(seconds=15)
SPAN = timedelta(days=365)
STEPS = 5
CONFIGURED = Configured(
    instance="jira",
    type="jira",
    streams=(
        ConfiguredStream(
            name="issues",
            gives=frozenset({TicketEvent, SlaCycle}),
            every=timedelta(minutes=1),
            stale_after=timedelta(days=1),
        ),
    ),
)
HELP = Ticketing.model_validate(
    {
        "kind": "Ticketing",
        "id": "help",
        "source": {"type": "jira", "select": "project = PLAT"},
        "calendar": {"zone": "Europe/Berlin", "days": {"mon-fri": ["09:00-17:00"]}},
        "status": {"running": ["Open", "In Progress"], "paused": ["Waiting"], "done": ["Resolved"]},
        "slas": [
            {"id": "first_response", "goal": {"P1": "1h", "default": "4h"}},
            {"id": "resolution", "goal": {"P1": "8h", "default": "24h"}, "reopen": "continue"},
        ],
    }
)
DECLARED = Definitions(
    ticketing=(HELP,),
    objectives=tuple(
        StoredObjective(
            slo=f"help-{sla}",
            service="help",
            owner="platform",
            capability="",
            profile="slow",
            objective=Decimal("0.9"),
            period=timedelta(days=28),
            period_label="28d",
            windows=(timedelta(days=1), timedelta(days=3)),
            sli=StoredSli(events=SLA_CYCLES, where={"queue": "help", "sla": sla}),
        )
        for sla in ("first_response", "resolution")
    ),
)


def ticket(number: int, born: datetime) -> list[TicketEvent]:
    """Asked, answered, worked on, given back, and for all but one of 50 resolved."""

    def event(
        step: int,
        hours: float,
        change: TicketChange,
        role: Role = Role.AGENT,
        *,
        status: str | None = None,
        priority: str | None = None,
    ) -> TicketEvent:
        return TicketEvent(
            key=f"{number}/{step}",
            at=born + timedelta(hours=hours),
            about=Ref(system="jira", kind="project", id="PLAT"),
            queue="PLAT",
            ticket=str(number),
            name=f"PLAT-{number}" if step == 0 else "",
            change=change,
            role=role,
            status=status,
            priority=priority,
        )

    slow = 1 + number % 7
    last = (
        event(4, 9 * slow, TicketChange.STATUS, status="Resolved")
        if number % 50
        else event(4, 9 * slow, TicketChange.COMMENT)
    )
    return [
        event(0, 0, TicketChange.CREATED, Role.REPORTER, status="Open", priority=f"P{1 + number % 4}"),
        event(1, 1.5 * slow, TicketChange.COMMENT),
        event(2, 2 * slow, TicketChange.STATUS, status="In Progress"),
        event(3, 5 * slow, TicketChange.STATUS, status="Waiting"),
        last,
    ]


def pages(events: int) -> Iterator[list[TicketEvent]]:
    tickets = events // STEPS
    between = (SPAN - timedelta(days=3)) / tickets
    for first in range(0, tickets, 200):
        yield [event for n in range(first, min(first + 200, tickets)) for event in ticket(n, NOW - SPAN + n * between)]


@dataclass
class Bench:
    store: Store
    now: datetime = NOW

    def put(self, *facts: TicketEvent) -> None:
        poll = self.store.begin_poll(
            "jira", "jira", "issues", now=self.now, lookback=timedelta(minutes=15), history=timedelta(days=400)
        )
        self.store.write(poll, Page(facts=facts), now=self.now)
        self.store.end_poll(poll, now=self.now)

    def meter(self) -> Meter:
        return metered(self.store, CONFIGURED, DECLARED, lambda: self.now)

    def floor(self) -> None:
        with self.store.history(self.now, [CONFIGURED]) as history:
            for _ in history.rows(TicketEvent, NOW - SPAN, NOW):
                pass

    def restarted(self) -> float:
        """CPU ms of a process's first tick."""
        return cpu_ms(self.meter().tick)

    def held(self) -> float:
        """Megabytes that a meter holds after its first tick."""
        gc.collect()
        tracemalloc.start()
        meter = self.meter()
        meter.tick()
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return held / 1e6


def table(bench: Bench) -> list[tuple[str, float]]:
    """(what, CPU ms)."""
    first = cpu_ms(bench.meter().tick)  # writes the decided cycles
    meter = bench.meter()
    restart = cpu_ms(meter.tick)
    after_one, idle = [], []
    for number in range(9):
        bench.now += TICK
        bench.put(ticket(10_000_000 + number, bench.now - TICK)[0])
        after_one.append(cpu_ms(meter.tick))
        bench.now += TICK / 15
        idle.append(cpu_ms(meter.tick))
    return [
        ("floor: events read once", cpu_ms(bench.floor)),
        ("first tick of a new store: all cycles are written", first),
        ("restart to a full /metrics", restart),
        ("tick after one event (median)", statistics.median(after_one)),
        ("idle tick (median)", statistics.median(idle)),
    ]


def filled(folder: str, events: int) -> Bench:
    countings = [m for m in load(DECLARED) if isinstance(m, Counting)]
    store = Store.open(f"sqlite:///{folder}/{events}.db", zone="UTC", countings=countings, directory=Teams())
    bench = Bench(store)
    for facts in pages(events):
        bench.put(*facts)
    return bench


def main(events: int = 160_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = filled(folder, events)
        found = table(bench)
        held = bench.held()
        bench.store.close()
    floor = found[0][1]
    print(f"\nTickets, {events:,} events of {events // STEPS:,} tickets, SQLite\n")
    print("| what | CPU ms | of the floor |\n| --- | ---: | ---: |")
    for what, ms in found:
        print(f"| {what} | {ms:,.1f} | {ms / floor:.3f} |")
    print(f"\nThe meter holds {held:,.0f} MB.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=160_000, help="ticket events in the store")
    main(parser.parse_args().events)
