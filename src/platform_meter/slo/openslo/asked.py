"""What an SLO asks of a source that counts: each metric's `spec` read by the source's own model, and all of it as one value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from platform_meter.model.objective import Asked, Bound
from platform_meter.problems import Document, Problem
from platform_meter.slo.openslo.keys import READ, IndicatorSpec, Metric, MetricSource, Objective, RatioMetric
from platform_meter.slo.openslo.refs import Named, Path, Wrong

COUNTED = ("good", "bad", "total")
"""Metrics of a ratio that count."""


def read_specs(document: Document, spec: IndicatorSpec, at: Path, named: Named) -> tuple[IndicatorSpec, list[Problem]]:
    """The indicator with the specs of all that asks a source, and what is wrong with these.

    Args:
        document: where it is written.
        spec: the indicator with the types of its metrics, sound or read partly.
        at: its place.
        named: the types of source there are.
    """
    problems: list[Problem] = []

    def read(metric: Metric | None, *place: str, level: bool = False) -> Metric | None:
        asking = named.asking.get(metric.metricSource.type or "") if metric is not None else None
        model = None if asking is None else asking.level if level else asking.spec
        here = (*at, *place, "metricSource", "spec")
        if metric is None or model is None or not any(document.found(*here)):
            return metric
        found = document.read(model, *here, label=f"the {metric.metricSource.type} spec of {document.label}")
        if isinstance(found, list):
            problems.extend(found)
            return metric
        return metric.model_copy(update={"metricSource": metric.metricSource.asking(found)})

    ratio = spec.ratioMetric
    parts = {key: read(getattr(ratio, key), "ratioMetric", key) for key in COUNTED} if ratio is not None else {}
    read_so = {
        "thresholdMetric": read(spec.thresholdMetric, "thresholdMetric", level=True),
        "ratioMetric": ratio and ratio.model_copy(update=parts),
    }
    return spec.model_copy(update=read_so), problems


def uncounted(spec: IndicatorSpec, at: Path, named: Named) -> Iterator[Wrong]:
    """A raw ratio, or a level, of a source that can't be asked for it.

    Args:
        spec: an indicator, sound or read partly.
        at: its place.
        named: the types of source there are.
    """
    ratio = spec.ratioMetric
    raw = ratio.raw if ratio is not None else None
    for metric, place in ((spec.thresholdMetric, ("thresholdMetric",)), (raw, ("ratioMetric", "raw"))):
        kind = metric.metricSource.type if metric is not None else None
        asking = named.asking.get(kind or "")
        if asking is None or (metric is spec.thresholdMetric and asking.level is not None):
            continue
        text = f"{kind} counts good or bad and all events; write ratioMetric: {{counter: true, bad: {{...}}, total: {{...}}}}"
        yield text, (*at, *place, "metricSource", "type")


def together(ratio: RatioMetric, at: Path, types: Collection[str]) -> Iterator[Wrong]:
    """Whether one source counts both, and each something else.

    Args:
        ratio: the ratio, sound or read partly.
        at: its place.
        types: of metric sources that are read; those beside `READ` are sources that count.
    """
    total = ratio.total.metricSource if ratio.total is not None else None
    for word in ("good", "bad"):
        metric: Metric | None = getattr(ratio, word)
        if metric is None or total is None:
            continue
        part, both = metric.metricSource, {metric.metricSource.type, total.type}
        if len(both) > 1 and both <= {*types} and not both <= {*READ}:
            text = (
                f"{word} is counted by {part.type} and total by {total.type}; one of them counts both: write one type"
            )
            yield text, (*at, word, "metricSource", "type")
        elif part.asked is not None and part.asked == total.asked:
            other = "good" if word == "bad" else "bad"
            text = f"{word} and total are the same, so no event is ever {other}; write what makes one {word}"
            yield text, (*at, word, "metricSource", "spec")


def asks(
    spec: IndicatorSpec, names: Sequence[str], objectives: Sequence[Objective], named: Named
) -> list[Asked | None]:
    """What each objective of a sound SLO asks a source for; None where its indicator asks none.

    Args:
        spec: the indicator.
        names: of the SLOs, one for each objective.
        objectives: with the bounds of a level.
        named: what there is to name.
    """
    ratio, level = spec.ratioMetric, spec.thresholdMetric
    if level is not None and level.metricSource.asked is not None:
        asked = _asked(names[0], level.metricSource, named, total=_said(level))
        both = zip(names, objectives, strict=True)
        return [replace(asked, name=name, bound=_bound(objective)) for name, objective in both]
    total, part = (ratio.total, ratio.good or ratio.bad) if ratio is not None else (None, None)
    if ratio is None or total is None or part is None or total.metricSource.asked is None:
        return [None] * len(names)
    source = total.metricSource if total.metricSource.metricSourceRef is not None else part.metricSource
    asked = _asked(names[0], source, named, total=_said(total))
    return [replace(asked, part=_said(part), part_is_good=ratio.good is not None)] * len(names)


def _asked(name: str, source: MetricSource, named: Named, *, total: Mapping[str, Any]) -> Asked:
    """What is asked for, of the source that the file names, as far as it does."""
    ref = source.metricSourceRef or ""
    by_document = ref in named.sources
    instance = named.instances.get(ref, "") if by_document else ref
    likely = ref if by_document and not instance else ""
    return Asked(name=name, type=source.type or "", total=total, instance=instance, likely=likely)


def _bound(objective: Objective) -> Bound:
    if objective.op is None or objective.value is None:
        raise ValueError("a level without a bound was refused before")
    return Bound(operator=objective.op, value=float(objective.value))


def _said(metric: Metric) -> dict[str, Any]:
    spec = metric.metricSource.asked
    return spec.model_dump(exclude_unset=True) if spec is not None else {}
