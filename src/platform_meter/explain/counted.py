"""The events that a counter counted: each is counted again as it was when it came, and what adds to the series is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_meter.model.history import Row, SourceState
from platform_meter.model.measure import Counting, Labels, Piece, Scene, best_ways
from platform_meter.model.metric import Metric, MetricType

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
"""Clocks differ: an event may end a little after now."""


def counted(scene: Scene, counting: Counting[Any], metric: Metric, labels: Labels) -> Iterator[tuple[Piece, bool]]:
    """The stored events that a counting counts into one series, with how much each adds (of a histogram, the values), and
    whether it did: what ended before its source was first read is stored and never counted (domain section 4).

    Owners are those at the time of each event, as they are known now; of what is told in several ways the best one counts,
    as it is known now.
    """
    shadowed = _shadowed(scene, counting)
    for source in scene.history.sources(counting.event):
        since = scene.history.counted_from(source.instance)
        for row in _rows(scene, counting, source):
            owner = scene.history.owner(row.object, row.event.at)
            count = counting.ranking.shadow if counting.ranking and row.seq in shadowed else counting.count
            amounts = [
                i.amount for i in count(row.event, owner, source) if i.metric.name == metric.name and i.labels == labels
            ]
            if not amounts or (metric.type is MetricType.COUNTER and not any(amounts)):
                continue
            piece = Piece(source=source.instance, object=row.object, fact=row.event, adds=sum(amounts))
            yield piece, since is None or row.event.at >= since


def _rows(scene: Scene, counting: Counting[Any], source: SourceState) -> Iterator[Row[Any]]:
    return scene.history.rows(counting.event, _BEGINNING, scene.now + _AHEAD, source=source.instance)


def _shadowed(scene: Scene, counting: Counting[Any]) -> frozenset[int]:
    """Events (by seq) of which a better way told too."""
    ranking = counting.ranking
    if ranking is None:
        return frozenset()
    places = [
        (row.seq, *ranking.place(tally.dim, scene.history.owner(row.object), row.object))
        for source in scene.history.sources(counting.event)
        for row in _rows(scene, counting, source)
        for tally in row.event.tallies()
    ]
    best = best_ways((thing, place) for _, thing, place in places)
    return frozenset(seq for seq, thing, place in places if best[thing] < place)
