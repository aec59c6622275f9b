"""SLIs as sources are asked for them: all valid events, and of these the good or the bad ones; and a slice of what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from pydantic import BaseModel

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import KIND, SliCount

C = TypeVar("C", bound=BaseModel)


class Called(Protocol):
    """One of `slis` of a source's settings."""

    @property
    def id(self) -> str: ...


def with_slis(config: C, have: Sequence[Called], more: Iterable[Called]) -> C:
    """The settings with more `slis` than they have.

    Raises:
        ValueError: two would be called the same.
    """
    added = tuple(more)
    told_apart(have, added)
    return config.model_copy(update={"slis": (*have, *added)})


def told_apart(have: Sequence[Called], more: Sequence[Called]) -> None:
    """See to it that what SLO files ask for is called as nothing in the settings is.

    Raises:
        ValueError: two would be called the same.
    """
    names = [sli.id for sli in (*have, *more)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"slis of the source has '{twice}', as this SLO's counts are called; rename it there")


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
