"""What a metric is, and the values that measures give it before cardinality caps and rendering.

Values are mergeable, so that label values past a cap can become `_other` and a ratio be recomputed over the union
(domain section 13). Undefined is absent: `resolve` gives None and the series is not written (domain section 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from msgspec import Struct

OTHER = "_other"
UNOWNED = "_unowned"


class MetricType(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One declared family. `bounds` says, for every label, what bounds the number of its values."""

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    bounds: Mapping[str, str] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    """Histogram upper bounds without +Inf."""
    cap: int = 10_000
    """Series of this family before values of `fold` become `_other`; a setting overrides it."""
    fold: str = ""
    """The label whose values are folded past the cap; empty where folding makes no sense: then the last by name are dropped and counted."""

    @property
    def series(self) -> int:
        """Series of one label set: a histogram has one for each bound, `+Inf`, sum and count."""
        return len(self.buckets) + 3 if self.type is MetricType.HISTOGRAM else 1

    @property
    def exposed_as(self) -> str:
        """The TYPE that `/metrics` says: Prometheus keeps the label `quantile` for summaries."""
        return "summary" if "quantile" in self.labels else self.type.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """part/whole, absent when whole is 0 or fewer than `minimum` samples stand behind it."""

    part: float
    whole: float
    minimum: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Values behind a quantile `q` (type 7), absent under `minimum` samples."""

    values: tuple[float, ...]
    q: float
    minimum: int = 5


Value = float | Ratio | Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One gauge series: label values in the order of the metric's labels."""

    metric: Metric
    labels: tuple[str, ...]
    value: Value


class Increment(Struct, frozen=True, kw_only=True, gc=False):
    """What one event adds to a counter (`amount`), or observes in a histogram (`amount` is the value).

    Several are made of each event: of a dataclass that takes fifteen times as long.
    """

    metric: Metric
    labels: tuple[str, ...]
    amount: float = 1.0
    within: Mapping[str, float] | None = None
    """Of a histogram, what was counted elsewhere: how many by the smallest bound that holds them, as `le` writes it.

    `amount` is then the sum of them all. Fractions are welcome: an increase over a stretch of time is one.
    """


def quantile(values: Sequence[float], q: float) -> float:
    """Linear interpolation between order statistics, h=(n-1)q (type 7; domain section 1).

    Raises:
        ValueError: no values, or q outside 0..1.
    """
    if not values or not 0 <= q <= 1:
        raise ValueError(f"a quantile needs values and 0 <= q <= 1; got {len(values)} values, q={q}")
    ordered = sorted(values)
    h = (len(ordered) - 1) * q
    low = int(h)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (h - low) * (ordered[high] - ordered[low])


def merge(values: Sequence[Value]) -> Value:
    """The value of the union: sums add, ratios add part and whole, spreads pool their samples.

    Raises:
        TypeError: values of different kinds.
    """
    if all(isinstance(v, Ratio) for v in values):
        ratios = [v for v in values if isinstance(v, Ratio)]
        return Ratio(part=sum(r.part for r in ratios), whole=sum(r.whole for r in ratios), minimum=ratios[0].minimum)
    if all(isinstance(v, Spread) for v in values):
        spreads = [v for v in values if isinstance(v, Spread)]
        pooled = tuple(chain.from_iterable(s.values for s in spreads))
        return Spread(values=pooled, q=spreads[0].q, minimum=spreads[0].minimum)
    numbers = [v for v in values if isinstance(v, int | float)]
    if len(numbers) != len(values):
        raise TypeError("only values of one kind can be merged")
    return float(sum(numbers))


def resolve(value: Value) -> float | None:
    """The number to publish, or None where it is undefined."""
    match value:
        case Ratio(part=part, whole=whole, minimum=minimum):
            return part / whole if whole > 0 and whole >= minimum else None
        case Spread(values=values, q=q, minimum=minimum):
            return quantile(values, q) if len(values) >= max(1, minimum) else None
        case _:
            return float(value)
