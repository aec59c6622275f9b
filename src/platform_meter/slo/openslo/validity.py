"""Which SLOs there can be: every rule about what several keys of an OpenSLO document tell together.

Each runs on whatever of the document is sound, so that one run tells all. A key that is misspelt is not also told as missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

from platform_meter.model.objective import Countable, countables
from platform_meter.problems import nearest, suggest
from platform_meter.slo.burnrate import Level, Profile, can_fire, kept
from platform_meter.slo.openslo import alerting, asked, policies
from platform_meter.slo.openslo.keys import (
    PREFIX,
    READ,
    ROLLING,
    STORED,
    WANTS,
    IndicatorSpec,
    Metric,
    MetricSource,
    MetricSpec,
    RatioMetric,
    Slo,
    SloSpec,
)
from platform_meter.slo.openslo.refs import PARTS, Named, Path, Wrong
from platform_meter.slo.openslo.values import LONGEST_NAME
from platform_meter.slo.part import judge
from platform_meter.slo.promql import Query, read_count, read_gauge

_STORED_SHAPE = (
    "ratioMetric: {counter: true, rawType: success, raw: {metricSource: {type: stored, spec: {events: pipeline_runs}}}}"
)
INDICATOR: Path = ("spec", "indicator", "spec")
_RATIO: Path = (*INDICATOR, "ratioMetric")
_METHOD: Path = ("spec", "budgetingMethod")
_ANNOTATIONS: Path = ("metadata", "annotations")
_OBJECTIVES: Path = ("spec", "objectives")
_OURS = "platform_"
_OWN = ("indicator", "indicatorRef", "compositeWeight")
"""Keys of an objective in a composite SLO."""
_NOTHING = Named()
_PROFILE = policies.Own()
"""Of an SLO without policies."""
_SUFFIXES = ("_bucket", "_count", "_sum")
_FULL, _SHORTEST = timedelta(days=28), timedelta(days=7)


def problems(
    slo: Slo,
    names: Sequence[str],
    known_metrics: Collection[str] = (),
    named: Named = _NOTHING,
    own: policies.Own = _PROFILE,
) -> Iterator[Wrong]:
    """Everything that the document's keys tell together.

    Args:
        slo: the document, sound or read partly.
        names: what its SLOs are called, by place.
        known_metrics: names of our own catalogue; without any, metrics are not looked at.
        named: the sources that count what they are asked for.
        own: what its policies ask for.
    """
    yield from _spec(slo.spec)
    if slo.spec.indicator is not None and slo.spec.indicatorRef is None:
        yield from foreign(slo.spec.indicator.spec, INDICATOR, named)
        yield from indicator(slo.spec.indicator.spec, INDICATOR, known_metrics, named)
    yield from _period(slo, own)
    yield from _method(slo, own)
    yield from _levels(slo, own)
    yield from _alerting(slo, own)
    yield from _names(slo, names)


def notes(slo: Slo) -> Iterator[Wrong]:
    """What is allowed in a sound document, and worth knowing."""
    found = slo.spec.indicator.spec if slo.spec.indicator is not None else IndicatorSpec()
    if found.ratioMetric is not None:
        yield from _parts(found.ratioMetric, _RATIO, wrong=False)
    for n, objective in enumerate(slo.spec.objectives):
        if found.ratioMetric is not None and (objective.has("op") or objective.has("value")):
            yield "op and value are for a thresholdMetric; beside a ratioMetric they say nothing", (*_OBJECTIVES, n)
        if slo.spec.budgetingMethod == "Occurrences" and (
            objective.has("timeSliceTarget") or objective.has("timeSliceWindow")
        ):
            yield (
                "timeSliceTarget and timeSliceWindow are for Timeslices; with Occurrences they say nothing",
                (*_OBJECTIVES, n),
            )


def _spec(spec: SloSpec) -> Iterator[Wrong]:
    own = [key for key in _OWN if any(one.has(key) for one in spec.objectives)]
    if own:
        keys = ", ".join(own)
        text = f"a composite SLO (objectives with {keys}) is not read yet; write an SLO with an indicator for each"
        yield text, _OBJECTIVES
    if not own and spec.lacks("indicator") and spec.lacks("indicatorRef"):
        yield "missing key 'indicator'; write indicator: {spec: {ratioMetric: {...}}}", ("spec",)
    if spec.budgetingMethod == "RatioTimeslices":
        yield "RatioTimeslices is not read yet; write Occurrences or Timeslices", _METHOD
    for n, window in enumerate(spec.timeWindow):
        if not window.rolls:
            yield f"calendar periods are not read yet; write a rolling one: {ROLLING}", ("spec", "timeWindow", n)
    for n, objective in enumerate(spec.objectives):
        if not objective.has_one_of("target", "targetPercent"):
            text = "an objective needs either target (a share such as 0.999) or targetPercent (such as 99.9)"
            yield text, (*_OBJECTIVES, n)


def foreign(spec: IndicatorSpec, at: Path, named: Named = _NOTHING) -> Iterator[Wrong]:
    """Systems that an indicator is measured by and that are not read, or not so: each once, however many metrics name it."""
    yield from asked.uncounted(spec, at, named)
    ratio = spec.ratioMetric
    metrics: list[tuple[Metric | None, Path]] = [(spec.thresholdMetric, (*at, "thresholdMetric"))]
    if ratio is not None:
        metrics += [(getattr(ratio, key), (*at, "ratioMetric", key)) for key in PARTS]
    told: set[str] = set()
    for metric, here in metrics:
        kind = metric.metricSource.type if metric is not None else None
        if kind is None or kind in named.types or kind in told or nearest(kind, named.types):
            continue
        told.add(kind)
        *most, last = named.types
        text = f"metricSource type {kind} is not read yet; those that are: {', '.join(most)} and {last}"
        yield text, (*here, "metricSource", "type")


def indicator(spec: IndicatorSpec, at: Path, known: Collection[str] = (), named: Named = _NOTHING) -> Iterator[Wrong]:
    """Everything else that the keys of an indicator tell together, wherever it stands."""
    ratio, threshold = spec.ratioMetric, spec.thresholdMetric
    if not spec.has_one_of("ratioMetric", "thresholdMetric"):
        yield "an indicator needs either ratioMetric or thresholdMetric", at
    if threshold is not None:
        here = (*at, "thresholdMetric")
        if threshold.metricSource.type in STORED:
            yield f"stored events give a ratio; write {_STORED_SHAPE}", (*here, "metricSource", "type")
        yield from _metric(threshold, here, known, named.types)
    if ratio is not None:
        here = (*at, "ratioMetric")
        yield from _ratio(ratio, here)
        for key in PARTS:
            metric: Metric | None = getattr(ratio, key)
            if metric is not None:
                yield from _metric(metric, (*here, key), known, named.types, counted="" if key == "raw" else key)
        yield from asked.together(ratio, here, named.types)
        yield from _parts(ratio, here, wrong=True)


def _parts(ratio: RatioMetric, at: Path, *, wrong: bool) -> Iterator[Wrong]:
    """Whether good or bad can be a part of total; or what is worth knowing of that."""
    total = _count(ratio.total, total=True)
    for word in ("good", "bad"):
        part = _count(getattr(ratio, word))
        if part is not None and total is not None:
            said = judge(part, total, word)
            if text := said.wrong if wrong else said.note:
                yield text, (*at, word, "metricSource", "spec", "query")


def _count(metric: Metric | None, *, total: bool = False) -> Query | None:
    """The query of a count, where it is one."""
    if metric is None or metric.metricSource.type != "prometheus" or not metric.query:
        return None
    try:
        return read_count(metric.query, total=total)
    except ValueError:
        return None


def _ratio(ratio: RatioMetric, at: Path) -> Iterator[Wrong]:
    if ratio.raw is not None:
        if ratio.good or ratio.bad or ratio.total:
            yield "a raw ratio stands alone; remove good, bad and total, or raw", (*at, "raw")
        elif ratio.lacks("rawType"):
            yield "a raw ratio needs rawType; write rawType: success or rawType: failure", (*at, "raw")
        elif ratio.raw.metricSource.type in STORED and ratio.rawType == "failure":
            yield "stored events give a ratio of success; write rawType: success", (*at, "rawType")
    elif ratio.lacks("raw"):
        if ratio.lacks("total") or not ratio.has_one_of("good", "bad"):
            yield "a ratio needs total, and either good or bad over it; or raw and rawType", at
        elif ratio.counter is False:
            text = "counter: false is not read yet; give the counters themselves and counter: true"
            yield text, (*at, "counter")


def _metric(
    metric: Metric, at: Path, known: Collection[str], types: Collection[str], *, counted: str = ""
) -> Iterator[Wrong]:
    """One query or kind of stored events, and whether it can be what it stands as."""
    source, at = metric.metricSource, (*at, "metricSource")
    yield from _source(source, at, types)
    yield from _stored(source.spec, (*at, "spec"))
    if counted and source.type in STORED:
        yield f"stored events count good and bad together; write {_STORED_SHAPE}", (*at, "type")
    if source.type != "prometheus" or not source.spec.query:
        return
    try:
        query = read_count(metric.query, total=counted == "total") if counted else read_gauge(metric.query, "max")
    except ValueError as error:
        yield str(error), (*at, "spec", "query")
        return
    for name in query.metrics if known else ():
        bases = {name, *(name.removesuffix(suffix) for suffix in _SUFFIXES)}
        if name.startswith(_OURS) and bases.isdisjoint(known):
            yield f"no metric of ours is called {name}{suggest(name, known)}", (*at, "spec", "query")


def _source(source: MetricSource, at: Path, types: Collection[str]) -> Iterator[Wrong]:
    if source.lacks("type"):
        if source.metricSourceRef is None:  # else the DataSource is missing, which is told
            yield "missing key 'type' in 'metricSource'; write type: prometheus", at
    elif source.type is not None and source.type not in types:
        if near := nearest(source.type, types):  # all others are `foreign`
            yield f"metricSource type {source.type} is not known; did you mean '{near}'?", (*at, "type")
    elif source.type in READ:
        spec, wanted = source.spec, WANTS[source.type]
        own = (wanted, "where", "threshold", "unknown") if source.type == "stored" else (wanted,)
        if spec.lacks(wanted) or getattr(spec, wanted) == "":
            known = f"; write one of: {', '.join(countables())}" if source.type == "stored" else ""
            yield f"a {source.type} metric source needs {wanted}{known}", (*at, "spec")
        elif wrong := [key for key in MetricSpec.model_fields if key not in own and getattr(spec, key)]:
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
        if missing := [w for w in kind.required if not spec.where.get(w)]:
            sample = ", ".join(f"{w}: {w.upper()}" for w in kind.required)
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


def _period(slo: Slo, own: policies.Own) -> Iterator[Wrong]:
    """A period that is too short for the rows of a profile."""
    if own.rows is not None:
        return
    profile, at = slo.metadata.annotations.alerts, ("spec", "timeWindow", 0, "duration")
    for window in slo.spec.timeWindow[:1]:
        if not window.duration or not window.rolls:
            continue
        period, length = window.duration, window.length
        if profile is Profile.HUMAN and length < _FULL:
            text = f"alerts: human look back 14 days, too long for a period of {period}; write 28d or more, such as 91d"
            yield text, at
        if profile is Profile.STANDARD and length < _SHORTEST:
            text = f"a period of {period} is too short for burn alerts; write 7d or more, or the annotation {PREFIX}alerts: none"
            yield text, at


def _method(slo: Slo, own: policies.Own) -> Iterator[Wrong]:
    """Events or slices: what fits the SLI, and what each of them needs."""
    indicator = slo.spec.indicator.spec if slo.spec.indicator is not None else IndicatorSpec()
    ratio, threshold = indicator.ratioMetric, indicator.thresholdMetric
    raw = ratio.raw.metricSource if ratio is not None and ratio.raw is not None and threshold is None else None
    sli = raw.sli if raw is not None else None
    stored = sli.events if sli is not None else None
    slow = stored is not None and stored.slow
    if stored is not None and slow and any(row.level is Level.PAGE for row in own.rows or ()):
        yield f"{stored.word} take hours and days, so they never page; write severity: ticket", policies.AT
    if stored is not None and slow and own.rows is None and slo.metadata.annotations.alerts is Profile.STANDARD:
        text = (
            f"{stored.word} take hours and days, so they never page; add the annotation {PREFIX}alerts: human or none"
        )
        yield text, (*_RATIO, "raw", "metricSource", "spec", "events")
    metrics = (threshold, ratio.total if ratio is not None else None)
    asks = any(metric is not None and metric.metricSource.asked is not None for metric in metrics)
    if (stored is not None or asks) and slo.metadata.annotations.has("read_by"):
        key = f"{PREFIX}read-by"
        yield f"{key} is for Prometheus; stored events tell when they were read: remove it", (*_ANNOTATIONS, key)
    if slo.spec.budgetingMethod == "Occurrences":
        sliced = stored.sliced if stored is not None else ""
        if threshold is not None and ratio is None:
            yield "Occurrences of a thresholdMetric are not read yet; write budgetingMethod: Timeslices", _METHOD
        elif raw is not None and raw.type == "prometheus":
            yield "Occurrences of a raw ratio are not read yet; write budgetingMethod: Timeslices", _METHOD
        yield from _occurrences(slo, sliced)
    elif slo.spec.budgetingMethod == "Timeslices":
        yield from _timeslices(slo, stored, ratio=ratio is not None and threshold is None)
    elif slo.spec.budgetingMethod == "RatioTimeslices" and any(o.has("timeSliceWindow") for o in slo.spec.objectives):
        yield from _no_data(slo)
    for n, objective in enumerate(slo.spec.objectives):
        missing = [key for key in ("op", "value") if objective.lacks(key)]
        if threshold is not None and ratio is None and missing:
            text = f"a threshold needs {' and '.join(missing)} in its objective; write {{op: lte, value: 0.5, target: 0.99, ...}}"
            yield text, (*_OBJECTIVES, n)


def _occurrences(slo: Slo, sliced: str) -> Iterator[Wrong]:
    if sliced:
        yield f"{sliced} is judged slice by slice; write budgetingMethod: Timeslices", _METHOD
    if slo.metadata.annotations.has("no_data"):
        key = f"{PREFIX}no-data"
        yield f"{key} belongs to Timeslices; remove it", (*_ANNOTATIONS, key)


def _timeslices(slo: Slo, stored: Countable[Any, Any] | None, *, ratio: bool) -> Iterator[Wrong]:
    if stored is not None and not (stored.sliced or stored.elsewhere):
        yield f"stored {stored.word} are counted one by one; write budgetingMethod: Occurrences", _METHOD
    for n, objective in enumerate(slo.spec.objectives):
        if objective.lacks("timeSliceWindow"):
            yield "Timeslices needs the slice's length; write timeSliceWindow: 1m or 5m", (*_OBJECTIVES, n)
        if ratio and objective.lacks("timeSliceTarget"):
            text = "Timeslices needs the share from which on a slice is good; write timeSliceTarget: 0.95"
            yield text, (*_OBJECTIVES, n)
    yield from _no_data(slo)


def _no_data(slo: Slo) -> Iterator[Wrong]:
    if slo.metadata.annotations.lacks("no_data"):
        text = f"a slice without data is what? add the annotation {PREFIX}no-data: bad, good, exclude or hold"
        yield text, _METHOD


def _levels(slo: Slo, own: policies.Own) -> Iterator[Wrong]:
    """Levels that were asked for and have no row that could fire."""
    said = slo.metadata.annotations
    rows = alerting.rows(said.alerts, said.leave_out)
    if own.rows is not None:
        rows = kept(own.rows, said.leave_out or frozenset())
    for share in dict.fromkeys(objective.share for objective in slo.spec.objectives):
        if share is None:
            continue
        for level in Level:
            asked = [row for row in rows if row.level is level]
            if not asked or any(can_fire(row, 1 - share) for row in asked):
                continue
            least = min(row.factor for row in asked)
            most = f"{float(1 / (1 - share)):.3g}"
            text = (
                f"no {level} alert could ever fire: at an objective of {share} even an outage burns only "
                f"{most} times too fast, and {level} starts at {least:g}; write an objective above "
                f"{1 - 1 / least:.4g}, or "
            )
            if own.rows is None:
                yield f"{text}the annotation {PREFIX}alerts: none", _OBJECTIVES
            else:
                yield f"{text}a threshold below {most}", policies.AT


def _alerting(slo: Slo, own: policies.Own) -> Iterator[Wrong]:
    """What is said of alerts that there are, and of labels that the document has."""
    said, at = slo.metadata.annotations, _ANNOTATIONS
    left_out = said.leave_out or frozenset()
    if own.rows is not None:
        has, vain = own.there(left_out), own.left_out_in_vain(left_out)
    else:
        has = alerting.there(said.alerts, left_out)
        vain = alerting.left_out_in_vain(said.alerts, left_out) if said.alerts is not None else iter(())
    for text in vain:
        yield text, (*at, f"{PREFIX}leave-out")
    for items, key in ((said.alert_labels, "alert-labels"), (said.alert_annotations, "alert-annotations")):
        for text in alerting.unsaid(items or (), slo.metadata.labels, has):
            yield text, (*at, PREFIX + key)


def _names(slo: Slo, names: Sequence[str]) -> Iterator[Wrong]:
    called: set[str] = set()
    for n, name in zip(range(len(slo.spec.objectives)), names, strict=False):
        if len(name) > LONGEST_NAME:
            text = f"this objective would be called {name}, longer than {LONGEST_NAME}; give it a shorter displayName"
            yield text, (*_OBJECTIVES, n)
        if name in called:
            yield f"two objectives would be called {name}; give each its own displayName", (*_OBJECTIVES, n)
        called.add(name)
