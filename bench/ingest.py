"""Ingest into the SQLite store: new and replayed pipeline runs per CPU second, and the memory of a large one.

    python bench/ingest.py [--events N] [--large N]

The floor is what SQLite alone takes in the same run: `executemany` of the same bodies into one table with the same
unique index, in transactions of the same size. Both wait for no disk more than the store does (WAL, synchronous NORMAL).
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from platform_meter.measures import load
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.history import Owner
from platform_meter.model.measure import Counting
from platform_meter.model.source import Page
from platform_meter.store import Configured, ConfiguredStream, Round, Store

PAGE = 1000
REPOSITORIES = 200
BETWEEN = timedelta(seconds=10)
START = datetime(2026, 1, 1, tzinfo=UTC)
NEW_TARGET, REPLAY_TARGET, MEMORY_TARGET = 40_000, 180_000, 30.0
_OUTCOMES = (Outcome.SUCCESS,) * 8 + (Outcome.USER_FAILURE, Outcome.INFRA_FAILURE)


class Teams:
    """Every repository belongs to one of 40 teams."""

    def intervals(
        self,
        ref: Ref,
        source_instance: str,  # noqa: ARG002 - part of the protocol
        linked: Mapping[str, Owner],  # noqa: ARG002 - part of the protocol
    ) -> Sequence[tuple[datetime | None, Owner]]:
        team = f"team-{hash(ref.id) % 40}"
        return [(None, Owner(service=ref.id, team=team, rule="1 bench"))]

    def majority(self, owners: Sequence[Owner]) -> Owner | None:  # noqa: ARG002 - part of the protocol
        return None


def pages(count: int) -> Iterator[list[PipelineRun]]:
    """Runs of 200 repositories, one every 10 s, in order of time, as a source that pages through a list gives them."""
    for first in range(0, count, PAGE):
        yield [
            PipelineRun(
                key=f"acme/service-{n % REPOSITORIES}/{10_000_000 + n}/1",
                at=START + n * BETWEEN,
                about=Ref(system="github", kind="repository", id=f"acme/service-{n * 7 % REPOSITORIES}"),
                pipeline="build.yml",
                outcome=_OUTCOMES[n * 13 % len(_OUTCOMES)],
                ran=timedelta(seconds=30 + n * 17 % 600),
                group=f"build.yml:{n // 3}",
                sha=hashlib.sha1(f"{n}".encode(), usedforsecurity=False).hexdigest(),
                trigger="push",
                pool=("linux", "linux-large", "windows")[n % 3],
            )
            for n in range(first, min(first + PAGE, count))
        ]


def begin(store: Store, now: datetime) -> Round:
    return store.begin_poll(
        "gh", "github", "runs", now=now, lookback=timedelta(minutes=15), history=timedelta(days=400)
    )


def write(store: Store, prepared: Sequence[list[PipelineRun]], now: datetime) -> float:
    """CPU seconds to store these pages in one poll."""
    gc.collect()
    began = time.process_time()
    poll = begin(store, now)
    for number, facts in enumerate(prepared):
        store.write(poll, Page(facts=facts, checkpoint=str(number).encode()), now=now)
    store.end_poll(poll, now=now)
    return time.process_time() - began


def floor(path: Path, prepared: Sequence[list[PipelineRun]]) -> float:
    """CPU seconds of SQLite alone for the same bodies and the same unique index."""
    encode = msgspec.json.Encoder().encode
    rows = [[("gh", "PipelineRun", run.key, encode(run)) for run in facts] for facts in prepared]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, source TEXT, kind TEXT, key TEXT, body BLOB, UNIQUE (source, kind, key))"
    )
    began = time.process_time()
    for some in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events (source, kind, key, body) VALUES (?, ?, ?, ?)", some)
        connection.execute("COMMIT")
    taken = time.process_time() - began
    connection.close()
    return taken


def resident() -> float:
    """This process's memory now, MB."""
    line = next(s for s in Path("/proc/self/status").read_text().splitlines() if s.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def read(folder: str, count: int) -> float:
    """MB that reading a store of `count` events takes above reading an empty one, in this fresh process."""
    runs = ConfiguredStream(name="runs", gives=frozenset({PipelineRun}), every=timedelta(minutes=1))
    configured = Configured(instance="gh", type="github", streams=(runs,))
    end = START + count * BETWEEN
    idle = 0.0
    for name in ("empty", "large"):
        store = Store.open(f"sqlite:///{folder}/{name}.db", zone="Europe/Berlin", countings=(), directory=Teams())
        with store.history(end, [configured]) as history:
            for days in (1, 28, 91):
                history.counts(PipelineRun, "gh", end - timedelta(days=days, minutes=7), end - timedelta(minutes=3))
            for object_ in history.objects():
                history.owner(object_.id)
            for _ in history.rows(PipelineRun, START, end):
                pass
        store.close()
        idle = idle or resident()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - idle


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000, help="events of the speed runs")
    parser.add_argument("--large", type=int, default=0, help="events of the memory run, such as 1000000")
    parser.add_argument(
        "--read", metavar="FOLDER", help="only print the memory of reading the store there; used by --large"
    )
    given = parser.parse_args()
    if given.read:
        print(read(given.read, given.large))
        return 0
    countings = [m for m in load(Definitions()) if isinstance(m, Counting)]
    prepared = list(pages(given.events))
    # No source holds 100,000 runs at once: the collector must not walk them again and again.
    gc.collect()
    gc.freeze()

    with tempfile.TemporaryDirectory() as folder:

        def opener(name: str = "speed") -> Store:
            url = f"sqlite:///{folder}/{name}.db"
            return Store.open(url, zone="Europe/Berlin", countings=countings, directory=Teams())

        least = floor(Path(folder, "floor.db"), prepared)
        store = opener()
        early, late = START, START + given.events * BETWEEN
        # The first poll began before the first event: nothing is backfill, everything is counted.
        store.end_poll(begin(store, early), now=early)
        new = write(store, prepared, late)
        again = write(store, prepared, late)
        store.close()
        rows = [
            ("SQLite alone, executemany", least, None),
            ("new: stored, counted, rolled up", new, NEW_TARGET),
            ("replayed", again, REPLAY_TARGET),
        ]
        print(f"{given.events:,} pipeline runs of {REPOSITORIES} repositories in pages of {PAGE:,}, SQLite")
        print("| what | events per CPU s | target | CPU, SQLite alone = 1 |\n| --- | ---: | ---: | ---: |")
        for what, seconds, target in rows:
            wanted = f">= {target:,}" if target else "floor"
            print(f"| {what} | {given.events / seconds:,.0f} | {wanted} | {seconds / least:.2f} |")
        well = given.events / new >= NEW_TARGET and given.events / again >= REPLAY_TARGET
        if given.large:
            prepared.clear()
            store = opener("large")
            store.end_poll(begin(store, early), now=early)
            poll = begin(store, early + given.large * BETWEEN)
            for facts in pages(given.large):
                store.write(poll, Page(facts=facts), now=poll.now)
            store.close()
            size = Path(folder, "large.db").stat().st_size / 1e6
            fresh = [sys.executable, __file__, "--read", folder, "--large", str(given.large)]
            above = float(subprocess.run(fresh, check=True, capture_output=True, text=True).stdout)
            print(
                f"\n{given.large:,} events, {size:,.0f} MB on disk: reading takes {above:.1f} MB above idle (target <= {MEMORY_TARGET:g})"
            )
            well = well and above <= MEMORY_TARGET
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
