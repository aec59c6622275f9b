"""Ways in which the same thing is told: which of those that told of it so far is the best."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from sqlalchemy import select

from platform_meter.model import dims
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Tallied
from platform_meter.model.history import Owner
from platform_meter.model.measure import Ranking, best_ways
from platform_meter.store.database import Transaction, batches
from platform_meter.store.objects import Known, owners_by_object
from platform_meter.store.schema import WIDTH_DAY, rollups
from platform_meter.store.times import MILLISECOND


class Ways:
    """The best ways of one kind of event: by the days stored, and by what is about to be."""

    def __init__(
        self,
        tx: Transaction,
        kind: type[Event],
        ranking: Ranking[Event],
        new: Iterable[tuple[Known, Dim]],
        now: int,
    ) -> None:
        self._ranking = ranking
        coming = [self._place(dim, known.owners[-1], known.id) for known, dim in new]
        self._best = best_ways([*self._stored(tx, kind, now), *coming])

    def better(self, known: Known, dim: Dim) -> bool:
        """Whether a better way than that of the dim told of the same thing."""
        thing, place = self._place(dim, known.owners[-1], known.id)
        return self._best.get(thing, place) < place

    def _place(self, dim: Dim, owner: Owner, object_: int) -> tuple[Hashable, int]:
        return self._ranking.place(dim, owner, object_)

    def _stored(self, tx: Transaction, kind: type[Event], now: int) -> Iterable[tuple[Hashable, int]]:
        if not issubclass(kind, Tallied):
            return
        days = select(rollups.c.object, rollups.c.dim).where(
            rollups.c.width == WIDTH_DAY,
            rollups.c.kind == kind.__name__,
            rollups.c.bucket >= now - self._ranking.within // MILLISECOND,
        )
        told = tx.conn.execute(days.distinct()).all()
        owners = {
            object_: held[-1][1]
            for some in batches(sorted({row.object for row in told}))
            for object_, held in owners_by_object(tx, some).items()
        }
        for object_, text in told:
            yield self._place(dims.decode(text, kind.dim()), owners[object_], object_)
