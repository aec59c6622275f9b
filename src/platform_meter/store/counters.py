"""Counters and histograms: what one transaction adds, the cap on each family's series, and the rows as they stand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate, pairwise
from math import isfinite

from sqlalchemy import Connection, Insert, bindparam, func, select

from platform_meter.model.catalogue.meter import SERIES_DROPPED
from platform_meter.model.metric import OTHER, UNOWNED, Increment, Metric, MetricType
from platform_meter.store import codec
from platform_meter.store.database import Transaction, batches
from platform_meter.store.schema import COUNTERS, MILLIONTHS, counters, insert, insert_rows
from platform_meter.store.times import from_ms
from platform_meter.store.values import CounterRow

Labels = tuple[str, ...]
_REMEMBERED = 100_000
"""Folded label sets kept to count each once; past it they are forgotten and may be counted again."""


class Additions:
    """Increments of one transaction, added up by series, in millionths: the sum, then a histogram's counts by bound."""

    def __init__(self) -> None:
        self.series: dict[str, dict[Labels, list[int]]] = {}
        self.metrics: dict[str, Metric] = {}

    def add(self, increments: Iterable[Increment]) -> None:
        """Add what an event adds.

        Raises:
            ValueError: a counter or a count would fall, the amount is no number, or a bound is none of the metric's.
        """
        for increment in increments:
            metric, labels, amount = increment.metric, increment.labels, increment.amount
            series = self.series.get(metric.name)
            if series is None:
                series = self.series[metric.name] = {}
                self.metrics[metric.name] = metric
            row = series.get(labels)
            if row is None:
                row = series[labels] = _empty(metric)
            if amount == 1.0 and len(row) == 1 and increment.within is None:
                row[0] += MILLIONTHS
                continue
            if not isfinite(amount):
                raise ValueError(f"{metric.name} takes numbers; got {amount} for {labels}")
            if increment.within is not None:
                _add_counted(row, metric, increment.within)
            elif len(row) > 1:
                row[bisect_left(metric.buckets, amount) + 1] += MILLIONTHS
            elif amount < 0:
                raise ValueError(f"{metric.name} is a counter and can't fall; got {amount} for {labels}")
            row[0] += round(amount * MILLIONTHS)

    def know(self, increments: Iterable[Increment]) -> None:
        """The label sets of these stand at 0 where they are new: history tells of them, and counts nothing."""
        for increment in increments:
            metric = increment.metric
            series = self.series.setdefault(metric.name, {})
            if increment.labels not in series:
                self.metrics[metric.name] = metric
                series[increment.labels] = _empty(metric)

    def count(self, metric: Metric, labels: Labels, n: int) -> None:
        if n:
            self.add((Increment(metric=metric, labels=labels, amount=n),))


class CounterCaps:
    """Caps by family, values of fold labels that stay first, and which label sets were folded already."""

    def __init__(self, caps: Mapping[str, int], keep: Mapping[str, frozenset[str]]) -> None:
        self._caps, self._keep = caps, keep
        self._folded: set[tuple[str, Labels]] = set()

    def cap(self, metric: Metric) -> int:
        return self._caps.get(metric.name, metric.cap)

    def order(self, metric: Metric, new: Iterable[Labels]) -> list[Labels]:
        """New label sets, those first that get the last places: the keep-list, then by name."""
        if not metric.fold:
            return sorted(new)
        place, keep = metric.labels.index(metric.fold), self._keep.get(metric.fold, frozenset())
        return sorted(new, key=lambda s: (s[place] not in keep and s[place] not in (UNOWNED, OTHER), s))

    def first_time(self, metric: Metric, folded: Sequence[Labels]) -> int:
        """How many of these were never folded before."""
        fresh = {(metric.name, labels) for labels in folded} - self._folded
        if len(self._folded) + len(fresh) > _REMEMBERED:
            self._folded.clear()
        self._folded |= fresh
        return len(fresh)


def apply(tx: Transaction, additions: Additions, limits: CounterCaps, now: int) -> None:
    """Write the sums. A label set past its family's cap is folded into `_other`, or dropped where nothing can be folded."""
    for name in sorted(additions.series):
        if name != SERIES_DROPPED.name:
            _apply(tx, additions, additions.metrics[name], limits, now)
    if SERIES_DROPPED.name in additions.series:
        _apply(tx, additions, SERIES_DROPPED, limits, now)


def _apply(tx: Transaction, additions: Additions, metric: Metric, limits: CounterCaps, now: int) -> None:
    """Write one family's sums, and let readers see whether anything is other than before."""
    added = additions.series[metric.name]
    stored = _stored(tx.conn, metric, list(added))
    for labels in [labels for labels, row in added.items() if labels in stored and not any(row)]:
        del added[labels]
    new = [labels for labels in added if labels not in stored]
    if new:
        there = tx.conn.execute(select(func.count()).where(counters.c.metric == metric.name)).scalar_one()
        room = max(0, limits.cap(metric) - there)
        if len(new) > room:
            past = limits.order(metric, new)[room:]
            additions.count(SERIES_DROPPED, (metric.name,), limits.first_time(metric, past))
            folded = _fold(metric, added, past)
            stored |= _stored(tx.conn, metric, folded)
    rows = []
    for labels, row in added.items():
        old = stored.get(labels)
        # Other bounds than those counted under: a histogram can't be recounted and starts anew, as a counter reset.
        total = row if old is None or len(old) != len(row) else [a + b for a, b in zip(old, row, strict=True)]
        buckets = codec.encode_text(total[1:]) if len(total) > 1 else None
        rows.append((metric.name, codec.encode_text(labels), total[0], buckets, now))
    if rows:
        insert_rows(tx.conn, _put, rows)
        tx.changed(COUNTERS + metric.name)


def _put(conn: Connection) -> Insert:
    new = insert(conn, counters)
    return new.on_conflict_do_update(
        index_elements=["metric", "labels"], set_={"value": new.excluded.value, "buckets": new.excluded.buckets}
    )


def _add_counted(row: list[int], metric: Metric, within: Mapping[str, float]) -> None:
    """Add what was counted elsewhere; a sum of millionths is the same in any order."""
    places = _places(metric.buckets) if len(row) > 1 else {}
    for le, n in within.items():
        if le not in places:
            raise ValueError(f"{metric.name} has no bound {le}; it has: {', '.join(places) or 'none'}")
        if not (isfinite(n) and n >= 0):
            raise ValueError(f"{metric.name} counts observations, which can't fall; got {n} up to {le}")
        row[places[le]] += round(n * MILLIONTHS)


@cache
def _places(buckets: tuple[float, ...]) -> Mapping[str, int]:
    """Where in a row each bound's count stands, by the bound as `le` writes it."""
    return {le: place for place, le in enumerate((*(f"{bound:g}" for bound in buckets), "+Inf"), 1)}


def _empty(metric: Metric) -> list[int]:
    return [0] * (len(metric.buckets) + 2) if metric.type is MetricType.HISTOGRAM else [0]


def _fold(metric: Metric, added: dict[Labels, list[int]], past: Sequence[Labels]) -> list[Labels]:
    """Move the sums of `past` to their `_other` sets within `added`; gives those sets."""
    folded: set[Labels] = set()
    for labels in past:
        row = added.pop(labels)
        if metric.fold:
            place = metric.labels.index(metric.fold)
            other = (*labels[:place], OTHER, *labels[place + 1 :])
            total = added.get(other) or _empty(metric)
            added[other] = [a + b for a, b in zip(total, row, strict=True)]
            folded.add(other)
    return sorted(folded)


_SERIES = select(counters.c.labels, counters.c.value, counters.c.buckets).where(
    counters.c.metric == bindparam("of_metric"), counters.c.labels.in_(bindparam("sets", expanding=True))
)


def _stored(conn: Connection, metric: Metric, sets: Sequence[Labels]) -> dict[Labels, list[int]]:
    found: dict[Labels, list[int]] = {}
    for some in batches([codec.encode_text(labels) for labels in sets]):
        for labels, value, buckets in conn.execute(_SERIES, {"of_metric": metric.name, "sets": some}):
            found[codec.strings(labels)] = [value, *(codec.counts(buckets) if buckets else ())]
    return found


def rows(conn: Connection, families: Collection[str] | None = None) -> list[CounterRow]:
    """Every series of these counters and histograms, by name and labels; of all of them without `families`.

    Observations are whole ones, as readers of histograms want them. The millionths stay in the store, and what is past the
    last whole one up to a bound shows when more come: no bound falls, none is past the next, and nothing is lost on the way.
    """
    query = select(counters).order_by(counters.c.metric, counters.c.labels)
    if families is not None:
        query = query.where(counters.c.metric.in_(families))
    found = []
    for metric, labels, value, counted, first_seen in conn.execute(query):
        total = value / MILLIONTHS
        buckets = _whole(codec.counts(counted)) if counted else None
        found.append(
            CounterRow(
                metric=metric,
                labels=codec.strings(labels),
                value=total if buckets is None else float(sum(buckets)),
                buckets=buckets,
                sum=0.0 if buckets is None else total,
                first_seen=from_ms(first_seen),
            )
        )
    return found


def _whole(millionths: Sequence[int]) -> tuple[int, ...]:
    """Observations per bound, such that those up to each bound are all whole ones that were counted up to it."""
    up_to = [n // MILLIONTHS for n in accumulate(millionths, initial=0)]
    return tuple(after - before for before, after in pairwise(up_to))
