"""One minute of an SLI, as sources that count minutes are expected to tell it."""

from __future__ import annotations

from datetime import datetime, timedelta

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount


def minute(
    system: str, sli: str, end: datetime, good: float, bad: float, *, updated: datetime | None = None
) -> SliCount:
    """Of the minute that ends then; `updated` is what stands for the time of the last change."""
    return SliCount(
        key=f"sli/{sli}/{int(end.timestamp())}",
        at=end,
        about=Ref(system=system, kind="sli", id=sli),
        updated=updated,
        sli=sli,
        good=good,
        bad=bad,
        width=timedelta(minutes=1),
    )
