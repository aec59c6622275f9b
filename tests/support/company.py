"""The demo company and the real exporter on it, in this process, with a clock that the test moves.

    with company(folder, seed=1) as running:
        running.poll()
        running.clock.at += timedelta(minutes=10)
        running.poll()

Everything between the two is real: HTTP on loopback, the sources, the store, the tick, `/metrics` and the pages.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

from platform_meter.demo.apis.portal import SOURCE as PORTAL
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.stage.files import to_simulated_accounts, write
from platform_meter.demo.stage.server import Addresses, serving
from platform_meter.demo.stage.visitors import Visitors
from platform_meter.demo.truth import Truth
from platform_meter.demo.world import World
from platform_meter.runtime.files.check import examine
from platform_meter.runtime.files.config import Config, SourceSection
from platform_meter.runtime.poller import Result
from platform_meter.runtime.push import Delivery
from platform_meter.runtime.service import Service
from platform_meter.web.app import make_app
from platform_meter.web.site import make_site

START = datetime(2026, 5, 20, 9, 30, tzinfo=UTC)
"""A Wednesday, with Easter, Labour Day and the change to summer time behind it."""
LOOKBACK = timedelta(minutes=15)
Values = dict[tuple[tuple[str, str], ...], float]


@dataclass
class Clock:
    """A clock that stands until the test moves it."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True, kw_only=True)
class Table:
    """A data table of a page: the heading over it, its columns and its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def cells(self) -> dict[tuple[str, str], str]:
        """Text by (first cell of the row, column)."""
        return {
            (row[0], column): cell for row in self.rows for column, cell in zip(self.columns[1:], row[1:], strict=True)
        }


class Tables(HTMLParser):
    """Reads every table of a page with the last h2 and h3 before it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Table] = []
        self._heading = {"h2": "", "h3": ""}
        self._text: list[str] | None = None
        self._rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"h2", "h3", "th", "td"}:
            self._text = []
        elif tag == "table":
            self._rows = []
        elif tag == "tr":
            self._rows.append([])
        elif tag == "div" and self._text is not None:
            self._text.append(" ")

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text or ()).split())
        if tag in self._heading:
            self._heading = {"h2": text, "h3": ""} if tag == "h2" else {**self._heading, "h3": text}
        elif tag in {"th", "td"}:
            self._rows[-1].append(text)
        elif tag == "table":
            title = " / ".join(h for h in self._heading.values() if h)
            head, *rows = [tuple(row) for row in self._rows]
            self.found.append(Table(title=title, columns=head, rows=tuple(rows)))
        if tag in {"h2", "h3", "th", "td"}:
            self._text = None


@dataclass(kw_only=True)
class Running:
    """A company under measurement."""

    world: World
    addresses: Addresses
    clock: Clock
    folder: Path
    service: Service
    first: datetime
    """When the first poll was."""
    results: list[Result] = field(default_factory=list)
    looks: list[datetime] = field(default_factory=list)
    """When each poll was."""

    @cached_property
    def visitors(self) -> Visitors:
        """Who sends what people do in the portal, after each poll."""
        return Visitors(self.world.company)

    @property
    def truth(self) -> Truth:
        return Truth(self.world, self.service.zone)

    def poll(self, *, after: timedelta = timedelta()) -> list[Result]:
        """Move the clock, poll every source once, tick. A failure of any source fails the test."""
        self.clock.at += after
        self.looks.append(self.clock.at)
        self.results = self.service.once()
        if PORTAL in self.service.config.sources:
            self.visitors.tell(self.clock.at, self._push)
        assert [r for r in self.results if r.error or r.skipped] == []
        return self.results

    def _push(self, body: bytes, headers: Mapping[str, str]) -> None:
        self.service.inbox.take(Delivery(to=PORTAL, headers=headers, body=lambda: body))

    def runs_counted(self) -> dict[tuple[str, ...], float]:
        """Runs by team and outcome that the counter must hold: those that ended since the first poll less the lookback.

        A repository whose owner only its own word tells (rule 5) is asked after its lists were read: what it did
        before the first poll is counted as nobody's, and counters are never corrected.
        """
        found: dict[tuple[str, ...], float] = {}
        for ran in self.truth.attempts(self.first - LOOKBACK, self.clock.at + timedelta(seconds=1)):
            late = ran.repo.service is None and ran.at <= self.first
            key = ("_unowned" if late else ran.repo.team, str(ran.outcome))
            found[key] = found.get(key, 0.0) + 1
        for build in self.truth.builds(self.first - LOOKBACK, self.clock.at + timedelta(seconds=1)):
            key = (build.pipeline.team.id, str(build.outcome))
            found[key] = found.get(key, 0.0) + 1
        return found

    def deployments(self, start: datetime, end: datetime) -> Counter[tuple[str, str, str, str, date]]:
        """Deployments by team, environment, result, kind and day: the truth's, and what Argo CD showed when it was asked."""
        found = self.truth.deployments(start, end)
        for sync in self.truth.syncs(self.looks, settled=True):
            if start <= sync.healthy < end:
                found[sync.app.team, "production", "success", "planned", self.truth.day(sync.healthy)] += 1
        return found

    def page(self, path: str) -> str:
        """The HTML of a page."""
        answer = Client(make_app(make_site(lambda: self.service, list))).get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def tables(self, path: str) -> dict[str, Table]:
        """Every table of a page by the headings over it; of several under one heading, the first."""
        return tables(self.page(path))

    def metrics(self) -> dict[str, Values]:
        """Every sample of `/metrics`, read by prometheus_client, by name and labels."""
        return samples(self.service.exposition.body().data.decode())

    def counter(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """Values above 0 of one family, by the values of these labels, the rest summed."""
        return summed(self.metrics()[name], *labels)


def tables(html: str) -> dict[str, Table]:
    """Every table by the headings over it; of several under one heading, the first."""
    parser = Tables()
    parser.feed(html)
    return {table.title: table for table in reversed(parser.found)}


def samples(text: str) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found.setdefault(one.name, {})[tuple(sorted(one.labels.items()))] = one.value
    return found


def summed(values: Values, *labels: str) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for pairs, value in values.items():
        said = dict(pairs)
        key = tuple(said[label] for label in labels)
        found[key] = found.get(key, 0.0) + value
    return {key: value for key, value in found.items() if value}


@contextmanager
def company(
    folder: Path,
    *,
    seed: int = 1,
    teams: int = 12,
    services: int = 90,
    trouble: Trouble = Trouble.NONE,
    trouble_after: timedelta = timedelta(),
    trouble_for: timedelta | None = None,
    begin: timedelta = timedelta(minutes=20),
    every: timedelta | None = None,
    often: Collection[str] | None = None,
    only: Mapping[str, Mapping[str, Any]] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Iterator[Running]:
    """A company whose clock stands `begin` after live time began; nothing is polled yet.

    Args:
        every: wall time between two polls of a source that runs; None is the demo's.
        often: the sources that are polled so often, where not all are; the others ten times as seldom.
        only: the sources to read, with their settings that differ; None is all of the demo's.
        config: settings that differ from those the demo writes.
    """
    clock = Clock(START)
    since = START + trouble_after
    scenario = Scenario(trouble=trouble, begin=since, end=None if trouble_for is None else since + trouble_for)
    world = World.build(Company.build(seed, START, teams=teams, services=services), clock, scenario=scenario)
    clock.at = START + begin
    with serving(world) as addresses, _simulated_accounts(folder):
        found = examine(write(folder, world.company, addresses), (), {})
        assert found.problems == ()
        chosen = (found.config or Config()).model_copy(
            update={"listen": "127.0.0.1:0", "zero_for": timedelta(), **(config or {})}
        )
        if only is not None:
            sections = {name: _changed(chosen.sources[name], **said) for name, said in only.items()}
            chosen = chosen.model_copy(update={"sources": sections})
        if every is not None:
            # Polls soon follow each other, while what they overlap stays as it is.
            said = {"lookback": LOOKBACK, "stale_after": timedelta(days=1)}
            sections = {
                name: _changed(section, every=every if often is None or name in often else 10 * every, **said)
                for name, section in chosen.sources.items()
            }
            chosen = chosen.model_copy(update={"sources": sections, "tick": timedelta(seconds=1)})
        service = Service(chosen, found.definitions, environ={}, plans=found.plans, clock=clock)
        try:
            yield Running(world=world, addresses=addresses, clock=clock, folder=folder, service=service, first=clock.at)
        finally:
            service.close()


@contextmanager
def _simulated_accounts(folder: Path) -> Iterator[None]:
    """For this process's boto3, which sees no other variables than those of the process."""
    wanted = dict(os.environ)
    to_simulated_accounts(wanted, folder)
    with pytest.MonkeyPatch.context() as patched:
        for name in os.environ.keys() - wanted.keys():
            patched.delenv(name)
        for name, value in wanted.items():
            patched.setenv(name, value)
        yield


def _changed(section: SourceSection, **said: Any) -> SourceSection:
    return replace(section, config=section.config.model_copy(update=said))
