"""What the config file may say of a Prometheus server: queries are checked by a real parser before anything runs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Self

import promql_parser
from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from platform_meter.model.facts.instances import InstanceKind
from platform_meter.model.promql import bounded
from platform_meter.model.scalars import Definition, Duration, Period
from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit.names import called_twice
from platform_meter.sources.kit.query_api import TenantApi
from platform_meter.sources.kit.slis import one_part
from platform_meter.sources.kit.slis import stream_name as sli_stream

SYSTEM = "prometheus"
_WINDOW = re.compile(r"\{\{\s*window\s*\}\}")
_TRIAL = 300


def fill(template: str, seconds: int) -> str:
    """The query with a range of so many seconds."""
    return _WINDOW.sub(f"{seconds}s", template)


def has_window(template: str) -> bool:
    return _WINDOW.search(template) is not None


def is_template(text: str, info: ValidationInfo) -> str:
    """PromQL with `{{window}}` in it; without one where the entry is `instant`.

    Raises:
        ValueError: no window, no PromQL once it is put in, or longer or deeper than anyone writes.
    """
    bounded(text)
    if not has_window(text) and not info.data.get("instant"):  # known here, as it stands before the queries
        raise ValueError(
            "the query has no {{window}}; write the range as [{{window}}], for example increase(requests_total[{{window}}]), "
            "or instant: true where it tells how things stand"
        )
    try:
        expression = promql_parser.parse(fill(text, _TRIAL))
    except ValueError as error:
        once = " once 5m stands for {{window}}" if has_window(text) else ""
        raise ValueError(f"the query is no PromQL{once}: {error}; correct it there") from error
    if isinstance(expression, _NO_VECTORS):
        raise ValueError(
            "the query gives no instant vector; put the range into a function, for example increase(requests_total[{{window}}])"
        )
    return text


_NO_VECTORS = (
    promql_parser.MatrixSelector,
    promql_parser.SubqueryExpr,
    promql_parser.NumberLiteral,
    promql_parser.StringLiteral,
)
Template = Annotated[str, AfterValidator(is_template)]


def is_window(value: timedelta) -> timedelta:
    """Whole seconds from a minute to a day.

    Raises:
        ValueError: anything else.
    """
    if not timedelta(minutes=1) <= value <= timedelta(days=1) or value.microseconds:
        raise ValueError("a window is whole seconds from 1m to 1d; write for example 5m or 1h")
    return value


def is_word(text: str) -> str:
    """A name as labels and rules carry it.

    Raises:
        ValueError: other letters.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise ValueError(f"'{text}' is no such name; write small letters, digits and _, beginning with a letter")
    return text


Window = Annotated[Period, AfterValidator(is_window)]
Word = Annotated[str, AfterValidator(is_word)]


class UsageQuery(Definition):
    """Counts use: one series per object."""

    action: Word
    """What Capability files call this use (`request`, `meshed`)."""
    instant: bool = False
    """Ask at the end of each slice how things stand then; `{{window}}` may be left out."""
    query: Template
    """PromQL; `{{window}}` stands for the range."""
    by: Annotated[tuple[str, ...], Field(min_length=1)]
    """Labels that name the object; their values, joined by `/`, are its id."""
    kind: Word
    """Kind of the object: `route`, `namespace`, `workload`."""
    system: Word = SYSTEM
    """System whose object it is, as Ownership rules write it: `kong`, `istio`, `kubernetes`."""
    prefix: str = ""
    """Put before the id: `eu/` makes the ids of a cluster's namespaces those that the `kubernetes` source uses."""
    window: Window = timedelta(hours=1)
    """Length of a slice."""
    scrape_interval: Duration = timedelta(seconds=30)
    """Of the series under `{{window}}`. `0s` reads each slice as it is: for queries that don't count increases."""

    @model_validator(mode="after")
    def _names_objects(self) -> Self:
        expression = promql_parser.parse(fill(self.query, _TRIAL))
        modifier = expression.modifier if isinstance(expression, promql_parser.AggregateExpr) else None
        if modifier is not None and modifier.type == promql_parser.AggModifierType.By:
            lost = [label for label in self.by if label not in modifier.labels]
            if lost:
                raise ValueError(
                    f"the query aggregates by ({', '.join(modifier.labels)}), so {', '.join(lost)} can name no object; add it there"
                )
        return self


class SliQuery(Definition):
    """Good and total, or bad and total, events of one SLI: each query gives one series."""

    id: Annotated[str, Field(min_length=1)]
    """What SLO files with `metricSource.type: stored` call it."""
    instant: bool = False
    """Ask at the end of each slice how things stand then; `{{window}}` may be left out."""
    good: Template | None = None
    """PromQL of good events; or give `bad`."""
    bad: Template | None = None
    """PromQL of bad events."""
    total: Template
    """PromQL of all valid events."""
    window: Window = timedelta(minutes=5)
    """Length of a slice."""
    scrape_interval: Duration = timedelta(seconds=30)
    """Of the series under `{{window}}`. `0s` reads each slice as it is."""

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        one_part(self.good, self.bad)
        return self


def is_selector(text: str) -> str:
    """A selector of series by a metric's name, without a range: `kong_build_info{cluster="eu"}`.

    Raises:
        ValueError: anything else.
    """
    bounded(text)
    how = 'write a metric and its labels, for example kong_build_info{cluster="eu"}'
    try:
        expression = promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"the selector is no PromQL: {error}; {how}") from error
    found = expression if isinstance(expression, promql_parser.VectorSelector) else None
    if found is None or not found.name or found.offset is not None or found.at is not None:
        raise ValueError(f"'{text}' is more or less than a selector of one metric; {how}")
    return text


def is_heard(text: str) -> str:
    """A selector of series that an instance itself gives.

    Raises:
        ValueError: it selects what Prometheus writes of a target whether that answers or not.
    """
    name = re.match(r"\s*([\w:]*)", is_selector(text))
    if name is not None and _OF_SCRAPES.fullmatch(name[1]):
        raise ValueError(
            f"{name[1]} is written by Prometheus itself, of silent instances too; select a metric that the instances give, "
            "for example process_start_time_seconds"
        )
    return text


def is_vector(text: str) -> str:
    """PromQL that gives an instant vector.

    Raises:
        ValueError: anything else.
    """
    bounded(text)
    try:
        expression = promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"the query is no PromQL: {error}; correct it there") from error
    if isinstance(expression, _NO_VECTORS):
        raise ValueError("the query gives no instant vector; write for example sum(kube_deployment_spec_replicas)")
    return text


def is_part(text: str) -> str:
    """A part of a name whose parts are joined by `/`.

    Raises:
        ValueError: other letters.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
        raise ValueError(f"'{text}' is no such name; write letters, digits and . _ -, beginning with a letter or digit")
    return text


_OF_SCRAPES = re.compile(r"up|scrape_\w+")
Selector = Annotated[str, AfterValidator(is_selector)]
Part = Annotated[str, AfterValidator(is_part)]
Labels = Annotated[tuple[str, ...], Field(min_length=1)]


class InstancesQuery(Definition):
    """Instances that are expected of one group, against those that were heard from within two minutes."""

    kind: InstanceKind
    """What they are: gateway, agent, proxy or controller."""
    cluster: Part
    """Where they run."""
    group: Part
    """What tells several of one kind in one cluster apart: `kong`."""
    heard: Annotated[str, AfterValidator(is_heard)]
    """Selector of a metric that each instance gives: `kong_build_info{cluster="eu"}`."""
    by: Labels = ("instance",)
    """Labels that tell its instances apart."""
    expected: Annotated[int, Field(ge=0)] | None = None
    """How many there should be; or give `expected_query`."""
    expected_query: Annotated[str, AfterValidator(is_vector)] | None = None
    """PromQL of how many there should be, where they are scaled."""
    listening: Selector = "up"
    """Selector of series that are there whenever the server takes samples at all: without them nothing is known."""

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if (self.expected is None) == (self.expected_query is None):
            raise ValueError("instances need exactly one of expected and expected_query; remove or add one")
        return self


class ProbesQuery(Definition):
    """Results of blackbox_exporter."""

    name: Part
    """What tells several such entries apart."""
    select: Annotated[
        str, AfterValidator(lambda text: is_selector(f"probe_success{text}").removeprefix("probe_success"))
    ]
    """Labels of its series: `{job="blackbox"}`."""
    by: Labels = ("instance",)
    """Labels that name the target; their values are joined by `/`."""
    prefix: str = ""
    """Put before the name."""
    labels: tuple[str, ...] = ()
    """Labels of the series that say whose the endpoint is."""


Query = UsageQuery | SliQuery


def stream_name(query: Query | InstancesQuery | ProbesQuery) -> str:
    """What tells queries, their streams and the keys of their facts apart."""
    if isinstance(query, InstancesQuery):
        return f"instances/{query.cluster}/{query.kind}/{query.group}"
    if isinstance(query, ProbesQuery):
        return f"probes/{query.name}"
    if isinstance(query, SliQuery):
        return sli_stream(query.id)
    return f"usage/{query.action}/{query.system}/{query.kind}/{query.prefix}".rstrip("/")


class Config(TenantApi, SourceConfig):
    """Settings of one server."""

    usage: tuple[UsageQuery, ...] = ()
    """Queries that count use of capabilities."""
    slis: tuple[SliQuery, ...] = ()
    """Queries that count good and bad events."""
    instances: tuple[InstancesQuery, ...] = ()
    """Instances that are expected, against those that report."""
    probes: tuple[ProbesQuery, ...] = ()
    """Results of blackbox_exporter."""
    delay: Duration = timedelta(minutes=1)
    """A slice is read when it ended this long ago: one scrape and, where samples are written remotely, their way."""
    history: Period = timedelta(hours=6)
    """How far the first poll reaches back; what the server no longer has is silently absent."""
    rules: bool = True
    """Whether the generated rules run on it, so that pages ask it for what they recorded: the first of those that do."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        twice = called_twice(stream_name(q) for q in (*self.queries, *self.instances, *self.probes))
        if twice is not None:
            raise ValueError(
                f"{twice} is there twice; what it counts would be counted once only, join the queries with `or` or give another name"
            )
        return self

    @property
    def queries(self) -> tuple[Query, ...]:
        return (*self.usage, *self.slis)
