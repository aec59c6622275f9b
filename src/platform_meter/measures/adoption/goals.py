"""Goals of capabilities: what is reached, what is expected, and whether that is enough (domain section 11).

All of it rests on daily snapshots. A goal that is more than 13 weeks away is held against the even pace from now on to it:
in 13 weeks the forecast has to be as far as that. Nothing is expected of fewer than six weeks, and nothing is said while a
source of the capability is stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from platform_meter.measures.adoption.forecast import WEEKS, Band, Forecast, forecast
from platform_meter.measures.adoption.seen import OUTSIDE, State, refusal, watermark, what
from platform_meter.measures.adoption.snapshots import ADOPTED
from platform_meter.model.adopting import AdoptionGoal
from platform_meter.model.catalogue.adoption import (
    ADOPTION_FORECAST,
    ADOPTION_GOAL,
    ADOPTION_GOAL_FORECAST,
    ADOPTION_GOAL_GAP,
    ADOPTION_GOAL_NEEDED,
    ADOPTION_GOAL_STATE,
)
from platform_meter.model.definitions import Capability
from platform_meter.model.history import History
from platform_meter.model.measure import Labels, Piece, Scene
from platform_meter.model.metric import Metric, Sample

HORIZONS = {"4w": 4, "8w": 8, "13w": 13}
_WEEK = timedelta(days=7)
_LONGEST = 52
"""Weeks that a forecast is made of: what was before tells little of what comes."""


class GoalState(StrEnum):
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    REACHED = "reached"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How many units were active, or adopted, at the end of each day that has a snapshot."""

    days: Mapping[date, int]
    of: Mapping[date, int]
    """How many were eligible then."""
    expected: Forecast | None

    @property
    def last(self) -> date:
        return max(self.days)

    @property
    def eligible(self) -> int:
        """On the last day; at least one."""
        return self.of[self.last]

    def ratio(self, day: date) -> float:
        """The share of one of the days; 0 where nobody was eligible."""
        return self.days[day] / self.of[day] if self.of[day] else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One goal, as things stand."""

    goal: AdoptionGoal
    trend: Trend
    """What it is held against."""
    ratio: float
    """Of the last snapshot, or of the one at the goal's end where that is over."""
    state: GoalState | None
    """None while nothing is expected."""
    needed: float
    """The share to be reached at the moment for which something is expected."""
    expected: Band | None
    """At that moment, as shares."""
    weeks: float
    """From the last snapshot to the goal's end; 0 or less of one that is over."""

    @property
    def pace(self) -> float | None:
        """Share to be added in each week that is left; None of a goal that is reached or over."""
        left = self.goal.ratio - self.ratio
        return left / self.weeks if self.weeks > 0 and left > 0 else None


class Trends:
    """Trends of capabilities, made once for each new snapshot: a day that is stored stays as it is, and a forecast costs as
    much as many pages.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], tuple[object, Trend | None]] = {}

    def trend(self, scene: Scene, capability: Capability, of: str) -> Trend | None:
        """Of `active` or `adopted` units; None before the first snapshot, and where nobody is eligible."""
        history, kind = scene.history, what(capability.id)
        last = history.last_day(kind)
        if last is None:
            return None
        end = last + timedelta(days=1)
        newest = history.states_by_day(kind, last, end), history.counted_by_day(kind, ADOPTED, last, end)
        made = self._made.get((capability.id, of))
        if made is None or made[0] != newest:
            made = self._made[capability.id, of] = newest, _trend(history, capability.id, of, last)
        return made[1]


def _trend(history: History, capability: str, of: str, last: date) -> Trend | None:
    kind, start, end = what(capability), last - _LONGEST * _WEEK, last + timedelta(days=1)
    by_day = history.states_by_day(kind, start, end)
    eligible = {day: sum(n for state, n in by.items() if state not in OUTSIDE) for day, by in by_day.items()}
    if of == "active":
        days = {day: by.get(State.ACTIVE, 0) for day, by in by_day.items()}
    else:
        days = dict(history.counted_by_day(kind, ADOPTED, start, end))
    if not eligible[last] or last not in days:
        return None
    expected = forecast(weekly(days), float(eligible[last]), seed=f"{capability}/{of}")
    return Trend(days=days, of=eligible, expected=expected)


def weekly(days: Mapping[date, int]) -> list[float]:
    """One point a week, the last one on the last day; they begin after the last week without any snapshot.

    Of a week that has none on its last day the one before stands for it.
    """
    found: list[float] = []
    at = max(days)
    while True:
        day = next((day for back in range(7) if (day := at - timedelta(days=back)) in days), None)
        if day is None:
            return found[::-1]
        found.append(float(days[day]))
        at -= _WEEK


def progress(goal: AdoptionGoal, trend: Trend) -> Progress | None:
    """A goal held against its trend; None of one that ended before there was any."""
    weeks = (goal.by - trend.last) / _WEEK
    over = weeks <= 0
    # Of days without a snapshot the one before them tells; a goal that ended before all of them is told by none.
    day = max((day for day in trend.days if day <= goal.by), default=None) if over else trend.last
    if day is None:
        return None
    ratio = trend.ratio(day)
    ahead = min(weeks, float(WEEKS))
    needed = goal.ratio if over else ratio + (goal.ratio - ratio) * ahead / weeks
    expected = None
    if not over and trend.expected is not None:
        band = trend.expected.after(ahead)
        low, point, high = (value / trend.eligible for value in (band.low, band.point, band.high))
        expected = Band(low=low, point=point, high=high)
    return Progress(
        goal=goal,
        trend=trend,
        ratio=ratio,
        state=_state(goal.ratio, ratio, needed, expected, over=over),
        needed=needed,
        expected=expected,
        weeks=weeks,
    )


def _state(goal: float, ratio: float, needed: float, expected: Band | None, *, over: bool) -> GoalState | None:
    if ratio >= goal:
        return GoalState.REACHED
    if over:
        return GoalState.MISSED
    if expected is None:
        return None
    return GoalState.ON_TRACK if expected.point >= needed else GoalState.AT_RISK


def told(scene: Scene) -> Iterable[Capability]:
    """Capabilities of which something is known now."""
    return (c for c in scene.definitions.capabilities if not refusal(c) and watermark(scene, c) is not None)


def held(scene: Scene, capability: Capability) -> Iterator[Progress]:
    """Its goals as things stand, those of which there is anything to say."""
    for goal in capability.goals:
        trend = scene.kept.of(Trends).trend(scene, capability, goal.of)
        if trend is not None and (found := progress(goal, trend)) is not None:
            yield found


def compute(scene: Scene) -> Iterator[Sample]:
    """Samples of all goals, and of all forecasts."""
    for capability in scene.definitions.capabilities:
        for goal in capability.goals:
            yield Sample(metric=ADOPTION_GOAL, labels=(capability.id, str(goal.by)), value=goal.ratio)
    for capability in told(scene):
        for found in held(scene, capability):
            yield from _goal(capability.id, found)
        adopted = scene.kept.of(Trends).trend(scene, capability, "adopted")
        if adopted is not None and adopted.expected is not None:
            for horizon, weeks in HORIZONS.items():
                for bound, units in _bounds(adopted.expected.weeks[weeks - 1]):
                    yield Sample(metric=ADOPTION_FORECAST, labels=(capability.id, horizon, bound), value=units)


def behind(scene: Scene, metric: Metric, wanted: Labels) -> Iterator[Piece]:
    """The weekly counts that all of it is made of, and what was made of them."""
    capability = next(c for c in scene.definitions.capabilities if c.id == wanted[0])
    trend = scene.kept.of(Trends).trend(scene, capability, "adopted")
    if metric is not ADOPTION_FORECAST:
        trend = next(one.trend for one in held(scene, capability) if str(one.goal.by) == wanted[1])
    for sample in compute(scene):
        value = sample.value
        if sample.metric is metric and sample.labels == wanted and trend is not None and isinstance(value, float):
            for back, units in enumerate(reversed(weekly(trend.days))):
                yield Piece(what=f"{units:g} units at the end of {trend.last - back * _WEEK}", adds=0.0)
            yield Piece(what=f"made of these, with {trend.eligible} eligible units", adds=value)


def _goal(capability: str, found: Progress) -> Iterator[Sample]:
    at = (capability, str(found.goal.by))
    yield Sample(metric=ADOPTION_GOAL_GAP, labels=at, value=found.goal.ratio - found.ratio)
    if found.state is not None:
        for state in GoalState:
            yield Sample(metric=ADOPTION_GOAL_STATE, labels=(*at, state), value=float(state is found.state))
    if found.expected is not None:
        yield Sample(metric=ADOPTION_GOAL_NEEDED, labels=at, value=found.needed)
        for bound, share in _bounds(found.expected):
            yield Sample(metric=ADOPTION_GOAL_FORECAST, labels=(*at, bound), value=share)


def _bounds(band: Band) -> tuple[tuple[str, float], ...]:
    return ("low", band.low), ("point", band.point), ("high", band.high)
