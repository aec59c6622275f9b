"""SLIs as sources are asked for them: all valid events, and of these the good or the bad ones; and a slice of what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount


def one_part(good: object | None, bad: object | None) -> None:
    """See to it that one of the two is given.

    Raises:
        ValueError: neither is, or both.
    """
    if (good is None) == (bad is None):
        raise ValueError("an SLI needs exactly one of good and bad beside total; remove or add one")


def slice_of(
    system: str,
    sli: str,
    key: str,
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
        key=f"{key}/{end}",
        at=datetime.fromtimestamp(end, UTC),
        about=Ref(system=system, kind="sli", id=sli),
        updated=updated,
        sli=sli,
        good=part if part_is_good else rest,
        bad=rest if part_is_good else part,
        width=width,
    )
