"""Measures on a big store: all of them anew, then ticks after one event and after none.

    python -m bench.measures [--events N]

The floor is reading the same rows once by sqlite3 alone: those of 91 days, which the flake ratio has to look at.
"""

from __future__ import annotations

import argparse
import math
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.ingest import BETWEEN, START, Teams, begin, pages
from platform_meter.measures import ci, load
from platform_meter.model.catalogue.ci import PIPELINE_FLAKY
from platform_meter.model.definitions import Capability, Definitions, Team
from platform_meter.model.facts.ci import PIPELINE_RUNS, PipelineRun
from platform_meter.model.measure import Counting, Scene
from platform_meter.model.objective import StoredObjective, StoredSli
from platform_meter.model.source import Page
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.runtime.tick.families import Limits
from platform_meter.runtime.tick.meter import Meter
from platform_meter.store import Configured, ConfiguredStream, Store

TICK = timedelta(seconds=15)
QUARTER = timedelta(days=91)
CONFIGURED = Configured(
    instance="gh",
    type="github",
    streams=(
        ConfiguredStream(
            name="runs", gives=frozenset({PipelineRun}), every=timedelta(minutes=1), stale_after=timedelta(days=1)
        ),
    ),
)
BUILDS = Capability.model_validate(
    {
        "kind": "Capability",
        "id": "builds",
        "unit": "team",
        "owner": "platform",
        "eligible": {"any": [{"team": {}}]},
        "adopted": {"source": "github", "verb": "run"},
        "active": {"source": "github", "verb": "run"},
    }
)
SUCCESS = StoredObjective(
    slo="ci-success",
    service="ci",
    owner="platform",
    capability="builds",
    profile="standard",
    objective=Decimal("0.99"),
    period=timedelta(days=28),
    period_label="28d",
    windows=tuple(timedelta(minutes=m) for m in (5, 30, 60, 120, 360, 1440, 4320)),
    sli=StoredSli(events=PIPELINE_RUNS),
)
DECLARED = Definitions(
    capabilities=(BUILDS,), teams=tuple(Team(kind="Team", id=f"team-{n}") for n in range(40)), objectives=(SUCCESS,)
)


def metered(store: Store, configured: Configured, declared: Definitions, clock: Callable[[], datetime]) -> Meter:
    """A meter whose measures rest by the bench's own clock, so that each of them works as often as it would in life."""
    return Meter(
        store,
        Exposition(),
        load(declared),
        definitions=declared,
        configured=[configured],
        zone=ZoneInfo("UTC"),
        limits=Limits(),
        clock=clock,
        own=list,
        own_text=lambda: (b"", b""),
        refresh=lambda _: None,
        stopwatch=lambda: clock().timestamp(),
    )


@dataclass
class Bench:
    store: Store
    path: Path
    now: datetime

    def meter(self) -> Meter:
        return metered(self.store, CONFIGURED, DECLARED, lambda: self.now)

    def flakes(self) -> None:
        with self.store.history(self.now, [CONFIGURED]) as history:
            list(ci.flaky(Scene(history=history, definitions=DECLARED, now=self.now)))

    def floor(self) -> None:
        start, end = (int(moment.timestamp() * 1000) for moment in (self.now - QUARTER, self.now))
        connection = sqlite3.connect(self.path)
        query = "SELECT object, body FROM events WHERE kind = 'PipelineRun' AND source = 'gh' AND at >= ? AND at < ? ORDER BY at"
        for _ in connection.execute(query, (start, end)):
            pass
        connection.close()

    def one_event(self, number: int) -> None:
        """One run ended, and a poll of it."""
        (run,) = next(pages(1))
        self.now += TICK
        poll = begin(self.store, self.now)
        fact = replace(run, key=f"acme/one/{number}", at=self.now - TICK, group=f"one:{number}")
        self.store.write(poll, Page(facts=[fact]), now=self.now)
        self.store.end_poll(poll, now=self.now)


def cpu_ms(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def print_growth(columns: Sequence[Sequence[tuple[str, float]]], sizes: Sequence[int]) -> None:
    """What was measured at each size, how it grows with that, and at the last one how much of the first row it is."""
    print("| what | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent | of the floor |")
    print("| --- |" + " ---: |" * (len(sizes) + 2))
    for row in zip(*columns, strict=True):
        ms = [value for _, value in row]
        exponent = math.log(ms[-1] / ms[0]) / math.log(sizes[-1] / sizes[0])
        cells = [f"{value:,.1f}" for value in ms]
        print(f"| {row[0][0]} | {' | '.join(cells)} | {exponent:.2f} | {ms[-1] / columns[-1][0][1]:.2f} |")


def table(bench: Bench) -> list[tuple[str, float]]:
    """(what, CPU ms)."""
    bench.meter().tick()  # the past of adoption is reconstructed once in a store's life
    bench.floor()
    floor, flakes = cpu_ms(bench.floor), cpu_ms(bench.flakes)
    meter = bench.meter()
    full = cpu_ms(meter.tick)
    after_one, idle = [], []
    for number in range(9):
        bench.one_event(number)
        after_one.append(cpu_ms(meter.tick))
        bench.now += TICK / 15
        idle.append(cpu_ms(meter.tick))
    return [
        ("floor: sqlite3 reads the rows of 91 days", floor),
        (f"{PIPELINE_FLAKY.name}, both windows", flakes),
        ("all measures anew, rendered", full),
        ("tick after one event (median; ratios over weeks wait their 5 min)", statistics.median(after_one)),
        ("idle tick (median)", statistics.median(idle)),
    ]


def main(events: int = 200_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "meter.db")
        countings = [m for m in load(DECLARED) if isinstance(m, Counting)]
        store = Store.open(f"sqlite:///{path}", zone="UTC", countings=countings, directory=Teams())
        end = START + events * BETWEEN
        poll = begin(store, end)
        for facts in pages(events):
            store.write(poll, Page(facts=facts), now=end)
        store.end_poll(poll, now=end)
        found = table(Bench(store, path, end))
        store.close()
    floor = found[0][1]
    print(f"\nMeasures, {events:,} pipeline runs of {events * BETWEEN / timedelta(days=1):.0f} days, SQLite\n")
    print("| what | CPU ms | of the floor |\n| --- | ---: | ---: |")
    for what, ms in found:
        print(f"| {what} | {ms:,.1f} | {ms / floor:.3f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000, help="pipeline runs in the store, one every 10 s")
    main(parser.parse_args().events)
