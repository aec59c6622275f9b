"""A backtest as people read it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.slo.backtest.test_line import line
from tests.slo.backtest.test_replay import DAY, PLAN

from platform_meter.slo.backtest.replay import replay
from platform_meter.slo.backtest.words import suggested, told

DAYS = 28
BAD = [60.0 if 20 * DAY <= n < 20 * DAY + 40 else 0.0 for n in range(DAYS * DAY)]
PAST = line([60.0] * (DAYS * DAY), BAD)
LOWER = replay(replace(PLAN, objective=Decimal("0.99")), PAST)


def test_an_outage_is_told() -> None:
    """What fired, what was left, and what a lower objective would have meant."""
    assert list(told(PLAN, PAST, replay(PLAN, PAST), [LOWER])) == [
        "shop-requests: 99.9 % over 28d, 2026-03-01 00:00 to 2026-03-29 00:00",
        "  99.9008% good: 2,400 of 2,419,200 events were bad",
        "  1% of the budget is left at the end; lowest -32% on 2026-03-22",
        "  2 pages would have fired",
        "    2026-03-21 00:01 1h, for 44 min",
        "    2026-03-21 00:03 6h, for 1 h 7 min",
        "  2 tickets would have fired",
        "    2026-03-21 00:05 1d, for 2 h 35 min",
        "    2026-03-21 00:05 3d, for 6 h 35 min",
        "  other objectives on the same past",
        "    objective   left at the end   lowest   pages   tickets",
        "    99 %                    90%      87%       2         0",
        "    99.9 %                   1%     -32%       2         2   today",
        "  the highest of these that was kept: 99 %",
    ]


def test_what_was_not_seen_is_said() -> None:
    """A past with holes says at most what was seen, and one without events says nothing."""
    seen = PAST.known[:]
    seen[: len(seen) // 10] = type(seen)("d", [0.0] * (len(seen) // 10))
    holed = replace(PAST, known=seen, _sums={})
    assert "  only 90.0% of this time has data: all of this says at most what was seen" in told(
        PLAN, holed, replay(PLAN, holed), []
    )
    empty = line([0.0] * DAY)
    assert list(told(PLAN, empty, replay(PLAN, empty), [])) == [
        "shop-requests: 99.9 % over 28d, 2026-03-01 00:00 to 2026-03-02 00:00",
        "  no events in this time",
    ]


def test_many_times_are_not_told_one_by_one() -> None:
    """The first three, and the last."""
    bad = [60.0 if n % (DAY // 2) < 3 else 0.0 for n in range(6 * DAY)]
    past = line([60.0] * (6 * DAY), bad)
    lines = list(told(PLAN, past, replay(PLAN, past), []))
    at = lines.index("  23 pages would have fired")
    assert [text.partition(",")[0] for text in lines[at + 1 : at + 5]] == [
        "    2026-03-01 00:01 1h",
        "    2026-03-01 12:01 1h",
        "    2026-03-01 12:03 6h",
        "    and 20 more",
    ]


def test_an_objective_is_suggested_only_where_one_was_kept() -> None:
    """With half of a period behind it, and never below zero."""
    assert suggested([replay(PLAN, PAST), LOWER]) == Decimal("0.99")
    assert suggested([replay(PLAN, PAST)]) is None
    assert suggested([replay(PLAN, line([60.0] * DAY))]) is None
