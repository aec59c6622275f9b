"""SLO files in, checked Specs out: every problem of every file at once, and what is allowed but worth knowing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from platform_meter.model.objective import NoData, StoredSli
from platform_meter.model.source import Asking
from platform_meter.problems import Document, Problem, decode
from platform_meter.slo import openslo
from platform_meter.slo.burnrate import Row, alone_below, window_text
from platform_meter.slo.foreign import translated
from platform_meter.slo.openslo.alert_keys import AlertCondition, AlertPolicy
from platform_meter.slo.openslo.keys import READ_WHEN_NAMED, DataSource, SliDocument
from platform_meter.slo.plan import SCRAPE, Plan, rows
from platform_meter.slo.spec import Spec

M = TypeVar("M")


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
        asking: types of source that count what files ask for, and how each is asked.
    """

    def __init__(
        self,
        known_metrics: Collection[str] = (),
        *,
        scrape: timedelta = SCRAPE,
        asking: Mapping[str, Asking[Any]] | None = None,
    ) -> None:
        self._known, self._scrape = frozenset(known_metrics), scrape
        self._types = openslo.Named(asking=asking or {})
        self._specs: list[Spec] = []
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._unsound: list[str] = []
        self._places: dict[str, str] = {}
        """File and line of each name."""
        self._services: dict[str, str] = {}
        """How each service is written, by how file systems may see it that do not tell A from a."""
        self._others: dict[tuple[str, str], openslo.Other] = {}
        """Documents beside SLOs, by kind and name."""
        self._other_places: dict[tuple[str, str], str] = {}
        self._slis: list[Document] = []
        self._alerts: list[Document] = []
        self._told: set[str] = set()
        """Kinds of which was said that they are not used."""
        self._waiting: list[Document] = []
        """SLOs that name documents which may come later."""

    def read(self, document: Document) -> None:
        """Take in what the document says. Never raises on what people wrote; what says nothing of SLOs is left alone."""
        if (said := translated(document)) is not None:
            self._problems += said.problems
            self._warnings += said.notes
            for one in said.documents:
                self._slo(one, self._types)
        elif openslo.is_other(document):
            if document.word("kind") in READ_WHEN_NAMED:
                self._alerts.append(document)
            elif openslo.refers(document) or document.word("kind") == "SLI":
                self._slis.append(document)
            else:
                self._other(document, self._types)
        elif openslo.refers(document):
            self._waiting.append(document)
        else:
            self._slo(document, self._types)

    def _other(self, document: Document, named: openslo.Named, *, used: bool = True) -> None:
        other = openslo.read_other(document, self._known, named, used=used)
        if other is None:
            return
        self._problems += other.problems
        self._warnings += other.notes
        called = (other.kind, other.name)
        name = document.problem("", "metadata", "name")
        here = f"{name.path}:{name.line}"
        if other.name and (place := self._other_places.setdefault(called, here)) != here:
            text = f"{document.label} stands in {place} too; give one another name"
            self._problems.append(openslo.guarded(document, replace(name, text=text), named.asking))
        else:
            self._others[called] = other
        if not used and other.kind in READ_WHEN_NAMED and not other.problems and other.kind not in self._told:
            self._told.add(other.kind)
            text = (
                f"no SLO names this {other.kind}, so it is not used; alerts come from the annotation {openslo.PREFIX}alerts "
                "of an SLO, or from its alertPolicies"
            )
            self._warnings.append(openslo.guarded(document, document.problem(text, "kind"), named.asking))

    def _slo(self, document: Document, named: openslo.Named) -> None:
        said = openslo.read(document, self._known, named)
        if said is None:
            return
        if isinstance(said, Problem):
            self._problems.append(said)
            return
        wrong = [*said.problems, *self._twice(said, document), *self._alike(document)]
        if wrong or not said.specs:
            self._problems += wrong
            self._unsound.append(document.word("metadata", "name"))
            return
        self._specs += said.specs
        self._warnings += said.notes
        warnings = (warning for one in said.specs for warning in _warnings(one, document, self._scrape))
        self._warnings += [openslo.guarded(document, warning, named.asking) for warning in warnings]

    def _resolve(self) -> None:
        """Read what names other documents, now that all are known."""
        documents = {name: other.value for (kind, name), other in self._others.items() if kind == "DataSource"}
        described = {name: one for name, one in documents.items() if isinstance(one, DataSource)}
        types = replace(
            self._types,
            sources={name: described[name].spec.type if name in described else None for name in documents},
            instances={name: one.instance for name, one in described.items() if one.instance},
        )
        types = self._alerting(types)
        slis, self._slis = self._slis, []
        wanted = {document.word("spec", "indicatorRef") for document in self._waiting}
        for document in slis:
            used = document.word("metadata", "name") in wanted
            self._other(document, types, used=used)
        known = self._values("SLI", SliDocument)
        waiting, self._waiting = self._waiting, []
        for document in waiting:
            self._slo(document, replace(types, slis={name: sli.spec if sli else None for name, sli in known.items()}))

    def _alerting(self, types: openslo.Named) -> openslo.Named:
        """The same with what SLOs name of alerts."""
        documents, self._alerts = self._alerts, []
        names = openslo.named_by(self._waiting, documents)
        for kind in READ_WHEN_NAMED:  # a policy names what comes before it
            for document in documents:
                if document.word("kind") == kind:
                    self._other(document, types, used=(kind, document.word("metadata", "name")) in names)
            conditions, policies = (
                self._values("AlertCondition", AlertCondition),
                self._values("AlertPolicy", AlertPolicy),
            )
            types = replace(
                types,
                conditions={name: one.spec if one else None for name, one in conditions.items()},
                policies={name: one.spec if one else None for name, one in policies.items()},
                targets=frozenset(name for called, name in self._others if called == "AlertNotificationTarget"),
            )
        return types

    def _values(self, kind: str, model: type[M]) -> dict[str, M | None]:
        """Documents of a kind by name; None where one has problems, or was not read."""
        return {
            name: other.value if isinstance(other.value, model) else None
            for (called, name), other in self._others.items()
            if called == kind
        }

    def _twice(self, said: openslo.Said, document: Document) -> Iterator[Problem]:
        """Names that another document has already."""
        name = document.problem("", "metadata", "name")
        here = f"{name.path}:{name.line}"
        for called in dict.fromkeys(said.names):
            if (place := self._places.setdefault(called, here)) != here:
                yield replace(name, text=f"slo '{called}' stands in {place} too; give one another name")

    def _alike(self, document: Document) -> Iterator[Problem]:
        """A service that another document writes in other letters, so that two files of rules would be one."""
        for at, service in document.texts("spec", "service"):
            if (known := self._services.setdefault(service.casefold(), service)) != service:
                text = f"service '{service}' stands as '{known}' too, and their rule files may be one; write one of the two"
                yield document.problem(text, *at)

    def checked(self) -> Checked:
        """All that was read."""
        self._resolve()
        return Checked(
            specs=tuple(sorted(self._specs, key=lambda s: (s.service, s.slo))),
            unsound=tuple(self._unsound),
            problems=tuple(sorted(dict.fromkeys(self._problems))),
            warnings=tuple(sorted(dict.fromkeys(self._warnings))),
        )


def read_slos(
    files: Iterable[tuple[str, str]],
    known_metrics: Collection[str] = (),
    *,
    scrape: timedelta = SCRAPE,
    asking: Mapping[str, Asking[Any]] | None = None,
) -> Checked:
    """Every SLO in these files (path, as problems are to call it, and text), as a Reader reads them."""
    reader = Reader(known_metrics, scrape=scrape, asking=asking)
    broken: list[Problem] = []
    for path, text in files:
        decoded = decode(text, path, lambda _: None, lists=True)
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
    if spec.slice is not None and not isinstance(spec.sli, StoredSli):
        if spec.no_data in (NoData.BAD, NoData.HOLD):
            what = "bad" if spec.no_data is NoData.BAD else "held"
            text = f"while Prometheus itself is down it judges no slice, so those slices are not {what} but left out"
            texts.append((text, ("metadata", "annotations", openslo.PREFIX + "no-data")))
        if spec.slice < 2 * scrape:
            text = f"a slice of {window_text(spec.slice)} holds fewer than two scrapes; write timeSliceWindow: 5m"
            texts.append((text, ("spec", "objectives")))
    return [document.problem(text, *at) for text, at in texts]


def _dropped(row: Row, spec: Spec) -> str:
    return (
        f"the {row.level} alert over {window_text(row.long)} is left out: at an objective of {spec.objective} even an outage "
        f"burns only {float(1 / spec.allowed):.3g} times too fast, and it waits for more than {row.factor:g}"
    )
