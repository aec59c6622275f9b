"""OpenSLO v1 in: from the keys of a document to one Spec for each of its objectives."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import BaseModel

from platform_meter.model.objective import Stored, StoredSli
from platform_meter.problems import Document, Problem
from platform_meter.slo.burnrate import DEFAULT_PERIOD, Profile, window_text
from platform_meter.slo.openslo_keys import PREFIX, Metric, Objective, Slo
from platform_meter.slo.spec import Method, PromQuery, Ratio, RawRatio, Sli, Spec, Threshold

_INDICATOR = ("spec", "indicator", "spec")
_FULL = timedelta(days=28)
_SHORTEST = timedelta(days=7)


_OTHER_TOOLS = {"sloth.slok.dev/": "Sloth", "pyrra.dev/": "Pyrra"}


def model_for(document: Document) -> type[BaseModel] | Problem | None:
    """OpenSLO documents are SLOs; its other kinds and versions are refused by name; what is not OpenSLO is left."""
    version = str(document.value.get("apiVersion", ""))
    for beginning, tool in _OTHER_TOOLS.items():
        if version.startswith(beginning):
            return document.problem(f"{tool} files are not read yet; write the SLO as openslo/v1", "apiVersion")
    if document.value.get("version") == "prometheus/v1":
        return document.problem("Sloth files are not read yet; write the SLO as openslo/v1", "version")
    if not version.startswith("openslo"):
        return None
    if version != "openslo/v1":
        return document.problem(f"apiVersion {version[:40]} is not read yet; write openslo/v1", "apiVersion")
    kind = document.value.get("kind")
    if kind is not None and kind != "SLO":
        return document.problem(
            f"OpenSLO kind {str(kind)[:40]} is not read yet; write kind: SLO, its indicator inline", "kind"
        )
    return Slo


def specs(slo: Slo, document: Document) -> list[Spec] | list[Problem]:
    """One Spec for each objective, or everything that single keys can't tell wrong."""
    problems = _period_problems(slo, document)
    found: list[Spec] = []
    names: set[str] = set()
    for place, objective in enumerate(slo.spec.objectives):
        sli = _sli(slo, objective)
        at = ("spec", "objectives", place)
        if isinstance(sli, str):
            problems.append(document.problem(sli, *at))
            continue
        wrong = _method_problems(slo, objective, sli, document, at)
        name = _name(slo, place)
        if name in names:
            wrong.append(document.problem(f"two objectives would be called {name}; give each its own displayName", *at))
        names.add(name)
        if wrong:
            problems += wrong
        else:
            found.append(_spec(slo, objective, sli, document, name))
    unique = list(dict.fromkeys(problems))
    return unique or found


def _name(slo: Slo, place: int) -> str:
    """The document's name; with several objectives each adds its displayName or its number."""
    if len(slo.spec.objectives) == 1:
        return slo.metadata.name
    slug = re.sub(r"[^a-z0-9]+", "-", slo.spec.objectives[place].displayName.lower()).strip("-")
    return f"{slo.metadata.name}-{slug or place + 1}"


def _spec(slo: Slo, objective: Objective, sli: Sli, document: Document, name: str) -> Spec:
    notes = slo.metadata.annotations
    method = Method(slo.spec.budgetingMethod)
    slices = method is Method.TIMESLICES
    period = slo.spec.timeWindow[0].length if slo.spec.timeWindow else DEFAULT_PERIOD[notes.alerts]
    return Spec(
        name=name,
        service=slo.spec.service,
        objective=objective.share,
        sli=sli,
        period=period,
        period_label=slo.spec.timeWindow[0].duration if slo.spec.timeWindow else window_text(period),
        path=document.path,
        line=document.line,
        display=objective.displayName or slo.metadata.displayName,
        description=slo.spec.description.strip(),
        owner=notes.owner,
        capability=notes.capability,
        runbook=notes.runbook,
        profile=notes.alerts,
        method=method,
        slice=objective.timeSliceWindow if slices else None,
        slice_target=objective.timeSliceTarget if slices else None,
        no_data=notes.no_data if slices else None,
        min_bad=notes.min_bad,
        labels={k: v for k, v in sorted(slo.metadata.labels.items()) if isinstance(v, str)},
    )


def _sli(slo: Slo, objective: Objective) -> Sli | str:
    """The SLI, or what its objective lacks."""
    if slo.spec.indicator is None:
        raise ValueError("an SLO without its indicator was refused before")
    indicator = slo.spec.indicator.spec
    if indicator.thresholdMetric is not None:
        if objective.op is None or objective.value is None:
            return "a threshold needs op and value in its objective; write {op: lte, value: 0.5, target: 0.99, ...}"
        query = _query(indicator.thresholdMetric, "thresholdMetric")
        return Threshold(query=query, operator=objective.op, bound=objective.value)
    if objective.op is not None or objective.value is not None:
        return "op and value belong to a thresholdMetric; remove them beside a ratioMetric"
    ratio = indicator.ratioMetric
    if ratio is None:
        raise ValueError("an indicator with neither metric was refused before")
    if ratio.raw is not None:
        stored = ratio.raw.metricSource.spec.sli
        return stored or RawRatio(query=_query(ratio.raw, "ratioMetric", "raw"), failure=ratio.rawType == "failure")
    if ratio.total is None:
        raise ValueError("a ratio without total was refused before")
    return Ratio(
        total=_query(ratio.total, "ratioMetric", "total"),
        good=_query(ratio.good, "ratioMetric", "good") if ratio.good else None,
        bad=_query(ratio.bad, "ratioMetric", "bad") if ratio.bad else None,
    )


def _query(metric: Metric, *at: str) -> PromQuery:
    return PromQuery(text=metric.query.strip(), at=(*_INDICATOR, *at, "metricSource", "spec", "query"))


def _period_problems(slo: Slo, document: Document) -> list[Problem]:
    profile = slo.metadata.annotations.alerts
    if not slo.spec.timeWindow:
        return []
    window, at = slo.spec.timeWindow[0], ("spec", "timeWindow", 0, "duration")
    if profile is Profile.HUMAN and window.length < _FULL:
        text = f"alerts: human look back 14 days, too long for a period of {window.duration}; write 28d or more, such as 91d"
        return [document.problem(text, *at)]
    if profile is Profile.STANDARD and window.length < _SHORTEST:
        text = f"a period of {window.duration} is too short for burn alerts; write 7d or more, or the annotation {PREFIX}alerts: none"
        return [document.problem(text, *at)]
    return []


def _method_problems(
    slo: Slo, objective: Objective, sli: Sli, document: Document, at: tuple[str | int, ...]
) -> list[Problem]:
    """Events or slices: what fits the SLI, and what each of them needs."""
    notes, found = slo.metadata.annotations, list[str]()
    method = ("spec", "budgetingMethod")
    problems: list[Problem] = []
    if isinstance(sli, StoredSli) and sli.events is Stored.SLA_CYCLES and notes.alerts is Profile.STANDARD:
        text = f"sla_cycles take hours and days, so they never page; add the annotation {PREFIX}alerts: human or none"
        problems.append(document.problem(text, *_INDICATOR, "ratioMetric", "raw", "metricSource", "spec", "events"))
    if Method(slo.spec.budgetingMethod) is Method.OCCURRENCES:
        if what := _slices_only(sli):
            found.append(f"{what} is judged slice by slice; write budgetingMethod: Timeslices")
        if objective.timeSliceTarget is not None or objective.timeSliceWindow is not None:
            problems.append(
                document.problem("timeSliceTarget and timeSliceWindow belong to Timeslices; remove them", *at)
            )
        if notes.no_data is not None:
            text = f"{PREFIX}no-data belongs to Timeslices; remove it"
            problems.append(document.problem(text, "metadata", "annotations", PREFIX + "no-data"))
        return problems + [document.problem(t, *method) for t in found]
    if isinstance(sli, StoredSli) and sli.events is not Stored.PROBE_CHECKS:
        found.append(f"stored {sli.events} are counted one by one; write budgetingMethod: Occurrences")
    if objective.timeSliceWindow is None:
        problems.append(document.problem("Timeslices needs the slice's length; write timeSliceWindow: 1m or 5m", *at))
    if objective.timeSliceTarget is None and not isinstance(sli, Threshold):
        text = "Timeslices needs the share from which on a slice is good; write timeSliceTarget: 0.95"
        problems.append(document.problem(text, *at))
    if notes.no_data is None:
        found.append(f"a slice without data is what? add the annotation {PREFIX}no-data: bad, good, exclude or hold")
    return problems + [document.problem(t, *method) for t in found]


def _slices_only(sli: Sli) -> str:
    match sli:
        case Threshold():
            return "a threshold"
        case RawRatio():
            return "a raw ratio of PromQL"
        case StoredSli(events=Stored.PROBE_CHECKS):
            return "a probe"
        case _:
            return ""
