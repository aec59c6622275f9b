"""What would have fired, when, and what became of the budget: the rules of an SLO replayed on a Line, in memory.

The same conditions as in Prometheus (`slo.firing`), judged at each step: an alert that came and went within a step, and the
seconds until rules are evaluated, are not seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from platform_meter.slo.backtest.line import Line
from platform_meter.slo.burnrate import Level
from platform_meter.slo.firing import holds, stays
from platform_meter.slo.plan import RAW_UP_TO, BurnAlert, Plan

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """One time that an alert fired."""

    level: Level
    window: str
    """Its long window."""
    start: datetime
    end: datetime | None
    """None while it fires at the end of the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was left of the budget at a moment, of the period before it."""

    at: datetime
    share: float
    """1 is all of it; below 0 it is overspent."""
    whole: bool
    """Half of the period or more was seen; before that a few events decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One objective on one line."""

    objective: Decimal
    fired: tuple[Fired, ...]
    """By time."""
    budget: tuple[Left, ...]
    """At the end of each day, and of the line."""

    @property
    def lowest(self) -> Left | None:
        """The least that was left once half of the period was seen; None before."""
        return min((left for left in self.budget if left.whole), key=lambda left: left.share, default=None)

    def times(self, level: Level) -> tuple[Fired, ...]:
        """What fired of one level."""
        return tuple(one for one in self.fired if one.level is level)


def replay(plan: Plan, line: Line) -> Replay:
    """All burn alerts of an SLO and its budget.

    Args:
        plan: whose windows, factors and guards apply.
        line: what was counted, in steps no longer than its shortest window.
    """
    fired = [one for alert in plan.alerts for one in _fired(plan, alert, line)]
    return Replay(
        objective=plan.objective,
        fired=tuple(sorted(fired, key=lambda one: (one.start, one.window))),
        budget=tuple(_budget(plan, line)),
    )


def _fired(plan: Plan, alert: BurnAlert, line: Line) -> Iterator[Fired]:
    """Each time, from when it had held for as long as its row waits."""
    wait, since, burning = line.steps(alert.row.wait) - 1 if alert.row.wait else 0, 0, False
    held = _held(plan, replace(alert, row=replace(alert.row, wait=timedelta(0))), line)
    start: datetime | None = None
    for index, on in enumerate(held):
        if on and not burning:
            since = index
        burning = on
        if on and start is None and index - since >= wait:
            start = line.at(index)
        elif not on and start is not None:
            yield Fired(level=alert.level, window=alert.long.label, start=start, end=line.at(index))
            start = None
    if start is not None:
        yield Fired(level=alert.level, window=alert.long.label, start=start, end=None)


def _held(plan: Plan, alert: BurnAlert, line: Line) -> Sequence[bool]:
    """At each step, whether the condition of an alert that does not wait holds: first what all of it asks for, and where
    that is there, the whole.
    """
    long, short = alert.long.length, alert.short.length
    most = alert.row.factor * float(plan.allowed)
    least = alert.min_bad - (0.5 if long > RAW_UP_TO else 0.0)  # bad events of tiles are rounded
    may = [
        bad_long >= least and bad_long > most * all_long and bad_short > most * all_short and full
        for bad_long, all_long, bad_short, all_short, full in zip(
            line.summed("bad", long), line.summed("valid", long), line.summed("bad", short), line.summed("valid", short),
            _filled(long, line), strict=True,
        )
    ]  # fmt: skip
    fires = False
    for index, begins in enumerate(may):
        if begins or (fires and stays(alert)):
            may[index] = _holds(plan, alert, line, index, fires=fires)
        fires = may[index]
    return may


def _filled(long: timedelta, line: Line) -> Iterator[bool]:
    """A row over tiles is silent until half of its long window has data."""
    least = line.steps(long) / 2 if long > RAW_UP_TO else 0
    return (known >= least for known in line.summed("known", long))


def _holds(plan: Plan, alert: BurnAlert, line: Line, index: int, *, fires: bool) -> bool:
    """The condition at one step."""
    bad = line.total("bad", index, alert.long.length)
    long, short = (_burn(plan, line, index, window.length) for window in (alert.long, alert.short))
    bad = round(bad) if alert.long.length > RAW_UP_TO else bad
    return bool(holds(alert, long=long, short=short, bad=bad, fires=fires))


def _burn(plan: Plan, line: Line, index: int, length: timedelta) -> float | None:
    valid = line.total("valid", index, length)
    return line.total("bad", index, length) / valid / float(plan.allowed) if valid > 0 else None


def _budget(plan: Plan, line: Line) -> Iterator[Left]:
    """What is left at the end of each day of the line, counted from its end."""
    half, days = line.steps(plan.period) / 2, math.ceil(len(line) * line.step / _DAY)
    for back in range(days - 1, -1, -1):
        index = len(line) - 1 - line.steps(_DAY) * back
        if index < 0 or (burn := _burn(plan, line, index, plan.period)) is None:
            continue
        whole = line.total("known", index, plan.period) >= half
        yield Left(at=line.at(index), share=1 - burn, whole=whole)
