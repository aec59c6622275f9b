"""Which SLOs there can be: every rule about what several keys of an OpenSLO document tell together.

Each runs on whatever of the document is sound, so that one run tells all. A key that is misspelt is not also told as missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

from platform_meter.model.objective import Countable, countables
from platform_meter.problems import suggest
from platform_meter.slo.burnrate import ROWS, Level, Profile, can_fire
from platform_meter.slo.openslo.keys import (
    PREFIX,
    ROLLING,
    IndicatorSpec,
    Metric,
    MetricSource,
    MetricSpec,
    RatioMetric,
    Slo,
    SloSpec,
)
from platform_meter.slo.openslo.values import LONGEST_NAME
from platform_meter.slo.promql import read_count, read_gauge

Path = tuple[str | int, ...]
Wrong = tuple[str, Path]
"""What is wrong, and the path of keys and indexes to where it is told."""
_STORED_SHAPE = (
    "ratioMetric: {counter: true, rawType: success, raw: {metricSource: {type: stored, spec: {events: pipeline_runs}}}}"
)
_INDICATOR: Path = ("spec", "indicator", "spec")
_RATIO: Path = (*_INDICATOR, "ratioMetric")
_THRESHOLD: Path = (*_INDICATOR, "thresholdMetric")
_METHOD: Path = ("spec", "budgetingMethod")
_OBJECTIVES: Path = ("spec", "objectives")
_OURS = "platform_"
_SUFFIXES = ("_bucket", "_count", "_sum")
_FULL, _SHORTEST = timedelta(days=28), timedelta(days=7)


def problems(slo: Slo, names: Sequence[str], known_metrics: Collection[str] = ()) -> Iterator[Wrong]:
    """Everything that the document's keys tell together.

    Args:
        slo: the document, sound or read partly.
        names: what its SLOs are called, by place.
        known_metrics: names of our own catalogue; without any, metrics are not looked at.
    """
    yield from _spec(slo.spec)
    if slo.spec.indicator is not None:
        yield from _indicator(slo.spec.indicator.spec, known_metrics)
    yield from _period(slo)
    yield from _method(slo)
    yield from _levels(slo)
    yield from _names(slo, names)


def _spec(spec: SloSpec) -> Iterator[Wrong]:
    if spec.indicatorRef is not None:
        text = "indicatorRef is not read yet; write the indicator inline, as indicator: {spec: {...}}"
        yield text, ("spec", "indicatorRef")
    elif spec.lacks("indicator"):
        yield "missing key 'indicator'; write indicator: {spec: {ratioMetric: {...}}}", ("spec",)
    if spec.alertPolicies:
        text = (
            f"alertPolicies are not read; burn alerts come from the annotation {PREFIX}alerts: standard, human or none"
        )
        yield text, ("spec", "alertPolicies")
    if spec.budgetingMethod == "RatioTimeslices":
        yield "RatioTimeslices is not read yet; write Occurrences or Timeslices", _METHOD
    for n, window in enumerate(spec.timeWindow):
        if window.calendar is not None or window.isRolling is False:
            yield f"calendar periods are not read yet; write a rolling one: {ROLLING}", ("spec", "timeWindow", n)
    for n, objective in enumerate(spec.objectives):
        if not objective.has_one_of("target", "targetPercent"):
            text = "an objective needs either target (a share such as 0.999) or targetPercent (such as 99.9)"
            yield text, (*_OBJECTIVES, n)


def _indicator(spec: IndicatorSpec, known: Collection[str]) -> Iterator[Wrong]:
    ratio, threshold = spec.ratioMetric, spec.thresholdMetric
    if not spec.has_one_of("ratioMetric", "thresholdMetric"):
        yield "an indicator needs either ratioMetric or thresholdMetric", _INDICATOR
    if threshold is not None:
        if threshold.metricSource.type == "stored":
            yield f"stored events give a ratio; write {_STORED_SHAPE}", (*_THRESHOLD, "metricSource", "type")
        yield from _metric(threshold, _THRESHOLD, known, counted=False)
    if ratio is not None:
        yield from _ratio(ratio)
        for key in ("good", "bad", "total", "raw"):
            metric: Metric | None = getattr(ratio, key)
            if metric is not None:
                yield from _metric(metric, (*_RATIO, key), known, counted=key != "raw")


def _ratio(ratio: RatioMetric) -> Iterator[Wrong]:
    if ratio.raw is not None:
        if ratio.good or ratio.bad or ratio.total:
            yield "a raw ratio stands alone; remove good, bad and total, or raw", (*_RATIO, "raw")
        elif ratio.lacks("rawType"):
            yield "a raw ratio needs rawType; write rawType: success or rawType: failure", (*_RATIO, "raw")
        elif ratio.raw.metricSource.type == "stored" and ratio.rawType == "failure":
            yield "stored events give a ratio of success; write rawType: success", (*_RATIO, "rawType")
    elif ratio.lacks("raw"):
        if ratio.lacks("total") or not ratio.has_one_of("good", "bad"):
            yield "a ratio needs total, and either good or bad over it; or raw and rawType", _RATIO
        elif ratio.counter is False:
            text = "counter: false is not read yet; give the counters themselves and counter: true"
            yield text, (*_RATIO, "counter")


def _metric(metric: Metric, at: Path, known: Collection[str], *, counted: bool) -> Iterator[Wrong]:
    """One query or kind of stored events, and whether it can be what it stands as."""
    source, at = metric.metricSource, (*at, "metricSource")
    yield from _source(source, at)
    yield from _stored(source.spec, (*at, "spec"))
    if counted and source.type == "stored":
        yield f"stored events count good and bad together; write {_STORED_SHAPE}", (*at, "type")
    if source.type != "prometheus" or not source.spec.query:
        return
    try:
        query = read_count(metric.query) if counted else read_gauge(metric.query, "max")
    except ValueError as error:
        yield str(error), (*at, "spec", "query")
        return
    for name in query.metrics if known else ():
        bases = {name, *(name.removesuffix(suffix) for suffix in _SUFFIXES)}
        if name.startswith(_OURS) and bases.isdisjoint(known):
            yield f"no metric of ours is called {name}{suggest(name, known)}", (*at, "spec", "query")


def _source(source: MetricSource, at: Path) -> Iterator[Wrong]:
    if source.metricSourceRef is not None:
        text = "metricSourceRef is not read yet; write type: prometheus and the query here"
        yield text, (*at, "metricSourceRef")
    elif source.type == "probe":
        yield "own probes are stored events; write type: stored and events: probe_checks", (*at, "type")
    elif source.type not in (None, "prometheus", "stored"):
        yield f"metric source {source.type} is not read yet; write prometheus or stored", (*at, "type")
    elif source.type is not None:
        spec, stored = source.spec, source.type == "stored"
        wanted, others = ("events", ["query"]) if stored else ("query", ["events", "where", "threshold", "unknown"])
        if spec.lacks(wanted) or getattr(spec, wanted) == "":
            known = f"; write one of: {', '.join(countables())}" if stored else ""
            yield f"a {source.type} metric source needs {wanted}{known}", (*at, "spec")
        elif wrong := [key for key in others if getattr(spec, key)]:
            yield f"a {source.type} metric source takes {wanted}, not {wrong[0]}", (*at, "spec", wrong[0])


def _stored(spec: MetricSpec, at: Path) -> Iterator[Wrong]:
    """What selects among stored events, and what makes them good."""
    if spec.events is None:
        return
    kind, every = countables()[spec.events], countables().values()
    words = kind.where
    if spec.where is not None:
        for key in spec.where:
            if key not in words:
                yield f"unknown key '{key}' in where of {kind.word}{suggest(key, words)}", (*at, "where", key)
        if kind.required and (missing := [w for w in words if not spec.where.get(w)]):
            sample = ", ".join(f"{w}: {w.upper()}" for w in words)
            yield f"{kind.word} needs {' and '.join(missing)}; write where: {{{sample}}}", (*at, "events")
    threshold = spec.threshold
    if kind.thresholds and (spec.lacks("threshold") or threshold not in (None, *kind.thresholds)):
        bounds = ", ".join(f"{b:g}" for b in kind.thresholds)
        said = "is missing" if threshold is None else f"{threshold:g} is between two bucket bounds"
        text = f"threshold {said}; {kind.word} are counted up to {bounds} seconds: write one of these"
        yield text, (*at, "threshold")
    if threshold is not None and not kind.thresholds:
        those = ", ".join(c.word for c in every if c.thresholds)
        yield f"threshold belongs to {those}; remove it from {kind.word}", (*at, "threshold")
    if spec.unknown is not None and not kind.unclassified:
        those = ", ".join(c.word for c in every if c.unclassified)
        yield f"unknown belongs to {those}; remove it from {kind.word}", (*at, "unknown")


def _period(slo: Slo) -> Iterator[Wrong]:
    profile, at = slo.metadata.annotations.alerts, ("spec", "timeWindow", 0, "duration")
    for window in slo.spec.timeWindow[:1]:
        if not window.duration:
            continue
        period, length = window.duration, window.length
        if profile is Profile.HUMAN and length < _FULL:
            text = f"alerts: human look back 14 days, too long for a period of {period}; write 28d or more, such as 91d"
            yield text, at
        if profile is Profile.STANDARD and length < _SHORTEST:
            text = f"a period of {period} is too short for burn alerts; write 7d or more, or the annotation {PREFIX}alerts: none"
            yield text, at


def _method(slo: Slo) -> Iterator[Wrong]:
    """Events or slices: what fits the SLI, and what each of them needs."""
    indicator = slo.spec.indicator.spec if slo.spec.indicator is not None else IndicatorSpec()
    ratio, threshold = indicator.ratioMetric, indicator.thresholdMetric
    raw = ratio.raw.metricSource if ratio is not None and ratio.raw is not None and threshold is None else None
    stored = countables().get(raw.spec.events or "") if raw is not None and raw.type == "stored" else None
    if stored is not None and stored.slow and slo.metadata.annotations.alerts is Profile.STANDARD:
        text = (
            f"{stored.word} take hours and days, so they never page; add the annotation {PREFIX}alerts: human or none"
        )
        yield text, (*_RATIO, "raw", "metricSource", "spec", "events")
    if slo.spec.budgetingMethod == "Occurrences":
        sliced = "a raw ratio of PromQL" if raw is not None and raw.type == "prometheus" else ""
        sliced = "a threshold" if threshold is not None and ratio is None else stored.sliced if stored else sliced
        yield from _occurrences(slo, sliced)
    elif slo.spec.budgetingMethod == "Timeslices":
        yield from _timeslices(slo, stored, ratio=ratio is not None and threshold is None)
    for n, objective in enumerate(slo.spec.objectives):
        if threshold is not None and ratio is None:
            if objective.lacks("op") or objective.lacks("value"):
                text = "a threshold needs op and value in its objective; write {op: lte, value: 0.5, target: 0.99, ...}"
                yield text, (*_OBJECTIVES, n)
        elif threshold is None and ratio is not None and (objective.has("op") or objective.has("value")):
            yield "op and value belong to a thresholdMetric; remove them beside a ratioMetric", (*_OBJECTIVES, n)


def _occurrences(slo: Slo, sliced: str) -> Iterator[Wrong]:
    if sliced:
        yield f"{sliced} is judged slice by slice; write budgetingMethod: Timeslices", _METHOD
    for n, objective in enumerate(slo.spec.objectives):
        if objective.has("timeSliceTarget") or objective.has("timeSliceWindow"):
            yield "timeSliceTarget and timeSliceWindow belong to Timeslices; remove them", (*_OBJECTIVES, n)
    if slo.metadata.annotations.has("no_data"):
        key = f"{PREFIX}no-data"
        yield f"{key} belongs to Timeslices; remove it", ("metadata", "annotations", key)


def _timeslices(slo: Slo, stored: Countable[Any, Any] | None, *, ratio: bool) -> Iterator[Wrong]:
    if stored is not None and not stored.sliced:
        yield f"stored {stored.word} are counted one by one; write budgetingMethod: Occurrences", _METHOD
    for n, objective in enumerate(slo.spec.objectives):
        if objective.lacks("timeSliceWindow"):
            yield "Timeslices needs the slice's length; write timeSliceWindow: 1m or 5m", (*_OBJECTIVES, n)
        if ratio and objective.lacks("timeSliceTarget"):
            text = "Timeslices needs the share from which on a slice is good; write timeSliceTarget: 0.95"
            yield text, (*_OBJECTIVES, n)
    if slo.metadata.annotations.lacks("no_data"):
        text = f"a slice without data is what? add the annotation {PREFIX}no-data: bad, good, exclude or hold"
        yield text, _METHOD


def _levels(slo: Slo) -> Iterator[Wrong]:
    """Levels that were asked for and have no row that could fire."""
    rows = ROWS.get(slo.metadata.annotations.alerts, ())
    for share in dict.fromkeys(objective.share for objective in slo.spec.objectives):
        if share is None:
            continue
        for level in Level:
            asked = [row for row in rows if row.level is level]
            if not asked or any(can_fire(row, 1 - share) for row in asked):
                continue
            least = min(row.factor for row in asked)
            text = (
                f"no {level} alert could ever fire: at an objective of {share} even an outage burns only "
                f"{float(1 / (1 - share)):.3g} times too fast, and {level} starts at {least:g}; write an objective above "
                f"{1 - 1 / least:.4g}, or the annotation {PREFIX}alerts: none"
            )
            yield text, _OBJECTIVES


def _names(slo: Slo, names: Sequence[str]) -> Iterator[Wrong]:
    called: set[str] = set()
    for n, name in zip(range(len(slo.spec.objectives)), names, strict=False):
        if len(name) > LONGEST_NAME:
            text = f"this objective would be called {name}, longer than {LONGEST_NAME}; give it a shorter displayName"
            yield text, (*_OBJECTIVES, n)
        if name in called:
            yield f"two objectives would be called {name}; give each its own displayName", (*_OBJECTIVES, n)
        called.add(name)
