"""What the config file may say of an organisation of Datadog: queries are looked at before anything is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from platform_meter.model.access import Access, Secret, SecretHeaders
from platform_meter.model.facts.incidents import Severity
from platform_meter.model.objective import Asked
from platform_meter.model.scalars import Address, Duration, Period
from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit.slis import one_part, with_slis

SYSTEM = "datadog"
COUNT = ".as_count()"
ROLLUP = ".rollup(sum, 60)"
"""Put behind each counted metric: one sum for each minute, whatever Datadog would draw."""
_METRIC = re.compile(
    r"(?:(?P<space>\w+):)?[A-Za-z][\w.]*\{[^{}]*\}(?P<by>\s*by\s*\{[^{}]*\})?(?P<rest>\.as_count\(\))?"
)
_SITE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_SUMS = ("sum", "count")
"""Ways to join series that leave counts counts; `count` is that of a distribution."""
_HELD = "\0"
"""Stands for a metric, where what is around it is looked at."""
_FUNCTIONS = ("abs", "clamp_max", "clamp_min", "default_zero")
"""Those that leave a count of a minute a count of that minute."""
_HOW = "write for example sum:trace.http.request.hits{service:checkout}.as_count()"


def is_counted(text: str) -> str:
    """A metric query that counts: sums of metrics as counts, in one series.

    Raises:
        ValueError: it averages, groups or aligns otherwise, so that its numbers would be no counts per minute.
    """
    found = list(_METRIC.finditer(text))
    if not found:
        raise ValueError(f"the query has no metric with its tags; {_HOW}")
    for metric in found:
        shown = metric[0]
        if metric["space"] not in _SUMS:
            raise ValueError(f"{shown} is no sum over its hosts; {_HOW}")
        if metric["by"]:
            raise ValueError(f"{shown} gives a series for each group, of which one is no count of all; remove by {{}}")
        if not metric["rest"]:
            raise ValueError(f"{shown} is a rate or an average; add {COUNT} behind it")
    around = _METRIC.sub(_HELD, text)
    for name in re.findall(r"(\w+)\s*\(", around):
        if name not in _FUNCTIONS:
            raise ValueError(f"the query has {name}(), which makes other numbers of counts; remove it")
    if re.search(rf"/[\s\w(]*{_HELD}", around):
        raise ValueError("the query divides by a metric, and a ratio is no count; write good or bad, and total")
    return text


def minutely(text: str) -> str:
    """The query with a sum for each minute."""
    return text.replace(COUNT, COUNT + ROLLUP)


def is_site(text: str) -> str:
    """A site of Datadog by its name.

    Raises:
        ValueError: an address, or the name of a page.
    """
    if not _SITE.fullmatch(text) or text.startswith(("app.", "api.")):
        raise ValueError(
            f"'{text}' is no site of Datadog; write it without https://, app. and api., for example datadoghq.eu or us5.datadoghq.com"
        )
    return text


Counted = Annotated[str, AfterValidator(is_counted)]
Name = Annotated[str, Field(min_length=1)]


class SliQuery(BaseModel):
    """Good and total, or bad and total, events of one SLI in each minute."""

    model_config = {"extra": "forbid", "frozen": True}

    id: Name
    """What SLO files with `metricSource.type: stored` call it."""
    good: Counted | None = None
    """Metric query of good events; or give `bad`."""
    bad: Counted | None = None
    """Metric query of bad events."""
    total: Counted
    """Metric query of all valid events."""
    delay: Duration | None = None
    """A minute is read this long after its end; else as the source's."""

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        one_part(self.good, self.bad)
        return self

    @property
    def part(self) -> str:
        return (self.bad if self.good is None else self.good) or ""


class AskedQuery(BaseModel):
    """What an SLO file asks for: the events that a metric query counts."""

    model_config = {"extra": "forbid", "frozen": True}

    query: Counted


class SloBeside(BaseModel):
    """An SLO of Datadog that is shown beside one of ours."""

    model_config = {"extra": "forbid", "frozen": True}

    slo: Name
    """Ours."""
    id: Name
    """Datadog's, the end of its page's address."""
    target: Annotated[float, Field(gt=0, lt=1)]
    """The objective its budget is reckoned with, such as 0.999."""
    window: Period = timedelta(days=28)
    """How far back it looks."""


class Config(SourceConfig):
    """Settings of one organisation."""

    site: Annotated[str, AfterValidator(is_site)] = Field("datadoghq.com", examples=["datadoghq.eu"])
    """Where the organisation is."""
    url: Address | None = None
    """Address of the API, where it is another than that of the site."""
    api_key: Secret
    """Key of the organisation."""
    application_key: Secret
    """Key of a user or service account, with the permissions below."""
    slis: tuple[SliQuery, ...] = ()
    """Queries that count good and bad events."""
    delay: Duration = timedelta(minutes=2)
    """A minute is read this long after its end."""
    monitors: bool = True
    """Monitors are read, with how each stands."""
    tags: tuple[str, ...] = ("team",)
    """Tags of monitors that say whose they are, beside `service`."""
    slos: tuple[SloBeside, ...] = ()
    """SLOs of Datadog that are shown beside ours."""
    incidents: bool = False
    """Incidents are read."""
    severities: dict[str, Severity] = Field(default_factory=dict, examples=["{SEV-3: major}"])
    """What severities of incidents mean, before the table of the documentation."""
    history: Period = timedelta(days=28)
    """How far the first poll reaches back."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for word, names in (("slis", [sli.id for sli in self.slis]), ("slos", [one.slo for one in self.slos])):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"{twice} is there twice in {word}; give one of them another name or remove it")
        return self

    @property
    def access(self) -> Access:
        """docs.datadoghq.com/api/latest/authentication and /rate-limits: two keys, and headers that tell the quota of each kind of call."""
        return Access(
            url=self.url or f"https://api.{self.site}",
            credential=SecretHeaders(headers={"DD-API-KEY": self.api_key, "DD-APPLICATION-KEY": self.application_key}),
            rate_headers=("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
        )

    @property
    def pages(self) -> str:
        """Address of what people look at."""
        return f"https://{self.site}" if self.site.count(".") > 1 else f"https://app.{self.site}"


def with_asked(config: Config, asked: Sequence[Asked]) -> Config:
    """The settings with what SLO files ask for.

    Raises:
        ValueError: an SLI is called so already.
    """
    return with_slis(config, config.slis, map(_sli, asked))


def _sli(one: Asked) -> SliQuery:
    total, part = (AskedQuery.model_validate(said).query for said in (one.total, one.part))
    good, bad = (part, None) if one.part_is_good else (None, part)
    return SliQuery(id=one.id, total=total, good=good, bad=bad)
