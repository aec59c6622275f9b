"""What only several keys of an OpenSLO document tell together: period, method, level, queries, names.

Each check runs on whatever of the document can be read, sound or not, so that one run tells all. A key that is misspelt
is not also told as missing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from platform_meter.model.objective import Stored
from platform_meter.problems import Document, Problem, suggest
from platform_meter.problems.problem import nearest
from platform_meter.slo.burnrate import ROWS, Level, Profile, can_fire, parse_window
from platform_meter.slo.openslo.keys import PREFIX, Annotations, Objective
from platform_meter.slo.openslo.values import LONGEST_NAME, parse_name, parse_percent, parse_period, parse_target
from platform_meter.slo.promql import Query, read_count, read_gauge
from platform_meter.slo.spec import Method

T = TypeVar("T")
Path = tuple[str | int, ...]
INDICATOR = ("spec", "indicator", "spec")
_RATIO = (*INDICATOR, "ratioMetric")
_EVENTS: Path = (*_RATIO, "raw", "metricSource", "spec", "events")
_NOTES: Path = ("metadata", "annotations")
_METHOD: Path = ("spec", "budgetingMethod")
_OBJECTIVE_KEYS = tuple(Objective.model_fields)
_NOTE_KEYS = tuple(str(field.alias) for field in Annotations.model_fields.values())
_OURS = "platform_"
_SUFFIXES = ("_bucket", "_count", "_sum")
_FULL, _SHORTEST = timedelta(days=28), timedelta(days=7)


def problems(document: Document, known_metrics: Collection[str] = ()) -> list[Problem]:
    """Everything that the document's keys tell together, as far as they can be read.

    Args:
        document: an OpenSLO document of kind SLO, of whatever content.
        known_metrics: names of our own catalogue; without any, metrics are not looked at.
    """
    draft = _Draft(document)
    found = [*_period(draft), *_method(draft), *_levels(draft), *_names(draft), *_unknown(draft, known_metrics)]
    return list(dict.fromkeys(found))


def names(document: Document) -> list[str]:
    """What the document's SLOs are called, by place: its name; with several objectives each adds its displayName or number."""
    draft = _Draft(document)
    name = draft.parsed(parse_name, "metadata", "name")
    objectives = draft.objectives
    if name is None or len(objectives) < 2:
        return [name] if name else []
    return [f"{name}-{_slug(draft.get(*at, 'displayName')) or n}" for n, at in enumerate(objectives, 1)]


def _slug(text: object) -> str:
    """A displayName in the letters of a name, accents left out; empty where that cannot be done."""
    plain = unicodedata.normalize("NFKD", text.casefold()) if isinstance(text, str) else ""
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    foreign = any(c.isalnum() and not c.isascii() for c in plain)
    return "" if foreign else re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


class _Draft:
    """Values of a document where they can be read; None where they cannot, which is told elsewhere."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def get(self, *at: str | int) -> Any:
        """The plain value at this path; None where there is none."""
        found: Any = self.document.value
        try:
            for part in at:
                found = found[part]
        except (LookupError, TypeError):
            return None
        return found

    def parsed(self, parse: Callable[[Any], T], *at: str | int) -> T | None:
        try:
            return parse(self.get(*at))
        except (ValueError, TypeError):
            return None

    def lacks(self, key: str, known: Collection[str], *at: str | int) -> bool:
        """Whether the keys and values at this path are without this key, and without one that may be meant as it."""
        there = self.get(*at)
        if there is None:
            return True
        if not isinstance(there, Mapping):
            return False
        others = (k for k in there if k not in known)
        return there.get(key) is None and not any(nearest(k, known) == key for k in others)

    def problem(self, text: str, *at: str | int) -> Problem:
        return self.document.problem(text, *at)

    @property
    def objectives(self) -> list[Path]:
        """The path of each objective."""
        found = self.get("spec", "objectives")
        return [("spec", "objectives", place) for place in range(len(found))] if isinstance(found, list) else []

    @property
    def profile(self) -> Profile | None:
        if self.lacks(f"{PREFIX}alerts", _NOTE_KEYS, *_NOTES):
            return Profile.STANDARD
        return self.parsed(Profile, *_NOTES, f"{PREFIX}alerts")

    @property
    def is_threshold(self) -> bool:
        return self._has("thresholdMetric") and not self._has("ratioMetric")

    @property
    def is_ratio(self) -> bool:
        return self._has("ratioMetric") and not self._has("thresholdMetric")

    def _has(self, key: str) -> bool:
        return self.get(*INDICATOR, key) is not None

    @property
    def source(self) -> str:
        """The `type` of a raw ratio's source."""
        return str(self.get(*_RATIO, "raw", "metricSource", "type")).lower() if self.is_ratio else ""

    @property
    def stored(self) -> Stored | None:
        """The stored events of the indicator, if it names some."""
        return self.parsed(Stored, *_EVENTS) if self.source == "stored" else None

    def share(self, at: Path) -> Decimal | None:
        """The objective at this path: T."""
        found = self.parsed(parse_target, *at, "target")
        return self.parsed(parse_percent, *at, "targetPercent") if found is None else found


def _period(draft: _Draft) -> Iterator[Problem]:
    at = ("spec", "timeWindow", 0, "duration")
    period = draft.parsed(parse_period, *at)
    if period is None:
        return
    length, profile = parse_window(period), draft.profile
    if profile is Profile.HUMAN and length < _FULL:
        text = f"alerts: human look back 14 days, too long for a period of {period}; write 28d or more, such as 91d"
        yield draft.problem(text, *at)
    if profile is Profile.STANDARD and length < _SHORTEST:
        text = f"a period of {period} is too short for burn alerts; write 7d or more, or the annotation {PREFIX}alerts: none"
        yield draft.problem(text, *at)


def _method(draft: _Draft) -> Iterator[Problem]:
    """Events or slices: what fits the SLI, and what each of them needs."""
    if draft.stored is Stored.SLA_CYCLES and draft.profile is Profile.STANDARD:
        text = f"sla_cycles take hours and days, so they never page; add the annotation {PREFIX}alerts: human or none"
        yield draft.problem(text, *_EVENTS)
    method = draft.parsed(Method, *_METHOD)
    if method is Method.OCCURRENCES:
        yield from _occurrences(draft)
    elif method is Method.TIMESLICES:
        yield from _timeslices(draft)
    for at in draft.objectives:
        bounds = [draft.get(*at, key) is not None for key in ("op", "value")]
        lacks = any(draft.lacks(key, _OBJECTIVE_KEYS, *at) for key in ("op", "value"))
        if draft.is_threshold and lacks:
            text = "a threshold needs op and value in its objective; write {op: lte, value: 0.5, target: 0.99, ...}"
            yield draft.problem(text, *at)
        elif draft.is_ratio and any(bounds):
            yield draft.problem("op and value belong to a thresholdMetric; remove them beside a ratioMetric", *at)


def _occurrences(draft: _Draft) -> Iterator[Problem]:
    if what := _slices_only(draft):
        yield draft.problem(f"{what} is judged slice by slice; write budgetingMethod: Timeslices", *_METHOD)
    for at in draft.objectives:
        if any(draft.get(*at, key) is not None for key in ("timeSliceTarget", "timeSliceWindow")):
            yield draft.problem("timeSliceTarget and timeSliceWindow belong to Timeslices; remove them", *at)
    if draft.get(*_NOTES, f"{PREFIX}no-data") is not None:
        yield draft.problem(f"{PREFIX}no-data belongs to Timeslices; remove it", *_NOTES, f"{PREFIX}no-data")


def _slices_only(draft: _Draft) -> str:
    if draft.is_threshold:
        return "a threshold"
    if draft.stored is Stored.PROBE_CHECKS:
        return "a probe"
    return "a raw ratio of PromQL" if draft.source == "prometheus" else ""


def _timeslices(draft: _Draft) -> Iterator[Problem]:
    if draft.stored not in (None, Stored.PROBE_CHECKS):
        yield draft.problem(
            f"stored {draft.stored} are counted one by one; write budgetingMethod: Occurrences", *_METHOD
        )
    for at in draft.objectives:
        if draft.lacks("timeSliceWindow", _OBJECTIVE_KEYS, *at):
            yield draft.problem("Timeslices needs the slice's length; write timeSliceWindow: 1m or 5m", *at)
        if draft.is_ratio and draft.lacks("timeSliceTarget", _OBJECTIVE_KEYS, *at):
            text = "Timeslices needs the share from which on a slice is good; write timeSliceTarget: 0.95"
            yield draft.problem(text, *at)
    if draft.lacks(f"{PREFIX}no-data", _NOTE_KEYS, *_NOTES):
        text = f"a slice without data is what? add the annotation {PREFIX}no-data: bad, good, exclude or hold"
        yield draft.problem(text, *_METHOD)


def _levels(draft: _Draft) -> Iterator[Problem]:
    """Levels that were asked for and have no row that could fire."""
    rows = ROWS[draft.profile] if draft.profile is not None else ()
    for share in dict.fromkeys(draft.share(at) for at in draft.objectives):
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
            yield draft.problem(text, "spec", "objectives")


def _names(draft: _Draft) -> Iterator[Problem]:
    called: set[str] = set()
    for at, name in zip(draft.objectives, names(draft.document), strict=False):
        if len(name) > LONGEST_NAME:
            text = f"this objective would be called {name}, longer than {LONGEST_NAME}; give it a shorter displayName"
            yield draft.problem(text, *at)
        if name in called:
            yield draft.problem(f"two objectives would be called {name}; give each its own displayName", *at)
        called.add(name)


def _unknown(draft: _Draft, known: Collection[str]) -> Iterator[Problem]:
    """Metrics with our prefix that are not in our catalogue."""
    counted = [(*_RATIO, key) for key in ("good", "bad", "total")]
    levels = [(*_RATIO, "raw"), (*INDICATOR, "thresholdMetric")]
    for metric in (*counted, *levels) if known else ():
        at = (*metric, "metricSource", "spec", "query")
        read = draft.parsed(_read_count if metric in counted else _read_gauge, *at)
        for name in read.metrics if read else ():
            bases = {name, *(name.removesuffix(suffix) for suffix in _SUFFIXES)}
            if name.startswith(_OURS) and bases.isdisjoint(known):
                yield draft.problem(f"no metric of ours is called {name}{suggest(name, known)}", *at)


def _read_count(text: object) -> Query:
    return read_count(str(text))


def _read_gauge(text: object) -> Query:
    return read_gauge(str(text), "max")
