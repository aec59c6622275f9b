"""The keys of an OpenSLO v1 SLO that we read, typed; what OpenSLO has and we do not read yet is refused by its name.

Source: OpenSLO v1 (S6 of the domain). Our extras stand in `metadata.annotations` under `platform-meter.io/`.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from platform_meter.model.facts.kubernetes import POD_START_BUCKETS
from platform_meter.model.objective import NoData, Stored, StoredSli, Unknown
from platform_meter.model.scalars import Definition, PlacedError
from platform_meter.problems import suggest
from platform_meter.slo.burnrate import Profile, parse_window
from platform_meter.slo.openslo.values import (
    parse_min_bad,
    parse_name,
    parse_percent,
    parse_period,
    parse_slice,
    parse_target,
)
from platform_meter.slo.promql import read_count, read_gauge

PREFIX = "platform-meter.io/"
ROLLING = "{duration: 28d, isRolling: true}"
STORED_SHAPE = (
    "ratioMetric: {counter: true, rawType: success, raw: {metricSource: {type: stored, spec: {events: pipeline_runs}}}}"
)
WHERE: dict[Stored, tuple[tuple[str, ...], bool]] = {
    Stored.PIPELINE_RUNS: (("system",), False),
    Stored.POD_STARTS: (("cluster",), False),
    Stored.NODE_MINUTES: (("cluster",), True),
    Stored.PROBE_CHECKS: (("target",), True),
    Stored.SLA_CYCLES: (("queue", "sla"), True),
    Stored.SLI: (("id",), True),
}
"""Words that select events of each kind, and whether each of them must be given."""


class Annotations(Definition):
    """`platform-meter.io/...`, each with its type; other tools' annotations are left alone."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]

    owner: str = Field("", alias="platform-meter.io/owner")
    alerts: Profile = Field(Profile.STANDARD, alias="platform-meter.io/alerts")
    min_bad: Annotated[int | None, BeforeValidator(parse_min_bad)] = Field(None, alias="platform-meter.io/min-bad")
    runbook: str = Field("", alias="platform-meter.io/runbook")
    no_data: NoData | None = Field(None, alias="platform-meter.io/no-data")
    capability: str = Field("", alias="platform-meter.io/capability")

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = [str(f.alias) for f in Annotations.model_fields.values()]
        for key in self.__pydantic_extra__:
            if key.startswith(PREFIX):
                raise PlacedError(f"unknown annotation '{key}'{suggest(key, known)}", key)
        return self


Name = Annotated[str, AfterValidator(parse_name)]


class Metadata(Definition):
    name: Name
    displayName: str = ""  # noqa: N815 - OpenSLO's own spelling, here and below
    labels: dict[str, str | list[str]] = Field(default_factory=dict)
    annotations: Annotations = Field(default_factory=lambda: Annotations.model_validate({}))


class MetricSpec(Definition):
    """`spec` of a metric source: a query for Prometheus, or words for stored events."""

    query: str | None = None
    events: Stored | None = None
    where: dict[str, str] = Field(default_factory=dict)
    threshold: float | None = None
    unknown: Unknown | None = None

    @model_validator(mode="after")
    def _stored(self) -> Self:
        if self.events is None:
            return self
        words, needed = WHERE[self.events]
        for key in self.where:
            if key not in words:
                raise PlacedError(f"unknown key '{key}' in where of {self.events}{suggest(key, words)}", "where", key)
        if needed and (missing := [w for w in words if not self.where.get(w)]):
            sample = ", ".join(f"{w}: {w.upper()}" for w in words)
            raise PlacedError(f"{self.events} needs {' and '.join(missing)}; write where: {{{sample}}}", "events")
        starts = self.events is Stored.POD_STARTS
        if (starts or self.threshold is not None) and (not starts or self.threshold not in POD_START_BUCKETS):
            bounds = ", ".join(f"{b:g}" for b in POD_START_BUCKETS)
            if not starts:
                raise PlacedError(f"threshold belongs to pod_starts; remove it from {self.events}", "threshold")
            said = "is missing" if self.threshold is None else f"{self.threshold:g} is between two bucket bounds"
            raise PlacedError(
                f"threshold {said}; pod_starts are counted up to {bounds} seconds: write one of these", "threshold"
            )
        if self.unknown is not None and self.events is not Stored.PIPELINE_RUNS:
            raise PlacedError(f"unknown belongs to pipeline_runs; remove it from {self.events}", "unknown")
        return self

    @property
    def sli(self) -> StoredSli | None:
        """The stored events it names."""
        if self.events is None:
            return None
        unknown = self.unknown or Unknown.EXCLUDE
        return StoredSli(events=self.events, where=self.where, threshold=self.threshold, unknown=unknown)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class MetricSource(Definition):
    type: Annotated[
        Literal["prometheus", "stored", "probe", "datadog", "elasticsearch", "cloudwatch"], BeforeValidator(_lower)
    ]
    spec: MetricSpec
    metricSourceRef: Any = None  # noqa: N815

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.metricSourceRef is not None:
            raise PlacedError(
                "metricSourceRef is not read yet; write type: prometheus and the query here", "metricSourceRef"
            )
        if self.type == "probe":
            raise PlacedError("own probes are stored events; write type: stored and events: probe_checks", "type")
        if self.type not in ("prometheus", "stored"):
            raise PlacedError(f"metric source {self.type} is not read yet; write prometheus or stored", "type")
        stored = self.type == "stored"
        wanted = "events" if stored else "query"
        other = ["query"] if stored else ["events", "where", "threshold", "unknown"]
        if not getattr(self.spec, wanted):
            known = f"; write one of: {', '.join(Stored)}" if stored else ""
            raise PlacedError(f"a {self.type} metric source needs {wanted}{known}", "spec")
        if wrong := [k for k in other if getattr(self.spec, k)]:
            raise PlacedError(f"a {self.type} metric source takes {wanted}, not {wrong[0]}", "spec", wrong[0])
        return self


class Metric(Definition):
    metricSource: MetricSource  # noqa: N815

    @property
    def query(self) -> str:
        return self.metricSource.spec.query or ""


_QUERY = ("metricSource", "spec", "query")


class Counted(Metric):
    """A query that counts events."""

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.metricSource.type == "stored":
            raise PlacedError(
                f"stored events count good and bad together; write {STORED_SHAPE}", "metricSource", "type"
            )
        try:
            read_count(self.query)
        except ValueError as error:
            raise PlacedError(str(error), *_QUERY) from None
        return self


class Level(Metric):
    """A query that gives a level, or stored events, which give their own ratio."""

    @model_validator(mode="after")
    def _reads(self) -> Self:
        if self.metricSource.type == "prometheus":
            try:
                read_gauge(self.query, "max")
            except ValueError as error:
                raise PlacedError(str(error), *_QUERY) from None
        return self


class RatioMetric(Definition):
    counter: bool = True
    good: Counted | None = None
    bad: Counted | None = None
    total: Counted | None = None
    raw: Level | None = None
    rawType: Literal["success", "failure"] | None = None  # noqa: N815

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if self.raw is not None:
            if self.good or self.bad or self.total:
                raise PlacedError("a raw ratio stands alone; remove good, bad and total, or raw", "raw")
            if self.rawType is None:
                raise PlacedError("a raw ratio needs rawType; write rawType: success or rawType: failure", "raw")
            if self.raw.metricSource.type == "stored" and self.rawType != "success":
                raise PlacedError("stored events give a ratio of success; write rawType: success", "rawType")
            return self
        if self.total is None or (self.good is None) == (self.bad is None):
            raise PlacedError("a ratio needs total, and either good or bad over it; or raw and rawType")
        if not self.counter:
            raise PlacedError(
                "counter: false is not read yet; give the counters themselves and counter: true", "counter"
            )
        return self


class IndicatorSpec(Definition):
    description: str = ""
    ratioMetric: RatioMetric | None = None  # noqa: N815
    thresholdMetric: Level | None = None  # noqa: N815

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.ratioMetric is None) == (self.thresholdMetric is None):
            raise PlacedError("an indicator needs either ratioMetric or thresholdMetric")
        if self.thresholdMetric is not None and self.thresholdMetric.metricSource.type == "stored":
            raise PlacedError(
                f"stored events give a ratio; write {STORED_SHAPE}", "thresholdMetric", "metricSource", "type"
            )
        return self


class IndicatorMetadata(Definition):
    name: str = ""
    displayName: str = ""  # noqa: N815
    labels: dict[str, str | list[str]] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Indicator(Definition):
    apiVersion: Literal["openslo/v1"] | None = None  # noqa: N815
    kind: Literal["SLI"] | None = None
    metadata: IndicatorMetadata = IndicatorMetadata()
    spec: IndicatorSpec


class TimeWindow(Definition):
    duration: Annotated[str, BeforeValidator(parse_period)]
    isRolling: bool = False  # noqa: N815
    calendar: Any = None

    @model_validator(mode="after")
    def _rolls(self) -> Self:
        if self.calendar is not None or not self.isRolling:
            raise PlacedError(f"calendar periods are not read yet; write a rolling one: {ROLLING}")
        return self

    @property
    def length(self) -> timedelta:
        return parse_window(self.duration)


class Objective(Definition):
    displayName: str = ""  # noqa: N815
    target: Annotated[Decimal, BeforeValidator(parse_target)] | None = None
    targetPercent: Annotated[Decimal, BeforeValidator(parse_percent)] | None = None  # noqa: N815
    op: Literal["lt", "lte", "gt", "gte"] | None = None
    value: Decimal | None = None
    timeSliceTarget: Annotated[Decimal, Field(gt=0, le=1)] | None = None  # noqa: N815
    timeSliceWindow: Annotated[timedelta, BeforeValidator(parse_slice)] | None = None  # noqa: N815

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.target is None) == (self.targetPercent is None):
            raise PlacedError(
                "an objective needs either target (a share such as 0.999) or targetPercent (such as 99.9)"
            )
        return self

    @property
    def share(self) -> Decimal:
        """T."""
        found = self.target if self.target is not None else self.targetPercent
        if found is None:
            raise ValueError("an objective has target or targetPercent")
        return found


class SloSpec(Definition):
    description: str = ""
    service: Name
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"]  # noqa: N815
    timeWindow: list[TimeWindow] = Field(default=[], max_length=1, examples=[f"[{ROLLING}]"])  # noqa: N815
    indicator: Indicator | None = None
    indicatorRef: Any = None  # noqa: N815
    objectives: list[Objective] = Field(min_length=1, examples=["[{target: 0.999}]"])
    alertPolicies: Any = None  # noqa: N815

    @model_validator(mode="after")
    def _read(self) -> Self:
        if self.indicatorRef is not None:
            raise PlacedError(
                "indicatorRef is not read yet; write the indicator inline, as indicator: {spec: {...}}", "indicatorRef"
            )
        if self.alertPolicies:
            raise PlacedError(
                f"alertPolicies are not read; burn alerts come from the annotation {PREFIX}alerts: standard, human or none",
                "alertPolicies",
            )
        if self.budgetingMethod == "RatioTimeslices":
            raise PlacedError("RatioTimeslices is not read yet; write Occurrences or Timeslices", "budgetingMethod")
        if self.indicator is None:
            raise PlacedError("missing key 'indicator'; write indicator: {spec: {ratioMetric: {...}}}")
        return self


class Slo(Definition):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SloSpec
