"""Impact: whether interventions and campaigns helped, and whom campaigns reached (domain section 12)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from platform_meter.measures.impact.judged import Judgement, judge
from platform_meter.measures.impact.subject import subjects
from platform_meter.measures.impact.yardstick import Seen, by_metric
from platform_meter.model.catalogue.impact import CAMPAIGN_REACH, EFFECT, SAMPLES
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact
from platform_meter.model.measure import Gauging, Labels, Measure, Measures, Piece, Scene
from platform_meter.model.metric import Metric, Ratio, Sample

BEFORE, AFTER = "before", "after"


def bounds(one: Judgement) -> dict[str, float]:
    """The change with its interval, by the word of the `bound` label; nothing without an interval."""
    effect = one.effect
    if effect is None or effect.interval is None:
        return {}
    return {"low": effect.interval.low, "point": effect.change, "high": effect.interval.high}


def _compute(scene: Scene) -> Iterator[Sample]:
    for one in judge(scene):
        at = (one.subject.id, one.metric.called)
        if one.until is None:
            continue
        for side, some in ((BEFORE, one.before), (AFTER, one.after)):
            yield Sample(metric=SAMPLES, labels=(*at, side), value=float(len(some)))
        for bound, change in bounds(one).items():
            yield Sample(metric=EFFECT, labels=(*at, bound), value=change)
    for campaign in scene.definitions.campaigns:
        if campaign.reach is not None:
            value = Ratio(part=campaign.reach.attended, whole=campaign.reach.invited)
            yield Sample(metric=CAMPAIGN_REACH, labels=(campaign.id,), value=value)


def _behind(scene: Scene, metric: Metric, wanted: Labels) -> Iterator[Piece]:
    """The values on both sides; of a change, what was made of them."""
    one = next(one for one in judge(scene) if (one.subject.id, one.metric.called) == wanted[:2])
    for side, some in ((BEFORE, one.before), (AFTER, one.after)):
        if metric is EFFECT or side == wanted[2]:
            for seen in some:
                yield _piece(scene, side, seen, float(metric is SAMPLES))
    if metric is EFFECT:
        yield Piece(what="made of these", adds=bounds(one)[wanted[2]])


def _piece(scene: Scene, side: str, seen: Seen, adds: float) -> Piece:
    """The event that tells the value where it is one; else in words."""
    if seen.event is None:
        return Piece(what=f"{side}: {seen.what}, {seen.value:g} on {seen.at:%Y-%m-%d}", adds=adds)
    kind, key, at = seen.event
    rows = scene.history.rows(kind, at, at + timedelta(milliseconds=1), source=seen.source)
    fact = next((row.event for row in rows if row.event.key == key), None)
    return Piece(source=seen.source, object=seen.object, fact=fact, adds=adds)


def declared(definitions: Definitions) -> tuple[Measure, ...]:
    """The gauges of these interventions and campaigns."""
    asked = [metric.measured for one in subjects(definitions) for metric in one.metrics]
    reads: frozenset[type[Fact]] = frozenset(
        kind
        for name, labels in asked
        if (stick := by_metric().get(name)) is not None
        for kind in stick.kinds(definitions, labels)
    )
    return (
        Gauging(
            metrics=(EFFECT, SAMPLES, CAMPAIGN_REACH),
            reads=reads,
            compute=_compute,
            behind=_behind,
            stated=(CAMPAIGN_REACH,),
            # Weeks do not move by minutes.
            every=timedelta(minutes=15),
            at_once=False,
        ),
    )


MEASURES = Measures(declared=declared)
