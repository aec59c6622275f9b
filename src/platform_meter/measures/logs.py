"""How old the newest logged document is (domain section 13)."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.census import Share, census
from platform_meter.model.catalogue.logs import LOG_INDEX_AGE
from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.history import Held, SourceState
from platform_meter.model.measure import Measures, Scene


def _age(scene: Scene, source: SourceState, held: Held[LogIndex]) -> Iterator[Share]:
    """Until now; nothing of an index without documents."""
    newest = held.reading.newest
    if newest is not None:
        age = (scene.now - newest).total_seconds()
        yield Share((source.instance, held.reading.index), max(age, 0.0))


MEASURES = Measures(standing=(census(LOG_INDEX_AGE, LogIndex, _age),))
