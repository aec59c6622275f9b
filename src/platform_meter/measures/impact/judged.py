"""Whether each change helped: the effect on each of its metrics, and one of four words for it (domain section 12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from platform_meter.measures.impact import series
from platform_meter.measures.impact.by_unit import Means, Medians, Shares, Sides, against
from platform_meter.measures.impact.comparing import durations, ratios
from platform_meter.measures.impact.effect import LEVEL, Effect, holm
from platform_meter.measures.impact.subject import Days, Subject, subjects
from platform_meter.measures.impact.yardstick import Kind, Seen, Told, Yardstick, by_metric
from platform_meter.model.measure import Scene
from platform_meter.model.programme import EffectMetric

LEAST = 8
"""Values on each side of a claim about durations or ratios (domain section 12)."""
UNITS = 8
"""Units on each side where they are compared with control units: the bootstrap draws units."""
_WEEK = timedelta(days=7)
_SHIFT = timedelta(hours=2)
"""What clock changes take off a whole number of weeks, and more."""
_GROUPS: Mapping[Kind, type[Medians | Shares | Means]] = {
    Kind.DURATIONS: Medians,
    Kind.RATIO: Shares,
    Kind.WEEKLY: Means,
}


class Verdict(StrEnum):
    IMPROVED = "improved"
    WORSE = "worse"
    NO_CHANGE = "no clear change"
    TOO_LITTLE = "not enough data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One change held to one of its metrics."""

    subject: Subject
    metric: EffectMetric
    yardstick: Yardstick
    days: Days
    until: datetime | None
    """Up to when its values are known; None while they are not."""
    before: Sequence[Seen] = ()
    """Of the units that it touched; of a series its weeks."""
    after: Sequence[Seen] = ()
    effect: Effect | None = None
    chance: float = 1.0
    """That of the effect, held against how many metrics the change has."""
    verdict: Verdict = Verdict.TOO_LITTLE
    why: str = ""
    notes: Sequence[str] = ()
    """What a reader has to know beside it."""

    @property
    def better(self) -> str:
        return self.metric.better or self.yardstick.better

    @property
    def running(self) -> bool:
        """Whether the days after are not over yet."""
        return self.until is not None and self.until < self.days.ends


@dataclass(slots=True)
class _Known:
    """Effects of the last look: what is made of the same values is not made again."""

    by: dict[tuple[str, str], tuple[object, Effect | None]] = field(default_factory=dict)


def judge(scene: Scene) -> Sequence[Judgement]:
    """All changes and metrics, in the order of the files."""
    everything = tuple(subjects(scene.definitions))
    found: list[Judgement] = []
    for subject in everything:
        known = [one for metric in subject.metrics if (one := _held(scene, subject, metric)) is not None]
        chances = iter(holm([one.effect.chance for one in known if one.effect is not None]))
        others = [one.title or one.id for one in everything if one.disturbs(subject)]
        found += [
            _said(one if one.effect is None else replace(one, chance=next(chances)), others, len(known))
            for one in known
        ]
    return found


def _held(scene: Scene, subject: Subject, metric: EffectMetric) -> Judgement | None:
    """The values and the effect; None of a metric that nothing is judged by, which `check` refuses."""
    name, labels = metric.measured
    yardstick = by_metric().get(name)
    if yardstick is None or any(label not in labels for label in yardstick.needs):
        return None
    days = subject.days(scene.zone)
    blank = Judgement(subject=subject, metric=metric, yardstick=yardstick, days=days, until=None)
    told = yardstick.read(scene, labels, days.begins, days.ends) if days.at <= scene.now else None
    if told is None:
        why = "its values are not known now" if days.at <= scene.now else "it has not begun"
        return replace(blank, why=why)
    mine = [one for one in told.seen if _touched(subject, one)]
    before, after = _sides(yardstick, days, told, mine)
    one = replace(blank, until=told.until, before=before, after=after, notes=_notes(told, days, yardstick))
    if subject.control and yardstick.kind is not Kind.WEEKLY:
        paired = _units(one, told, control=False)
        before, after = (
            [s for s in some if _unit(subject, s, control=False) in paired] for some in (one.before, one.after)
        )
        one = replace(one, before=before, after=after)
    if why := _lacks(one, told):
        return replace(one, why=why)
    effect = _effect(scene, one, told)
    why = "" if effect is not None and effect.interval is not None else "the change has no interval"
    return replace(one, effect=effect, why=why)


def _touched(subject: Subject, seen: Seen) -> bool:
    if subject.units:
        return bool(seen.among(subject.units))
    return not seen.among(subject.control)


def _sides(yardstick: Yardstick, days: Days, told: Told, some: Sequence[Seen]) -> tuple[Sequence[Seen], Sequence[Seen]]:
    """Before and after, what lies in the washout left out; of a series its whole weeks, counted away from the change."""
    if yardstick.kind is not Kind.WEEKLY:
        return [s for s in some if days.begins <= s.at < days.at], [s for s in some if days.starts <= s.at < days.ends]
    pre, post = _weeks(days, told)
    return [_week(at, some) for at in pre], [_week(at, some) for at in post]


def _weeks(days: Days, told: Told) -> tuple[Sequence[datetime], Sequence[datetime]]:
    """Where the whole weeks begin that are known."""
    since, until = max(days.begins, told.since), min(days.ends, told.until)
    pre = [days.at - n * _WEEK for n in range(1, int((days.at - since + _SHIFT) / _WEEK) + 1)]
    post = [days.starts + n * _WEEK for n in range(int((until - days.starts + _SHIFT) / _WEEK))]
    return sorted(pre), post


def _week(start: datetime, some: Sequence[Seen]) -> Seen:
    names = {one.service or one.team for one in some if start <= one.at < start + _WEEK}
    return Seen(start, float(len(names)), "", what=f"week of {start:%Y-%m-%d}: {len(names)} units")


def _notes(told: Told, days: Days, yardstick: Yardstick) -> list[str]:
    found = []
    if told.since > days.begins:
        found.append(f"known from {told.since:%d %b %Y} on: part of the time before is missing")
    if told.until < days.ends:
        found.append(
            f"not over: the time after ends on {days.ends:%d %b %Y}, and what is said now may change until then"
        )
    if yardstick.kind is Kind.WEEKLY:
        found.append("intervals of weekly series tend to be too narrow")
    return found


def _lacks(one: Judgement, told: Told) -> str:
    """Why nothing is claimed of so little; empty where there is enough."""
    weekly = one.yardstick.kind is Kind.WEEKLY
    least, what = (series.LEAST, "whole weeks") if weekly else (LEAST, "values")
    if min(len(one.before), len(one.after)) < least:
        return f"{len(one.before)} {what} before and {len(one.after)} after; it takes {least} of each"
    if one.subject.control:
        treated, control = (len(_units(one, told, control=part)) for part in (False, True))
        if min(treated, control) < UNITS:
            return f"{treated} units with values on both sides, and {control} to compare with; it takes {UNITS} of each"
    return ""


def _unit(subject: Subject, seen: Seen, *, control: bool) -> str:
    """Which unit of one of the two groups a value is of; empty for none."""
    if control:
        return seen.among(subject.control)
    return (seen.among(subject.units) or seen.team or seen.service) if _touched(subject, seen) else ""


def _units(one: Judgement, told: Told, *, control: bool) -> Mapping[str, Sides]:
    """What each unit of one of the two groups has, those that have something on both sides."""
    by: defaultdict[str, list[Seen]] = defaultdict(list)
    for seen in told.seen:
        if name := _unit(one.subject, seen, control=control):
            by[name].append(seen)
    found = {}
    for name, some in sorted(by.items()):
        before, after = _sides(one.yardstick, one.days, told, some)
        if before and after:
            found[name] = Sides(before=[s.value for s in before], after=[s.value for s in after])
    return found


def _effect(scene: Scene, one: Judgement, told: Told) -> Effect | None:
    """As it was made of the same values before, or anew."""
    before, after = tuple(s.value for s in one.before), tuple(s.value for s in one.after)
    groups = [_units(one, told, control=part) for part in (False, True)] if one.subject.control else []
    made_of = (before, after, [s.at for s in chain(one.before, one.after)], groups)
    key, kept = (one.subject.id, one.metric.called), scene.kept.of(_Known).by
    known = kept.get(key)
    if known is None or known[0] != made_of:
        known = kept[key] = made_of, _made(one, before, after, groups)
    return known[1]


def _made(
    one: Judgement, before: Sequence[float], after: Sequence[float], groups: Sequence[Mapping[str, Sides]]
) -> Effect | None:
    seed = f"{one.subject.id}/{one.metric.called}"
    kind = one.yardstick.kind
    if groups:
        treated, control = (list(group.values()) for group in groups)
        return against(treated, control, _GROUPS[kind], seed=seed)
    match kind:
        case Kind.DURATIONS:
            return durations(before, after, seed=seed)
        case Kind.RATIO:
            return ratios(int(sum(before)), len(before), int(sum(after)), len(after))
        case Kind.WEEKLY:
            points = [((s.at - one.days.at) / _WEEK, s.value) for s in chain(one.before, one.after)]
            return series.effect(points, (one.days.starts - one.days.at) / _WEEK)


def _said(one: Judgement, others: Sequence[str], metrics: int) -> Judgement:
    """With its word, and why it is no other one."""
    effect = one.effect
    if effect is None or effect.interval is None:
        return one
    if others:
        why = f"nobody can tell it from {', '.join(others)}, which fell on the same units within the same time"
        return replace(one, verdict=Verdict.NO_CHANGE, why=why)
    if not effect.interval.excludes(0):
        return replace(one, verdict=Verdict.NO_CHANGE, why="the interval holds 0")
    if one.chance > LEVEL:
        of = f", held against {metrics} metrics" if metrics > 1 else ""
        why = f"as much is seen in {one.chance:.0%} of all cases where nothing changed{of}"
        return replace(one, verdict=Verdict.NO_CHANGE, why=why)
    improved = (effect.change < 0) is (one.better == "lower")
    return replace(one, verdict=Verdict.IMPROVED if improved else Verdict.WORSE)
