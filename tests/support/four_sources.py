"""The exporter that reads four systems under a clock of the test's, with an SLO over each source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from tests.support.company import Clock
from tests.support.four_systems import Systems
from tests.support.traffic import MINUTE

from platform_meter.model.measure import window_label
from platform_meter.model.source import Stream
from platform_meter.runtime.files.check import examine
from platform_meter.runtime.poller import Instance
from platform_meter.runtime.service import Service

_EVENTS, _BURN = "platform_slo_window_events", "platform_slo_burn_rate"
_NAMES = (_EVENTS, _BURN, "platform_slo_budget_remaining_ratio")
_REQUESTS = "requests"
"""The stream of API Gateway that counts."""


class Hasty(Service):
    """It does not wait before it tries again: nothing mends itself while a test's clock stands."""

    def _sleep(self, seconds: float) -> None:
        del seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """When an alert of the profile `standard` fires."""

    factor: float
    long: str
    short: str
    least: int
    """Bad events of the long window."""


ROWS = (
    Row(factor=14.4, long="1h", short="5m", least=3),
    Row(factor=6, long="6h", short="30m", least=3),
    Row(factor=3, long="1d", short="2h", least=2),
    Row(factor=1, long="3d", short="6h", least=2),
)


@dataclass(slots=True)
class Said:
    """What `/metrics` has of one SLO, by window."""

    good: dict[str, float] = field(default_factory=dict)
    bad: dict[str, float] = field(default_factory=dict)
    burn: dict[str, float] = field(default_factory=dict)
    left: float | None = None
    """Of the budget."""

    def take(self, name: str, words: Mapping[str, str], value: float) -> None:
        if name == _EVENTS:
            held = self.good if words["result"] == "good" else self.bad
            held[words["window"]] = value
        elif name == _BURN:
            self.burn[words["window"]] = value
        else:
            self.left = value

    def fires(self) -> list[Row]:
        """Rows of which both windows burn too fast."""
        return [
            row
            for row in ROWS
            if min(self.burn.get(row.long, 0.0), self.burn.get(row.short, 0.0)) > row.factor
            and self.bad[row.long] >= row.least
        ]


@dataclass(slots=True)
class Exporter:
    """A running exporter on all four."""

    service: Service
    clock: Clock

    def poll(self, at: datetime) -> dict[str, str]:
        """Read what an SLO stands on at this moment; what failed, by source."""
        self.clock.at = at
        found = [self.service.poller.run(instance, stream) for instance, stream in self._streams]
        self.service.meter.tick(rested=True)
        return {one.instance: one.error or one.skipped for one in found if one.error or one.skipped}

    @property
    def behind(self) -> dict[str, timedelta]:
        """How far what is known of each SLO ends before a poll, as its stream says."""
        return {s.sli.rpartition(":")[2] or i.name: s.behind for i, s in self._streams}

    @property
    def _streams(self) -> list[tuple[Instance, Stream]]:
        """Those that an SLO stands on."""
        streams = [(i, s) for i in self.service.instances for s in i.streams]
        return [(i, s) for i, s in streams if s.sli or s.name == _REQUESTS]

    def said(self) -> dict[str, Said]:
        """What `/metrics` has of each SLO."""
        found = {slo: Said() for one in self.service.definitions.objectives if (slo := one.slo)}
        for line in self.service.exposition.body().data.decode().splitlines():
            name, _, rest = line.partition("{")
            told, _, value = rest.rpartition("} ")
            if name in _NAMES:
                words = dict(pair.split("=", 1) for pair in told.replace('"', "").split(","))
                found[words["slo"]].take(name, words, float(value))
        return found

    @property
    def windows(self) -> list[tuple[str, timedelta]]:
        """Of each SLO, as metrics are labelled, with their lengths."""
        objective = self.service.definitions.objectives[0]
        return [(window_label(length), length) for length in (*objective.windows, objective.period)]


def _slo(name: str, ratio: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name, "annotations": {"platform-meter.io/owner": "team-shop"}},
        "spec": {
            "service": "shop",
            "budgetingMethod": "Occurrences",
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "indicator": {"spec": {"ratioMetric": ratio}},
            "objectives": [{"target": 0.999}],
        },
    }


@contextmanager
def exporter(folder: Path, found: Systems, begin: datetime, *, history: timedelta) -> Iterator[Exporter]:
    """One that has read nothing yet and will read so far back; an SLO of 99.9 % stands on each source."""
    tellers = found.tellers
    folder.mkdir(parents=True, exist_ok=True)
    back = f"{history // MINUTE}m"
    sources = {
        name: {"type": name, **settings, "history": back}
        for teller in tellers.values()
        for name, settings in teller.sources.items()
    }
    store = {"url": f"sqlite:///{folder}/meter.db"}
    config = {"listen": "127.0.0.1:0", "store": store, "zero_for": "1s", "sources": sources, "definitions": "slos"}
    (folder / "slos").mkdir()
    (folder / "slos" / "shop.yaml").write_text(
        yaml.safe_dump_all([_slo(name, ratio) for one in tellers.values() for name, ratio in one.slos.items()])
    )
    (folder / "platform-meter.yaml").write_text(yaml.safe_dump(config))
    keys = {"DD_API_KEY": "key", "DD_APP_KEY": "other"}
    read = examine(folder / "platform-meter.yaml", (), keys)
    assert read.config is not None, [problem.text for problem in read.problems]
    clock = Clock(begin)
    service = Hasty(read.config, read.definitions, environ=keys, plans=read.plans, clock=clock)
    try:
        yield Exporter(service, clock)
    finally:
        service.close()
