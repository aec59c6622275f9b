"""Probes: checks, their duration, and the end of the certificate that was served (domain sections 8 and 13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from platform_meter.measures.census import standing
from platform_meter.model.catalogue.probes import PROBE_CERTIFICATE_EXPIRY, PROBE_CHECKS, PROBE_DURATION
from platform_meter.model.facts.probes import ProbeCheck, ServedCertificate
from platform_meter.model.history import Held, Owner, SourceState
from platform_meter.model.measure import Counting, Gauging, Labels, Measures, Piece, Scene
from platform_meter.model.metric import Increment, Metric, Sample


def count_probe(event: ProbeCheck, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """One check and how long it took; a timeout took as long as we waited."""
    yield Increment(metric=PROBE_CHECKS, labels=(event.target, event.result))
    yield Increment(metric=PROBE_DURATION, labels=(event.target,), amount=event.seconds)


def _first_to_end(scene: Scene) -> Mapping[str, tuple[SourceState, Held[ServedCertificate]]]:
    """By target the certificate that is served; where several sources look at one, that which ends first."""
    told = sorted(standing(scene, ServedCertificate), key=lambda one: one[1].reading.ends, reverse=True)
    return {held.reading.target: (source, held) for source, held in told}


def certificates(scene: Scene) -> Iterator[Sample]:
    """The end of each."""
    for target, (_, held) in sorted(_first_to_end(scene).items()):
        yield Sample(metric=PROBE_CERTIFICATE_EXPIRY, labels=(target,), value=held.reading.ends.timestamp())


def _behind_certificates(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    source, held = _first_to_end(scene)[labels[0]]
    adds = held.reading.ends.timestamp()
    yield Piece(source=source.instance, object=held.object, fact=held.reading, adds=adds)


MEASURES = Measures(
    standing=(
        Counting(event=ProbeCheck, metrics=(PROBE_CHECKS, PROBE_DURATION), count=count_probe),
        Gauging(
            metrics=(PROBE_CERTIFICATE_EXPIRY,),
            reads=frozenset({ServedCertificate}),
            compute=certificates,
            behind=_behind_certificates,
        ),
    )
)
