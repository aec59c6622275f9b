"""What was found of an SLO: words about one of its queries, before anybody looks where in its file that stands."""

from __future__ import annotations

from dataclasses import dataclass

from platform_meter.slo.plan import Counters, Gauge, Plan, Slices
from platform_meter.slo.promql import Query, Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the server knows better."""

    plan: Plan
    part: str
    """Which of its queries: `total`, `bad` or `good`; empty for the only one, and for what is about the SLO as a whole."""
    text: str
    """What was found and what to write instead, as in a Problem."""
    wrong: bool
    """Something to mend; else it is worth knowing."""
    selector: Selector | None = None
    """What of the query it is about."""
    word: str = ""
    """The word of it to point at."""
    key: str = ""
    """The key of the SLO that it is about, where that is no query."""


def queries(plan: Plan) -> dict[str, Query]:
    """The queries of an SLO that Prometheus counts, by part; none of another SLO."""
    sli = plan.sli.reads if isinstance(plan.sli, Slices) else plan.sli
    match sli:
        case Counters():
            return {"total": sli.total, "bad" if sli.bad else "good": sli.part}
        case Gauge():
            return {"": sli.query}
        case _:
            return {}
