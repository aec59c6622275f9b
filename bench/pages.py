"""The pages of a product manager, `/adoption` and `/journeys`, as they are served to a browser.

    python -m bench.pages [--deployments N]

Half a year of merges and deployments of 1,000 services of 100 teams, which came one after another; two capabilities of
services and two of teams, each with a journey of three stages and a goal. The floor is reading and decoding these facts once.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NoReturn
from zoneinfo import ZoneInfo

from werkzeug.test import Client

from bench.measures import cpu_ms, metered, print_growth
from platform_meter.measures import load
from platform_meter.model.catalogue.adoption import ADOPTION_GOAL_FORECAST
from platform_meter.model.catalogue.journeys import FUNNEL_UNITS
from platform_meter.model.definitions import Capability, Definitions, Ownership, Service, Team
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Change, Deployment, DeployResult
from platform_meter.model.measure import Counting
from platform_meter.model.ownership import Directory
from platform_meter.model.source import Page
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.store import Configured, ConfiguredStream, Store
from platform_meter.web.app import Site, make_app
from platform_meter.web.view import View

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SPAN = timedelta(days=182 + 28)
"""Entrants are those of half a year, and of the four weeks before it nobody is one."""
DAYS = ZoneInfo("UTC")
SERVICES, TEAMS, CAPABILITIES = 1_000, 100, 4
TIMES = 5
CONFIGURED = Configured(
    instance="gh",
    type="github",
    streams=(
        ConfiguredStream(
            name="api",
            gives=frozenset({Deployment, Change}),
            every=timedelta(minutes=1),
            stale_after=timedelta(days=1),
        ),
    ),
)


def capability(number: int) -> Capability:
    """One of deployments to an environment of its own."""
    deploys = {"source": "github", "verb": "deploy", "select": {"environment": [f"env-{number}"]}}
    stages = {"first": 1, "again": 2, "often": 5}
    when = {"source": "github", "verb": "deploy", "environment": f"env-{number}"}
    return Capability.model_validate(
        {
            "kind": "Capability",
            "id": f"env-{number}",
            "unit": "service" if number % 2 else "team",
            "owner": "platform",
            "eligible": {"any": [{"service": {}} if number % 2 else {"team": {}}]},
            "adopted": deploys,
            "active": deploys,
            "goals": [{"ratio": 0.9, "by": NOW.date() + timedelta(days=90)}],
            "journey": {"start": {"source": "github", "verb": "merge"}, "window": "28d"},
            "stages": [{"id": id_, "when": {**when, "min_amount": least}} for id_, least in stages.items()],
        }
    )


def team(service: int) -> str:
    return f"t{service % TEAMS}"


DECLARED = Definitions(
    capabilities=tuple(capability(n) for n in range(CAPABILITIES)),
    teams=tuple(Team(kind="Team", id=f"t{n}") for n in range(TEAMS)),
    services=tuple(Service(kind="Service", id=f"s{n}", team=team(n)) for n in range(SERVICES)),
    ownership=(
        Ownership.model_validate(
            {
                "kind": "Ownership",
                "rules": [{"match": f"github:acme/s{n}", "service": f"s{n}", "team": team(n)} for n in range(SERVICES)],
            }
        ),
    ),
)


def told(number: int, service: int, at: datetime) -> Iterator[Event]:
    """A merge, and its deployment an hour later."""
    about, sha = Ref(system="github", kind="repository", id=f"acme/s{service}"), f"{number:040x}"
    yield Change(key=f"pull/{number}", at=at, about=about, sha=sha, opened=at, first_commit=at)
    yield Deployment(
        key=f"deployment/{number}",
        at=at + timedelta(hours=1),
        about=about,
        environment=f"env-{number % CAPABILITIES}",
        sha=sha,
        result=DeployResult.SUCCESS,
    )


def put(store: Store, *facts: Event) -> None:
    """A poll with these facts."""
    poll = store.begin_poll("gh", "github", "api", now=NOW, lookback=timedelta(minutes=15), history=timedelta(days=400))
    for start in range(0, len(facts), 5_000):
        store.write(poll, Page(facts=facts[start : start + 5_000]), now=NOW)
    store.end_poll(poll, now=NOW)


class Bench:
    """A process on this store."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOW
        self.restart()

    def restart(self) -> None:
        """Another process on the same store: nothing is kept of what was read, and a tick was made."""
        self.meter = metered(self.store, CONFIGURED, DECLARED, lambda: self.now)
        self.meter.tick()
        self.client = Client(make_app(self.site()))

    def get(self, path: str) -> None:
        """A page, whole, as it is served."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text

    def floor(self) -> None:
        with self.store.history(self.now, [CONFIGURED]) as history:
            for kind in (Deployment, Change):
                for _ in history.rows(kind, NOW - SPAN, self.now, source="gh"):
                    pass

    def site(self) -> Site:
        """The pages over this store; of what else a site has they ask nothing."""

        @contextmanager
        def view() -> Iterator[View]:
            with self.store.history(self.now, [CONFIGURED]) as history:
                yield View(
                    now=self.now,
                    zone=DAYS,
                    definitions=DECLARED,
                    history=history,
                    rows=self.meter.rows,
                    streams=history.stream_states(),
                    records=history,
                    kept=self.meter.kept,
                )

        return Site(
            exposition=Exposition,
            view=view,
            health=str,
            unready=str,
            explain=lambda _metric, _labels: {},
            inbox=unasked,
            forms=unasked,
            reload=list,
        )


def unasked() -> NoReturn:
    raise AssertionError("no page of this bench asks for it")


PAGES = ("/adoption", "/adoption/env-1", "/journeys", "/journeys/env-1")


def measured(deployments: int) -> list[tuple[str, float]]:
    """(what, CPU ms)."""
    with tempfile.TemporaryDirectory() as folder:
        countings = [m for m in load(DECLARED) if isinstance(m, Counting)]
        directory = Directory.build(DECLARED, team_label="team")
        store = Store.open(f"sqlite:///{folder}/meter.db", zone="UTC", countings=countings, directory=directory)
        rng = random.Random(deployments)
        # Services come one after another over the whole time, so that in each week there are newcomers.
        ages = sorted(rng.random() for _ in range(deployments))
        made = [
            told(n, rng.randrange(1 + int(SERVICES * age)), NOW - timedelta(hours=3) - SPAN * (1 - age))
            for n, age in enumerate(ages)
        ]
        put(store, *(fact for facts in made for fact in facts))
        Bench(store)  # the past of adoption is reconstructed once in a store's life
        bench = Bench(store)
        for metric in (FUNNEL_UNITS, ADOPTION_GOAL_FORECAST):
            assert any(value for _, value in bench.meter.rows[metric.name]), f"{metric.name}: there is nothing to show"
        bench.floor()
        found = [("floor: the facts read and decoded once", cpu_ms(bench.floor))]
        for path in PAGES:
            ask = partial(bench.get, path)
            first, again = cpu_ms(ask), statistics.median(cpu_ms(ask) for _ in range(TIMES))
            called = path.replace("env-1", "CAPABILITY")
            found += [(f"`{called}`, first after a start", first), (f"`{called}`, again (median)", again)]
        store.close()
        return found


def main(deployments: int = 27_000) -> None:
    sizes = [deployments // 9, deployments // 3, deployments]
    columns = [measured(size) for size in sizes]
    print(
        f"\nPages, deployments and merges of {SPAN.days} days of {SERVICES:,} services and {TEAMS} teams, "
        f"{CAPABILITIES} capabilities, SQLite, CPU ms\n"
    )
    print_growth(columns, sizes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deployments", type=int, default=27_000, help="in the largest store, each with a merge")
    main(parser.parse_args().deployments)
