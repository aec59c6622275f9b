"""How Prometheus can know that the source of an SLO is read while it has no series: by `up`, or by what its file says.

A counter with labels is born with its first event, so a service that is scraped and idle since its deploy looks like one
that nobody reads. `up` of its targets tells the two apart; which targets these are, a query says where it names their job.
"""

from __future__ import annotations

from typing import Any

from platform_meter.model.objective import StoredSli
from platform_meter.model.scalars import unfit
from platform_meter.slo.promql import quote, read_gauge
from platform_meter.slo.spec import Ratio, Sli

NOTHING = "none"
"""Said in a file: that series are missing is always told."""


def parse_read_by(value: Any) -> str:
    """PromQL that is above 0 while the source is read, as one series; or `none`.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, str) or not value.strip():
        raise unfit(None if value == "" else value, "no query", f"write such as 'up{{job=\"checkout\"}}', or {NOTHING}")
    if value.strip() == NOTHING:
        return NOTHING
    query = read_gauge(value, "max", absent=False)
    if not query.fixed:
        raise ValueError('what says that the source is read takes no {{window}}; write such as up{job="checkout"}')
    if not query.metrics:
        raise ValueError(f'this reads no metric; write such as up{{job="checkout"}}, or {NOTHING}')
    return query.parts[0]


def read_by(said: str | None, sli: Sli) -> str:
    """PromQL: above 0 while the source of an SLI is read; empty where nothing tells.

    Args:
        said: what its file says; None where that is nothing.
        sli: what is counted; where all of it asks for the same `job`, that is what is read.
    """
    if said is not None:
        return said if said != NOTHING else ""
    if isinstance(sli, StoredSli):
        return ""
    job = (sli.total if isinstance(sli, Ratio) else sli.query).job
    return f"max(up{{job{job.operator}{quote(job.value)}}})" if job else ""
