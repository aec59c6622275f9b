"""OpenSLO v1 in: from the keys of a document to one Spec for each of its objectives, or all that is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from platform_meter.problems import Document, Problem
from platform_meter.slo.burnrate import DEFAULT_PERIOD, window_text
from platform_meter.slo.openslo import validity
from platform_meter.slo.openslo.keys import PREFIX, Objective, Slo
from platform_meter.slo.promql import read_count, read_gauge
from platform_meter.slo.spec import WORST, Ratio, RawRatio, Sli, Spec, Threshold

__all__ = ["PREFIX", "Said", "read"]

T = TypeVar("T")
_OTHER_TOOLS = {"sloth.slok.dev/": "Sloth", "pyrra.dev/": "Pyrra"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one document says."""

    names: tuple[str, ...] = ()
    """Of its SLOs, by place, as far as they can be read."""
    specs: tuple[Spec, ...] = ()
    """One for each objective; none where the document is no good."""
    problems: tuple[Problem, ...] = ()


def read(document: Document, known_metrics: Collection[str] = ()) -> Said | Problem | None:
    """An OpenSLO document's SLOs; other kinds, versions and tools are refused by name, and what is none of these is left.

    Args:
        document: of whatever content.
        known_metrics: names of our own catalogue; without any, metrics are not looked at.
    """
    refused = _refused(document)
    if refused is not None or not str(document.value.get("apiVersion", "")).startswith("openslo"):
        return refused
    found = document.read(Slo)
    slo, problems = (found, []) if isinstance(found, Slo) else (Slo.partly(document.value), found)
    names = _names(slo)
    for text, at in validity.problems(slo, names, known_metrics):
        if found is slo or _stands(document, at):
            problems.append(document.problem(" ".join(text.split()), *at))
    if problems or found is not slo:
        return Said(names=names, problems=tuple(problems))
    both = zip(names, slo.spec.objectives, strict=True)
    return Said(names=names, specs=tuple(_spec(slo, objective, document, name) for name, objective in both))


def _refused(document: Document) -> Problem | None:
    version = str(document.value.get("apiVersion", ""))
    for beginning, tool in _OTHER_TOOLS.items():
        if version.startswith(beginning):
            return document.problem(f"{tool} files are not read yet; write the SLO as openslo/v1", "apiVersion")
    if document.value.get("version") == "prometheus/v1":
        return document.problem("Sloth files are not read yet; write the SLO as openslo/v1", "version")
    if version.startswith("openslo") and version != "openslo/v1":
        return document.problem(f"apiVersion {version[:40]} is not read yet; write openslo/v1", "apiVersion")
    kind = document.value.get("kind")
    if version == "openslo/v1" and kind not in (None, "SLO"):
        return document.problem(
            f"OpenSLO kind {str(kind)[:40]} is not read yet; write kind: SLO, its indicator inline", "kind"
        )
    return None


def _stands(document: Document, at: validity.Path) -> bool:
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


def _spec(slo: Slo, objective: Objective, document: Document, name: str) -> Spec:
    notes = slo.metadata.annotations
    slices = slo.spec.budgetingMethod == "Timeslices"
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
        slice_target=objective.timeSliceTarget if slices else None,
        no_data=notes.no_data if slices else None,
        display=objective.displayName or slo.metadata.displayName or name,
        description=slo.spec.description.strip(),
        runbook=notes.runbook,
        labels={k: v for k, v in sorted(slo.metadata.labels.items()) if isinstance(v, str)},
        path=document.path,
        line=document.line,
        sli=_sli(slo, objective),
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
        stored, failure = ratio.raw.metricSource.spec.sli, ratio.rawType == "failure"
        return stored or RawRatio(query=read_gauge(ratio.raw.query, "max" if failure else "min"), failure=failure)
    return Ratio(
        total=read_count(_ruled(ratio.total).query),
        good=read_count(ratio.good.query) if ratio.good else None,
        bad=read_count(ratio.bad.query) if ratio.bad else None,
    )


def _ruled(value: T | None) -> T:
    """A value that the rules do not let a document be without."""
    if value is None:
        raise ValueError("an SLO without this was refused before")
    return value
