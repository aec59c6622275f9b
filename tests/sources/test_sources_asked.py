"""SLO files that ask a source to count: the same traffic, told by each type of source, is the same SLO.

The sources are asked over their documented forms; poller, store and measure are the real ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.sources.cloudwatch.cloudwatch_server import CloudWatch
from tests.sources.datadog.datadog_server import Datadog
from tests.sources.datadog.test_datadog import MINUTELY
from tests.sources.elasticsearch.elasticsearch_server import Elasticsearch
from tests.support.stores import Opener

from platform_meter import sources
from platform_meter.measures.objectives.windows import Windows
from platform_meter.model.definitions import Definitions
from platform_meter.model.measure import Scene
from platform_meter.model.source import Unreachable
from platform_meter.runtime.files.check import Examined, examine
from platform_meter.runtime.imports import Imports
from platform_meter.runtime.poller import Instance, Poller
from platform_meter.store import Configured, Store
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Counts = Mapping[int, tuple[int, int]]
"""All events and bad ones of minutes, by their end in minutes from noon."""


def moment(end: int) -> datetime:
    return NOON + end * MINUTE


def elasticsearch(counts: Counts) -> Callable[[Call], Reply]:
    begun = {end: moment(end) - MINUTE / 2 for end in counts}
    logged = [(begun[end], 500 if n < bad else 200) for end, (total, bad) in counts.items() for n in range(total)]
    return Elasticsearch(documents={"logs-*": logged})


def datadog(counts: Counts) -> Callable[[Call], Reply]:
    def by_minute(part: int) -> dict[int, float | None]:
        return {int((moment(end) - MINUTE).timestamp()): float(told[part]) for end, told in counts.items()}

    queries = {"sum:hits{*}.as_count()": by_minute(0), "sum:errors{*}.as_count()": by_minute(1)}
    return Datadog(counted={query + MINUTELY: told for query, told in queries.items()})


def cloudwatch(counts: Counts) -> Callable[[Call], Reply]:
    def by_minute(part: int) -> dict[int, float]:
        return {int(moment(end).timestamp()): float(told[part]) for end, told in counts.items()}

    return CloudWatch(
        counted={("AWS/ELB", "Requests", ()): by_minute(0), ("AWS/ELB", "Errors", ()): by_minute(1)},
        forbidden=frozenset({"Other"}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A type of source that counts: its settings, what SLO files ask it for, and what answers."""

    settings: str
    bad: str
    total: str
    refused: tuple[str, str]
    """A part, and a total, one of which it does not give."""
    answers: Callable[[Counts], Callable[[Call], Reply]]


TYPES = {
    "elasticsearch": Type(
        settings="url: 'http://127.0.0.1:9200'",
        bad="{index: logs-*, query: 'status:>=500'}",
        total="{index: logs-*, query: '*'}",
        refused=("{index: other-*, query: 'status:>=500'}", "{index: other-*, query: '*'}"),
        answers=elasticsearch,
    ),
    "datadog": Type(
        settings="api_key: {env: A}, application_key: {env: B}, monitors: false",
        bad="{query: 'sum:errors{*}.as_count()'}",
        total="{query: 'sum:hits{*}.as_count()'}",
        refused=("{query: 'sum:other{*}.as_count()'}", "{query: 'sum:hits{*}.as_count()'}"),
        answers=datadog,
    ),
    "cloudwatch": Type(
        settings="region: eu-central-1",
        bad="{namespace: AWS/ELB, metric: Errors}",
        total="{namespace: AWS/ELB, metric: Requests}",
        refused=("{namespace: AWS/ELB, metric: Other}", "{namespace: AWS/ELB, metric: Requests}"),
        answers=cloudwatch,
    ),
}
SLO = """apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}, annotations: {{platform-meter.io/owner: a}}}}
spec:
  service: shop
  budgetingMethod: Occurrences
  indicator:
    spec:
      ratioMetric:
        bad: {{metricSource: {{type: {type}, spec: {bad}}}}}
        total: {{metricSource: {{type: {type}, spec: {total}}}}}
  objectives: [{{target: 0.99}}]
"""


@dataclass
class Bench:
    """One source that counts for what SLO files ask, with a clock that stands."""

    type: Type
    found: Examined
    store: Store
    instance: Instance
    outside: FakeOutside
    at: datetime = NOON
    silent: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    def answer(self, call: Call) -> Reply:
        if self.silent:
            raise Unreachable("no answer")
        return self.answering(call)

    answering: Callable[[Call], Reply] = field(default=lambda _: Reply(status=404))

    def tell(self, counts: Counts) -> None:
        self.answering = self.type.answers(counts)

    def poll(self, minutes: int) -> None:
        """One poll of all streams, so long after noon."""
        self.at = moment(minutes)
        Poller(
            self.store,
            (self.instance,),
            clock=lambda: self.at,
            holder="me",
            stop=self.stop,
            changed=lambda: None,
            observe=lambda *_: None,
            imports=Imports(lambda *_: None, quota=lambda _: None, zone=ZoneInfo("UTC")),
        ).once()

    def windows(self, slo: str, minutes: int | None = None) -> tuple[float, float] | None:
        """Good and bad events of the last hour that is known; None where no number stands."""
        now = self.at if minutes is None else moment(minutes)
        configured = Configured(
            instance="it",
            type=self.instance.source.name,
            streams=tuple(self.instance.expected(stream) for stream in self.instance.streams),
        )
        (objective,) = (one for one in self.found.definitions.objectives if one.slo == slo)
        with self.store.history(now, (configured,)) as history:
            scene = Scene(history=history, definitions=Definitions(), now=now, zone=ZoneInfo("UTC"))
            counts = Windows([objective]).of(scene, objective).counts
        return None if counts is None else (counts["1h"].good, counts["1h"].bad)


@pytest.fixture(params=TYPES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    name: str = request.param
    type_, made = TYPES[name], tmp_path / "slo-definitions"
    made.mkdir()
    asked = {"shop": (type_.bad, type_.total), "other": type_.refused}
    slos = [SLO.format(name=slo, type=name, bad=bad, total=total) for slo, (bad, total) in asked.items()]
    (made / "slos.yaml").write_text("---\n".join(slos), "utf-8")
    config = tmp_path / "platform-meter.yaml"
    config.write_text(f"sources: {{it: {{type: {name}, {type_.settings}, history: 2h, lookback: 30m}}}}\n", "utf-8")
    found = examine(config, (), {"A": "a", "B": "b"})
    assert found.problems == ()
    assert found.config is not None
    settings, source = found.config.sources["it"].config, sources.load()[name]
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    outside = FakeOutside(lambda _: Reply(status=404))
    instance = Instance(
        name="it", source=source, settings=settings, streams=tuple(source.connect(settings, outside, "it"))
    )
    bench = Bench(type=type_, found=found, store=opener(), instance=instance, outside=outside)
    outside.answering = bench.answer
    yield bench
    opener.close()


STEADY: Counts = dict.fromkeys(range(-119, 60), (10, 0))


def test_traffic_is_counted_as_its_file_asks(bench: Bench) -> None:
    """Up to the last minute whose delay is over: two minutes, of CloudWatch three."""
    bench.tell({**STEADY, -30: (20, 5), 0: (10, 10)})
    bench.poll(0)
    assert bench.windows("shop") == (605.0, 5.0)
    bench.poll(4)
    assert bench.windows("shop") == (595.0, 15.0)


def test_a_source_that_does_not_answer_burns_nothing(bench: Bench) -> None:
    """Windows stay where it was last read, and after three polls no number stands; what it counted meanwhile is then read."""
    bench.tell(STEADY)
    bench.poll(3)
    assert bench.windows("shop") == (600.0, 0.0)
    bench.silent = True
    for minutes in (4, 5):
        bench.poll(minutes)
        assert bench.windows("shop") == (600.0, 0.0)
    bench.poll(7)
    assert bench.windows("shop") is None
    assert bench.windows("shop", minutes=40) is None
    bench.silent = False
    bench.tell({**STEADY, 20: (10, 7)})
    bench.poll(40)
    assert bench.windows("shop") == (593.0, 7.0)


def test_late_events_correct_their_minute(bench: Bench) -> None:
    """Errors that were on their way, and requests of a minute in which nothing was known."""
    bench.tell({end: told for end, told in STEADY.items() if end != -5})
    bench.poll(3)
    assert bench.windows("shop") == (590.0, 0.0)
    bench.tell({**STEADY, -5: (8, 2), -10: (11, 1)})
    bench.poll(5)
    assert bench.windows("shop") == (596.0, 3.0)


def test_what_one_file_asks_for_holds_up_no_other(bench: Bench) -> None:
    """A part that the source refuses is data of its own SLO that grows old; the other one's windows go on.

    Datadog does not refuse a metric that it does not know: it has counted nothing.
    """
    bench.tell(STEADY)
    bench.poll(3)
    assert bench.windows("shop") == (600.0, 0.0)
    assert bench.windows("other") == ((600.0, 0.0) if bench.instance.source.name == "datadog" else None)
