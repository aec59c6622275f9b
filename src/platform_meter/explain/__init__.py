"""What stands behind a number: from a metric and its labels to the stored facts it is made of, and what they add up to.

    told = explain(scene, measures, counters, "platform_pipeline_runs_total", {"team": "payments"})

The facts are found by the measure itself, by the same selection that made the number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from heapq import heappush, heappushpop
from math import isclose
from operator import itemgetter
from typing import Any, Protocol

from platform_meter.explain.counted import counted
from platform_meter.model.facts import Event, Reading
from platform_meter.model.measure import Counting, Gauging, Labels, Measure, Piece, Scene
from platform_meter.model.metric import OTHER, Metric, Ratio, Spread, Value, resolve

MOST = 100
"""Facts that are listed; the others are counted."""
SHOWN = 20
"""Series that are named where several fit."""


class CounterRow(Protocol):
    """One series of a counter or histogram, as the store has it."""

    @property
    def labels(self) -> Labels: ...
    @property
    def value(self) -> float:
        """The counter's value, or how many observations there are."""
        ...

    @property
    def buckets(self) -> Sequence[int] | None:
        """None for a counter."""
        ...

    @property
    def sum(self) -> float:
        """Of the observations."""
        ...


ReadCounters = Callable[[Collection[str]], Iterable[CounterRow]]
"""The counters of these families."""


class Unknown(LookupError):
    """No such metric or label: the text says what there is."""


class Unclear(LookupError):
    """No series has these labels, or several do: the text says which there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One series and what it is made of."""

    metric: Metric
    labels: Mapping[str, str]
    value: float | None
    """None where it is undefined, and so absent from `/metrics`."""
    pieces: Sequence[Piece]
    """What stands behind it, the newest first, `MOST` of them at most."""
    count: int
    """How many there are."""
    adds: float
    """What all of them add up to: the value, or of a ratio its whole."""
    part: float
    """Of a ratio, what they add to its part."""
    notes: Sequence[str] = ()
    """What of the value they do not tell, and why."""


def explain(
    scene: Scene,
    measures: Sequence[Measure],
    counters: ReadCounters,
    name: str,
    labels: Mapping[str, str],
    *,
    exposed: Mapping[str, Sequence[tuple[Labels, float]]] | None = None,
) -> Explained:
    """Explain the one series of a metric that has these labels; those that are left out may have any value.

    Args:
        scene: the store as measures see it, at the moment that counts as now.
        measures: those that are loaded.
        counters: reads the store's counters; only the metric's own are asked for.
        name: of the metric.
        labels: values by label.
        exposed: gauges by name, as `/metrics` has them; what is not among them is computed now.

    Raises:
        Unknown: there is no such metric, or it has no such label.
        Unclear: no series fits, or several do.
    """
    metric, measure = _found(measures, name)
    if odd := [label for label in labels if label not in metric.labels]:
        raise Unknown(
            f"{name} has no label {odd[0]}{_near(odd[0], metric.labels)}; it has: {', '.join(metric.labels) or 'none'}"
        )
    if isinstance(measure, Counting):
        rows = {row.labels: row for row in counters([name])}
        one = _one(metric, labels, rows)
        return _counter(scene, measure, metric, one, rows[one])
    samples: dict[Labels, Value] = dict((exposed or {}).get(name, ()))
    if not _fitting(metric, labels, samples):
        samples = {s.labels: s.value for s in measure.compute(scene) if s.metric.name == name}
    one = _one(metric, labels, samples)
    return _gauge(scene, measure, metric, one, samples[one])


def _found(measures: Sequence[Measure], name: str) -> tuple[Metric, Counting[Any] | Gauging]:
    known = {m.name: (m, one) for one in measures if isinstance(one, Counting | Gauging) for m in one.metrics}
    if name not in known:
        raise Unknown(f"no measure gives {name}{_near(name, known)}; platform-meter metrics lists all there are")
    return known[name]


def _one(metric: Metric, labels: Mapping[str, str], series: Collection[Labels]) -> Labels:
    fit = _fitting(metric, labels, series)
    if len(fit) == 1:
        return fit[0]
    names = [_text(metric, one) for one in sorted(fit or series)]
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    if fit:
        raise Unclear(f"{len(fit)} series fit; say more labels: {', '.join(names[:SHOWN])}{more}")
    there = f"there are: {', '.join(names[:SHOWN])}{more}" if names else "it has none yet"
    raise Unclear(f"no series of {metric.name} has these labels; {there}")


def _fitting(metric: Metric, labels: Mapping[str, str], series: Collection[Labels]) -> list[Labels]:
    wanted = {metric.labels.index(label): value for label, value in labels.items()}
    return [one for one in series if all(one[place] == value for place, value in wanted.items())]


def _text(metric: Metric, labels: Labels) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in zip(metric.labels, labels, strict=True)) + "}"


def _near(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _counter(scene: Scene, measure: Counting[Any], metric: Metric, labels: Labels, row: CounterRow) -> Explained:
    never = 0

    def pieces() -> Iterator[Piece]:
        nonlocal never
        for piece, did in counted(scene, measure, metric, labels):
            if did:
                yield piece
            else:
                never += 1

    found = _explained(metric, labels, row.value, pieces())
    # Of a histogram the sum of its observations is what they add up to, and how many there are its value.
    total = row.value if row.buckets is None else row.sum
    notes = []
    if not isclose(total, found.adds, rel_tol=1e-6, abs_tol=1e-6):
        notes.append(
            f"what is stored adds up to {found.adds:,.6g} of {total:,.6g}: the rest is older than what is kept, was counted "
            f"under another owner or class than it has now, or is under {OTHER} past the cap"
        )
    if never:
        notes.append(f"{never:,} more are stored and not counted: they ended before their source was first read")
    return replace(found, notes=notes)


def _gauge(scene: Scene, measure: Gauging, metric: Metric, labels: Labels, value: Value) -> Explained:
    if measure.behind is None or metric in measure.stated:
        found = _explained(metric, labels, resolve(value), ())
        return replace(found, notes=["no fact stands behind it: it tells what people declared, or how polls go"])
    found = _explained(metric, labels, resolve(value), measure.behind(scene, metric, labels))
    if found.value is None and isinstance(value, Ratio | Spread):
        least = max(1, value.minimum)
        return replace(found, notes=[f"it is undefined, and so absent: fewer than {least:,.6g} stand behind it"])
    return found


def _explained(metric: Metric, labels: Labels, value: float | None, pieces: Iterable[Piece]) -> Explained:
    newest: list[tuple[datetime, int, Piece]] = []
    count, adds, part = 0, 0.0, 0.0
    for count, piece in enumerate(pieces, 1):
        adds, part = adds + piece.adds, part + piece.part
        put = heappush if count <= MOST else heappushpop
        put(newest, (_moment(piece), count, piece))
    return Explained(
        metric=metric,
        labels=dict(zip(metric.labels, labels, strict=True)),
        value=value,
        pieces=[piece for *_, piece in sorted(newest, key=itemgetter(0, 1), reverse=True)],
        count=count,
        adds=adds,
        part=part,
    )


def _moment(piece: Piece) -> datetime:
    """When it happened, or since when it stands."""
    fact = piece.fact
    if isinstance(fact, Event):
        return fact.at
    if isinstance(fact, Reading) and fact.since is not None:
        return fact.since
    return datetime.min.replace(tzinfo=UTC)
