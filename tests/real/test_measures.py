"""The contract of measures, for every measure that is found, on all that the demo company told."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import isclose
from pathlib import Path

import pytest
from tests.support.company import LOOKBACK, Running

from platform_meter import measures
from platform_meter.explain import explain
from platform_meter.model.facts import Event, Fact, Reading
from platform_meter.model.history import History
from platform_meter.model.kept import Kept
from platform_meter.model.measure import Counting, Deriving, Gauging, Measure, Scene
from platform_meter.model.metric import Sample, resolve
from platform_meter.model.ownership import Directory
from platform_meter.model.source import Page
from platform_meter.store import Store
from platform_meter.testing.measures import adds_up, within_bounds

Found = Mapping[tuple[str, tuple[str, ...]], float | None]
HISTORY = timedelta(days=90)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
PAGES = 5


def loaded(running: Running) -> Sequence[Measure]:
    return measures.load(running.service.definitions)


@dataclass(frozen=True, kw_only=True)
class Load:
    """The measures of one process, with what they keep of the one store that they look at."""

    measures: Sequence[Measure]
    kept: Kept = field(default_factory=Kept)

    def scene(self, running: Running, history: History) -> Scene:
        return replace(running.service.meter.scene(history, running.clock.at), kept=self.kept)


def test_what_is_behind_every_gauge_adds_up_to_it(imported: Running) -> None:
    """Of every measure, each of its samples; a measure that reads facts has some behind it."""
    with imported.service.history() as history:
        scene = imported.service.meter.scene(history, imported.clock.at)
        for measure in loaded(imported):
            if isinstance(measure, Gauging):
                assert measure.behind is not None or not measure.reads, measure.metrics
                adds_up(measure, scene)


def test_what_is_behind_every_counter_adds_up_to_it(imported: Running) -> None:
    """Nothing is older than what is kept here; what owners a page told late is counted as nobody's, and said."""
    told = 0
    with imported.service.history() as history:
        scene = imported.service.meter.scene(history, imported.clock.at)
        for measure in loaded(imported):
            for metric in measure.metrics if isinstance(measure, Counting) else ():
                rows = imported.service.store.counters([metric.name])
                for row in rows:
                    within_bounds(Sample(metric=metric, labels=row.labels, value=row.value))
                for row in rows[:3]:
                    labels = dict(zip(metric.labels, row.labels, strict=True))
                    found = explain(scene, [measure], lambda _, rows=rows: rows, metric.name, labels)  # type: ignore[misc]
                    total = row.value if row.buckets is None else row.sum
                    late = "_unowned" in row.labels or any("another owner" in note for note in found.notes)
                    assert late or isclose(found.adds, total, rel_tol=1e-6, abs_tol=1e-6), found
                    told += found.count
    assert told > 0


@pytest.mark.parametrize("imported", [1], indirect=True, ids=["seed1"])
def test_order_repetition_batches_and_restarts_change_nothing(imported: Running, tmp_path: Path) -> None:
    """Shuffled facts, some told twice, in pages after each of which every measure is asked, against all of them at once.

    What measures say that were asked all along, those of a restart say too, and those of the other store.
    """
    with imported.service.history() as history:
        told = facts(imported, history)
    asked = Load(measures=loaded(imported))
    with opened(imported, f"sqlite:///{tmp_path / 'pages.db'}", asked) as store:
        found = say(imported, store, asked, told, random.Random(1))
    fresh = Load(measures=loaded(imported))
    with opened(imported, f"sqlite:///{tmp_path / 'pages.db'}", fresh) as store:
        assert differing(found, samples(imported, store, fresh)) == {}
    once = Load(measures=loaded(imported))
    with opened(imported, f"sqlite:///{tmp_path / 'once.db'}", once) as store:
        assert differing(found, say(imported, store, once, told)) == {}


Told = dict[tuple[str, str, str], list[Fact]]
"""By instance, type and stream."""


def facts(running: Running, history: History) -> Told:
    """All that is stored and stands, of each kind by the first stream that gives it; what the tick derived is left out."""
    derived = {measure.gives for measure in loaded(running) if isinstance(measure, Deriving)}
    found: Told = {}
    for source in running.service.configured:
        seen: set[type[Fact]] = set(derived)
        for stream in source.streams:
            told = found[source.instance, source.type, stream.name] = []
            for kind in sorted(stream.gives - seen, key=lambda kind: kind.__name__):
                if issubclass(kind, Event):
                    rows = history.rows(kind, BEGINNING, running.clock.at + HISTORY, source=source.instance)
                    told += [row.event for row in rows]
                else:
                    told += [held.reading for held in history.readings(kind, source=source.instance)]
            seen |= stream.gives
    return found


@contextmanager
def opened(running: Running, url: str, asked: Load) -> Iterator[Store]:
    service = running.service
    directory = Directory.build(service.definitions, team_label=service.config.labels.team)
    countings = [measure for measure in asked.measures if isinstance(measure, Counting)]
    store = Store.open(url, zone=service.config.zone, countings=countings, directory=directory)
    try:
        yield store
    finally:
        store.close()


def say(running: Running, store: Store, asked: Load, told: Told, rng: random.Random | None = None) -> Found:
    """Write it, with `rng` out of order and in pages, between which all are asked; gives what they say at the end."""
    now, polls = running.clock.at, []
    for (instance, type_, stream), of_it in told.items():
        poll = store.begin_poll(instance, type_, stream, now=now, lookback=LOOKBACK, history=HISTORY)
        # What stands comes first: an event is counted for whoever is known to own its object then.
        store.write(poll, Page(facts=[fact for fact in of_it if isinstance(fact, Reading)]), now=now)
        events = [fact for fact in of_it if isinstance(fact, Event)]
        some = events if rng is None else rng.sample([*events, *events[::7]], len(events) + len(events[::7]))
        polls.append((poll, some))
    for page in range(1 if rng is None else PAGES):
        for poll, some in polls:
            part = some if rng is None else some[page::PAGES]
            store.write(poll, Page(facts=part), now=now)
        derive(running, store, asked)
        samples(running, store, asked)
    for poll, _ in polls:
        store.end_poll(poll, now=now)
    derive(running, store, asked)
    return samples(running, store, asked)


def derive(running: Running, store: Store, asked: Load) -> None:
    now = running.clock.at
    with store.history(now, running.service.configured) as history:
        scene = asked.scene(running, history)
        made = [one for measure in asked.measures if isinstance(measure, Deriving) for one in measure.derive(scene)]
    store.derive(made, now=now)


def samples(running: Running, store: Store, asked: Load) -> Found:
    """What gauges say, resolved, and what counters stand at."""
    with store.history(running.clock.at, running.service.configured) as history:
        scene = asked.scene(running, history)
        said = [s for measure in asked.measures if isinstance(measure, Gauging) for s in measure.compute(scene)]
    counted = {(row.metric, row.labels): round(row.value or row.sum, 6) for row in store.counters()}
    values = {(s.metric.name, s.labels): resolve(s.value) for s in said}
    return counted | {key: None if value is None else round(value, 6) for key, value in values.items()}


def differing(one: Found, other: Found) -> Found:
    """What the two do not say alike, as the other says it."""
    return {key: other.get(key) for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
