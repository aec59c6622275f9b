"""The five numbers of delivery at three sizes: as a start makes them, after one more deployment, and while nothing came.

    python -m bench.delivery [--deployments N]

Deployments come evenly over 91 days to 2,000 services of 200 teams, each with one merged change; one in twenty has an
incident. The floor is reading and decoding these facts once.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.measures import cpu_ms, print_growth
from platform_meter.measures.delivery.numbers import GAUGES
from platform_meter.model.definitions import Definitions, Ownership
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Change, Deployment, DeployResult
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.kept import Kept
from platform_meter.model.measure import Scene
from platform_meter.model.ownership import Directory
from platform_meter.model.source import Page
from platform_meter.store import Configured, ConfiguredStream, Round, Store

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SPAN = timedelta(days=91)
SERVICES, TEAMS = 2_000, 200
CONFIGURED = Configured(
    instance="gh",
    type="github",
    streams=(
        ConfiguredStream(
            name="api",
            gives=frozenset({Deployment, Change, Incident}),
            every=timedelta(minutes=1),
            stale_after=timedelta(days=1),
        ),
    ),
)
OWNERS = Definitions(
    ownership=(
        Ownership.model_validate(
            {
                "kind": "Ownership",
                "rules": [
                    {"match": f"github:acme/s{n}", "service": f"s{n}", "team": f"t{n % TEAMS}"} for n in range(SERVICES)
                ],
            }
        ),
    )
)


def told(number: int, at: datetime) -> Iterator[Event]:
    """One deployment, its change, and now and then its incident."""
    about = Ref(system="github", kind="repository", id=f"acme/s{number % SERVICES}")
    sha, hour = f"{number:040x}", timedelta(hours=1)
    yield Change(
        key=f"pull/{number}", at=at - hour, about=about, sha=sha, opened=at - 9 * hour, first_commit=at - 20 * hour
    )
    yield Deployment(
        key=f"deployment/{number}", at=at, about=about, environment="production", sha=sha, result=DeployResult.SUCCESS
    )
    if number % 20 == 0:
        yield Incident(key=f"incident/{number}", at=at + hour / 2, about=about, resolved=at + hour)


@dataclass
class Bench:
    store: Store
    kept: Kept

    def numbers(self) -> None:
        with self.store.history(NOW, [CONFIGURED]) as history:
            GAUGES.compute(Scene(history=history, definitions=OWNERS, now=NOW, kept=self.kept))

    def floor(self) -> None:
        with self.store.history(NOW, [CONFIGURED]) as history:
            for kind in (Deployment, Change, Incident):
                for _ in history.rows(kind, NOW - 2 * SPAN, NOW, source="gh"):
                    pass


def begin(store: Store) -> Round:
    return store.begin_poll("gh", "github", "api", now=NOW, lookback=timedelta(minutes=15), history=SPAN)


def measured(deployments: int) -> list[tuple[str, float]]:
    """(what, CPU ms)."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Directory.build(OWNERS, team_label="team")
        store = Store.open(f"sqlite:///{folder}/meter.db", zone="UTC", countings=[], directory=directory)
        poll, rng = begin(store), random.Random(deployments)
        moments = sorted(NOW - timedelta(hours=2) - SPAN * rng.random() for _ in range(deployments))
        facts = [fact for number, at in enumerate(moments) for fact in told(number, at)]
        for start in range(0, len(facts), 5_000):
            store.write(poll, Page(facts=facts[start : start + 5_000]), now=NOW)
        store.end_poll(poll, now=NOW)
        bench = Bench(store, Kept())
        bench.floor()
        found = [("floor: reading and decoding all of it", cpu_ms(bench.floor))]
        found.append(("the five numbers as a start makes them", cpu_ms(bench.numbers)))
        store.write(begin(store), Page(facts=list(told(deployments, NOW - timedelta(hours=1)))), now=NOW)
        found.append(("after one more deployment (every 5 min)", cpu_ms(bench.numbers)))
        found.append(("while nothing came", cpu_ms(bench.numbers)))
        store.close()
        return found


def main(deployments: int = 27_000) -> None:
    sizes = [deployments // 9, deployments // 3, deployments]
    columns = [measured(size) for size in sizes]
    print(f"\nDelivery, deployments of 91 days to {SERVICES:,} services of {TEAMS} teams, SQLite, CPU ms\n")
    print_growth(columns, sizes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deployments", type=int, default=27_000, help="in the largest store")
    main(parser.parse_args().deployments)
