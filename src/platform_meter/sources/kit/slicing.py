"""Slices of time whose counts are told as one, cut in UTC as the store cuts its own.

A gateway's counts are an event for each route and slice: the longer a slice is, the less of them there are, and the later
it is known what happened in it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator

from platform_meter.model.scalars import Period

MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _divides_an_hour(width: timedelta) -> timedelta:
    """Raises:
    ValueError: slices would not begin with the hour, or in the middle of a minute.
    """
    if width % MINUTE or _HOUR % width:
        raise ValueError("slices are whole minutes and fill an hour; write 1m, 5m, 10m, 15m or 1h")
    return width


Slice = Annotated[Period, AfterValidator(_divides_an_hour)]
"""The length of a slice, as settings name it."""


def begun(at: datetime, width: timedelta) -> datetime:
    """When the slice that holds `at` began; of the slice before it that is the end."""
    return at - (at - _EPOCH) % width
