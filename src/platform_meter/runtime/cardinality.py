"""Series caps of gauges: past a family's cap, values of its `fold` label become `_other` (domain section 13).

Who stays is settled by the keep-list (`_unowned` is always on it), then by name, so that it does not flap. Ratios and quantiles are made after
folding, over the union. Counters are capped where they are counted, in the store, since they must never fall.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from platform_meter.model.metric import OTHER, UNOWNED, Metric, Sample, Value, merge, resolve


def fold(
    metric: Metric, samples: Sequence[Sample], cap: int, keep: frozenset[str]
) -> tuple[list[tuple[tuple[str, ...], float]], int]:
    """(rows to expose, number of label sets folded or dropped)."""
    if len(samples) <= cap:
        kept, folded = [(s.labels, s.value) for s in samples], 0
    elif metric.fold:
        kept, folded = _folded(metric, samples, cap, keep)
    else:
        ordered = sorted(samples, key=lambda s: s.labels)
        kept, folded = [(s.labels, s.value) for s in ordered[:cap]], len(samples) - cap
    rows = [(labels, number) for labels, value in kept if (number := resolve(value)) is not None]
    return rows, folded


def _folded(
    metric: Metric, samples: Sequence[Sample], cap: int, keep: frozenset[str]
) -> tuple[list[tuple[tuple[str, ...], Value]], int]:
    place = metric.labels.index(metric.fold)
    by_value: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_value[sample.labels[place]].append(sample)
    rest = {(*s.labels[:place], *s.labels[place + 1 :]) for s in samples}
    room = cap - len(rest)
    kept: list[tuple[tuple[str, ...], Value]] = []
    union: dict[tuple[str, ...], list[Value]] = defaultdict(list)
    folded = 0
    full = False
    for value in sorted(by_value, key=lambda v: (v not in keep and v != UNOWNED, v)):
        group = by_value[value]
        full = full or len(kept) + len(group) > room
        if not full and value != OTHER:
            kept += [(s.labels, s.value) for s in group]
            continue
        for sample in group:
            union[(*sample.labels[:place], OTHER, *sample.labels[place + 1 :])].append(sample.value)
        folded += len(group)
    kept += [(labels, merge(values)) for labels, values in union.items()]
    return kept, folded


def levels(sizes: Mapping[str, int], caps: Mapping[str, int], total: int) -> dict[str, int]:
    """A cap for each family: its own, lowered to one common level where all together would pass `total`."""
    wanted = {name: min(size, caps[name]) for name, size in sizes.items()}
    if sum(wanted.values()) <= total:
        return dict(caps)
    low, high = 0, max(wanted.values())
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(w, middle) for w in wanted.values()) <= total:
            low = middle
        else:
            high = middle - 1
    return {name: min(cap, low) for name, cap in caps.items()}
