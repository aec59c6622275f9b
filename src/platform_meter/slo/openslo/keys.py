"""The keys of an OpenSLO v1 SLO, and the type of each one's value; what they tell together is ruled in `validity`.

Source: OpenSLO v1 (S6 of the domain). Our extras stand in `metadata.annotations` under `platform-meter.io/`.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationInfo
from pydantic_core import PydanticKnownError

from platform_meter.model.objective import NoData, Operator, StoredSli, Unknown, countables
from platform_meter.slo.burnrate import Profile, parse_window
from platform_meter.slo.openslo.alert_keys import (
    AlertCondition,
    AlertNotificationTarget,
    AlertPolicy,
    OtherMetadata,
    Policy,
    called,
)
from platform_meter.slo.openslo.alerting import Item, parse_annotations, parse_labels, parse_left_out
from platform_meter.slo.openslo.partly import Keys
from platform_meter.slo.openslo.values import (
    parse_calendar,
    parse_min_bad,
    parse_name,
    parse_percent,
    parse_period,
    parse_service,
    parse_slice,
    parse_target,
)
from platform_meter.slo.reading import parse_read_by

PREFIX = "platform-meter.io/"
ROLLING = "{duration: 28d, isRolling: true}"


class Annotations(Keys):
    """`platform-meter.io/...`, each with its type; other tools' annotations are left alone."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]

    owner: str = Field("", alias="platform-meter.io/owner")
    alerts: Profile = Field(Profile.STANDARD, alias="platform-meter.io/alerts")
    min_bad: Annotated[int | None, BeforeValidator(parse_min_bad)] = Field(None, alias="platform-meter.io/min-bad")
    runbook: str = Field("", alias="platform-meter.io/runbook")
    no_data: NoData | None = Field(None, alias="platform-meter.io/no-data")
    read_by: Annotated[str | None, BeforeValidator(parse_read_by)] = Field(None, alias="platform-meter.io/read-by")
    capability: str = Field("", alias="platform-meter.io/capability")
    bad_events: str = Field("", alias="platform-meter.io/bad-events")
    alert_labels: Annotated[tuple[Item, ...], BeforeValidator(parse_labels)] = Field(
        (), alias="platform-meter.io/alert-labels"
    )
    alert_annotations: Annotated[tuple[Item, ...], BeforeValidator(parse_annotations)] = Field(
        (), alias="platform-meter.io/alert-annotations"
    )
    leave_out: Annotated[frozenset[str], BeforeValidator(parse_left_out)] = Field(
        frozenset(), alias="platform-meter.io/leave-out"
    )


ANNOTATIONS = tuple(str(field.alias) for field in Annotations.model_fields.values())
"""Those of ours that there are."""
Name = Annotated[str, AfterValidator(parse_name)]


class Metadata(Keys):
    name: Name
    displayName: str = ""  # noqa: N815 - OpenSLO's own spelling, here and below
    labels: dict[str, str | list[str]] = Field(default_factory=dict)
    annotations: Annotations = Field(default_factory=lambda: Annotations.model_validate({}))


def _parse_events(value: Any) -> Any:
    """The word of a kind of stored events, told as pydantic tells an enum's."""
    known = list(countables())
    *some, last = (f"'{word}'" for word in known)
    if value is not None and value not in known:
        raise PydanticKnownError("enum", {"expected": f"{', '.join(some)} or {last}"})
    return value


class MetricSpec(Keys):
    """`spec` of a metric source: a query for Prometheus, words for stored events, or a target of probes."""

    query: str | None = None
    events: Annotated[str | None, BeforeValidator(_parse_events)] = None
    where: dict[str, str] = Field(default_factory=dict)
    threshold: float | None = None
    unknown: Unknown | None = None
    target: str | None = None


PROBE = "probe"
"""Short for stored checks of one target."""
WANTS = {"prometheus": "query", "stored": "events", PROBE: "target"}
"""Types of metric sources that are read whatever else is configured, and the key that each cannot be without."""
READ = tuple(WANTS)
STORED = ("stored", PROBE)
"""Those of them that are over stored events, which give a ratio."""


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _of_others(value: Any, info: ValidationInfo) -> Any:
    """Keys that other types of source have are theirs; which type it is may stand in a DataSource."""
    kind = info.data.get("type", READ[0])
    if kind not in (*READ, None):
        return {}
    if kind or not isinstance(value, dict):
        return value
    return {k: v for k, v in value.items() if k in MetricSpec.model_fields and (k != "query" or isinstance(v, str))}


class MetricSource(Keys):
    metricSourceRef: str | None = None  # noqa: N815
    type: Annotated[str | None, BeforeValidator(_lower)] = None
    """Needed where no DataSource says it."""
    spec: Annotated[MetricSpec, BeforeValidator(_of_others)]
    _asked: BaseModel | None = PrivateAttr(default=None)

    @property
    def asked(self) -> BaseModel | None:
        """The spec as the source of this type reads it; None of those in `READ`, and while it is not read yet."""
        return self._asked

    def asking(self, spec: BaseModel) -> MetricSource:
        """The same with such a spec."""
        found = self.model_copy()
        found._asked = spec  # noqa: SLF001 - its own kind
        return found

    @property
    def sli(self) -> StoredSli | None:
        """The stored events it names."""
        spec, known = self.spec, countables()
        if self.type == PROBE and spec.target:
            return StoredSli(events=known["probe_checks"], where={"target": spec.target})
        if self.type != "stored" or spec.events is None:
            return None
        unknown = spec.unknown or Unknown.EXCLUDE
        return StoredSli(events=known[spec.events], where=spec.where, threshold=spec.threshold, unknown=unknown)


class Metric(Keys):
    metricSource: MetricSource  # noqa: N815

    @property
    def query(self) -> str:
        return self.metricSource.spec.query or ""


class RatioMetric(Keys):
    counter: bool = True
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    rawType: Literal["success", "failure"] | None = None  # noqa: N815


class IndicatorSpec(Keys):
    description: str = ""
    ratioMetric: RatioMetric | None = None  # noqa: N815
    thresholdMetric: Metric | None = None  # noqa: N815


class IndicatorMetadata(Keys):
    name: str = ""
    displayName: str = ""  # noqa: N815
    labels: dict[str, str | list[str]] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Indicator(Keys):
    apiVersion: Literal["openslo/v1"] | None = None  # noqa: N815
    kind: Literal["SLI"] | None = None
    metadata: IndicatorMetadata = IndicatorMetadata()
    spec: IndicatorSpec = Field(examples=["{ratioMetric: {...}}"])


def _parse_duration(value: Any, info: ValidationInfo) -> str:
    rolls = info.data.get("isRolling", True) and info.data.get("calendar") is None
    return parse_period(value) if rolls else parse_calendar(value)


class TimeWindow(Keys):
    isRolling: bool = False  # noqa: N815
    calendar: Any = None
    duration: Annotated[str, BeforeValidator(_parse_duration)]

    @property
    def rolls(self) -> bool:
        return self.isRolling is not False and self.calendar is None

    @property
    def length(self) -> timedelta:
        return parse_window(self.duration)


class Objective(Keys):
    displayName: str = ""  # noqa: N815
    target: Annotated[Decimal, BeforeValidator(parse_target)] | None = None
    targetPercent: Annotated[Decimal, BeforeValidator(parse_percent)] | None = None  # noqa: N815
    op: Operator | None = None
    value: Decimal | None = None
    timeSliceTarget: Annotated[Decimal, Field(gt=0, le=1)] | None = None  # noqa: N815
    timeSliceWindow: Annotated[timedelta, BeforeValidator(parse_slice)] | None = None  # noqa: N815
    indicator: Any = None
    indicatorRef: Any = None  # noqa: N815
    compositeWeight: Any = None  # noqa: N815

    @property
    def share(self) -> Decimal | None:
        """T."""
        return self.target if self.target is not None else self.targetPercent


class SloSpec(Keys):
    description: str = ""
    service: Annotated[str, AfterValidator(parse_service)]
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"]  # noqa: N815
    timeWindow: list[TimeWindow] = Field(default=[], max_length=1, examples=[f"[{ROLLING}]"])  # noqa: N815
    indicator: Indicator | None = None
    indicatorRef: str | None = None  # noqa: N815
    objectives: list[Objective] = Field(min_length=1, examples=["[{target: 0.999}]"])
    alertPolicies: Annotated[  # noqa: N815
        list[Annotated[Policy, called("alertPolicyRef")]], BeforeValidator(lambda value: value or [])
    ] = Field(default=[])


class Slo(Keys):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SloSpec


class SliDocument(Keys):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLI"]
    metadata: OtherMetadata
    spec: IndicatorSpec


class DataSourceSpec(Keys):
    description: str = ""
    type: Annotated[str, BeforeValidator(_lower)]
    connectionDetails: Any = None  # noqa: N815


INSTANCE = f"{PREFIX}source"
"""The annotation of a DataSource that says which configured source it is."""


class DataSource(Keys):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["DataSource"]
    metadata: OtherMetadata
    spec: DataSourceSpec

    @property
    def instance(self) -> str:
        """The configured source that it says it is; empty where it says none."""
        return self.metadata.annotations.get(INSTANCE, "")


class Other(Keys):
    """A document that no SLO of ours hangs on: what it holds is not looked at."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: str
    metadata: OtherMetadata
    spec: Any = None


class ServiceSpec(Keys):
    """Nothing is read from it, so other tools' keys are left alone."""

    model_config = ConfigDict(extra="allow")

    description: str | None = None


class Service(Keys):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["Service"]
    metadata: OtherMetadata
    spec: ServiceSpec | None = None


KINDS: dict[str, type[Keys]] = {
    "Service": Service,
    "SLI": SliDocument,
    "DataSource": DataSource,
    "AlertPolicy": AlertPolicy,
    "AlertCondition": AlertCondition,
    "AlertNotificationTarget": AlertNotificationTarget,
}
"""OpenSLO's kinds beside SLO."""
READ_WHEN_NAMED = ("AlertCondition", "AlertNotificationTarget", "AlertPolicy")
"""Kinds of which only those are read that an SLO names, in this order; the others may be meant for somebody else."""
