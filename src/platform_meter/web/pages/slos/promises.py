"""Promises on the page of SLOs: what was promised to whom, how the running period goes, whether the last one was kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from platform_meter.measures.promises import LAST, RUNNING
from platform_meter.model.catalogue.promises import PROMISE_MET, PROMISE_SINCE
from platform_meter.model.definitions import Promise
from platform_meter.web.view import View

_STEP = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One period of a promise, in words."""

    name: str
    """As people call it; empty where nothing is known of it."""
    share: str
    """What was kept; a dash where there is no number."""
    verdict: str
    """`kept`, `broken`, or why nobody can tell."""
    level: str = "soft"
    """The tag's colour."""
    since: str = ""
    """From which day on it is known, where that is not its first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRow:
    promise: Promise
    promised: str
    running: Period
    last: Period


def rows(view: View) -> list[PromiseRow]:
    """All that are declared, in the order of their ids. Numbers are those of `/metrics`."""
    return list(_rows(view))


def _rows(view: View) -> Iterator[PromiseRow]:
    stored = {objective.slo for objective in view.definitions.objectives}
    for promise in sorted(view.definitions.promises, key=lambda p: p.id):
        judged = promise.ticketing is not None or promise.slo in stored
        yield PromiseRow(
            promise=promise,
            promised=f"{(Decimal(str(promise.promised)) * 100).normalize():f} %",
            running=_period(view, promise, RUNNING, " so far", judged=judged),
            last=_period(view, promise, LAST, "", judged=judged),
        )


def _period(view: View, promise: Promise, period: str, so_far: str, *, judged: bool) -> Period:
    met = view.one(PROMISE_MET, promise=promise.id, period=period)
    since = view.one(PROMISE_SINCE, promise=promise.id, period=period)
    if met is None or since is None:
        return Period(name="", share="–", verdict="not known" if judged else "not judged: Prometheus counts it")
    known = datetime.fromtimestamp(since, UTC)
    start, _ = promise.period.around(known)
    kept = met >= promise.promised
    return Period(
        name=promise.period.called(known),
        share=f"{(Decimal(str(met)) * 100).quantize(_STEP, ROUND_FLOOR)} %",
        verdict=f"{'kept' if kept else 'broken'}{so_far}",
        level="good" if kept else "bad",
        since="" if known == start else f"known from {known.astimezone(ZoneInfo(promise.period.zone)):%d %b} on",
    )
