"""What the config file may say of an Elasticsearch or OpenSearch cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.objective import Asked, Bound
from platform_meter.model.scalars import Definition, Duration, Period
from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit import slis
from platform_meter.sources.kit.names import called_twice
from platform_meter.sources.kit.query_api import QueryApi
from platform_meter.sources.kit.slis import Bounded, one_part

SYSTEM = "elasticsearch"
_NAME = r"[A-Za-z0-9.*][A-Za-z0-9._*:-]*"
_STATISTIC = re.compile(r"avg|max|min|sum|p(?P<percent>[0-9]{1,2}(\.[0-9]{1,10})?)")
_PATTERN = re.compile(rf"{_NAME}(,-?{_NAME})*")


def is_pattern(text: str) -> str:
    """Names of indices, data streams or aliases, with `*` in them or not, those of other clusters too.

    Raises:
        ValueError: anything else.
    """
    if not _PATTERN.fullmatch(text):
        raise ValueError(f"'{text}' names no indices; write for example logs-*, or several as logs-*,-logs-debug")
    return text


def is_query(query: str | Mapping[str, Any]) -> str | Mapping[str, Any]:
    """A text in the language of query strings, or one clause of the query DSL.

    Raises:
        ValueError: an empty text, or none or several clauses.
    """
    if isinstance(query, str) and not query.strip():
        raise ValueError("the query is empty; write for example status:>=500, or '*' for all documents")
    if not isinstance(query, str) and len(query) != 1:
        found = ", ".join(query) or "no clause"
        raise ValueError(
            f"a query is one clause, and this is {found}; join several, for example {{bool: {{filter: [...]}}}}"
        )
    return query


def is_statistic(text: str) -> str:
    """What becomes of the values of a minute.

    Raises:
        ValueError: another word.
    """
    if not _STATISTIC.fullmatch(text):
        raise ValueError(f"'{text}' is no statistic; write avg, max, min, sum or such as p95")
    return text


Pattern = Annotated[str, AfterValidator(is_pattern)]
Query = Annotated[str | Mapping[str, Any], AfterValidator(is_query)]
Named = Annotated[str, Field(min_length=1)]


class IndexPattern(Definition):
    """Indices of which the age of the newest document is told."""

    index: Pattern
    """Which ones: `logs-*`; the label `index`."""
    time_field: Named = "@timestamp"
    """The field that dates their documents."""


class SliQuery(IndexPattern):
    """Good and bad of all documents that a query finds, by the minute that they are dated in."""

    id: Named
    """What SLO files with `metricSource.type: stored` call it."""
    total: Query
    """All valid events."""
    good: Query | None = None
    """Those of them that are good; or give `bad`."""
    bad: Query | None = None
    """Those of them that are bad."""

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        one_part(self.good, self.bad)
        return self

    @property
    def part(self) -> Query:
        """Whichever of the two is given."""
        found = self.bad if self.good is None else self.good
        return "" if found is None else found


class AskedLevel(IndexPattern):
    """What an SLO file asks for: what a field is in the documents of each minute."""

    query: Query = "*"
    """Documents that are looked at."""
    field: Named
    """A field of numbers."""
    stat: Annotated[str, AfterValidator(is_statistic)] = "avg"
    """What of its values in a minute: `avg`, `max`, `min`, `sum`, `p95`."""

    @property
    def percent(self) -> float | None:
        """Which percentile it is; None where it is none."""
        found = _STATISTIC.fullmatch(self.stat)
        return float(found["percent"]) if found and found["percent"] else None


class LevelQuery(Bounded, AskedLevel):
    """An SLI of which a minute is good or bad by its level."""

    id: Named
    """What SLO files with `metricSource.type: stored` call it."""


class AskedQuery(IndexPattern):
    """What an SLO file asks for: the documents that a query finds."""

    query: Query


class Config(QueryApi, SourceConfig):
    """Settings of one cluster."""

    api_key: Secret | None = None
    """An API key as Elasticsearch encodes it (base64 of its id and key)."""
    slis: tuple[SliQuery, ...] = ()
    """Queries that count good and bad events."""
    levels: tuple[LevelQuery, ...] = ()
    """Fields whose level is held against a bound in each minute."""
    indices: tuple[IndexPattern, ...] = ()
    """Indices of which the age of the newest document is told."""
    health: bool = False
    """Ask at each poll for the cluster's health, as a probe."""
    delay: Duration = timedelta(minutes=2)
    """A minute is read this long after its end: the way of a document until it can be found."""
    history: Period = timedelta(days=7)
    """How far the first poll reaches back; what the indices no longer have is silently absent."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        for what, twice in (
            ("slis and levels", called_twice([*(one.id for one in self.slis), *(one.id for one in self.levels)])),
            ("indices", called_twice(one.index for one in self.indices)),
        ):
            if twice is not None:
                raise ValueError(f"{what} has {twice} twice; remove one, or tell them apart")
        if self.api_key is not None and (self.token is not None or self.user):
            other = "user" if self.user else "token"
            raise ValueError(f"api_key and {other} are two ways in; remove one")
        return self

    @property
    def access(self) -> Access:
        found = super().access
        if self.api_key is None:
            return found
        key = Token(secret=self.api_key, prefix="ApiKey")
        return Access(url=found.url, credential=key, headers=found.headers, ca_file=found.ca_file)


def with_asked(config: Config, asked: Sequence[Asked]) -> Config:
    """The settings with what SLO files ask for.

    Raises:
        ValueError: a part is looked for elsewhere than all events.
    """
    return slis.with_asked(config, asked, _sli, _level)


def _sli(one: Asked) -> SliQuery:
    total, part = AskedQuery.model_validate(one.total), AskedQuery.model_validate(one.part)
    for key, all_, some in (("index", total.index, part.index), ("time_field", total.time_field, part.time_field)):
        if all_ != some:
            raise ValueError(f"{key} of total is {all_} and that of its part {some}; write the same in both")
    good, bad = (part.query, None) if one.part_is_good else (None, part.query)
    return SliQuery(id=one.id, index=total.index, time_field=total.time_field, total=total.query, good=good, bad=bad)


def _level(one: Asked, bound: Bound) -> LevelQuery:
    return LevelQuery.model_validate({**one.total, "id": one.id, "op": bound.operator, "value": bound.value})
