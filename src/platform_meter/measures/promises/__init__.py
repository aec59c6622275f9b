"""Promises: how much of what was promised was kept, in calendar periods of the promise's zone (domain sections 5, 13, 14).

A promise counts what its SLO counts, or the decided cycles of a queue's SLA. Gauges tell two periods: `running`, up to where
the sources were read, and `last`, once they were read to its end; `Past` keeps those before. What Prometheus counts is not
stored: of such an SLO only the target is told. Where a source is stale, that is so too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from platform_meter.measures.objectives.behind import judged
from platform_meter.measures.promises.ledger import Ledger, stretch
from platform_meter.measures.promises.past import Past
from platform_meter.model.catalogue.promises import PROMISE_MET, PROMISE_SINCE, PROMISE_TARGET
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact
from platform_meter.model.measure import Gauging, Labels, Measure, Measures, Piece, Scene
from platform_meter.model.metric import Metric, Ratio, Sample

RUNNING, LAST = "running", "last"
_BACK = {RUNNING: 0, LAST: 1}
"""Periods before the one that runs."""


def configured(definitions: Definitions) -> tuple[Measure, ...]:
    """The measure of these promises. It keeps slices between calls: make it once per load, for one store."""
    ledger = Ledger(definitions)
    kinds: frozenset[type[Fact]] = frozenset(o.sli.events.read for o in ledger.objectives.values())
    return (
        Gauging(
            metrics=(PROMISE_MET, PROMISE_TARGET, PROMISE_SINCE),
            reads=kinds,
            compute=lambda scene: list(_gauges(scene, ledger)),
            behind=_behind,
            stated=(PROMISE_TARGET, PROMISE_SINCE),
            every=timedelta(minutes=5),
            # Nobody acts on a ratio over a month within minutes, and it reads all of that month's rollups.
            at_once=False,
        ),
    )


def _gauges(scene: Scene, ledger: Ledger) -> Iterator[Sample]:
    past = scene.kept.of(Past)
    for promise in scene.definitions.promises:
        yield Sample(metric=PROMISE_TARGET, labels=(promise.id,), value=promise.promised)
        found = past.bring_up(scene, promise, ledger)
        for period, back in _BACK.items():
            one = found.get(back)
            if one is not None and one.counts.valid:
                at = (promise.id, period)
                yield Sample(metric=PROMISE_MET, labels=at, value=Ratio(part=one.counts.good, whole=one.counts.valid))
                yield Sample(metric=PROMISE_SINCE, labels=at, value=one.since.timestamp())


def _behind(scene: Scene, _metric: Metric, wanted: Labels) -> Iterator[Piece]:
    """All that is valid in the period, of which what is good makes the ratio."""
    promise = next(p for p in scene.definitions.promises if p.id == wanted[0])
    objective = Ledger(scene.definitions).objectives[promise.id]
    for one in judged(scene, objective, stretch(promise, scene.now, _BACK[wanted[1]])):
        if one.good or one.bad:
            yield replace(one.piece, adds=one.good + one.bad, part=one.good)


MEASURES = Measures(declared=configured)
