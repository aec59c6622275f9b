"""Gauges that count what stands now: one selection gives the samples, and the readings behind each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple, TypeVar

from platform_meter.model.facts import Fact, Reading
from platform_meter.model.history import Held, SourceState
from platform_meter.model.measure import Gauging, Labels, Piece, Scene
from platform_meter.model.metric import Metric, Sample

R = TypeVar("R", bound=Reading)


class Share(NamedTuple):
    """What one reading adds to one series."""

    labels: Labels
    adds: float = 1.0


def standing(scene: Scene, kind: type[R]) -> Iterator[tuple[SourceState, Held[R]]]:
    """The readings of a kind that hold now, of sources that are fresh in it."""
    fresh = {source.instance: source for source in scene.history.sources(kind) if source.fresh}
    for held in scene.history.readings(kind):
        if held.source in fresh:
            yield fresh[held.source], held


def _place(told: tuple[SourceState, Held[R]]) -> str:
    return told[0].instance


def census(
    metric: Metric,
    kind: type[R],
    shares: Callable[[Scene, SourceState, Held[R]], Iterable[Share]],
    *,
    once: Callable[[SourceState, R], Hashable] | None = None,
    known: Callable[[Scene], Iterable[Labels]] = lambda _: (),
    reads: frozenset[type[Fact]] = frozenset(),
    every: timedelta = timedelta(seconds=15),
) -> Gauging:
    """The gauge that adds up what the standing readings of a kind say.

    Args:
        metric: the gauge.
        kind: of reading.
        shares: what one of them adds to which series.
        once: what a reading is about; of several sources that tell of the same thing the last by name counts.
        known: series that stand at 0 where no reading adds to them.
        reads: kinds that `shares` and `known` look at beside `kind`.
        every: as of a Gauging.
    """

    def pieces(scene: Scene) -> Iterator[tuple[Labels, Piece]]:
        told = standing(scene, kind)
        if once is not None:
            told = iter(
                {once(source, held.reading): (source, held) for source, held in sorted(told, key=_place)}.values()
            )
        for source, held in told:
            for labels, adds in shares(scene, source, held):
                yield labels, Piece(source=source.instance, object=held.object, fact=held.reading, adds=adds)

    def compute(scene: Scene) -> Iterator[Sample]:
        sums = defaultdict[Labels, float](float, dict.fromkeys(known(scene), 0.0))
        for labels, piece in pieces(scene):
            sums[labels] += piece.adds
        for labels, value in sorted(sums.items()):
            yield Sample(metric=metric, labels=labels, value=value)

    def behind(scene: Scene, _metric: Metric, wanted: Labels) -> Iterator[Piece]:
        return (piece for labels, piece in pieces(scene) if labels == wanted and piece.adds)

    return Gauging(metrics=(metric,), reads=frozenset({kind}) | reads, compute=compute, behind=behind, every=every)
