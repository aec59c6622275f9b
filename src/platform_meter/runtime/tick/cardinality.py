"""Series caps of gauges: past a family's cap, values of its `fold` label become `_other` (domain section 13).

Who stays is settled by the keep-list (`_unowned` is always on it), then by name, so that it does not flap. Ratios and quantiles are made after
folding, over the union. Counters are capped where they are counted, in the store, since they must never fall.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from platform_meter.model.metric import OTHER, UNOWNED, Metric, Sample, Value, merge, resolve

VITAL = ("platform_meter_", "platform_slo_")
"""What the meter says of itself and of SLOs: configuration bounds it, and it is needed most when something else grew."""

Labels = tuple[str, ...]


def fold(
    metric: Metric, samples: Sequence[Sample], cap: int, keep: frozenset[str]
) -> tuple[list[tuple[Labels, float]], list[Labels]]:
    """(rows to expose, label sets folded or dropped)."""
    kept: list[tuple[Labels, Value]] = [(s.labels, s.value) for s in samples]
    past: list[Labels] = []
    if len(samples) > cap:
        if metric.fold:
            kept = _folded(metric, samples, cap, keep)
        # Past the cap still: nothing to fold by, or too many combinations of the other labels alone.
        kept = sorted(kept, key=lambda row: row[0])[:cap] if len(kept) > cap else kept
        left = {labels for labels, _ in kept}
        past = [s.labels for s in samples if s.labels not in left]
    return [(labels, number) for labels, value in kept if (number := resolve(value)) is not None], past


def _folded(metric: Metric, samples: Sequence[Sample], cap: int, keep: frozenset[str]) -> list[tuple[Labels, Value]]:
    place = metric.labels.index(metric.fold)
    by_value: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_value[sample.labels[place]].append(sample)
    rest = {(*s.labels[:place], *s.labels[place + 1 :]) for s in samples}
    room = cap - len(rest)
    kept: list[tuple[Labels, Value]] = []
    union: dict[Labels, list[Value]] = defaultdict(list)
    full = False
    for value in sorted(by_value, key=lambda v: (v not in keep and v != UNOWNED, v)):
        group = by_value[value]
        full = full or len(kept) + len(group) > room
        if not full and value != OTHER:
            kept += [(s.labels, s.value) for s in group]
            continue
        for sample in group:
            union[(*sample.labels[:place], OTHER, *sample.labels[place + 1 :])].append(sample.value)
    return kept + [(labels, merge(values)) for labels, values in union.items()]


def levels(sizes: Mapping[str, int], caps: Mapping[str, int], total: int) -> dict[str, int]:
    """A cap for each family: its own, lowered to one common level where all together would pass `total`.

    Families in `VITAL` keep their own, whatever is left for the others.
    """
    wanted = {name: min(size, caps[name]) for name, size in sizes.items()}
    others = [size for name, size in wanted.items() if not name.startswith(VITAL)]
    room = max(0, total - (sum(wanted.values()) - sum(others)))
    if sum(others) <= room:
        return dict(caps)
    low, high = 0, max(others)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(size, middle) for size in others) <= room:
            low = middle
        else:
            high = middle - 1
    return {name: cap if name.startswith(VITAL) else min(cap, low) for name, cap in caps.items()}
