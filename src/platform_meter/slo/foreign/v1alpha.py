"""OpenSLO v1alpha, in which each objective of an SLO has queries of its own.

Source: OpenSLO v1alpha, and what Sloth leaves away in it: without `budgetingMethod` events are counted, without `timeWindows`
the period is 30 days.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from platform_meter.model.scalars import Definition
from platform_meter.problems import Document
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
    share,
)

_VERSION = "openslo/v1alpha"
_PERIOD, _SLICE = "30d", "1m"
_UNITS = {"Hour": "h", "Day": "d", "Week": "w", "Month": "M", "Quarter": "Q", "Year": "Y"}
_KINDS = ("SLO", "Service")


class _Query(Definition):
    source: str
    queryType: str | None = None  # noqa: N815 - OpenSLO's own spelling, here and below
    query: str
    metadata: Any = None


class _Ratio(Definition):
    incremental: bool | None = None
    counter: bool | None = None
    good: _Query
    total: _Query


class _Objective(Definition):
    displayName: str | None = None  # noqa: N815
    ratioMetrics: _Ratio | None = None  # noqa: N815
    op: str | None = None
    value: float | None = None
    target: float | str = Field(examples=["0.999"])
    timeSliceTarget: float | None = None  # noqa: N815
    timeSliceWindow: Any = None  # noqa: N815


class _Indicator(Definition):
    thresholdMetric: _Query  # noqa: N815


class _Window(Definition):
    unit: Literal["Second", "Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year"]
    count: int
    isRolling: bool | None = None  # noqa: N815
    calendar: Any = None


class _Spec(Definition):
    description: str | None = None
    service: str
    indicator: _Indicator | None = None
    timeWindows: list[_Window] = Field(default=[], max_length=1, examples=["[{unit: Day, count: 28}]"])  # noqa: N815
    budgetingMethod: Literal["Occurrences", "Timeslices"] = "Occurrences"  # noqa: N815
    objectives: list[Any] = Field(min_length=1, examples=["[{target: 0.999, ratioMetrics: {...}}]"])


class _Metadata(Definition):
    name: str
    displayName: str | None = None  # noqa: N815
    labels: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None


class _Document(Definition):
    apiVersion: str  # noqa: N815
    kind: str
    metadata: _Metadata
    spec: _Spec


def _speaks(document: Document) -> bool:
    return document.value.get("apiVersion") == _VERSION


def _translate(document: Document) -> Translated:
    kind = document.value.get("kind")
    if kind == "Service":
        return Translated()
    if kind != "SLO":
        text = f"OpenSLO v1alpha has no such kind; write kind: {' or '.join(_KINDS)}"
        return Translated(problems=(document.problem(text, "kind"),))
    return _V1Alpha(document).translate()


class _V1Alpha(Told):
    """One document: an SLO for each of its objectives."""

    def translate(self) -> Translated:
        """All of them."""
        whole, count = self.sound(_Document), len(self.items("spec", "objectives"))
        for n in self.items("spec", "objectives"):
            self.flawed = not (self.sound(_Objective, "spec", "objectives", n) and whole)
            self._slo(("spec", "objectives", n), str(n + 1) if count > 1 else "")
        return self.end()

    def _slo(self, at: Path, number: str) -> None:
        name, display = (
            self.word("metadata", "name"),
            self.word(*at, "displayName") or self.word("metadata", "displayName"),
        )
        told = self.text(*at, "displayName") if number else ""
        called = name_of(name.written if name else "", (name_of(told) or number) if number else "")
        objective = self.node(*at, "target")
        alerting = self.alerting(Alerts(), share(objective), *at, "target")
        sliced = self.text("spec", "budgetingMethod") == "Timeslices"
        window = self.node(*at, "timeSliceWindow")
        if sliced and window is None:
            self.note(f"v1alpha says no length of slices; they are of {_SLICE} here", "spec", "budgetingMethod")
        bound = {"op": self.node(*at, "op"), "value": self.node(*at, "value")}
        slices = {"timeSliceWindow": window or _SLICE, "timeSliceTarget": self.node(*at, "timeSliceTarget")}
        slo = Slo(
            name=name,
            called=called,
            display=display,
            alerting=alerting,
            description=self.word("spec", "description"),
            service=self.word("spec", "service"),
            window=self._window(),
            sliced=sliced,
            indicator=self._indicator(at),
            objective={"target": objective, **bound, **(slices if sliced else {})},
        )
        self.say(slo, *at)

    def _window(self) -> dict[str, Any]:
        at: Path = ("spec", "timeWindows", 0)
        unit, count = self.node(*at, "unit"), self.node(*at, "count")
        if unit is None or count is None:
            return {"duration": _PERIOD, "isRolling": True}
        length = moved(count, f"{count.written}{_UNITS.get(unit.written, unit.written)}")
        calendar = self.node(*at, "calendar")
        return {"duration": length, "isRolling": calendar is None, "calendar": calendar}

    def _indicator(self, at: Path) -> dict[str, Any]:
        ratio, level = (*at, "ratioMetrics"), ("spec", "indicator", "thresholdMetric")
        if self.node(*ratio) is not None:
            return {
                "ratioMetric": {
                    "counter": True,
                    "good": self._metric(*ratio, "good"),
                    "total": self._metric(*ratio, "total"),
                }
            }
        if self.node(*level) is not None:
            return {"thresholdMetric": self._metric(*level)}
        if not self.flawed:
            self.problem("an objective needs ratioMetrics, or the SLO an indicator with a thresholdMetric", *at)
        self.flawed = True
        return {}

    def _metric(self, *at: str | int) -> dict[str, Any] | None:
        language = self.text(*at, "queryType")
        if language and language.lower() != "promql" and self.text(*at, "source").lower() == "prometheus":
            self.problem(
                f"Prometheus is asked in promql, not {language[:40]}; write queryType: promql", *at, "queryType"
            )
        return metric(self.query(*at, "query"), self.node(*at, "source"))


DIALECT = Dialect(tool="OpenSLO v1alpha", speaks=_speaks, translate=_translate)
