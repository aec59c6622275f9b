"""Sloth's `prometheus/v1` and its Kubernetes object: events and raw ratios; what is Go code is refused by name.

Source: Sloth's specification and the schema of `sloth.slok.dev/v1`. Both say the same in other spellings: a file has
`error_query`, an object `errorQuery`. Its windows and factors are those of our standard profile, its period is 30 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from platform_meter.model.scalars import Definition
from platform_meter.problems import Document
from platform_meter.problems.nodes import Node
from platform_meter.slo.burnrate import Level
from platform_meter.slo.foreign.dialect import (
    Alerts,
    Dialect,
    Path,
    Slo,
    Told,
    Translated,
    metric,
    name_of,
    percent,
)

PERIOD = "30d"
_VERSION, _GROUP = "prometheus/v1", "sloth.slok.dev/"
_SLICE = "5m"
_PLUGINS = {
    "sloth.dev/core/validate/v1": "",
    "sloth.dev/core/sli_rules/v1": "",
    "sloth.dev/core/metadata_rules/v1": "",
    "sloth.dev/core/alert_rules/v1": "",
    "sloth.dev/core/noop/v1": "",
    "sloth.dev/core/debug/v1": "",
    "sloth.dev/contrib/denominator_corrected_rules/v1": "events are counted over the whole period anyway",
    "sloth.dev/contrib/error_budget_exhausted_alert/v1": "SLOBudgetExhausted is there anyway",
    "sloth.dev/contrib/sli_total_amount_rules/v1": "slo:total_events:count is there anyway",
    "sloth.dev/contrib/rule_intervals/v1": "each rule has the interval that its window needs",
    "sloth.dev/contrib/info_labels/v1": "slo:info has labels of its own, and alerts carry those of the file",
    "sloth.dev/contrib/remove_labels/v1": "recorded series have no labels of the file anyway",
    "sloth.dev/contrib/validate_victoria_metrics/v1": "",
}
"""Plugins that come with Sloth and that change nothing of what is measured, and what stands for them here."""
_TICKETS = ("ticket", "no-data", "exhausted")
"""Alerts of ours that are tickets: they go where Sloth's go."""
_RAW = "errorRatioQuery"
"""Files spell this one as objects do, too."""
Text = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Models:
    """Keys in one spelling."""

    file: type[Definition]
    object: type[Definition]
    slo: type[Definition]


def _models(spelled: Callable[[str], str]) -> _Models:
    """A service's SLOs, which stand in the `spec` of an object; each is looked at by itself."""

    class Keys(Definition):
        model_config = ConfigDict(alias_generator=spelled)

    class Events(Keys):
        error_query: str
        total_query: str

    class Raw(Keys):
        error_ratio_query: str | None = None
        of_objects: str | None = Field(None, alias="errorRatioQuery")

    class Plugin(Keys):
        id: str
        options: dict[str, Any] = Field(default_factory=dict)

    class Sli(Keys):
        events: Events | None = None
        raw: Raw | None = None
        plugin: Plugin | None = None

    class Alert(Keys):
        disable: bool = False
        labels: dict[str, Text] = Field(default_factory=dict)
        annotations: dict[str, Text] = Field(default_factory=dict)

    class Alerting(Keys):
        name: str | None = None
        labels: dict[str, Text] = Field(default_factory=dict)
        annotations: dict[str, Text] = Field(default_factory=dict)
        page_alert: Alert | None = None
        ticket_alert: Alert | None = None

    class Link(Keys):
        id: str
        config: Any = None
        priority: int = 0

    class Chain(Keys):
        chain: list[Link]
        override_previous: bool = Field(False, alias="overridePrevious")

    class One(Keys):
        name: str
        objective: Text = Field(examples=["99.9"])
        description: str = ""
        labels: dict[str, Text] = Field(default_factory=dict)
        sli: Sli
        alerting: Alerting | None = None
        plugins: Chain | None = None
        interval: Any = None

    class Service(Keys):
        service: str
        labels: dict[str, Text] = Field(default_factory=dict)
        slo_plugins: Chain | None = None
        slos: list[Any] = Field(
            min_length=1, examples=["[{name: availability, objective: 99.9, sli: {events: {...}}}]"]
        )

    class File(Service):
        version: str

    class Object(Definition):
        apiVersion: str  # noqa: N815 - Kubernetes' own spelling
        kind: str
        metadata: Any = None
        spec: Service
        status: Any = None

    return _Models(file=File, object=Object, slo=One)


def _plain(name: str) -> str:
    return name


FILES, OBJECTS = _models(_plain), _models(to_camel)


def _speaks(document: Document) -> bool:
    value = document.value
    return value.get("version") == _VERSION or str(value.get("apiVersion", "")).startswith(_GROUP)


def _translate(document: Document) -> Translated:
    is_file = document.value.get("version") == _VERSION
    if not is_file and document.value.get("kind") != "PrometheusServiceLevel":
        text = "this is no kind of Sloth's; write kind: PrometheusServiceLevel"
        return Translated(problems=(document.problem(text, "kind"),))
    return _Sloth(document, is_file=is_file).translate()


class _Sloth(Told):
    """A service's SLOs."""

    def __init__(self, document: Document, *, is_file: bool) -> None:
        super().__init__(document)
        self._top: Path = () if is_file else ("spec",)
        self._spelled: Callable[[str], str] = _plain if is_file else to_camel
        self._models = FILES if is_file else OBJECTS
        self._whole = self.sound(self._models.file if is_file else self._models.object)

    def translate(self) -> Translated:
        """All of them."""
        self._plugins(*self._top, self._spelled("slo_plugins"))
        for n in self.items(*self._top, "slos"):
            at = (*self._top, "slos", n)
            self.flawed = not (self.sound(self._models.slo, *at) and self._whole)
            self._slo(at)
        return self.end()

    def _slo(self, at: Path) -> None:
        service, name, objective = self.word(*self._top, "service"), self.word(*at, "name"), self.node(*at, "objective")
        self._plugins(*at, "plugins")
        if self.node(*at, "interval") is not None:
            self.note("interval is not read; each rule has the interval that its window needs", *at, "interval")
        labels = {**self.texts(*self._top, "labels"), **self.texts(*at, "labels")}
        place = "alerting" if self.node(*at, "alerting") else "objective"
        alerting = self.alerting(self._alerts(at, labels), percent(objective), *at, place)
        sliced = self.node(*at, "sli", "events") is None
        if sliced and self.node(*at, "sli", "raw") is not None:
            text = (
                f"a ratio is no count: slices of {_SLICE} are judged by the objective, and those without data left out"
            )
            self.note(text, *at, "sli", key=True)
        called = name_of(service.written if service else "", name.written if name else "")
        slo = Slo(
            name=name,
            called=called,
            display=name if name and name.written != called else None,
            labels=labels,
            owner=labels.get("owner") or labels.get("team") or "",
            alerting=alerting,
            description=self.word(*at, "description"),
            service=service,
            window={"duration": PERIOD, "isRolling": True},
            sliced=sliced,
            indicator={"ratioMetric": self._ratio((*at, "sli"))},
            objective={"targetPercent": objective, **self._slices(objective, sliced=sliced)},
        )
        self.say(slo, *at, "name")

    def _ratio(self, at: Path) -> dict[str, Any] | None:
        """What is good, in OpenSLO's keys."""
        if (plugin := self.word(*at, "plugin", "id")) is not None:
            text = f"the SLI plugin {plugin.written[:80]} is Go code that runs in Sloth; write the queries that it makes as events"
            self.problem(text, *at, "plugin", "id")
            self.flawed = True
            return None
        given = [word for word in ("events", "raw") if self.node(*at, word) is not None]
        if len(given) != 1:
            if not self.flawed:
                self.problem("an SLI is either events or raw; write one of the two", *at)
            self.flawed = True
        if "events" in given:
            error, total = (self.query(*at, "events", self._spelled(key)) for key in ("error_query", "total_query"))
            return {"counter": True, "bad": metric(error), "total": metric(total)}
        raw = self.query(*at, "raw", self._spelled("error_ratio_query")) or self.query(*at, "raw", _RAW)
        if raw is None and given == ["raw"] and not self.flawed:
            self.problem(f"a raw ratio has no query; write {self._spelled('error_ratio_query')}: QUERY", *at, "raw")
            self.flawed = True
        return {"rawType": "failure", "raw": metric(raw)}

    def _slices(self, objective: Node | None, *, sliced: bool) -> dict[str, Any]:
        share = percent(objective)
        if not sliced or objective is None or share is None:
            return {}
        return {"timeSliceWindow": _SLICE, "timeSliceTarget": float(share)}

    def _alerts(self, at: Path, labels: dict[str, str]) -> Alerts:
        """What its alerts carry, those of the file's labels among it, since all of Sloth's do."""
        alerting = (*at, "alerting")
        places = {Level.PAGE: self._spelled("page_alert"), Level.TICKET: self._spelled("ticket_alert")}
        off = frozenset(level for level, key in places.items() if self.is_true(*alerting, key, "disable"))
        every = {**labels, **self.texts(*alerting, "labels")}
        words = [("", name, text) for name, text in every.items() if name != "owner"]  # that is whose the SLO is
        if name := self.text(*alerting, "name"):
            words.append(("", "sloth_alert", name))
        texts = [("", name, text) for name, text in self._annotations(alerting)]
        for level, key in places.items():
            for word in _TICKETS if level is Level.TICKET else (level,):
                words.append((word, "sloth_severity", str(level)))
                words += [(word, name, text) for name, text in self.texts(*alerting, key, "labels").items()]
                texts += [(word, name, text) for name, text in self._annotations((*alerting, key))]
        return Alerts(off=off, labels=words, annotations=texts)

    def _annotations(self, at: Path) -> Iterator[tuple[str, str]]:
        """Those of an alert. A summary is ours, made of what happened; the file's stands beside it as a description."""
        found = self.texts(*at, "annotations")
        for name, text in found.items():
            if "{{" in text:
                self.note("templates are not run in annotations; the text is kept as it is", *at, "annotations", name)
            if name != "summary":
                yield name, text
            elif "description" not in found:
                yield "description", text

    def _plugins(self, *at: str | int) -> None:
        for n in self.items(*at, "chain"):
            id_ = self.text(*at, "chain", n, "id")
            if not id_:
                continue
            here = (*at, "chain", n, "id")
            if id_ not in _PLUGINS:
                text = f"the SLO plugin {id_[:80]} is Go code that runs in Sloth; remove it, and write what it adds as keys"
                self.problem(text, *here)
            elif why := _PLUGINS[id_]:
                self.note(f"the plugin is not needed: {why}", *here)


DIALECT = Dialect(tool="Sloth", speaks=_speaks, translate=_translate)
