"""Facts of error budgets that other tools reckon themselves: shown beside ours, and never mixed with them (domain section 14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from platform_meter.model.facts import Facts, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldBudget(Reading):
    """What another tool says of an SLO that stands for one of ours. `about` is its own."""

    slo: str
    """Ours."""
    window: timedelta
    """How far back from its reading it looks."""
    sli: float | None
    """Share of what is good, 0..1; None where it does not tell."""
    remaining: float | None
    """Share of the budget that is left, below 0 when overspent; None where it does not tell."""


FACTS = Facts(readings=(ToldBudget,))
