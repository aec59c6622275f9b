"""SLO files in, checked Specs out: every problem of every file at once, and what is allowed but worth knowing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from platform_meter.model.objective import NoData, StoredSli
from platform_meter.problems import Document, Problem, decode, suggest
from platform_meter.slo import openslo
from platform_meter.slo.burnrate import ROWS, Level, Row, alone_below, window_text
from platform_meter.slo.openslo_keys import PREFIX, Slo
from platform_meter.slo.plan import SCRAPE, Plan, rows
from platform_meter.slo.promql import read_count, read_gauge
from platform_meter.slo.spec import Method, PromQuery, Ratio, RawRatio, Spec, Threshold

_OURS = "platform_"
_SUFFIXES = ("_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What SLO files say. With problems, `specs` holds those that are sound."""

    specs: tuple[Spec, ...]
    """By service, then by name."""
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    """Allowed, but worth knowing; drawn like problems."""


def read_slos(
    files: Sequence[tuple[str, str]], known_metrics: Collection[str] = (), *, scrape: timedelta = SCRAPE
) -> Checked:
    """Every SLO in these files (path and text). Never raises on what people wrote. Other kinds in them are left alone.

    Args:
        files: path, as problems are to call it, and text.
        known_metrics: names of our own catalogue: a query for another `platform_` metric is a problem.
        scrape: the interval at which Prometheus scrapes.
    """
    specs: list[Spec] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    first: dict[str, Document] = {}
    for path, text in files:
        decoded = decode(text, path, openslo.model_for)
        problems += decoded.problems
        for read in decoded.values:
            if not isinstance(read.value, Slo):
                continue
            found = openslo.specs(read.value, read.document)
            for one in found:
                if isinstance(one, Problem):
                    problems.append(one)
                    continue
                wrong = _wrong(one, read.document, known_metrics, scrape)
                if one.name in first:
                    wrong.append(_twice(one, first[one.name], read.document))
                first.setdefault(one.name, read.document)
                problems += wrong
                if not wrong:
                    specs.append(one)
                    warnings += _warnings(one, read.document, scrape)
    return Checked(
        specs=tuple(sorted(specs, key=lambda s: (s.service, s.name))),
        problems=tuple(sorted(dict.fromkeys(problems))),
        warnings=tuple(sorted(dict.fromkeys(warnings))),
    )


def guard(plan: Plan) -> tuple[str, ...]:
    """The arithmetic of rare events, one sentence an alert: below which traffic one failure alone would exceed the factor."""
    return tuple(
        f"{a.level} {a.long.label}: with fewer than {alone_below(a.row, plan.allowed)} {plan.counts} in {a.long.label} "
        f"one failure alone burns faster than {a.factor}; {a.min_bad} bad ones are asked for"
        for a in plan.alerts
    )


def _twice(spec: Spec, first: Document, document: Document) -> Problem:
    """Both places are named."""
    where = f"{first.path}:{first.problem('', 'metadata', 'name').line}"
    text = f"slo '{spec.name}' stands in {where} too; give one another name"
    return document.problem(text, "metadata", "name")


def _wrong(spec: Spec, document: Document, known_metrics: Collection[str], scrape: timedelta) -> list[Problem]:
    """What only the whole tells: levels without a row, metrics that are not in our catalogue."""
    problems = []
    kept, _ = rows(spec, scrape)
    for level in Level:
        asked = [r for r in ROWS[spec.profile] if r.level is level]
        if asked and not any(r.level is level for r in kept):
            least = min(r.factor for r in asked)
            text = (
                f"no {level} alert could ever fire: at an objective of {spec.objective} even an outage burns only "
                f"{float(1 / spec.allowed):.3g} times too fast, and {level} starts at {least:g}; write an objective above "
                f"{1 - 1 / least:.4g}, or the annotation {PREFIX}alerts: none"
            )
            problems.append(document.problem(text, "spec", "objectives"))
    if known_metrics:
        problems += [p for query in _queries(spec) for p in _unknown(query, spec, document, known_metrics)]
    return problems


def _queries(spec: Spec) -> list[PromQuery]:
    match spec.sli:
        case Ratio(total=total, good=good, bad=bad):
            return [q for q in (good, bad, total) if q]
        case RawRatio(query=query) | Threshold(query=query):
            return [query]
        case _:
            return []


def _unknown(query: PromQuery, spec: Spec, document: Document, known: Collection[str]) -> list[Problem]:
    read = read_count(query.text) if isinstance(spec.sli, Ratio) else read_gauge(query.text, "max")
    problems = []
    for name in read.metrics:
        bases = {name, *(name.removesuffix(s) for s in _SUFFIXES)}
        if name.startswith(_OURS) and not bases & set(known):
            problems.append(document.problem(f"no metric of ours is called {name}{suggest(name, known)}", *query.at))
    return problems


def _warnings(spec: Spec, document: Document, scrape: timedelta) -> list[Problem]:
    _, dropped = rows(spec, scrape)
    texts: list[tuple[str, tuple[str, ...]]] = [(_dropped(row, spec), ("spec", "objectives")) for row in dropped]
    if spec.method is Method.TIMESLICES and not isinstance(spec.sli, StoredSli):
        if spec.no_data in (NoData.BAD, NoData.HOLD):
            what = "bad" if spec.no_data is NoData.BAD else "held"
            text = f"while Prometheus itself is down it judges no slice, so those slices are not {what} but left out"
            texts.append((text, ("metadata", "annotations", PREFIX + "no-data")))
        if spec.slice is not None and spec.slice < 2 * scrape:
            text = f"a slice of {window_text(spec.slice)} holds fewer than two scrapes; write timeSliceWindow: 5m"
            texts.append((text, ("spec", "objectives")))
    return [document.problem(text, *at) for text, at in texts]


def _dropped(row: Row, spec: Spec) -> str:
    return (
        f"the {row.level} alert over {window_text(row.long)} is left out: at an objective of {spec.objective} even an outage "
        f"burns only {float(1 / spec.allowed):.3g} times too fast, and it waits for more than {row.factor:g}"
    )
