"""SLO files of other tools, said anew as OpenSLO v1: each value keeps the place where people wrote it.

A reader checks the keys of its tool and makes one OpenSLO document for each SLO. What that document says wrong is then told
by the one reader of OpenSLO, at the line of the file that the value came from.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import BaseModel

from platform_meter.problems import Document, Problem
from platform_meter.problems.nodes import Node
from platform_meter.problems.problem import Span
from platform_meter.slo.burnrate import STANDARD, Level, can_fire
from platform_meter.slo.openslo import PREFIX
from platform_meter.slo.openslo.alerting import ANNOTATIONS, LABELS, NAME, quoted
from platform_meter.slo.openslo.values import LONGEST_NAME
from platform_meter.slo.promql import WINDOW

Path = tuple[str | int, ...]
_HASHED = 8
"""Letters of the hash that stands for the end of a name that is too long."""
_TEMPLATE = re.compile(r"\{\{-?\s*\.?window\s*-?\}\}")
"""The window in a query, as Go's templates write it and as we do."""
_SHARE = Decimal("0.01")
_TAIL = re.compile(r"[^A-Za-z0-9]+$|^[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """What a file of another tool says, in OpenSLO v1."""

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """Allowed there, and not so here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One tool's language of SLOs."""

    tool: str
    speaks: Callable[[Document], bool]
    """Whether a document is in this language."""
    translate: Callable[[Document], Translated]
    """Never raises on what people wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One SLO, before it stands in OpenSLO's keys: nodes of the file where values come from there; None is left out."""

    name: Node | None
    """As the file has it."""
    called: str
    """As OpenSLO takes it."""
    display: Node | None
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    alerting: Mapping[str, str]
    """Annotations that say what its alerts shall be."""
    description: Node | None
    service: Node | None
    window: Mapping[str, Any]
    sliced: bool
    """Slices are judged, of which those without data do not count; else events."""
    indicator: Mapping[str, Any]
    objective: Mapping[str, Any]

    @property
    def whole(self) -> dict[str, Any]:
        """The document."""
        metadata = {
            "name": moved(self.name, self.called) if self.name is not None else None,
            "displayName": self.display,
            "labels": self.labels or None,
            "annotations": {
                f"{PREFIX}owner": self.owner or None,
                f"{PREFIX}no-data": "exclude" if self.sliced else None,
                **self.alerting,
            },
        }
        spec = {
            "description": self.description,
            "service": service_of(self.service),
            "budgetingMethod": "Timeslices" if self.sliced else "Occurrences",
            "timeWindow": [self.window],
            "indicator": {"spec": self.indicator},
            "objectives": [self.objective],
        }
        return {"apiVersion": "openslo/v1", "kind": "SLO", "metadata": metadata, "spec": spec}


class Told:
    """One foreign document: what stands where, and what is wrong with it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.documents: list[Document] = []
        self.flawed = document.flawed
        """What is wrong with the keys of the SLO at hand is told, and what follows from it is not."""

    def sound(self, model: type[BaseModel], *at: str | int) -> bool:
        """Whether the keys at this path are as the tool has them; what is wrong is told."""
        found = self.document.read(model, *at)
        self.problems += found if isinstance(found, list) else []
        return not isinstance(found, list)

    def node(self, *at: str | int) -> Node | None:
        """The value at this path, if there is one and it is not null."""
        node = self.document.node
        for part in at:
            if part not in node.children:
                return None
            node = node.children[part]
        return node if node.value is not None else None

    def text(self, *at: str | int) -> str:
        """The text at this path, as it is written; empty where there is none."""
        node = self.node(*at)
        return node.written if node is not None else ""

    def word(self, *at: str | int) -> Node | None:
        """A scalar at this path as text, whatever type YAML gives it: `tier: 2`."""
        node = self.node(*at)
        return None if node is None or node.children else moved(node, node.written)

    def texts(self, *at: str | int) -> dict[str, str]:
        """Names and texts at this path, as written."""
        node = self.node(*at)
        return {str(k): one.written for k, one in node.children.items()} if node is not None and node.keys else {}

    def is_true(self, *at: str | int) -> bool:
        """Whether `true` stands at this path."""
        node = self.node(*at)
        return node is not None and node.value is True

    def is_false(self, *at: str | int) -> bool:
        """Whether `false` stands at this path."""
        node = self.node(*at)
        return node is not None and node.value is False

    def number(self, *at: str | int) -> Node | None:
        """A number at this path, also where it is written as text; what is none stays as it is."""
        node = self.node(*at)
        try:
            return None if node is None else moved(node, float(node.written))
        except ValueError:
            return node

    def items(self, *at: str | int) -> range:
        """Indexes of the list at this path."""
        node = self.node(*at)
        return range(len(node.children) if node is not None and isinstance(node.value, list) else 0)

    def query(self, *at: str | int) -> Node | None:
        """A query at this path, with our word for its window."""
        node = self.node(*at)
        return None if node is None else moved(node, _TEMPLATE.sub(WINDOW, node.written))

    def problem(self, text: str, *at: str | int, key: bool = False) -> None:
        self.problems.append(self.document.problem(text, *at, key=key))

    def note(self, text: str, *at: str | int, key: bool = False) -> None:
        self.notes.append(self.document.problem(text, *at, key=key))

    def alerting(self, alerts: Alerts, objective: Decimal | None, *at: str | int) -> dict[str, str]:
        """What its alerts shall be, as annotations; what of it cannot be said is noted at this place."""
        annotations, notes = said(alerts, objective)
        for text in notes:
            self.note(text, *at)
        return annotations

    def say(self, slo: Slo, *at: str | int) -> None:
        """One SLO, which begins at this place in the file."""
        start = self.node(*at) or self.document.node
        node = _grown(slo.whole, start.span, flawed=self.flawed)
        self.documents.append(Document(self.document.text, node, flawed=self.flawed))

    def end(self) -> Translated:
        """All that was said."""
        return Translated(
            documents=tuple(self.documents), problems=tuple(self.problems), notes=tuple(dict.fromkeys(self.notes))
        )


def moved(node: Node, value: object) -> Node:
    """Another value at the place of a node."""
    written = node.written if isinstance(value, float) else str(value)
    return Node(value=value, span=node.span, written=written, flawed=node.flawed)


def _grown(value: Any, span: Span, *, flawed: bool) -> Node:
    """Plain values as nodes; what has no place of its own stands where the whole does."""
    if isinstance(value, Node):
        return value
    if not isinstance(value, Mapping | list | tuple):
        return Node(value=value, span=span, written=str(value))
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, Mapping) else enumerate(value)
    children = {key: _grown(one, span, flawed=flawed) for key, one in pairs if one is not None}
    plain = (
        {k: c.value for k, c in children.items()}
        if isinstance(value, Mapping)
        else [c.value for c in children.values()]
    )
    keys = {k: c.span for k, c in children.items()} if isinstance(value, Mapping) else {}
    return Node(value=plain, span=span, children=children, keys=keys, flawed=flawed)


def name_of(*parts: str) -> str:
    """A name as OpenSLO takes it, of names that other tools take: capitals, dots and underscores give way to dashes.

    One that is too long ends in a hash of the whole, so that it stays the same and its own.
    """
    text = re.sub(r"[^a-z0-9]+", "-", "-".join(part for part in parts if part).lower()).strip("-")
    if len(text) <= LONGEST_NAME:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASHED]
    return f"{text[: LONGEST_NAME - _HASHED - 1].rstrip('-')}-{digest}"


def service_of(node: Node | None) -> Node | None:
    """A service as file systems take it: other signs than letters, digits, dashes and underscores give way to dashes."""
    if node is None:
        return None
    return moved(node, _TAIL.sub("", re.sub(r"[^A-Za-z0-9_-]+", "-", node.written))[:LONGEST_NAME])


def share(node: Node | None, whole: int = 1) -> Decimal | None:
    """The objective at a node as a share of the whole, 100 where it is in percent; None where it leaves no budget."""
    try:
        found = Decimal(node.written) / whole if node is not None else Decimal(0)
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 < found < 1 else None


def percent(node: Node | None) -> Decimal | None:
    """The same of an objective in percent; None of 1 and less, where a share is meant."""
    found = share(node, 100)
    return None if found is None or found <= _SHARE else found


def metric(query: Node | None, source: Node | None = None) -> dict[str, Any] | None:
    """A query in OpenSLO's keys, of Prometheus where the file names no source."""
    if query is None:
        return None
    return {"metricSource": {"type": source or "prometheus", "spec": {"query": query}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """What the alerts of an SLO shall be, before it is said in annotations."""

    off: frozenset[Level] = frozenset()
    """Burn alerts that the file turns off."""
    silent: bool = False
    """No alert of missing data."""
    labels: Sequence[tuple[str, str, str]] = ()
    """Word of the alert or empty for all, name, text."""
    annotations: Sequence[tuple[str, str, str]] = ()


def said(alerts: Alerts, objective: Decimal | None) -> tuple[dict[str, str], list[str]]:
    """The annotations that say so, and what of it cannot be said.

    Where an outage could never burn fast enough for one of the two levels, other tools write an alert that never fires.
    Here it is left out, and that is a note.
    """
    notes: list[str] = []
    off = set(alerts.off)
    for level in Level:
        least = [row for row in STANDARD if row.level is level]
        if objective is not None and level not in off and not any(can_fire(row, 1 - objective) for row in least):
            off.add(level)
            notes.append(f"at an objective of {objective} no {level} alert could ever fire; it is left out")
    left_out = [*sorted(off), *(["no-data"] if alerts.silent else [])]
    burns = off != set(Level)
    out = {
        "alerts": "" if burns else "none",
        "leave-out": ", ".join(left_out if burns else left_out[len(off) :]),
        "alert-labels": "\n".join(_items(alerts.labels, left_out, LABELS, "label", notes)),
        "alert-annotations": "\n".join(_items(alerts.annotations, left_out, ANNOTATIONS, "annotation", notes)),
    }
    return {PREFIX + key: text for key, text in out.items() if text}, notes


def _items(
    items: Sequence[tuple[str, str, str]], left_out: Sequence[str], ours: frozenset[str], kind: str, notes: list[str]
) -> list[str]:
    found: dict[tuple[str, str], str] = {}
    for word, name, text in items:
        if word in left_out or not text:
            continue
        if name in ours or name.startswith("__") or not NAME.fullmatch(name):
            why = "is ours" if name in ours else "is no name Prometheus takes"
            notes.append(f"the {kind} {name} of alerts {why}; it is left out")
            continue
        found[word, name] = text
    return [f"{f'{word}.' if word else ''}{name}={quoted(text)}" for (word, name), text in found.items()]
