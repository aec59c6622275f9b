"""What the store answers: one source against 25 that tell the same, and how each answer grows with what is stored.

    python -m bench.store [--events N]

The runs of 91 days, whatever their number, so that a larger store is a busier company and not a longer past.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.ingest import START, Teams, pages
from platform_meter.measures import ci
from platform_meter.measures.adoption.seen import what
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Scene, StateDay
from platform_meter.model.source import Page
from platform_meter.store import Configured, ConfiguredStream, Store
from platform_meter.web.view import View

DAYS = 91
END = START + timedelta(days=DAYS)
MANY = 25
CAPABILITIES, UNITS = 10, 2_000
STATES = ("active", "adopted_idle", "dormant", "churned", "eligible")
TOLD = 1_000
"""Commits that are looked for."""
RUNS = ConfiguredStream(
    name="runs", gives=frozenset({PipelineRun}), every=timedelta(minutes=1), stale_after=timedelta(days=2)
)
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class Filled:
    store: Store
    configured: Sequence[Configured]
    shas: Sequence[str]

    def view(self, history: Any) -> View:
        return View(now=END, zone=UTC, definitions=Definitions(), history=history, rows={}, streams=(), records=history)

    def took(self, work: Callable[[Any], object]) -> float:
        """CPU ms, the median of five; each in a view of its own."""
        found = []
        for _ in range(5):
            with self.store.history(END, self.configured) as history:
                began = time.process_time()
                work(history)
                found.append((time.process_time() - began) * 1000)
        return statistics.median(found)


@contextmanager
def filled(events: int, sources: int) -> Iterator[Filled]:
    """A store with the runs of 91 days, told by so many sources in turn."""
    names = [f"gh-{n}" for n in range(sources)]
    configured = [Configured(instance=name, type="github", streams=(RUNS,)) for name in names]
    shas: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder, 'meter.db')}", zone="UTC", countings=(), directory=Teams())
        polls = [
            store.begin_poll(name, "github", "runs", now=END, lookback=timedelta(), history=timedelta(days=400))
            for name in names
        ]
        number = 0
        for facts in pages(events):
            spread = [replace(run, at=START + (END - START) * (number + n) / events) for n, run in enumerate(facts)]
            number += len(facts)
            shas += [run.sha for run in facts]
            for place, poll in enumerate(polls):
                store.write(poll, Page(facts=spread[place::sources]), now=END)
        for poll in polls:
            store.end_poll(poll, now=END)
        yield Filled(store=store, configured=configured, shas=shas[:: max(1, events // TOLD)])
        store.close()


def flakes(_of: Filled) -> Callable[[Any], object]:
    return lambda history: list(ci.flaky(Scene(history=history, definitions=Definitions(), now=END)))


def chart(of: Filled) -> Callable[[Any], object]:
    def work(history: Any) -> object:
        view = of.view(history)
        return view.daily(PipelineRun, view.days(28))

    return work


def news(of: Filled) -> Callable[[Any], object]:
    """What came since the last page of each source: one question a source, as adoption asks it."""

    def work(history: Any) -> object:
        seq = history.latest(PipelineRun) - 1_000
        return [
            list(history.parts(PipelineRun, ci.Ended, START, END, source=one.instance, after=seq))
            for one in of.configured
        ]

    return work


def chain(of: Filled) -> Callable[[Any], object]:
    return lambda history: list(history.by_commit(PipelineRun, of.shas))


ASKED: Sequence[tuple[str, Callable[[Filled], Callable[[Any], object]]]] = (
    ("flake ratio, 28 d and 91 d", flakes),
    ("chart of 28 days", chart),
    ("the last 1,000 runs as what is new", news),
    (f"the runs of {TOLD:,} commits", chain),
)


def trend(days: int) -> tuple[float, float]:
    """CPU ms to read the charts of the adoption page, and MB that so many days of states take on disk."""
    with filled(1_000, 1) as of:
        empty, first = of.store.size(), date(2025, 12, 1)
        units = [f"team-{n}" for n in range(UNITS)]
        for n in range(days):
            day = first + timedelta(days=n)
            for capability in range(CAPABILITIES):
                name = what(f"capability-{capability}")
                states = tuple(
                    UnitState(day=day, what=name, unit=unit, state=STATES[(place + n) % len(STATES)])
                    for place, unit in enumerate(units)
                )
                of.store.put_states(StateDay(what=name, day=day, states=states), now=END)

        def work(history: Any) -> object:
            last = first + timedelta(days=days)
            names = (what(f"capability-{n}") for n in range(CAPABILITIES))
            return [history.states_by_day(name, last - timedelta(days=DAYS), last) for name in names]

        return of.took(work), (of.store.size() - empty) / 1e6


def main(events: int) -> None:
    sizes = (events // 9, events // 3, events)
    alone: dict[int, list[float]] = {}
    for size in sizes:
        with filled(size, 1) as of:
            alone[size] = [of.took(ask(of)) for _, ask in ASKED]
            stored = of.store.size() / size
    with filled(events, MANY) as of:
        many = [of.took(ask(of)) for _, ask in ASKED]
    span = math.log(sizes[-1] / sizes[0])
    print(f"\nStore, {events:,} pipeline runs of {DAYS} days, SQLite; {stored:,.0f} bytes a run on disk\n")
    print(f"| CPU ms | {sizes[0]:,} runs | {sizes[1]:,} | {sizes[2]:,} | exponent | {MANY} sources | of one |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for place, (name, _) in enumerate(ASKED):
        found = [alone[size][place] for size in sizes]
        exponent = math.log(found[-1] / found[0]) / span
        row = " | ".join(f"{ms:,.1f}" for ms in found)
        print(f"| {name} | {row} | {exponent:.2f} | {many[place]:,.1f} | {many[place] / found[-1]:.2f} |")
    few, some = trend(DAYS), trend(2 * DAYS)
    print(f"\nDaily states of {CAPABILITIES} capabilities with {UNITS:,} units\n")
    print("| days | MB | CPU ms of the charts of 91 days |\n| ---: | ---: | ---: |")
    for days, (ms, size_) in ((DAYS, few), (2 * DAYS, some)):
        print(f"| {days} | {size_:,.0f} | {ms:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=90_000, help="pipeline runs in the largest store")
    main(parser.parse_args().events)
