"""Objectives over stored events for tests, and the facts they count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.objectives.windows import configured
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.kubernetes import PodStarted
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Gauging, Measure, Scene
from platform_meter.model.metric import Metric, resolve
from platform_meter.model.objective import Countable, NoData, StoredObjective, StoredSli, Unknown
from platform_meter.testing import adds_up

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Told = tuple[str, Event]


def ago(**lengths: float) -> datetime:
    return NOW - timedelta(**lengths)


def objective(
    events: Countable[Any, Any],
    target: str = "0.9",
    *,
    slo: str = "x",
    where: Mapping[str, str] | None = None,
    threshold: float | None = None,
    unknown: Unknown = Unknown.EXCLUDE,
    period: timedelta = 28 * DAY,
    label: str = "28d",
    windows: tuple[timedelta, ...] = (HOUR,),
    no_data: NoData | None = None,
    slice_: timedelta = timedelta(minutes=1),
    slice_target: str = "1",
) -> StoredObjective:
    """With `no_data` it counts slices."""
    return StoredObjective(
        slo=slo,
        service="shop",
        owner="team-a",
        capability="ci",
        profile="standard",
        objective=Decimal(target),
        period=period,
        period_label=label,
        windows=windows,
        sli=StoredSli(events=events, where=where or {}, threshold=threshold, unknown=unknown),
        slice=slice_ if no_data else None,
        slice_target=Decimal(slice_target) if no_data else None,
        no_data=no_data,
    )


def run(outcome: Outcome, at: datetime, *, instance: str = "gh", key: str = "") -> Told:
    about = Ref(system="github", kind="repository", id="acme/pay")
    key = key or f"{outcome}/{at.isoformat()}"
    ran = timedelta(minutes=1)
    return instance, PipelineRun(key=key, at=at, about=about, pipeline="ci", outcome=outcome, ran=ran, group=key)


def pod(seconds: float, at: datetime, *, cluster: str = "eu", instance: str = "eu") -> Told:
    about = Ref(system="kubernetes", kind="workload", id=f"{cluster}/pay/Deployment/api")
    key = f"{cluster}/{at.isoformat()}/{seconds}"
    return instance, PodStarted(key=key, at=at, about=about, cluster=cluster, owner_kind="deployment", seconds=seconds)


def check(
    ok: bool,
    at: datetime,
    *,
    target: str = "eu/readyz",
    instance: str = "eu",
    key: str = "",
    updated: datetime | None = None,
) -> Told:
    about = Ref(system="kubernetes", kind="cluster", id=target.partition("/")[0])
    result = ProbeResult.OK if ok else ProbeResult.ERROR
    return instance, ProbeCheck(
        key=key or f"{target}/{ok}/{at.isoformat()}",
        at=at,
        about=about,
        updated=updated,
        target=target,
        result=result,
        seconds=0.1,
    )


def sli(name: str, good: float, bad: float, at: datetime, *, instance: str = "eu") -> Told:
    about = Ref(system="x", kind="sli", id=name)
    return instance, SliCount(
        key=f"{name}/{at.isoformat()}", at=at, about=about, sli=name, good=good, bad=bad, width=timedelta(minutes=1)
    )


def scene(
    told: Iterable[Told],
    *objectives: StoredObjective,
    sources: Iterable[SourceState] = (),
    ticketing: tuple[Ticketing, ...] = (),
    now: datetime = NOW,
    summed: datetime | None = None,
) -> Scene:
    """Facts of fresh sources read up to `now`, unless other sources are given; before `summed` days alone are left."""
    told = list(told)
    states = list(sources) or [source(name, watermark=now) for name in dict.fromkeys(name for name, _ in told)]
    history = MemoryHistory([(name, owner("a"), fact) for name, fact in told], sources=states, summed=summed)
    return Scene(history=history, definitions=Definitions(objectives=objectives, ticketing=ticketing), now=now)


def values(at: Scene, metric: Metric, measures: Iterable[Measure] | None = None) -> dict[tuple[str, ...], float]:
    """What is published of the metric, by its labels."""
    found: dict[tuple[str, ...], float] = {}
    for measure in measures or configured(at.definitions):
        assert isinstance(measure, Gauging)
        adds_up(measure, at)
        for sample in measure.compute(at):
            value = resolve(sample.value)
            assert value is not None
            assert value == value, "NaN"  # noqa: PLR0124 - only NaN differs from itself
            if sample.metric is metric:
                assert sample.labels not in found
                found[sample.labels] = value
    return found
