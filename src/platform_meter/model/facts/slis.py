"""Good and bad events that were counted elsewhere (domain section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from platform_meter.model.facts import Event, Facts, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class SliCount(Event):
    """Good and bad events of one SLI in the `width` that ends at `at`; already counted elsewhere (Prometheus, nodes)."""

    sli: str
    good: float
    bad: float
    width: timedelta

    def tallies(self) -> tuple[Tally, ...]:
        return (
            Tally(dim=f"{self.sli}|good", amount=self.good),
            Tally(dim=f"{self.sli}|bad", n=0, amount=self.bad),
        )


FACTS = Facts(events=(SliCount,))
