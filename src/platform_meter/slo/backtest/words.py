"""A backtest in words: what fired, what was left, and what other objectives would have meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from platform_meter.slo.backtest.line import Line
from platform_meter.slo.backtest.replay import Fired, Replay
from platform_meter.slo.burnrate import Level
from platform_meter.slo.plan import Plan

LADDER = tuple(map(Decimal, ("0.9", "0.95", "0.98", "0.99", "0.995", "0.998", "0.999", "0.9995", "0.9999")))
"""Objectives that people write."""
_SHOWN = 3
"""Times that an alert fired which are told one by one."""
_SPARSE = 0.99
"""Share of the steps with data below which it is said how much was seen."""


def told(plan: Plan, line: Line, now: Replay, others: Sequence[Replay]) -> Iterator[str]:
    """Lines about one SLO.

    Args:
        plan: as the files have it.
        line: what was counted.
        now: its own objective.
        others: the same with other objectives.
    """
    seen = line.sums("known")[-1] / len(line) if len(line) else 0.0
    valid, bad = line.sums("valid")[-1], line.sums("bad")[-1]
    yield f"{plan.slo}: {_percent(plan.objective)} over {plan.period_label}, {_moment(line.start)} to {_moment(line.end)}"
    if not valid:
        yield f"  no {plan.counts} in this time"
        return
    if seen < _SPARSE:
        yield f"  only {seen:.1%} of this time has data: all of this says at most what was seen"
    yield f"  {1 - bad / valid:.4%} good: {_count(bad)} of {_count(valid)} {plan.counts} were bad"
    yield from _left(now)
    for level in Level:
        yield from _times(level, now.times(level))
    if others:
        yield "  other objectives on the same past"
        yield "    objective   left at the end   lowest   pages   tickets"
        for one in sorted((now, *others), key=lambda other: other.objective):
            yield _row(one, now=one is now)
    if (best := suggested((now, *others))) is not None:
        yield f"  the highest of these that was kept: {_percent(best)}"


def suggested(replays: Sequence[Replay]) -> Decimal | None:
    """The highest objective whose budget was never spent; None where none was, or none could be told."""
    kept = [one.objective for one in replays if one.lowest is not None and one.lowest.share >= 0]
    return max(kept, default=None)


def _left(now: Replay) -> Iterator[str]:
    if not now.budget:
        return
    end, lowest = now.budget[-1], now.lowest
    if lowest is None:
        yield f"  {end.share:.0%} of the budget is left, of less than half of its period"
    else:
        yield f"  {end.share:.0%} of the budget is left at the end; lowest {lowest.share:.0%} on {lowest.at:%Y-%m-%d}"


def _times(level: Level, fired: Sequence[Fired]) -> Iterator[str]:
    if not fired:
        yield f"  no {level} would have fired"
        return
    yield f"  {len(fired)} {level}{'s' if len(fired) > 1 else ''} would have fired"
    for one in fired[:_SHOWN]:
        lasted = "still firing" if one.end is None else f"for {_long(one.end - one.start)}"
        yield f"    {_moment(one.start)} {one.window}, {lasted}"
    if len(fired) > _SHOWN:
        yield f"    and {len(fired) - _SHOWN} more, the last {_moment(fired[-1].start)} {fired[-1].window}"


def _row(one: Replay, *, now: bool) -> str:
    end = f"{one.budget[-1].share:.0%}" if one.budget else "-"
    lowest = f"{one.lowest.share:.0%}" if one.lowest is not None else "-"
    pages, tickets = (len(one.times(level)) for level in (Level.PAGE, Level.TICKET))
    return f"    {_percent(one.objective):<11} {end:>15} {lowest:>8} {pages:>7} {tickets:>9}{'   today' if now else ''}"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.2g}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _long(length: timedelta) -> str:
    minutes = round(length / timedelta(minutes=1))
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
