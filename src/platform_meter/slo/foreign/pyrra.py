"""Pyrra's `ServiceLevelObjective`: ratio, latency, latency of native histograms, bool gauge.

Source: the schema of `pyrra.dev/v1alpha1`. Its alerts differ by their windows, which scale with the period; ours are those of
the standard profile. Labels and annotations that begin with `pyrra.dev/` are what its alerts carry.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pydantic import ConfigDict, Field

from platform_meter.model.scalars import Definition, parse_duration
from platform_meter.problems import Document
from platform_meter.problems.nodes import Node
from platform_meter.slo.burnrate import Level, window_text
from platform_meter.slo.foreign.dialect import (
    Alerts,
    Dialect,
    Path,
    Slo,
    Told,
    Translated,
    metric,
    moved,
    name_of,
    percent,
)
from platform_meter.slo.promql import WINDOW, number_text, read_duration

_GROUP = "pyrra.dev/"
_SLICE = "1m"
_SERVICE = ("pyrra.dev/service", "service", "app.kubernetes.io/name", "app")
_OWNER = ("pyrra.dev/owner", "pyrra.dev/team", "owner", "team")
_SEVERITIES = (
    ("page", "fastBurn", "critical"),
    ("ticket", "longTermBurn", "warning"),
    ("no-data", "absent", "critical"),
    ("exhausted", "longTermBurn", "warning"),
)
"""Our alert, the key of its severity, and the severity where the file says none."""
_OFFSET = re.compile(r"\s+offset\s+\S+$")
_UNREAD = {
    "performanceOverAccuracy": "budgets are exact at the cost of tiles alone",
    "ruleOutput": "rules have the labels slo, window and period",
    "partial_response_strategy": "it is for the ruler of Thanos, and is set there",
}
"""Keys that say how rules are written, which nothing here depends on, and why not."""


class _Metric(Definition):
    metric: str


class _Ratio(Definition):
    errors: _Metric
    total: _Metric
    grouping: list[str] | None = None


class _Latency(Definition):
    success: _Metric
    total: _Metric
    grouping: list[str] | None = None


class _Native(Definition):
    latency: str
    total: _Metric
    grouping: list[str] | None = None


class _Bool(Definition):
    metric: str
    grouping: list[str] | None = None


class _Indicator(Definition):
    ratio: _Ratio | None = None
    latency: _Latency | None = None
    native: _Native | None = Field(None, alias="latencyNative")
    bool_gauge: _Bool | None = None


class _Severities(Definition):
    absent: str | None = None
    fast: str | None = Field(None, alias="fastBurn")
    medium: str | None = Field(None, alias="mediumBurn")
    long: str | None = Field(None, alias="longTermBurn")
    slow: str | None = Field(None, alias="slowBurn")


class _Alerting(Definition):
    absent: bool = True
    absent_name: str | None = Field(None, alias="absentName")
    burnrates: bool = True
    kind: str | None = Field(None, alias="burnRateType")
    disabled: bool = False
    name: str | None = None
    severities: _Severities | None = None


class _Spec(Definition):
    target: str | float = Field(examples=['"99.5"'])
    window: str = Field(examples=["4w"])
    description: str | None = None
    indicator: _Indicator = Field(examples=["{ratio: {errors: {metric: ...}, total: {metric: ...}}}"])
    alerting: _Alerting | None = None
    partial_response_strategy: str | None = None
    performance: bool = Field(False, alias="performanceOverAccuracy")
    output: Any = Field(None, alias="ruleOutput")


class _Metadata(Definition):
    model_config = ConfigDict(extra="ignore")  # what Kubernetes keeps there is its own

    name: str
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class Keys(Definition):
    apiVersion: str  # noqa: N815 - Kubernetes' own spelling
    kind: str
    metadata: _Metadata
    spec: _Spec
    status: Any = None


def _speaks(document: Document) -> bool:
    return str(document.value.get("apiVersion", "")).startswith(_GROUP)


def _translate(document: Document) -> Translated:
    if document.value.get("kind") != "ServiceLevelObjective":
        text = "this is no kind of Pyrra's; write kind: ServiceLevelObjective"
        return Translated(problems=(document.problem(text, "kind"),))
    return _Pyrra(document).translate()


class _Pyrra(Told):
    """One SLO."""

    def translate(self) -> Translated:
        """It, in OpenSLO's keys."""
        self.flawed = not self.sound(Keys)
        target, labels = self.number("spec", "target"), self.texts("metadata", "labels")
        place = "alerting" if self.node("spec", "alerting") else "target"
        alerting = self.alerting(self._alerts(labels), percent(target), "spec", place)
        for key, why in _UNREAD.items():
            if self.node("spec", key) is not None:
                self.note(f"{key} is not read: {why}", "spec", key, key=True)
        gauge = self.node("spec", "indicator", "bool_gauge") is not None
        if gauge:
            text = f"a gauge is no count: slices of {_SLICE} are judged by the worst series, and those without data left out"
            self.note(text, "spec", "indicator", "bool_gauge", key=True)
        name = self.word("metadata", "name")
        called = name_of(name.written) if name else ""
        bound = {"op": "gte", "value": 1, "timeSliceWindow": _SLICE} if gauge else {}
        slo = Slo(
            name=name,
            called=called,
            display=name if name and name.written != called else None,
            labels=labels,
            owner=next((labels[key] for key in _OWNER if labels.get(key)), ""),
            alerting=alerting,
            description=self.word("spec", "description"),
            service=self._service(name),
            window={"duration": self._window(), "isRolling": True},
            sliced=gauge,
            indicator=self._indicator(("spec", "indicator")),
            objective={"targetPercent": target, **bound},
        )
        self.say(slo, "metadata", "name")
        return self.end()

    def _service(self, name: Node | None) -> Node | None:
        """Whose rules stand in one file: what a label says, else the SLO alone, as Pyrra writes them."""
        found = (self.node("metadata", "labels", key) for key in _SERVICE)
        return next((one for one in found if one is not None and one.written), name)

    def _window(self) -> Node | None:
        """A period in hours, days or weeks, also where it is a sum of them or has years."""
        node = self.node("spec", "window")
        if node is None or re.fullmatch(r"\d+[hdw]", node.written):
            return node
        try:
            return moved(node, window_text(_length(node.written)))
        except ValueError:
            return node

    def _indicator(self, at: Path) -> dict[str, Any]:
        """What is good, in OpenSLO's keys."""
        kinds = ("ratio", "latency", "latencyNative", "bool_gauge")
        given = [kind for kind in kinds if self.node(*at, kind) is not None]
        if len(given) != 1:
            if not self.flawed:
                self.problem(f"an indicator is one of {', '.join(kinds)}; write one", *at)
            self.flawed = True
            return {}
        here = (*at, given[0])
        if groups := self.node(*here, "grouping"):
            labels = ", ".join(one.written for one in groups.children.values())
            if labels:
                text = (
                    f"a budget for each {labels} is not read yet: all count together; to be alerted of one, write an SLO with "
                    "its matcher"
                )
                self.note(text, *here, "grouping")
        match given[0]:
            case "ratio":
                parts = {"bad": self._count(*here, "errors", "metric"), "total": self._count(*here, "total", "metric")}
            case "latency":
                parts = {
                    "good": self._count(*here, "success", "metric"),
                    "total": self._count(*here, "total", "metric"),
                }
            case "latencyNative":
                parts = {
                    "good": self._fast(here),
                    "total": self._count(*here, "total", "metric", around="histogram_count"),
                }
            case _:
                return {"thresholdMetric": metric(self.node(*here, "metric"))}
        return {"ratioMetric": {"counter": True, **{key: metric(one) for key, one in parts.items()}}}

    def _count(self, *at: str | int, around: str = "") -> Node | None:
        """The events that a selector counts; of native histograms with the function `around` it."""
        node = self.node(*at)
        if node is None:
            return None
        found = f"increase({_ranged(node.written)})"
        return moved(node, f"sum({around}({found}))" if around else f"sum({found})")

    def _fast(self, at: Path) -> Node | None:
        """Requests of a native histogram that took up to its bound: their share of all of them."""
        node, bound = self.node(*at, "total", "metric"), self.node(*at, "latency")
        if node is None or bound is None:
            return None
        try:
            seconds = number_text(_length(bound.written).total_seconds())
        except ValueError as error:
            if not self.flawed:
                self.problem(str(error), *at, "latency")
            self.flawed = True
            return None
        over = f"increase({_ranged(node.written)})"
        return moved(node, f"sum(histogram_fraction(0, {seconds}, {over}) * (histogram_count({over}) > 0))")

    def _alerts(self, labels: dict[str, str]) -> Alerts:
        at = ("spec", "alerting")
        off = self.is_true(*at, "disabled") or self.is_false(*at, "burnrates")
        severities = self.texts(*at, "severities")
        words = [(word, "severity", severities.get(key) or usual) for word, key, usual in _SEVERITIES]
        words += [("", name.removeprefix(_GROUP), text) for name, text in labels.items() if name.startswith(_GROUP)]
        if name := self.text(*at, "name"):
            words.append(("", "pyrra_alert", name))
        for one, other in (("fastBurn", "mediumBurn"), ("longTermBurn", "slowBurn")):
            if len({severities.get(one), severities.get(other)} - {None}) > 1:
                self.note(
                    f"{one} and {other} are of one level here: both have the severity of {one}", *at, "severities"
                )
        if self.text(*at, "burnRateType") == "dynamic":
            text = "factors do not change with traffic; guards keep few events from firing"
            self.note(text, *at, "burnRateType")
        found = self.texts("metadata", "annotations").items()
        texts = [("", name.removeprefix(_GROUP), text) for name, text in found if name.startswith(_GROUP)]
        owned = [item for item in words if item[1] not in ("owner", "service")]  # whose the SLO is, and of what
        return Alerts(
            off=frozenset(Level) if off else frozenset(),
            silent=self.is_true(*at, "disabled") or self.is_false(*at, "absent"),
            labels=owned,
            annotations=texts,
        )


def _ranged(selector: str) -> str:
    """The selector with the window as its range, before an offset."""
    text = " ".join(selector.split()) if '"' not in selector else selector.strip()
    found = _OFFSET.search(text)
    end = found[0] if found else ""
    return f"{text.removesuffix(end)}[{WINDOW}]{end}"


def _length(text: str) -> timedelta:
    """A duration, as Prometheus writes it or with parts of a unit.

    Raises:
        ValueError: none.
    """
    found = read_duration(text)
    return parse_duration(text) if found is None else found


DIALECT = Dialect(tool="Pyrra", speaks=_speaks, translate=_translate)
