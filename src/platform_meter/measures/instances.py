"""Instances that are expected: how many report and how many are silent (domain section 14)."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.census import standing
from platform_meter.model.catalogue.instances import INSTANCES
from platform_meter.model.facts.instances import Instances, InstanceState
from platform_meter.model.measure import Gauging, Labels, Measures, Piece, Scene
from platform_meter.model.metric import Metric, Sample


def instances(scene: Scene) -> Iterator[Sample]:
    """Reporting and silent instances by kind and cluster: of each group as many report as are expected, at most.

    Where of one group nothing is known now, nothing is said of its kind in that cluster: the others would stand for all.
    """
    history = scene.history
    fresh = {s.instance: s.fresh for s in history.sources(Instances)}
    found: dict[tuple[str, str], dict[InstanceState, int] | None] = {}
    for held in history.readings(Instances):
        if held.source not in fresh:
            continue
        reading = held.reading
        place = (reading.instance_kind, reading.cluster)
        counts = found.setdefault(place, dict.fromkeys(InstanceState, 0))
        if counts is None or reading.expected is None or reading.reporting is None or not fresh[held.source]:
            found[place] = None
            continue
        reporting = min(reading.reporting, reading.expected)
        counts[InstanceState.REPORTING] += reporting
        counts[InstanceState.SILENT] += reading.expected - reporting
    for (kind, cluster), told in sorted(found.items()):
        for state, value in (told or {}).items():
            yield Sample(metric=INSTANCES, labels=(kind, cluster, state), value=float(value))


def _behind(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    """The groups of a kind in a cluster, each with those of its instances that are in the state."""
    for source, held in standing(scene, Instances):
        one = held.reading
        if (one.instance_kind, one.cluster) != labels[:2] or one.expected is None or one.reporting is None:
            continue
        reporting = min(one.reporting, one.expected)
        adds = reporting if labels[2] == InstanceState.REPORTING else one.expected - reporting
        if adds:
            yield Piece(source=source.instance, object=held.object, fact=one, adds=adds)


MEASURES = Measures(
    standing=(Gauging(metrics=(INSTANCES,), reads=frozenset({Instances}), compute=instances, behind=_behind),)
)
