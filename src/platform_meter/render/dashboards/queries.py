"""PromQL of the panels, put together from declared metrics, so that a panel cannot name one that does not exist.

Every replica of the exporter serves the same numbers, so `max without (instance, pod)` comes first, sums after it.
"""

from __future__ import annotations

from platform_meter.model.metric import Metric

RANGE, STEP, RATE = "$__range", "$__interval", "$__rate_interval"
"""Grafana's own: the time range shown, one step of the graph, and a step that always holds several scrapes."""


def gauge(metric: Metric, where: str = "") -> str:
    """A gauge as it stands; `where` holds label matchers without their braces."""
    return _once(selector(metric.name, where))


def increase(metric: Metric, window: str, where: str = "") -> str:
    """What a counter grew in `window`."""
    return _once(f"increase({selector(metric.name, where)}[{window}])")


def rate(metric: Metric, window: str, where: str = "") -> str:
    """How fast a counter grows, per second."""
    return _once(f"rate({selector(metric.name, where)}[{window}])")


def buckets(metric: Metric, window: str, by: str = "", where: str = "") -> str:
    """What a histogram's buckets grew in `window`, summed by `by` and `le`."""
    grown = _once(f"increase({selector(f'{metric.name}_bucket', where)}[{window}])")
    return total(grown, f"{by}, le" if by else "le")


def quantile(q: float, metric: Metric, window: str, by: str, where: str = "") -> str:
    """A quantile out of a histogram, by `by`."""
    return f"histogram_quantile({q:g}, {buckets(metric, window, by, where)})"


def total(expr: str, by: str = "") -> str:
    return f"sum by ({by}) ({expr})" if by else f"sum({expr})"


def slo(name: str, by: str = "slo", where: str = "") -> str:
    """A series that rules write; all its labels but `by` go."""
    return f"max by ({by}) ({selector(name, where)})"


def or_zero(expr: str, known: str) -> str:
    """0 where `expr` has nothing to count and `known` shows that somebody looked; absent where nobody did."""
    return f"{expr} or 0 * {known}"


def share(part: str, whole: str) -> str:
    """`part` of `whole`, two counts with the same labels: 0 where there is a whole and nothing of the part yet, absent without."""
    return f"({or_zero(part, whole)}) / ({whole} > 0)"


def label_values(name: str, label: str, where: str = "") -> str:
    """Query of a variable."""
    return f"label_values({selector(name, where)}, {label})"


def selector(name: str, where: str) -> str:
    """One series or those that fit `where`."""
    return f"{name}{{{where}}}" if where else name


def _once(expr: str) -> str:
    return f"max without (instance, pod) ({expr})"
