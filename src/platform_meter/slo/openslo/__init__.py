"""OpenSLO v1 in: from the keys of a document to one Spec for each of its objectives."""

from __future__ import annotations

from pydantic import BaseModel

from platform_meter.problems import Document, Problem
from platform_meter.slo.burnrate import DEFAULT_PERIOD, window_text
from platform_meter.slo.openslo.keys import Objective, Slo
from platform_meter.slo.openslo.whole import names
from platform_meter.slo.promql import read_count, read_gauge
from platform_meter.slo.spec import WORST, Method, Ratio, RawRatio, Sli, Spec, Threshold

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


def specs(slo: Slo, document: Document) -> list[Spec]:
    """One Spec for each objective of a document in which `openslo_whole` finds no problem."""
    called = names(document)
    return [
        _spec(slo, objective, _sli(slo, objective), document, name)
        for name, objective in zip(called, slo.spec.objectives, strict=True)
    ]


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


def _sli(slo: Slo, objective: Objective) -> Sli:
    if slo.spec.indicator is None:
        raise ValueError("an SLO without its indicator was refused before")
    indicator = slo.spec.indicator.spec
    if indicator.thresholdMetric is not None:
        if objective.op is None or objective.value is None:
            raise ValueError("a threshold without its bound was refused before")
        query = read_gauge(indicator.thresholdMetric.query, WORST[objective.op])
        return Threshold(query=query, operator=objective.op, bound=objective.value)
    ratio = indicator.ratioMetric
    if ratio is None:
        raise ValueError("an indicator with neither metric was refused before")
    if ratio.raw is not None:
        stored, failure = ratio.raw.metricSource.spec.sli, ratio.rawType == "failure"
        return stored or RawRatio(query=read_gauge(ratio.raw.query, "max" if failure else "min"), failure=failure)
    if ratio.total is None:
        raise ValueError("a ratio without total was refused before")
    return Ratio(
        total=read_count(ratio.total.query),
        good=read_count(ratio.good.query) if ratio.good else None,
        bad=read_count(ratio.bad.query) if ratio.bad else None,
    )
