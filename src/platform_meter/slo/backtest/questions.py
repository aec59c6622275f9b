"""What a Prometheus is asked for the past of an SLO: bad and valid events of each step, in answers of a bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from platform_meter.slo.plan import Counters, Plan, Slices
from platform_meter.slo.tiles import padded, steps

STEP = timedelta(minutes=1)
"""Of events. Slices are as long as they are."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POINTS = 10_000
"""Of one answer; Prometheus gives 11,000 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """PromQL that gives what was counted in the step that ends at its moment."""

    step: timedelta
    valid: str
    part: str
    """Of bad events, or of good ones."""
    good: bool = False
    """It is of good ones."""


def questions(plan: Plan) -> Questions | None:
    """Of an SLO that Prometheus counts; None of others."""
    match plan.sli:
        case Counters():
            valid, part = (
                steps(query, STEP, plan.scrape) or padded(query, STEP, plan.scrape)
                for query in (plan.sli.total, plan.sli.part)
            )
            return Questions(step=STEP, valid=valid, part=part, good=plan.sli.bad is None)
        case Slices():
            return Questions(step=plan.sli.tile, valid=f"({plan.sli.bad}) * 0 + 1", part=plan.sli.bad)
        case _:
            return None


def ranges(start: datetime, end: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """First and last moment of each answer, together all steps that end after `start` and up to `end`.

    Answers begin at the same moments whenever one asks, so that those that were kept are found again; the first may begin
    before the start, and the last ends with the end.
    """
    whole = POINTS * step
    first = _EPOCH + (start - _EPOCH) // whole * whole
    while first < end:
        yield first + step, min(first + whole, end)
        first += whole
