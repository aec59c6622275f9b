"""What an OpenSLO document names elsewhere: an SLI by `indicatorRef`, a DataSource by `metricSourceRef`, in any file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_meter.model.source import Asking
from platform_meter.problems import EACH, Document, suggest
from platform_meter.slo.openslo.alert_keys import ConditionSpec, PolicySpec
from platform_meter.slo.openslo.keys import READ, IndicatorSpec, Metric, MetricSource

Path = tuple[str | int, ...]
Wrong = tuple[str, Path]
PARTS = ("good", "bad", "total", "raw")
"""Metrics of a ratio."""
_INDICATOR: Path = ("spec", "indicator", "spec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What documents name; None stands for a document with problems, which are told where it stands."""

    slis: Mapping[str, IndicatorSpec | None] = field(default_factory=dict)
    sources: Mapping[str, str | None] = field(default_factory=dict)
    """Type of each DataSource."""
    instances: Mapping[str, str] = field(default_factory=dict)
    """The configured source that a DataSource says it is, of those that do."""
    policies: Mapping[str, PolicySpec | None] = field(default_factory=dict)
    conditions: Mapping[str, ConditionSpec | None] = field(default_factory=dict)
    """Of alerts."""
    targets: Collection[str] = ()
    """Of notifications."""
    asking: Mapping[str, Asking[Any]] = field(default_factory=dict)
    """Types of source that count what SLO files ask for, and how each is asked."""

    @property
    def types(self) -> tuple[str, ...]:
        """Every `metricSource.type` that is read."""
        return (*READ, *sorted(self.asking))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An indicator whose metrics have the types of their DataSources."""

    spec: IndicatorSpec
    wrong: tuple[Wrong, ...] = ()
    notes: tuple[Wrong, ...] = ()
    unsound: bool = False
    """It names a document that has problems of its own."""


def refers(document: Document) -> bool:
    """Whether the document names another one, so that it can be read only after all."""
    places = (("spec", "indicatorRef"), *((*place, "metricSourceRef") for place in sources()))
    policies = any(value for _, value in document.found("spec", "alertPolicies", EACH))
    return policies or any(any(document.found(*place)) for place in places)


def sources() -> Iterator[Path]:
    """Places of the metric sources of an SLI, and of an SLO's own indicator and its objectives'."""
    for base in (_INDICATOR, ("spec",), ("spec", "objectives", EACH, "indicator", "spec")):
        yield (*base, "thresholdMetric", "metricSource")
        for part in PARTS:
            yield (*base, "ratioMetric", part, "metricSource")


def resolve(spec: IndicatorSpec, at: Path, named: Named) -> Resolved:
    """Types for metrics that name a DataSource.

    Args:
        spec: an indicator, sound or read partly.
        at: its place in its document.
        named: what there is to name.
    """
    wrong: list[Wrong] = []
    notes: list[Wrong] = []
    unsound = False
    refs: dict[str, str] = {}

    def filled(metric: Metric | None, *place: str) -> Metric | None:
        nonlocal unsound
        source = metric.metricSource if metric is not None else None
        if metric is None or source is None or source.metricSourceRef is None:
            return metric
        ref, here = source.metricSourceRef, (*at, *place, "metricSource", "metricSourceRef")
        refs.setdefault(ref, place[-1])
        if ref not in named.sources and source.type in named.asking:
            return metric  # it names the configured source itself
        if ref not in named.sources:
            (notes if source.type is not None and not named.sources else wrong).append((_unknown(source, named), here))
            unsound = unsound or source.type is None
            return metric
        kind = named.sources[ref]
        unsound = unsound or kind is None
        if source.has("type"):
            if kind is not None and source.type not in (kind, None):
                wrong.append(
                    (f"DataSource '{ref}' is of type {kind}, and type: {source.type} stands here; correct one", here)
                )
            return metric
        return metric.model_copy(update={"metricSource": source.model_copy(update={"type": kind})})

    ratio = spec.ratioMetric
    found = spec.model_copy(
        update={
            "thresholdMetric": filled(spec.thresholdMetric, "thresholdMetric"),
            "ratioMetric": ratio
            and ratio.model_copy(update={p: filled(getattr(ratio, p), "ratioMetric", p) for p in PARTS}),
        }
    )
    if len(refs) > 1 and not wrong:
        (one, first), (other, second) = list(refs.items())[:2]
        text = f"{first} is read from '{one}' and {second} from '{other}'; an SLI has one source: name one DataSource"
        wrong.append((text, (*at, "ratioMetric", second, "metricSource", "metricSourceRef")))
    return Resolved(spec=found, wrong=tuple(wrong), notes=tuple(notes), unsound=unsound)


def _unknown(source: MetricSource, named: Named) -> str:
    ref = source.metricSourceRef or ""
    if source.type is not None and not named.sources:
        return f"no DataSource is called '{ref}' in these files; type: {source.type} is taken as it stands"
    hint = (
        suggest(ref, named.sources)
        or f"; write a document with kind: DataSource and this name, or type: {READ[0]} here"
    )
    return f"no DataSource is called '{ref}'{hint}"
