"""Promises: what was promised to whom, whether it is being kept, and whether it was, period by period.

Ratios of the running period and of the last one are those of `/metrics`; all was counted by the last tick that did
(`measures.promises.past`), so that no page reads a period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from platform_meter.measures.promises import LAST, RUNNING
from platform_meter.measures.promises.ledger import may_miss, must_meet
from platform_meter.measures.promises.past import PERIODS, Past, Period
from platform_meter.model.catalogue.promises import PROMISE_MET
from platform_meter.model.definitions import Promise
from platform_meter.web.charts import Chart, Series, Tone
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.view import View

_STEP = Decimal("0.001")
KEPT, BROKEN, PART = "kept", "broken", "not whole"
NOTHING = "nothing to judge"
_LEVELS = {KEPT: "good", BROKEN: "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One period of a promise, in words."""

    name: str
    """As people call it; empty where nothing is known of it."""
    verdict: str
    """`kept`, `broken`, `not whole`, `nothing to judge`, or why nobody can tell."""
    share: str = "–"
    level: str = "soft"
    """The tag's colour."""
    since: str = ""
    """From which day on it is known, where that is not its first."""
    good: float | None = None
    bad: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One promise."""

    promise: Promise
    promised: str
    what: str
    """What it counts, in a sentence: `pipeline runs`."""
    running: Judged
    left: str
    """What may still be missed before it is broken, or what would have to come that it is kept."""
    last: Judged
    over: Sequence[Judged]
    """Before the running one, the newest first."""
    waits: bool
    """Earlier ones are yet to be counted."""

    @property
    def title(self) -> str:
        return self.promise.title or self.promise.id


def page(view: View) -> Mapping[str, Any]:
    """All that are declared, in the order of their ids."""
    found = rows(view)
    return {"rows": found, "periods": PERIODS, "waits": any(row.waits for row in found)}


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """One of them; None for an id that no file has."""
    found = next((row for row in rows(view) if row.promise.id == name), None)
    if found is None:
        return None
    return {"row": found, "chart": _chart(found), "periods": PERIODS}


def rows(view: View) -> Sequence[Row]:
    """All that are declared, in the order of their ids."""
    return [_row(view, promise) for promise in sorted(view.definitions.promises, key=lambda p: p.id)]


def concerns(promise: Promise, persona: str) -> bool:
    """Whether it was promised to people of this persona: one without an audience was promised to everybody."""
    return not promise.audience or persona in promise.audience


def _row(view: View, promise: Promise) -> Row:
    objective = next((o for o in view.definitions.objectives if o.slo == promise.slo), None)
    counted = promise.ticketing is not None or objective is not None
    told = view.kept.of(Past).told(promise) if counted else None
    unknown = "not known" if counted else "told elsewhere: Prometheus counts it"
    # What the tick counted and does not expose, such as of a source that went stale since, is not known any more.
    now = {period: view.one(PROMISE_MET, promise=promise.id, period=period) for period in (RUNNING, LAST)}
    begun = told.running if told and now[RUNNING] is not None else None
    newest = told.over[0] if told and told.over else None
    last = _judged(promise, newest, unknown) if newest and now[LAST] is not None else None
    return Row(
        promise=promise,
        promised=f"{(Decimal(str(promise.promised)) * 100).normalize():f} %",
        what="" if objective is None else _what(objective.sli.events.several, sliced=objective.slice is not None),
        running=_so_far(promise, _judged(promise, begun, unknown)) if begun else Judged(name="", verdict=unknown),
        left=_left(promise, begun),
        last=last or Judged(name="", verdict=unknown),
        over=() if told is None else [_judged(promise, one, unknown) for one in told.over],
        waits=told is not None and told.waits,
    )


def _what(several: str, *, sliced: bool) -> str:
    return f"slices of {several}" if sliced else several


def _judged(promise: Promise, period: Period, unknown: str) -> Judged:
    name = promise.period.called(period.start)
    if period.found is None:
        return Judged(name=name, verdict=unknown)
    counts, since = period.found
    begun = "" if period.whole else f"known from {since.astimezone(ZoneInfo(promise.period.zone)):%d %b} on"
    if not counts.valid:
        return Judged(name=name, verdict=NOTHING, since=begun, good=0.0, bad=0.0)
    ratio = counts.good / counts.valid
    verdict = KEPT if ratio >= promise.promised else BROKEN
    return Judged(
        name=name,
        verdict=verdict if period.whole else PART,
        share=f"{(Decimal(str(ratio)) * 100).quantize(_STEP, ROUND_FLOOR)} %",
        level=_LEVELS[verdict] if period.whole else "soft",
        since=begun,
        good=counts.good,
        bad=counts.bad,
        ratio=ratio,
    )


def _so_far(promise: Promise, found: Judged) -> Judged:
    """The running period is judged by what there is of it: nobody takes it for the last word."""
    if found.ratio is None:
        return found
    verdict = KEPT if found.ratio >= promise.promised else BROKEN
    return replace(found, verdict=f"{verdict} so far", level=_LEVELS[verdict])


def _left(promise: Promise, period: Period | None) -> str:
    if period is None or period.found is None or not period.found.counts.valid:
        return ""
    counts = period.found.counts
    if lacking := must_meet(counts, promise.promised):
        return f"kept again after {lacking:,} good ones in a row"
    room = may_miss(counts, promise.promised)
    return f"{room:,} more bad ones in a row keep it" if room else "the next bad one breaks it"


def _chart(row: Row) -> Chart:
    """Periods that are not whole have no point: their share says nothing of what was promised."""
    over = list(reversed(row.over))
    shares = tuple(one.ratio if one.verdict in (KEPT, BROKEN) else None for one in over)
    known = any(share is not None for share in shares)
    return Chart(
        title="Kept by period",
        caption="Share of what was valid in each period that is over and known whole. The axis does not begin at 0.",
        labels=tuple(one.name for one in over),
        series=(
            Series(name="kept", values=shares),
            Series(
                name="promised", values=tuple(row.promise.promised if known else None for _ in over), tone=Tone.QUIET
            ),
        ),
        percent=True,
        zoom=True,
        digits=3,
        absence="No period is over and known whole yet.",
    )


PAGE = WebPage(
    path="/promises",
    title="Promises",
    place=14,
    template="promises/promises.html",
    fill=page,
    detail=Detail(template="promises/promise.html", fill=detail),
)
