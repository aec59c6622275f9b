"""SLOs on their own past: what would have fired, what would have been left of the budget, and at which objective."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from platform_meter.slo.backtest.line import Line
from platform_meter.slo.backtest.replay import replay
from platform_meter.slo.backtest.words import LADDER, told
from platform_meter.slo.plan import Plan, plan
from platform_meter.slo.spec import Spec

__all__ = ["backtest", "proposals"]


def proposals(spec: Spec, asked: Iterable[Decimal]) -> tuple[Decimal, ...]:
    """Objectives to try beside the SLO's own: those asked for, else its neighbours among those that people write."""
    wanted = tuple(asked)
    if not wanted:
        below = [one for one in LADDER if one < spec.objective][-2:]
        wanted = (*below, *[one for one in LADDER if one > spec.objective][:2])
    return tuple(dict.fromkeys(one for one in wanted if one != spec.objective))


def backtest(one: Plan, spec: Spec, line: Line, asked: Iterable[Decimal] = ()) -> Iterator[str]:
    """Lines that say it, for the SLO's objective and for others.

    Args:
        one: the SLO.
        spec: what it was made of.
        line: its past.
        asked: objectives to try; none is the SLO's neighbours.
    """
    proposed = [plan(replace(spec, objective=objective), scrape=one.scrape) for objective in proposals(spec, asked)]
    others = [replay(other, line) for other in proposed]
    yield from told(one, line, replay(one, line), others)
