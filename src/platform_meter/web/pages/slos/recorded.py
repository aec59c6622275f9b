"""What Prometheus recorded of SLOs, read through its query API when a page asks for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from platform_meter.measures.objectives.slices import Counts
from platform_meter.model.source import Outside, SourceError
from platform_meter.model.typed import decode
from platform_meter.slo import names
from platform_meter.slo.answers import Result, Series
from platform_meter.slo.plan import TILE
from platform_meter.slo.promql import duration_text, quote

PATIENCE = 5.0
"""Seconds a page waits for Prometheus, unless it says otherwise."""
_DAY = timedelta(days=1)
_ALERTS = "ALERTS"
"""What Prometheus itself writes of every alert."""


class _Reply(msgspec.Struct):
    data: Result | None = None
    error: str = ""


class Unanswered(Exception):
    """Prometheus did not answer; the text says why, for a reader of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The `slo:` series of one SLO now, by the value of their `window` label."""

    burn: Mapping[str, float] = field(default_factory=dict)
    sli: Mapping[str, float] = field(default_factory=dict)
    bad: Mapping[str, float] = field(default_factory=dict)
    total: Mapping[str, float] = field(default_factory=dict)
    budget: float | None = None
    coverage: float | None = None
    """Share of the period, or of the SLO's life, that was seen."""
    firing: frozenset[tuple[str, str]] | None = None
    """Level and long window of the burn alerts that fire; None where nobody tells."""


def now(outside: Outside, slo: str | None = None, *, patience: float = PATIENCE) -> dict[str, Recorded]:
    """What the rules recorded last, by SLO; of all SLOs in one call unless one is named.

    Raises:
        Unanswered: no answer, or one that is none.
    """
    known = (names.BURN, names.SLI, names.BAD, names.TOTAL, names.BUDGET, names.COVERAGE, _ALERTS)
    one = "" if slo is None else f",slo={quote(slo)}"
    selector = f'{{__name__=~"{"|".join(known)}"{one}}}'
    found: dict[str, dict[str, dict[str, float]]] = {}
    firing: dict[str, set[tuple[str, str]]] = {}
    for series in _ask(outside, "/api/v1/query", {"query": selector}, patience):
        value = float(series.value[1])
        labels = series.metric
        if labels.get("__name__") == _ALERTS:
            if labels.get("alertname") == names.BURN_ALERT and labels.get("alertstate") == "firing":
                alert = (labels.get("level", ""), labels.get("window", ""))
                firing.setdefault(labels.get("slo", ""), set()).add(alert)
        elif math.isfinite(value) and "slo" in labels:
            by_name = found.setdefault(labels["slo"], {})
            window = labels.get("window", labels.get("period", ""))
            by_name.setdefault(labels["__name__"], {})[window] = value
    return {
        name: Recorded(
            burn=of.get(names.BURN, {}),
            sli=of.get(names.SLI, {}),
            bad=of.get(names.BAD, {}),
            total=of.get(names.TOTAL, {}),
            budget=next(iter(of.get(names.BUDGET, {}).values()), None),
            coverage=next(iter(of.get(names.COVERAGE, {}).values()), None),
            firing=frozenset(firing.get(name, ())),
        )
        for name, of in found.items()
    }


def is_young(outside: Outside, slo: str, period: timedelta, *, patience: float = PATIENCE) -> bool:
    """Whether fewer tiles than in half of the period stand behind an SLO, so that its budget tells little yet.

    Raises:
        Unanswered: as `now`.
    """
    tiles = f"{names.tile('total', TILE)}{{slo={quote(slo)}}}[{duration_text(period)}]"
    found = _ask(outside, "/api/v1/query", {"query": f"count_over_time({tiles})"}, patience)
    return sum(float(series.value[1]) for series in found[:1]) < period / TILE / 2


def days(outside: Outside, slo: str, moments: Sequence[datetime]) -> list[Counts]:
    """Good and bad in the 24 hours before each moment; the moments are a day apart.

    Raises:
        Unanswered: as `now`.
    """
    day = int(_DAY.total_seconds())
    start = int(moments[0].timestamp())
    ends = range(start, start + day * len(moments), day)
    sums: list[dict[int, float]] = []
    for kind in ("bad", "total"):
        query = f"sum_over_time({names.tile(kind, TILE)}{{slo={quote(slo)}}}[1d])"
        params = {"query": query, "start": ends[0], "end": ends[-1], "step": day}
        answer = _ask(outside, "/api/v1/query_range", params)
        sums.append({round(at): float(text) for series in answer[:1] for at, text in series.values})
    bad, total = sums
    out = []
    for at in ends:
        all_ = total.get(at, 0.0)
        failed = min(bad.get(at, 0.0), all_)  # both are estimates
        out.append(Counts(all_ - failed, failed))
    return out


def _ask(outside: Outside, path: str, params: Mapping[str, Any], patience: float = PATIENCE) -> list[Series]:
    try:
        status, body = outside.text(path, params=params, timeout=patience)
    except SourceError as error:
        raise Unanswered(str(error)) from error
    try:
        reply = decode(body, _Reply)
    except msgspec.DecodeError:
        raise Unanswered(f"{path} answered {status}, and not as a Prometheus query API does") from None
    if reply.data is None:
        raise Unanswered(f"{path} answered {status}: {reply.error or 'no data'}")
    return reply.data.result
