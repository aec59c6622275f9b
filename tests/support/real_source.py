"""A source on the real way out, its streams run as the poller runs them, for tests on real servers."""

from __future__ import annotations

import random
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_meter.model.facts import Event, Fact, Reading
from platform_meter.model.source import Gap, Page, Source, SourceConfig, Stream
from platform_meter.runtime.outside.grants import Credentials
from platform_meter.runtime.outside.http import Way
from platform_meter.runtime.outside.quota import Budgets


def utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - tests stand in for the runtime, which owns the clock


@dataclass(slots=True)
class Reader:
    """One stream and what the store would hold of it: checkpoint, events by key, readings that stand."""

    stream: Stream
    checkpoint: bytes | None = None
    events: dict[str, Event] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    opened: list[Generator[Page, None, None]] = field(default_factory=list)

    def open(self, now: datetime | None = None, since: timedelta = timedelta(days=1)) -> Generator[Page, None, None]:
        """Begin to read; what is still open when the source is disconnected is closed then."""
        self.opened.append(self._read(now, since))
        return self.opened[-1]

    def run(self, now: datetime | None = None, since: timedelta = timedelta(days=1)) -> list[Page]:
        """Read to the end."""
        return list(self._read(now, since))

    def _read(self, now: datetime | None, since: timedelta) -> Generator[Page, None, None]:
        """Each page is kept before it is handed on, as the poller does."""
        moment = now or utc_now()
        said: set[str] = set()
        for page in self.stream.read(self.checkpoint, moment - since, moment):
            for fact in page.facts:
                self._keep(fact, said)
            for _, key in page.gone:
                self.readings.pop(key, None)
            if page.complete:
                self.readings = {k: r for k, r in self.readings.items() if k in said or type(r) not in page.complete}
            self.checkpoint = page.checkpoint or self.checkpoint
            self.pages.append(page)
            yield page

    def _keep(self, fact: Fact, said: set[str]) -> None:
        if isinstance(fact, Event):
            self.events.setdefault(fact.key, fact)
        else:
            self.readings[fact.key] = fact
            said.add(fact.key)


@dataclass(slots=True)
class Connected:
    """One source on the real way out, with the gaps and the outcomes of requests that it told."""

    source: Source[Any]
    config: SourceConfig
    way: Way
    gaps: list[Gap] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)

    def stream(self, name: str) -> Reader:
        found = Reader(next(s for s in self.source.connect(self.config, self.way, "real") if s.name == name))
        self.readers.append(found)
        return found

    def check(self) -> Sequence[str]:
        return self.source.check(self.config, self.way)


@contextmanager
def connected(
    source: Source[Any], config: SourceConfig, *, credential: Credentials | None = None
) -> Iterator[Connected]:
    """`source` on the real way out, until the end of the block; `credential` in place of what the settings name."""
    gaps: list[Gap] = []
    outcomes: list[str] = []
    stop = threading.Event()

    def sleep(seconds: float) -> None:
        stop.wait(seconds)

    with Way(
        source.access(config),
        instance="real",
        source_type=source.name,
        budgets=Budgets(utc_now, sleep),
        clock=utc_now,
        sleep=sleep,
        jitter=random.random,
        salt=b"salt of real tests",
        stop=stop,
        outcome=outcomes.append,
        on_gap=gaps.append,
        on_filled=lambda what, start, end: gaps.__setitem__(
            slice(None), [gap for gap in gaps if not gap.lies_in(what, start, end)]
        ),
        credential=credential,
    ) as way:
        made = Connected(source, config, way, gaps, outcomes)
        try:
            yield made
        finally:
            for reading in [r for reader in made.readers for r in reader.opened]:
                reading.close()
