"""What every family of measures is held to, whoever brings it."""

from __future__ import annotations

import re
from math import isclose

from platform_meter.model import catalogue
from platform_meter.model.definitions import Definitions
from platform_meter.model.measure import Deriving, Gauging, Measures, Piece, Scene
from platform_meter.model.metric import OTHER, UNOWNED, MetricType, Ratio, Sample, Spread, Value


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
        if isinstance(measure, Gauging) and measure.reads and measure.behind is None:
            names = ", ".join(metric.name for metric in measure.metrics)
            raise AssertionError(f"{names} reads facts; say in `behind` which of them each sample is made of")
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


_LISTED = re.compile(r"[a-z0-9_]+(, [a-z0-9_]+)+")


def within_bounds(sample: Sample) -> None:
    """Each label has a value, and one of those that its bound lists, where it is a list of them.

    Raises:
        AssertionError: the first label of which this does not hold.
    """
    for label, value in zip(sample.metric.labels, sample.labels, strict=True):
        bound = sample.metric.bounds[label]
        if _LISTED.fullmatch(bound) and not {UNOWNED, OTHER} & {*bound.split(", ")} and value not in bound.split(", "):
            raise AssertionError(f"{sample.metric.name} has {label}={value}; its bound says {bound}")


def adds_up(measure: Gauging, scene: Scene) -> None:
    """What stands behind each sample of a gauge is what the sample is made of, and its labels keep to their bounds.

    A number is the sum of what its facts add, or the ratio of what they add to part and whole; of a quantile they are the
    values.

    Raises:
        AssertionError: the first sample of which this does not hold.
    """
    if measure.behind is None:
        return
    for sample in measure.compute(scene):
        within_bounds(sample)
        if sample.metric in measure.stated:
            continue
        pieces = list(measure.behind(scene, sample.metric, sample.labels))
        if not _makes(pieces, sample.value):
            adds, part = sum(piece.adds for piece in pieces), sum(piece.part for piece in pieces)
            raise AssertionError(
                f"{sample.metric.name}{sample.labels} is {sample.value}, and the {len(pieces)} facts behind it add {adds}, "
                f"to its part {part}"
            )


def _makes(pieces: list[Piece], value: Value) -> bool:
    adds, part = sum(piece.adds for piece in pieces), sum(piece.part for piece in pieces)
    match value:
        case Ratio():
            return isclose(adds, value.whole, abs_tol=1e-6) and isclose(part, value.part, abs_tol=1e-6)
        case Spread():
            return sorted(piece.adds for piece in pieces) == sorted(value.values)
        case _:
            ratio = part / adds if adds else adds
            return isclose(adds, value, abs_tol=1e-6) or isclose(ratio, value, rel_tol=1e-6, abs_tol=1e-6)
