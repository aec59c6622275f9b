"""A Way with time and chance in the test's hands."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.http import Server

from platform_meter.model.access import Access
from platform_meter.model.source import Gap
from platform_meter.runtime.outside.grants import Credentials
from platform_meter.runtime.outside.http import Way
from platform_meter.runtime.outside.quota import Budgets

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@dataclass
class Time:
    """A clock that only sleeping and the test move."""

    now: datetime = NOON
    slept: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def pass_(self, **how_long: float) -> None:
        self.now += timedelta(**how_long)


@dataclass
class Kit:
    """What ways are made of, and what they report."""

    time: Time = field(default_factory=Time)
    stop: threading.Event = field(default_factory=threading.Event)
    outcomes: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    filled: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)
    budgets: Budgets = field(init=False)

    def __post_init__(self) -> None:
        self.budgets = Budgets(self.time.clock, self.time.sleep)

    def way(
        self,
        access: Access,
        *,
        instance: str = "github-main",
        max_bytes: int = 1_000_000,
        timeout: float = 10.0,
        credential: Credentials | None = None,
    ) -> Way:
        made = Way(
            access,
            instance=instance,
            source_type="github",
            budgets=self.budgets,
            clock=self.time.clock,
            sleep=self.time.sleep,
            salt=b"pepper of these tests",
            stop=self.stop,
            outcome=self.outcomes.append,
            on_gap=self.gaps.append,
            on_filled=lambda what, start, end: self.filled.append((what, start, end)),
            jitter=lambda: 0.5,
            environ=self.environ,
            max_bytes=max_bytes,
            timeout=timedelta(seconds=timeout),
            credential=credential,
        )
        self.ways.append(made)
        return made

    def close(self) -> None:
        self.stop.set()
        for way in self.ways:
            way.close()


def authorization(server: Server) -> list[str]:
    """What each request brought to be let in."""
    return [seen.headers.get("authorization", "") for seen in server.seen]


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)
