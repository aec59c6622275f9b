"""What the config file may say of an organisation of Datadog."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from platform_meter.model.access import Access, Secret, SecretHeaders
from platform_meter.model.facts.incidents import Severity
from platform_meter.model.objective import Asked, Bound
from platform_meter.model.scalars import Address, Definition, Duration, Period
from platform_meter.model.source import SourceConfig
from platform_meter.sources.datadog.queries import Counted, Level
from platform_meter.sources.kit import slis
from platform_meter.sources.kit.names import called_twice
from platform_meter.sources.kit.slis import Bounded, one_part

SYSTEM = "datadog"
_SITE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


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


Name = Annotated[str, Field(min_length=1)]


class Sli(Definition):
    """One that is asked for."""

    id: Name
    """What SLO files with `metricSource.type: stored` call it."""
    delay: Duration | None = None
    """A minute is read this long after its end; else as the source's."""


class LevelQuery(Bounded, Sli):
    """An SLI of which a minute is good or bad by its level."""

    level: Level
    """Metric query with one number for each minute, of its points the mean unless it says `.rollup(max)`."""


class SliQuery(Sli):
    """Good and total, or bad and total, events of one SLI in each minute."""

    good: Counted | None = None
    """Metric query of good events; or give `bad`."""
    bad: Counted | None = None
    """Metric query of bad events."""
    total: Counted
    """Metric query of all valid events."""

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        one_part(self.good, self.bad)
        return self

    @property
    def part(self) -> str:
        return (self.bad if self.good is None else self.good) or ""


class AskedQuery(Definition):
    """What an SLO file asks for: the events that a metric query counts."""

    query: Counted


class AskedLevel(Definition):
    """What an SLO file asks for: the level that a metric query gives."""

    query: Level


class SloBeside(Definition):
    """An SLO of Datadog that is shown beside one of ours."""

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
    levels: tuple[LevelQuery, ...] = ()
    """Queries whose level is held against a bound in each minute."""
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
        for word, twice in (
            ("slis and levels", called_twice(one.id for one in (*self.slis, *self.levels))),
            ("slos", called_twice(one.slo for one in self.slos)),
        ):
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
    return slis.with_asked(config, asked, _sli, _level)


def _sli(one: Asked) -> SliQuery:
    total, part = (AskedQuery.model_validate(said).query for said in (one.total, one.part))
    good, bad = (part, None) if one.part_is_good else (None, part)
    return SliQuery(id=one.id, total=total, good=good, bad=bad)


def _level(one: Asked, bound: Bound) -> LevelQuery:
    level = AskedLevel.model_validate(one.total).query
    return LevelQuery(id=one.id, level=level, op=bound.operator, value=bound.value)
