"""What tests of the store are made of: a directory, countings, facts, and an opener for one address."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_meter.model.catalogue.ci import PIPELINE_RUN_DURATION, PIPELINE_RUNS
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Counting
from platform_meter.model.metric import UNOWNED, Increment
from platform_meter.model.source import Page
from platform_meter.store import Configured, ConfiguredStream, GapRow, Round, Store, Written

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LOOKBACK = timedelta(minutes=15)
HISTORY = timedelta(days=90)
NOBODY = Owner(service=UNOWNED, team=UNOWNED, rule="6 none")


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def owned(team: str, *, rule: str = "1 test") -> Owner:
    return Owner(service=team, team=team, rule=rule)


class Rules:
    """A directory: glob of `Ref.name` -> team, or (start, team) pairs; then the owner of a link; else nobody."""

    def __init__(self, rules: Mapping[str, str | Sequence[tuple[datetime | None, str]]] | None = None) -> None:
        self._rules = dict(rules or {})

    def intervals(
        self, ref: Ref, source_instance: str, linked: Mapping[str, Owner]
    ) -> Sequence[tuple[datetime | None, Owner]]:
        for pattern, said in self._rules.items():
            if fnmatch.fnmatchcase(ref.name, pattern):
                pairs = [(None, said)] if isinstance(said, str) else said
                return [(start, owned(team)) for start, team in pairs]
        found = [linked[name] for name in ref.links if name in linked and linked[name].team != UNOWNED]
        return [(None, Owner(service=found[0].service, team=found[0].team, rule="4 link") if found else NOBODY)]

    def majority(self, owners: Sequence[Owner]) -> Owner | None:
        for team in {o.team for o in owners} - {UNOWNED}:
            if sum(o.team == team for o in owners) >= 0.8 * len(owners):
                return owned(team, rule="4 majority")
        return None


def _count_run(event: Event, owner: Owner, source: SourceState) -> Iterable[Increment]:
    assert isinstance(event, PipelineRun)
    yield Increment(metric=PIPELINE_RUNS, labels=(source.type, owner.team, event.outcome))
    seconds = event.ran.total_seconds()
    yield Increment(metric=PIPELINE_RUN_DURATION, labels=(source.type, event.pool), amount=seconds)


COUNTINGS = (Counting(event=PipelineRun, metrics=(PIPELINE_RUNS, PIPELINE_RUN_DURATION), count=_count_run),)


def open_at(url: str, **settings: Any) -> Store:
    """A store with the countings and, unless given, the directory of these tests: acme/pay* belongs to team pay."""
    defaults = {"zone": "UTC", "countings": COUNTINGS, "directory": Rules({"github:acme/pay*": "pay"})}
    return Store.open(url, **{**defaults, **settings})


class Opener:
    """Opens stores at one address and closes them all."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._open: list[Store] = []

    def __call__(self, **settings: Any) -> Store:
        store = open_at(self.url, **settings)
        self._open.append(store)
        return store

    def close(self) -> None:
        for store in self._open:
            store.close()


def run(
    key: str,
    at: datetime = NOON,
    *,
    repository: str = "acme/payments",
    outcome: Outcome = Outcome.SUCCESS,
    seconds: float = 60.0,
    updated: datetime | None = None,
    pool: str = "linux",
    links: tuple[str, ...] = (),
    labels: tuple[tuple[str, str], ...] = (),
) -> PipelineRun:
    return PipelineRun(
        key=key,
        at=at,
        about=Ref(system="github", kind="repository", id=repository, labels=labels, links=links),
        updated=updated,
        pipeline="ci",
        outcome=outcome,
        ran=timedelta(seconds=seconds),
        group=key,
        pool=pool,
    )


def begin(store: Store, now: datetime = NOON, *, instance: str = "gh", stream: str = "runs", **more: Any) -> Round:
    return store.begin_poll(instance, "github", stream, now=now, lookback=LOOKBACK, history=HISTORY, **more)


def put(store: Store, facts: Sequence[Any], now: datetime = NOON, *, instance: str = "gh", **page: Any) -> Written:
    """One whole poll of one page."""
    poll = begin(store, now, instance=instance)
    written = store.write(poll, Page(facts=facts, **page), now=now)
    store.end_poll(poll, now=now)
    return written


def stream(name: str, *gives: Any, **more: Any) -> ConfiguredStream:
    """One that succeeds every minute while all is well."""
    return ConfiguredStream(name=name, gives=frozenset(gives or (PipelineRun,)), **{"every": minutes(1), **more})


def configured(instance: str = "gh", *gives: Any, streams: tuple[str, ...] = ("runs",)) -> Configured:
    """Each of the streams gives all of these kinds."""
    return Configured(instance=instance, type="github", streams=tuple(stream(name, *gives) for name in streams))


def gaps(store: Store, limit: int) -> list[GapRow]:
    with store.history(NOON, []) as history:
        return history.gaps(limit)


def counted(store: Store, metric: str = "platform_pipeline_runs_total") -> dict[tuple[str, ...], float]:
    """Values of one counter, or numbers of observations of a histogram, by labels."""
    return {row.labels: row.value for row in store.counters() if row.metric == metric}


def total(store: Store, metric: str = "platform_pipeline_runs_total") -> float:
    return sum(counted(store, metric).values())


def tallies(
    store: Store, start: datetime, end: datetime, *, instance: str = "gh"
) -> dict[tuple[str, str], tuple[int, float]]:
    """`counts` of pipeline runs by (object's name, outcome)."""
    with store.history(end, [configured(instance)]) as history:
        names = {o.id: o.name for o in history.objects()}
        found = history.counts(PipelineRun, instance, start, end)
    return {(names[object_], dim.outcome.value): (c.n, c.amount) for (object_, dim), c in found.items()}
