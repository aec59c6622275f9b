"""SLO files in, checked Specs out: every problem of every file at once, and what is allowed but worth knowing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from platform_meter.model.objective import NoData, StoredSli
from platform_meter.problems import Document, Problem, decode
from platform_meter.slo import openslo
from platform_meter.slo.burnrate import Row, alone_below, window_text
from platform_meter.slo.openslo import whole as openslo_whole
from platform_meter.slo.openslo.keys import PREFIX, Slo
from platform_meter.slo.plan import SCRAPE, Plan, rows
from platform_meter.slo.spec import Method, Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What SLO files say. With problems, `specs` holds those that are sound."""

    specs: tuple[Spec, ...]
    """By service, then by name."""
    unsound: tuple[str, ...]
    """Names, as written, of documents with problems."""
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    """Allowed, but worth knowing; drawn like problems."""


class Reader:
    """Reads SLOs document by document, and keeps nothing of a document but what it says.

    Args:
        known_metrics: names of our own catalogue: a query for another `platform_` metric is a problem.
        scrape: the interval at which Prometheus scrapes.
    """

    def __init__(self, known_metrics: Collection[str] = (), *, scrape: timedelta = SCRAPE) -> None:
        self._known, self._scrape = frozenset(known_metrics), scrape
        self._specs: list[Spec] = []
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._unsound: list[str] = []
        self._places: dict[str, str] = {}
        """File and line of each name."""

    def read(self, document: Document) -> None:
        """Take in what the document says. Never raises on what people wrote; other kinds are left alone."""
        model = openslo.model_for(document)
        if model is None:
            return
        if isinstance(model, Problem):
            self._problems.append(model)
            return
        slo = document.read(Slo)
        wrong = [*(slo if isinstance(slo, list) else ()), *openslo_whole.problems(document, self._known)]
        name = document.problem("", "metadata", "name")
        for called in dict.fromkeys(openslo_whole.names(document)):
            place = self._places.setdefault(called, f"{name.path}:{name.line}")
            if place != f"{name.path}:{name.line}":
                text = f"slo '{called}' stands in {place} too; give one another name"
                wrong.append(document.problem(text, "metadata", "name"))
        if isinstance(slo, list) or wrong:
            self._problems += wrong
            self._unsound.append(document.word("metadata", "name"))
            return
        found = openslo.specs(slo, document)
        self._specs += found
        self._warnings += [warning for one in found for warning in _warnings(one, document, self._scrape)]

    def checked(self) -> Checked:
        """All that was read."""
        return Checked(
            specs=tuple(sorted(self._specs, key=lambda s: (s.service, s.name))),
            unsound=tuple(self._unsound),
            problems=tuple(sorted(dict.fromkeys(self._problems))),
            warnings=tuple(sorted(dict.fromkeys(self._warnings))),
        )


def read_slos(
    files: Iterable[tuple[str, str]], known_metrics: Collection[str] = (), *, scrape: timedelta = SCRAPE
) -> Checked:
    """Every SLO in these files (path, as problems are to call it, and text), as a Reader reads them."""
    reader = Reader(known_metrics, scrape=scrape)
    broken: list[Problem] = []
    for path, text in files:
        decoded = decode(text, path, lambda _: None)
        broken += decoded.problems
        for document in decoded.others:
            reader.read(document)
    found = reader.checked()
    return replace(found, problems=tuple(sorted((*broken, *found.problems))))


def guard(plan: Plan) -> tuple[str, ...]:
    """The arithmetic of rare events, one sentence an alert: below which traffic one failure alone would exceed the factor."""
    return tuple(
        f"{a.level} {a.long.label}: with fewer than {alone_below(a.row, plan.allowed)} {plan.counts} in {a.long.label} "
        f"one failure alone burns faster than {a.factor}; {a.min_bad} bad ones are asked for"
        for a in plan.alerts
    )


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
