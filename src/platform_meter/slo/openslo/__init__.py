"""OpenSLO v1 in: from the keys of a document to one Spec for each of its objectives, or all that is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel

from platform_meter.model.facts.slis import SLI
from platform_meter.model.objective import Asked, StoredSli
from platform_meter.model.source import Asking
from platform_meter.problems import EACH, Document, Problem, suggest
from platform_meter.slo.burnrate import DEFAULT_PERIOD, window_text
from platform_meter.slo.openslo import policies, validity
from platform_meter.slo.openslo.alert_keys import AlertCondition, AlertPolicy
from platform_meter.slo.openslo.alerting import words
from platform_meter.slo.openslo.asked import asks, read_specs
from platform_meter.slo.openslo.keys import (
    ANNOTATIONS,
    INSTANCE,
    KINDS,
    PREFIX,
    READ,
    READ_WHEN_NAMED,
    Annotations,
    DataSource,
    Indicator,
    MetricSpec,
    Objective,
    SliDocument,
    Slo,
)
from platform_meter.slo.openslo.keys import Other as AnyOther
from platform_meter.slo.openslo.policies import named_by
from platform_meter.slo.openslo.refs import Named, Path, refers, resolve, sources
from platform_meter.slo.promql import read_count, read_gauge
from platform_meter.slo.reading import read_by
from platform_meter.slo.spec import WORST, Alarm, Ratio, RawRatio, Sli, Spec, Threshold

__all__ = ["PREFIX", "Named", "Other", "Said", "guarded", "is_other", "named_by", "read", "read_other", "refers"]

T = TypeVar("T")
_NOTHING = Named()
_TYPED = ("type", "description")
"""Keys of a DataSource that are drawn."""
_EACH = Decimal(1)
"""Of a slice of several minutes: the worst of them decides, as of several series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one document says."""

    names: tuple[str, ...] = ()
    """Of its SLOs, by place, as far as they can be read."""
    specs: tuple[Spec, ...] = ()
    """One for each objective; none where the document is no good."""
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """Allowed, but worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A document beside SLOs, which they may name."""

    kind: str
    name: str
    value: SliDocument | DataSource | AlertPolicy | AlertCondition | None
    """None where it has problems, and of kinds that nothing is read from."""
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def is_other(document: Document) -> bool:
    """Whether this is an OpenSLO document of another kind than SLO."""
    return document.value.get("apiVersion") == "openslo/v1" and document.word("kind") in KINDS


def read_other(
    document: Document, known_metrics: Collection[str] = (), named: Named = _NOTHING, *, used: bool = True
) -> Other | None:
    """An OpenSLO document of another kind than SLO; None where it is something else.

    Args:
        document: of whatever content.
        known_metrics: names of our own catalogue; without any, metrics are not looked at.
        named: DataSources that an SLI may name, conditions and targets that a policy may name.
        used: an SLO names it. That nobody measures what no SLO names is a note, and alerts that none names are not read.
    """
    if not is_other(document):
        return None
    kind = document.word("kind")
    model, name = KINDS[kind], document.word("metadata", "name")
    if kind in READ_WHEN_NAMED and not used:
        model = AnyOther
    found = document.read(model)
    problems = found if isinstance(found, list) else []
    value = found if isinstance(found, SliDocument | DataSource | AlertPolicy | AlertCondition) else None
    notes: list[Problem] = []
    if model is AlertPolicy:
        policy = value if isinstance(value, AlertPolicy) else AlertPolicy.partly(document.value)
        for text, at in policies.problems(policy.spec, ("spec",), named) if policy.spec is not None else ():
            if value is not None or _stands(document, at):
                problems.append(document.problem(text, *at))
        value = value if not problems else None
        notes = [document.problem(text, *at) for text, at in policies.notes(policy.spec, ("spec",))] if value else []
    if model is DataSource:
        problems += _unknown_annotations(document, (INSTANCE,))
    if model is SliDocument:
        spec = value.spec if isinstance(value, SliDocument) else SliDocument.partly(document.value).spec
        resolved = resolve(spec, ("spec",), named)
        spec, misread = read_specs(document, resolved.spec, ("spec",), named)
        problems += misread
        foreign = tuple(validity.foreign(spec, ("spec",), named))
        wrong = (*resolved.wrong, *(foreign if used else ()))
        for text, at in (*wrong, *validity.indicator(spec, ("spec",), known_metrics, named)):
            if value is not None or _stands(document, at):
                problems.append(document.problem(" ".join(text.split()), *at))
        notes = [document.problem(text, *at) for text, at in (*resolved.notes, *(() if used else foreign))]
        sound = isinstance(value, SliDocument) and not problems and not resolved.unsound
        value = value.model_copy(update={"spec": spec}) if isinstance(value, SliDocument) and sound else None
    told, noted = (tuple(guarded(document, one, named.asking) for one in those) for those in (problems, notes))
    return Other(kind=kind, name=name, value=value, problems=told, notes=noted)


def guarded(document: Document, problem: Problem, asking: Mapping[str, Asking[Any]] = _NOTHING.asking) -> Problem:
    """The problem, without what a DataSource, or what is written for another system, may hold of credentials."""
    hidden: list[Path] = []
    if document.word("kind") == "DataSource":
        hidden += [("spec", key) for key in _keys(document, ("spec",), _TYPED)]
    for place in sources():
        for path, source in document.found(*place):
            kind = source.get("type") if isinstance(source, dict) else None
            if not isinstance(kind, str) or kind.lower() not in READ:
                spec = (*path, "spec")
                models: list[type[BaseModel]] = [MetricSpec, *_models(kind, asking)]
                known = tuple(key for model in models for key in model.model_fields)
                hidden += [(*spec, key) for key in _keys(document, spec, known)]
    for where in (("spec",), (*policies.AT, EACH, "spec")):
        hidden += [path for path, _ in document.found(*where, "notificationTargets", EACH, "spec", "target")]
    if document.word("kind") == "AlertNotificationTarget":
        hidden.append(("spec",))
    for place in hidden:
        problem = document.hiding(problem, *place)
    return problem


def _models(kind: object, asking: Mapping[str, Asking[Any]]) -> list[type[BaseModel]]:
    """Those that a spec may be of; without a type, which a DataSource says, any."""
    meant = [one for type_, one in asking.items() if not isinstance(kind, str) or kind.lower() == type_]
    return [model for one in meant for model in (one.spec, one.level) if model is not None]


def _keys(document: Document, at: Path, known: tuple[str, ...]) -> Iterator[str]:
    """Keys of the group at this place that are none of ours."""
    for _, group in document.found(*at):
        yield from (key for key in group if key not in known) if isinstance(group, dict) else ()


def read(document: Document, known_metrics: Collection[str] = (), named: Named = _NOTHING) -> Said | Problem | None:
    """An OpenSLO document's SLOs; other kinds, versions and tools are refused by name, and what is none of these is left.

    Args:
        document: of whatever content.
        known_metrics: names of our own catalogue; without any, metrics are not looked at.
        named: SLIs and DataSources that it may name.
    """
    refused = _refused(document)
    if refused is not None or not str(document.value.get("apiVersion", "")).startswith("openslo"):
        return refused
    found = document.read(Slo)
    whole = isinstance(found, Slo)
    slo, problems = (found, []) if isinstance(found, Slo) else (Slo.partly(document.value), found)
    names = _names(slo)
    if unknown := list(_unknown_annotations(document)):
        problems += unknown
        meant = Annotations.partly(next(value for _, value in document.found("metadata", "annotations")))
        slo = slo.model_copy(update={"metadata": slo.metadata.model_copy(update={"annotations": meant})})
    held, own = _hold(slo, document, named), policies.resolve(slo, named)
    problems += held.problems
    for text, at in (*validity.problems(held.slo, names, known_metrics, named, own), *own.wrong):
        if whole or _stands(document, at):
            problems.append(_told(slo, document, text, at))
    if problems or held.unsound or own.unsound or not whole:
        told = dict.fromkeys(guarded(document, one, named.asking) for one in problems)
        return Said(names=names, problems=tuple(told))
    notes = [_told(slo, document, text, at) for text, at in (*validity.notes(held.slo), *own.notes)]
    both = zip(names, slo.spec.objectives, strict=True)
    asked = asks(_ruled(held.slo.spec.indicator).spec, names, slo.spec.objectives, named)
    specs = tuple(
        _spec(held.slo, objective, document, name, one, own) for (name, objective), one in zip(both, asked, strict=True)
    )
    told = dict.fromkeys(guarded(document, one, named.asking) for one in (*held.notes, *notes))
    return Said(names=names, specs=specs, notes=tuple(told))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """An SLO with all that it names put in its place."""

    slo: Slo
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    unsound: bool = False
    """It names a document with problems."""


def _hold(slo: Slo, document: Document, named: Named) -> _Held:
    ref, indicator = slo.spec.indicatorRef, slo.spec.indicator
    if ref is not None:
        at = ("spec", "indicatorRef")
        if slo.spec.has("indicator"):
            text = "an SLO has an indicator of its own or names one; remove indicator or indicatorRef"
            return _Held(slo=slo, problems=(document.problem(text, *at),))
        if ref not in named.slis:
            hint = (
                suggest(ref, named.slis) or "; write a document with kind: SLI and this name, or the indicator inline"
            )
            return _Held(slo=slo, problems=(document.problem(f"no SLI is called '{ref}'{hint}", *at),))
        spec = named.slis[ref]
        if spec is None:
            return _Held(slo=slo, unsound=True)
        return _Held(slo=_with(slo, Indicator(spec=spec)))
    if indicator is None:
        return _Held(slo=slo)
    found = resolve(indicator.spec, validity.INDICATOR, named)
    spec, misread = read_specs(document, found.spec, validity.INDICATOR, named)
    return _Held(
        slo=_with(slo, indicator.model_copy(update={"spec": spec})),
        problems=(*(document.problem(text, *at) for text, at in found.wrong), *misread),
        notes=tuple(document.problem(text, *at) for text, at in found.notes),
        unsound=found.unsound,
    )


def _with(slo: Slo, indicator: Indicator) -> Slo:
    return slo.model_copy(update={"spec": slo.spec.model_copy(update={"indicator": indicator})})


def _told(slo: Slo, document: Document, text: str, at: Path) -> Problem:
    """What is said of an indicator that stands elsewhere is said where it is named."""
    if slo.spec.indicatorRef is not None and at[:3] == validity.INDICATOR:
        at = ("spec", "indicatorRef")
    return document.problem(" ".join(text.split()), *at)


def _unknown_annotations(document: Document, known: Collection[str] = ANNOTATIONS) -> Iterator[Problem]:
    for _, written in document.found("metadata", "annotations"):
        for key in written if isinstance(written, dict) else ():
            if key.startswith(PREFIX) and key not in known:
                text = f"unknown annotation '{key}'{suggest(key, known)}"
                yield document.problem(text, "metadata", "annotations", key)


def _refused(document: Document) -> Problem | None:
    version = str(document.value.get("apiVersion", ""))
    if version.startswith("openslo") and version != "openslo/v1":
        return document.problem(f"apiVersion {version[:40]} is not read yet; write openslo/v1", "apiVersion")
    kind = document.value.get("kind")
    if version == "openslo/v1" and kind not in (None, "SLO", *KINDS):
        return document.problem(f"unknown OpenSLO kind '{str(kind)[:40]}'{suggest(str(kind), ('SLO', *KINDS))}", "kind")
    return None


def _stands(document: Document, at: Path) -> bool:
    """Whether the place is written so, not misspelt, and nothing is wrong with its value that is told already."""
    node = document.node
    for part in at[:-1]:
        if part not in node.children:
            return False
        node = node.children[part]
    return not node.children.get(at[-1], node).flawed


def _names(slo: Slo) -> tuple[str, ...]:
    """The document's name; with several objectives each adds its displayName or number."""
    name, objectives = slo.metadata.name, slo.spec.objectives
    if not name or len(objectives) < 2:
        return (name,) if name else ()
    return tuple(f"{name}-{_slug(one.displayName or '') or n}" for n, one in enumerate(objectives, 1))


def _slug(text: str) -> str:
    """A displayName in the letters of a name, accents left out; empty where that cannot be done."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    foreign = any(c.isalnum() and not c.isascii() for c in plain)
    return "" if foreign else re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _spec(
    slo: Slo, objective: Objective, document: Document, name: str, asked: Asked | None, own: policies.Own
) -> Spec:
    notes = slo.metadata.annotations
    slices, asks_level = slo.spec.budgetingMethod == "Timeslices", asked is not None and asked.bound is not None
    sli = _sli(slo, objective) if asked is None else StoredSli(events=SLI, where={"id": asked.id})
    period = slo.spec.timeWindow[0].length if slo.spec.timeWindow else DEFAULT_PERIOD[notes.alerts]
    return Spec(
        slo=name,
        service=slo.spec.service,
        owner=notes.owner,
        capability=notes.capability,
        profile=notes.alerts,
        objective=_ruled(objective.share),
        period=period,
        period_label=slo.spec.timeWindow[0].duration if slo.spec.timeWindow else window_text(period),
        slice=objective.timeSliceWindow if slices else None,
        slice_target=(objective.timeSliceTarget if not asks_level else _EACH) if slices else None,
        no_data=notes.no_data if slices else None,
        display=objective.displayName or slo.metadata.displayName or name,
        description=slo.spec.description.strip(),
        runbook=notes.runbook,
        labels={k: v for k, v in sorted(slo.metadata.labels.items()) if isinstance(v, str)},
        bad_events=notes.bad_events,
        alert_labels=words(notes.alert_labels, slo.metadata.labels),
        alert_annotations=words(notes.alert_annotations, slo.metadata.labels),
        left_out=notes.leave_out.union({Alarm.NO_DATA} if own.silent else ()),
        read_by=read_by(notes.read_by, sli),
        asked=asked,
        rows=own.rows,
        path=document.path,
        line=document.line,
        sli=sli,
        min_bad=notes.min_bad,
    )


def _sli(slo: Slo, objective: Objective) -> Sli:
    indicator = _ruled(slo.spec.indicator).spec
    if indicator.thresholdMetric is not None:
        operator = _ruled(objective.op)
        query = read_gauge(indicator.thresholdMetric.query, WORST[operator])
        return Threshold(query=query, operator=operator, bound=_ruled(objective.value))
    ratio = _ruled(indicator.ratioMetric)
    if ratio.raw is not None:
        stored, failure = ratio.raw.metricSource.sli, ratio.rawType == "failure"
        return stored or RawRatio(query=read_gauge(ratio.raw.query, "max" if failure else "min"), failure=failure)
    return Ratio(
        total=read_count(_ruled(ratio.total).query, total=True),
        good=read_count(ratio.good.query) if ratio.good else None,
        bad=read_count(ratio.bad.query) if ratio.bad else None,
    )


def _ruled(value: T | None) -> T:
    """A value that the rules do not let a document be without."""
    if value is None:
        raise ValueError("an SLO without this was refused before")
    return value
