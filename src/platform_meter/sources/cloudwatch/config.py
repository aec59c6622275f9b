"""What the config file may say of an account and region of Amazon CloudWatch: metrics that count, told before anything is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from platform_meter.model.access import Access, Aws
from platform_meter.model.objective import Asked, Bound
from platform_meter.model.scalars import Definition, Duration, Period
from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit import slis
from platform_meter.sources.kit.cloudwatch import BESIDE, Query
from platform_meter.sources.kit.names import called_twice
from platform_meter.sources.kit.slis import Bounded, one_part
from platform_meter.sources.kit.ways import Named

SYSTEM = "cloudwatch"
_STATISTIC = re.compile(r"Average|Maximum|Minimum|Sum|SampleCount|p[0-9]{1,2}(\.[0-9]{1,10})?|p100")


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _by_name(value: Any) -> Any:
    """Dimensions as CloudWatch's own tools and OpenSLO's examples write them: `[{name: ..., value: ...}]`."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return value
    if any({key.lower() for key in one} != {"name", "value"} for one in value):
        raise ValueError("a dimension is its name and its value; write dimensions: {LoadBalancer: app/web/1}")
    pairs = [{key.lower(): one[key] for key in one} for one in value]
    return {str(one["name"]): one["value"] for one in pairs}


def is_statistic(text: str) -> str:
    """A statistic of CloudWatch.

    Raises:
        ValueError: another word.
    """
    if not _STATISTIC.fullmatch(text):
        raise ValueError(f"'{text}' is no statistic; write Average, Maximum, Minimum, Sum, SampleCount or such as p99")
    return text


class Metric(Definition):
    """Where a metric of CloudWatch is found."""

    namespace: Named
    """Such as `AWS/ApplicationELB`."""
    dimensions: Annotated[Mapping[str, str], BeforeValidator(_by_name)] = {}
    """All that the metric has, with their values; another set of dimensions is another metric."""

    @model_validator(mode="before")
    @classmethod
    def _in_other_words(cls, data: Any) -> Any:
        """`metricName`, as OpenSLO's examples have it.

        Raises:
            ValueError: it names a region, which its source has.
        """
        if not isinstance(data, dict):
            return data
        if "region" in data:
            raise ValueError(
                "the region is that of the source; have a source for each region, and name it with metricSourceRef"
            )
        if "metricName" in data and "metric" not in data:
            return {("metric" if key == "metricName" else key): value for key, value in data.items()}
        return data


class Counted(Metric):
    """Events that CloudWatch counted: the sum of one metric, or of several that differ in name alone."""

    metric: Annotated[tuple[Named, ...], BeforeValidator(_several), Field(min_length=1, max_length=20)]
    """One or a list of names: `[HTTPCode_Target_5XX_Count, HTTPCode_ELB_5XX_Count]`."""
    stat: Literal["Sum", "SampleCount"] = "Sum"
    """`SampleCount` where each event is a sample, whatever its value."""

    @property
    def queries(self) -> tuple[Query, ...]:
        """What is asked for, and added up."""
        dimensions = tuple(self.dimensions.items())
        return tuple(
            Query(namespace=self.namespace, metric=name, dimensions=dimensions, statistic=self.stat)
            for name in self.metric
        )


class Level(Metric):
    """What CloudWatch measured, as one number for each minute."""

    metric: Named
    """Its name."""
    stat: Annotated[str, AfterValidator(is_statistic)] = "Average"
    """What of it: `Average`, `Maximum`, `p99`."""

    @property
    def query(self) -> Query:
        """What is asked for."""
        dimensions = tuple(self.dimensions.items())
        return Query(namespace=self.namespace, metric=self.metric, dimensions=dimensions, statistic=self.stat)


class Sli(Definition):
    """One that is asked for."""

    id: Named
    """What SLO files with `metricSource.type: stored` call it."""


class LevelQuery(Bounded, Sli):
    """An SLI of which a minute is good or bad by its level."""

    level: Level


class SliQuery(Sli):
    """Good and total, or bad and total, events of one SLI in each minute."""

    total: Counted
    """All valid events."""
    good: Counted | None = None
    """Those of them that are good; or give `bad`."""
    bad: Counted | None = None
    """Those of them that are bad."""

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        one_part(self.good, self.bad)
        return self

    @property
    def part(self) -> Counted:
        """Whichever of the two is given."""
        return self.good or self.bad or self.total


class Config(SourceConfig):
    """Settings of one account and region."""

    region: Named
    """Such as `eu-central-1`."""
    role: str = ""
    """ARN of a role to assume."""
    profile: str = ""
    """Of the shared AWS configuration files."""
    slis: tuple[SliQuery, ...] = ()
    """Metrics that count good and bad events."""
    levels: tuple[LevelQuery, ...] = ()
    """Levels that are held against a bound in each minute."""
    delay: Duration = timedelta(minutes=3)
    """A minute is read this long after its end."""
    history: Period = timedelta(days=14)
    """How far the first poll reaches back; CloudWatch has minutes of 15 days."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        twice = called_twice(one.id for one in (*self.slis, *self.levels))
        if twice is not None:
            raise ValueError(f"slis and levels have {twice} twice; remove one, or tell them apart")
        return self

    @property
    def access(self) -> Access:
        return Access(credential=Aws(service=BESIDE, region=self.region, role=self.role, profile=self.profile))


def with_asked(config: Config, asked: Sequence[Asked]) -> Config:
    """The settings with what SLO files ask for.

    Raises:
        ValueError: an SLI is called so already.
    """
    return slis.with_asked(config, asked, _sli, _level)


def _sli(one: Asked) -> SliQuery:
    total, part = (Counted.model_validate(said) for said in (one.total, one.part))
    good, bad = (part, None) if one.part_is_good else (None, part)
    return SliQuery(id=one.id, total=total, good=good, bad=bad)


def _level(one: Asked, bound: Bound) -> LevelQuery:
    return LevelQuery(id=one.id, level=Level.model_validate(one.total), op=bound.operator, value=bound.value)
