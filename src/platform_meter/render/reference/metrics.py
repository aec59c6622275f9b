"""`docs/metrics.md`, generated from the catalogue: what is declared is what is documented."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.model import catalogue
from platform_meter.model.metric import Metric, MetricType

HEAD = """\
<!-- Generated from model/catalogue/ by `make generate`: change that, not this. -->

# Metrics

Every metric that `/metrics` serves.
Durations are seconds and ratios run from 0 to 1.
What is undefined (nothing to divide by, too few samples, a stale source) is absent: never 0, never NaN.
Counters count what is new when it is read; gauges of a window are computed from stored history by event time.
Past its cap a family's values of the folded label become `_other`, and ratios are recomputed over their union.

| Name | Type | Labels and what bounds each | Cap | Folds | Meaning |
| --- | --- | --- | --- | --- | --- |
"""


def document() -> str:
    """The whole page, sorted by name; the same catalogue gives the same bytes."""
    return HEAD + "".join(f"{_row(metric)}\n" for _, metric in sorted(catalogue.ALL.items()))


def _row(metric: Metric) -> str:
    cells = (
        f"`{metric.name}`",
        metric.exposed_as,
        "<br>".join(_labels(metric)) or "none",
        f"{metric.cap:,}",
        f"`{metric.fold}`" if metric.fold else "",
        _meaning(metric),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _labels(metric: Metric) -> Iterator[str]:
    for label in metric.labels:
        yield f"`{label}`: {metric.bounds[label]}"


def _meaning(metric: Metric) -> str:
    if metric.type is not MetricType.HISTOGRAM:
        return metric.help
    return f"{metric.help} Buckets: {', '.join(f'{bound:g}' for bound in metric.buckets)}."
