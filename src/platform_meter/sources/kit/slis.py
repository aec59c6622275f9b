"""SLIs as sources are asked for them: all valid events, and of these the good or the bad ones, or a level and its bound; and
a slice of what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self, TypeVar

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import KIND, SliCount
from platform_meter.model.objective import Asked, Bound, Operator
from platform_meter.model.scalars import Definition
from platform_meter.sources.kit.names import called_twice

C = TypeVar("C", bound="Counting")


class Called(Protocol):
    """One of `slis` or `levels` of a source's settings."""

    @property
    def id(self) -> str: ...


class Counting(Protocol):
    """Settings of a source that counts, and holds levels against bounds."""

    @property
    def slis(self) -> Sequence[Called]: ...

    @property
    def levels(self) -> Sequence[Called]: ...

    def model_copy(self, *, update: Mapping[str, Any]) -> Self: ...


class Bounded(Definition):
    """What makes a minute good or bad by a level."""

    op: Operator
    """Good is `level op value`."""
    value: float

    @property
    def bound(self) -> Bound:
        return Bound(operator=self.op, value=self.value)


def with_asked(
    config: C, asked: Sequence[Asked], sli: Callable[[Asked], Called], level: Callable[[Asked, Bound], Called]
) -> C:
    """The settings with what SLO files ask for, each as one of `slis` or, where it has a bound, of `levels`.

    Raises:
        ValueError: two would be called the same.
    """
    counts = [sli(one) for one in asked if one.bound is None]
    levels = [level(one, one.bound) for one in asked if one.bound is not None]
    twice = called_twice(one.id for one in (*config.slis, *config.levels, *counts, *levels))
    if twice is not None:
        raise ValueError(f"slis of the source has '{twice}', as this SLO's counts are called; rename it there")
    return config.model_copy(update={"slis": (*config.slis, *counts), "levels": (*config.levels, *levels)})


def one_part(good: object | None, bad: object | None) -> None:
    """See to it that one of the two is given.

    Raises:
        ValueError: neither is, or both.
    """
    if (good is None) == (bad is None):
        raise ValueError("an SLI needs exactly one of good and bad beside total; remove or add one")


def stream_name(sli: str) -> str:
    """What tells SLIs, their streams and the keys of their facts apart."""
    return f"sli/{sli}"


def slice_of(
    system: str,
    sli: str,
    end: int,
    *,
    total: float,
    part: float,
    part_is_good: bool,
    width: timedelta,
    updated: datetime,
) -> SliCount:
    """What was counted in the slice that ended at `end`, in epoch seconds, as it was told at `updated`.

    Of `total` valid events `part` are the good ones, or the bad ones.
    """
    rest = total - part
    return SliCount(
        key=f"{stream_name(sli)}/{end}",
        at=datetime.fromtimestamp(end, UTC),
        about=Ref(system=system, kind=KIND, id=sli),
        updated=updated,
        sli=sli,
        good=part if part_is_good else rest,
        bad=rest if part_is_good else part,
        width=width,
    )
