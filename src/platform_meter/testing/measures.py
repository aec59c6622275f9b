"""What every family of measures is held to, whoever brings it."""

from __future__ import annotations

from platform_meter.model import catalogue
from platform_meter.model.definitions import Definitions
from platform_meter.model.measure import Deriving, Gauging, Measures
from platform_meter.model.metric import MetricType


def measures_held_to_contract(family: Measures, definitions: Definitions | None = None) -> None:
    """Each metric is declared once, with bounds, and measured once: gauges by ticks, all else by events.

    Raises:
        AssertionError: the first thing that does not hold.
    """
    brought = {metric.name: metric for metric in family.brings}
    if shadowed := sorted(brought.keys() & catalogue.ALL.keys()):
        raise AssertionError(f"it brings {', '.join(shadowed)}, which the catalogue has; give it another name")
    for metric in brought.values():
        if set(metric.bounds) != set(metric.labels) or not metric.help:
            raise AssertionError(f"{metric.name} must have a help text, and a bound for each of its labels")
    declared = {**catalogue.ALL, **brought}
    measured: set[str] = set()
    for measure in (*family.standing, *family.declared(definitions or Definitions())):
        if isinstance(measure, Deriving):
            continue
        for metric in measure.metrics:
            if declared.get(metric.name) is not metric:
                raise AssertionError(f"{metric.name} is not declared; add it to `brings`, or take the catalogue's")
            if metric.name in measured:
                raise AssertionError(f"{metric.name} has two measures, of which one would overwrite the other")
            if (metric.type is MetricType.GAUGE) is not isinstance(measure, Gauging):
                shape = "Gauging" if metric.type is MetricType.GAUGE else "Counting"
                raise AssertionError(f"{metric.name} is a {metric.type}; measure it by a {shape}")
            measured.add(metric.name)
    if unmeasured := sorted(brought.keys() - measured):
        raise AssertionError(f"it brings {', '.join(unmeasured)}, which none of its measures has")
