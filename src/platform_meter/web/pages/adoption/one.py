"""One capability: its goals, where it is going, who stayed, and who moved in four weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platform_meter.measures.adoption.cohorts import AGES, Cohorts
from platform_meter.measures.adoption.forecast import WEEKS, Curve
from platform_meter.measures.adoption.goals import Trend, Trends, held, weekly
from platform_meter.measures.adoption.movers import moves
from platform_meter.model.definitions import Capability
from platform_meter.web.charts import Chart, Series, Tone
from platform_meter.web.pages.adoption.goals import goal_words, movers
from platform_meter.web.view import View

DAYS = 28
EVERYBODY = 1_000
"""Names of one kind of mover."""
_WEEK = timedelta(days=7)


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """The capability of this id."""
    cap = next((c for c in view.definitions.capabilities if c.id == name), None)
    if cap is None:
        return None
    moved = moves(view.history, cap.id, DAYS)
    return {
        "cap": cap,
        "called": cap.title or cap.id,
        "goals": [goal_words(found) for found in held(view.scene, cap)],
        "chart": _chart(view, cap),
        "moved": moved,
        "movers": [] if moved is None else movers(cap, moved, EVERYBODY),
        "ages": range(1, AGES + 1),
        "cohorts": _cohorts(view, cap),
    }


def _cohorts(view: View, cap: Capability) -> Sequence[Mapping[str, Any]]:
    """The newest first; of a month that is not over there is no share."""
    return [
        {
            "called": cohort.called,
            "size": len(cohort.units),
            "shares": [len(active) / len(cohort.units) for active in cohort.active]
            + [None] * (AGES - len(cohort.active)),
        }
        for cohort in reversed(view.kept.of(Cohorts).of(view.history, cap.id))
    ]


def _chart(view: View, cap: Capability) -> Chart:
    """Adopted units by week, and the forecast behind them."""
    trend = view.kept.of(Trends).trend(view.scene, cap, "adopted")
    absence = "It begins with the first snapshot that counts who adopted."
    if trend is None:
        return Chart(title="Adopted units by week", caption=absence, labels=(), series=(), absence=absence)
    seen = weekly(trend.days)
    ahead = trend.expected.weeks if trend.expected else ()
    hole: tuple[float | None, ...] = (None,) * (len(seen) - 1)
    series = [Series(name="adopted", values=(*seen, *[None] * len(ahead)))]
    if ahead:
        # The forecast begins at the last point, so that nothing lies between the two.
        told = {
            "low": [b.low for b in ahead], "forecast": [b.point for b in ahead], "high": [b.high for b in ahead]
        }  # fmt: skip
        series += [
            Series(name=name, values=(*hole, seen[-1], *values), tone=None if name == "forecast" else Tone.QUIET)
            for name, values in told.items()
        ]
    weeks = [trend.last + n * _WEEK for n in range(1 - len(seen), len(ahead) + 1)]
    return Chart(
        title="Adopted units by week",
        caption=_caption(trend, len(seen)),
        labels=tuple(f"{day:%d %b}" for day in weeks),
        series=tuple(series),
    )


def _caption(trend: Trend, points: int) -> str:
    if trend.expected is None:
        return f"Of {trend.eligible} eligible units. A forecast comes with the sixth week; there are {points}."
    how = "a logistic curve" if isinstance(trend.expected.fitted, Curve) else "a straight line"
    return (
        f"Of {trend.eligible} eligible units. Forecast of {WEEKS} weeks: {how} through the weeks seen, as if as many stayed "
        "eligible and nothing else changed; four futures in five lie between low and high."
    )
