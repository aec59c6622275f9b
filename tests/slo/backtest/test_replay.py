"""What fires on a line, held to a second, simpler count."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tests.slo.backtest.test_line import MINUTE, START, line
from tests.support.slos import RATIO, planned

from platform_meter.slo.backtest.line import Line
from platform_meter.slo.backtest.replay import Fired, replay
from platform_meter.slo.burnrate import Level
from platform_meter.slo.firing import holds
from platform_meter.slo.plan import RAW_UP_TO, BurnAlert, Plan

DAY = 1440
PLAN = planned(RATIO, ("30d", "28d"))
"""99.9 % over 28 days."""


def _times(one: Line, plan: Plan, alert: BurnAlert) -> Iterator[tuple[datetime, datetime | None]]:
    """When an alert fired: each minute's windows added up anew."""

    def burn(index: int, length: timedelta) -> tuple[float, float | None]:
        first = max(0, index + 1 - round(length / MINUTE))
        bad, valid = (sum(values[first : index + 1]) for values in (one.bad, one.valid))
        return bad, bad / valid / float(plan.allowed) if valid else None

    start: datetime | None = None
    for index in range(len(one)):
        bad, long = burn(index, alert.long.length)
        bad = round(bad) if alert.long.length > RAW_UP_TO else bad
        if alert.long.length > RAW_UP_TO and index + 1 < alert.long.length / MINUTE / 2:
            long = None
        on = holds(alert, long=long, short=burn(index, alert.short.length)[1], bad=bad, fires=start is not None)
        if on and start is None:
            start = one.at(index)
        elif not on and start is not None:
            yield start, one.at(index)
            start = None
    if start is not None:
        yield start, None


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("each", "error"), [(20, 0.001), (1, 0.004), (3, 0.02)])
def test_what_fires_is_what_each_minute_says(seed: int, each: int, error: float) -> None:
    """Steady and rare traffic around the objective, with outages in it, over five days."""
    chance = random.Random(seed)
    outages = [(chance.randrange(5 * DAY), chance.randrange(5, 400), chance.choice((0.02, 0.2, 1.0))) for _ in range(3)]

    def failing(minute: int) -> float:
        return max([error, *(share for at, long, share in outages if at <= minute < at + long)])

    valid = [float(sum(chance.random() < 0.9 for _ in range(each))) for _ in range(5 * DAY)]
    bad = [float(sum(chance.random() < failing(n) for _ in range(int(count)))) for n, count in enumerate(valid)]
    one = line(valid, bad)
    found = replay(PLAN, one).fired
    for alert in PLAN.alerts:
        its = [(f.start, f.end) for f in found if (f.level, f.window) == (alert.level, alert.long.label)]
        assert its == list(_times(one, PLAN, alert)), alert.long.label


def test_an_outage_pages_within_its_first_minute() -> None:
    """60 events a minute, all failing: 14.4 * 0.001 of an hour are 52 seconds (domain section 5)."""
    bad = [60.0 if DAY <= n < DAY + 20 else 0.0 for n in range(2 * DAY)]
    found = replay(PLAN, line([60.0] * (2 * DAY), bad))
    first = found.fired[0]
    assert (first.level, first.window, first.start) == (Level.PAGE, "1h", START + timedelta(minutes=DAY + 1))
    every = {(one.level, one.window) for one in found.fired}
    assert every == {(Level.PAGE, "1h"), (Level.PAGE, "6h"), (Level.TICKET, "1d")}, "3d is silent for a day and a half"


def test_a_row_waits_for_as_long_as_it_says() -> None:
    """`for` of an alert: the condition has to hold that long."""
    bad = [60.0 if DAY <= n < DAY + 20 else 0.0 for n in range(2 * DAY)]
    one, alert = line([60.0] * (2 * DAY), bad), PLAN.alerts[0]
    waiting = replace(PLAN, alerts=(replace(alert, row=replace(alert.row, wait=10 * MINUTE)),))
    (at_once,) = replay(replace(PLAN, alerts=(alert,)), one).fired
    (later,) = replay(waiting, one).fired
    assert later == replace(at_once, start=at_once.start + 9 * MINUTE)
    never = replace(PLAN, alerts=(replace(alert, row=replace(alert.row, wait=90 * MINUTE)),))
    assert replay(never, one).fired == ()


def test_what_still_fires_has_no_end() -> None:
    """The line ends in an outage."""
    one = line([60.0] * DAY, [0.0] * (DAY - 5) + [60.0] * 5)
    assert (
        Fired(level=Level.PAGE, window="1h", start=START + timedelta(minutes=DAY - 4), end=None)
        in replay(PLAN, one).fired
    )


def test_what_is_left_of_the_budget_at_the_end_of_each_day() -> None:
    """1 - bad / valid / (1 - T) over the period before, told as whole once half of it was seen."""
    days = 30
    bad = [1.0 if n == 20 * DAY else 0.0 for n in range(days * DAY)]
    found = replay(PLAN, line([0.1] * (days * DAY), bad))
    assert len(found.budget) == days
    by_day = {left.at: left for left in found.budget}
    before, after = (by_day[START + timedelta(days=day)] for day in (20, 21))
    assert (before.share, before.whole) == (1.0, True)
    assert after.share == pytest.approx(1 - 1 / (21 * DAY * 0.1) / 0.001)
    assert by_day[START + timedelta(days=days)].share == pytest.approx(1 - 1 / (28 * DAY * 0.1) / 0.001)
    assert not by_day[START + timedelta(days=13)].whole
    assert found.lowest == after


def test_nothing_fires_and_nothing_is_left_without_events() -> None:
    """A source that was silent says nothing of its objective."""
    found = replay(PLAN, line([0.0] * DAY))
    assert (found.fired, found.budget, found.lowest, found.objective) == ((), (), None, Decimal("0.999"))
