"""`docs/metrics.md`, generated from the catalogue: what is declared is what is documented."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.model import catalogue
from platform_meter.model.conventions import CONVENTIONS, Convention
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


CONVENTIONS_HEAD = """
## OpenTelemetry's names

With `exposition: {opentelemetry: true}` in the configuration, what OpenTelemetry's [conventions for CI/CD and version
control](https://opentelemetry.io/docs/specs/semconv/cicd/cicd-metrics/) define is served under their names too, as far as
it is known; they begin to count when they are switched on.

| Convention | Unit | Served as | Made of, or why it is not served |
| --- | --- | --- | --- |
"""


def document() -> str:
    """The whole page, sorted by name; the same catalogue gives the same bytes."""
    ours = "".join(f"{_row(metric)}\n" for _, metric in sorted(catalogue.ALL.items()))
    return HEAD + ours + CONVENTIONS_HEAD + "".join(f"{_convention(one)}\n" for one in CONVENTIONS)


def _convention(one: Convention) -> str:
    served = "not served"
    if one.metric is not None:
        served = "<br>".join((f"`{one.metric.name}` ({one.metric.exposed_as})", *_labels(one.metric)))
    return f"| `{one.name}` | `{one.unit}` | {served} | {one.said} |"


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
