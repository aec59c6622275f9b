"""The gauges of delivery, and the counter of incidents (domain sections 6 and 13)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from platform_meter.measures.delivery.book import Broken, Deployed, Record
from platform_meter.measures.delivery.judged import KINDS, Reach, judged
from platform_meter.measures.delivery.release import Outage
from platform_meter.measures.delivery.selection import Part, select
from platform_meter.measures.news import Mark, mark
from platform_meter.model.catalogue.delivery import (
    DORA_DEPLOY_DAYS,
    DORA_DEPLOYMENTS,
    DORA_FAILURE,
    DORA_LEAD_TIME,
    DORA_OLDEST,
    DORA_OPEN,
    DORA_RECOVERY,
    DORA_REWORK,
    DORA_SAMPLES,
    DORA_UNLINKED,
    INCIDENTS,
)
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident, LinkedIncident
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Derived, Gauging, Labels, Piece, Scene
from platform_meter.model.metric import Increment, Metric, Ratio, Sample, Spread, Value

_SUMS = (DORA_DEPLOYMENTS, DORA_SAMPLES, DORA_OPEN, DORA_OLDEST, DORA_UNLINKED)
_RATIOS = (DORA_FAILURE, DORA_REWORK)
_QUANTILES = (DORA_DEPLOY_DAYS, DORA_LEAD_TIME, DORA_RECOVERY)
_BY_NAME = {metric.name: metric for metric in (*_SUMS, *_RATIOS, *_QUANTILES)}
EVERY = timedelta(minutes=5)
"""How often what time alone moves is looked at."""
_MOMENT = timedelta(milliseconds=1)


def _samples(scene: Scene) -> Iterator[Sample]:
    for (name, labels), parts in select(scene).items():
        metric = _BY_NAME[name]
        yield Sample(metric=metric, labels=labels, value=value_of(scene, metric, labels, parts))


def value_of(scene: Scene, metric: Metric, labels: Labels, parts: Sequence[Part]) -> Value:
    """Of one series, made of these."""
    adds = [part.adds for part in parts]
    if metric in _SUMS:
        return float(sum(adds))
    if metric in _RATIOS:
        return Ratio(part=sum(part.part for part in parts), whole=sum(adds), minimum=scene.minimum)
    q = labels[metric.labels.index("quantile")] if "quantile" in metric.labels else "0.5"
    return Spread(values=tuple(adds), q=float(q), minimum=scene.minimum)


def _behind(scene: Scene, metric: Metric, wanted: Labels) -> Iterator[Piece]:
    for part in select(scene).get((metric.name, wanted), ()):
        record = part.record
        if record is None:
            yield Piece(what=part.what, adds=part.adds, part=part.part)
            continue
        fact = _fact(scene, record)
        yield Piece(
            source=record.source, object=record.object, fact=fact, what=part.what, adds=part.adds, part=part.part
        )


def _fact(scene: Scene, record: Record[Any]) -> Event | None:
    """As it is stored."""
    kind = Deployment if isinstance(record.part, Deployed) else Incident if isinstance(record.part, Broken) else Change
    rows = scene.history.rows(kind, record.part.at, record.part.at + _MOMENT, source=record.source)
    return next((row.event for row in rows if row.event.key == record.part.key), None)


GAUGES = Gauging(
    metrics=(*_SUMS, *_RATIOS, *_QUANTILES),
    reads=frozenset(KINDS),
    compute=lambda scene: list(_samples(scene)),
    behind=_behind,
    every=EVERY,
    # Ratios over weeks: one more deployment moves nothing that anybody would see.
    at_once=False,
)


class Settled:
    """Incidents that are over, or too old for a deployment to come near: each once for as long as this lives."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()
        self._seen: Mark | None = None

    def derive(self, scene: Scene) -> Sequence[Derived]:
        """Those that were not told yet."""
        if not scene.history.latest(Incident):
            return ()
        # Time alone settles one, and no one waits for it.
        seen = mark(scene, KINDS, EVERY)
        if seen == self._seen:
            return ()
        found = list(self._settled(scene))
        self._seen = seen
        return found

    def _settled(self, scene: Scene) -> Iterator[Derived]:
        reach = Reach(scene)
        told = reach.known(Deployment)
        if reach.is_told(Deployment) and told is None:
            return
        for outage in judged(scene).outages:
            record = outage.first
            at = (record.source, record.part.key)
            until = scene.now if told is None else told.until
            old = outage.start + scene.definitions.delivery.max_link_age <= until
            over = outage.end is not None and outage.end <= until
            fact = _fact(scene, record) if (old or over) and at not in self._told else None
            if fact is not None:
                self._told.add(at)
                yield Derived(source=record.source, event=_linked(fact, outage))


def _linked(fact: Event, outage: Outage) -> LinkedIncident:
    return LinkedIncident(
        key=f"linked/{fact.key}", at=outage.start, about=fact.about, severity=outage.severity, link=outage.link
    )


def count_incident(event: LinkedIncident, owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """One incident, by what it is linked by."""
    yield Increment(metric=INCIDENTS, labels=(owner.team, event.severity, event.link))
