"""Plans -> promtool tests of the generated rules, so that nobody has to believe them.

promtool evaluates every group at its file's own interval. Rows over raw counters are tested at 30 s, rows over tiles at
5 min, where tiles do not overlap.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from types import MappingProxyType

from platform_meter.model.generated import HEADER
from platform_meter.model.objective import StoredSli
from platform_meter.render.artifact import Artifact
from platform_meter.render.rules import groups
from platform_meter.render.rules.promql import series
from platform_meter.render.rules.promtool import stored
from platform_meter.render.rules.promtool.reads import Unknown
from platform_meter.render.rules.promtool.samples import Fed, Sample, fed_by, standing, unfed
from platform_meter.render.rules.promtool.text import Expected, Test, firing, labels_text, tests_text
from platform_meter.render.rules.text import Group, rules_text
from platform_meter.slo import names
from platform_meter.slo.plan import RAW_UP_TO, BurnAlert, Counters, Plan, Slices
from platform_meter.slo.promql import duration_text, number_text
from platform_meter.slo.spec import Alarm

_STEP = timedelta(seconds=30)
_LONG_STEP = timedelta(minutes=5)
_MINUTE = timedelta(minutes=1)
_BUSY = 3000
"""Events a step: 100 requests a second."""
_LOOK_BACK = timedelta(minutes=5)
"""How long a subquery sees a series that has ended."""
_PATIENCE = timedelta(hours=2)
"""What waits longer is tested at 5 min."""


_NONE: Mapping[str, Sequence[Group]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Steady traffic: good and bad events a step. No data at all is a phase that is not there."""

    length: timedelta
    good: float
    bad: float = 0.0

    @property
    def steps(self) -> int:
        return math.ceil(self.length / _STEP)


def rule_tests(plans: Iterable[Plan], made: Mapping[str, Sequence[Group]] = _NONE) -> list[Artifact]:
    """`<service>.long.test.yml` and `<service>.short.test.yml`, where there is something to test in them.

    promtool evaluates all rules of a file in each of its tests. So that the work grows with the SLOs and not with their
    square, several SLOs of one service are tested one by one: `<service>.<slo>.tested.yml` has the rules of one of them
    again, for its tests `<service>.<slo>.long.test.yml` and `.short.test.yml` alone. Prometheus loads `*.rules.yml`.

    An SLO whose queries nobody can feed is left out, and `untested` says so.

    Args:
        plans: the SLOs.
        made: groups by SLO, of those for which somebody has them already.
    """
    ordered = sorted(plans, key=lambda p: (p.service, p.slo))
    found = list[Artifact]()
    for service, group in groupby(ordered, key=lambda p: p.service):
        those = list(group)
        for plan in those:
            alone = len(those) == 1
            found += _test_files(
                plan, service if alone else f"{service}.{plan.slo}", made.get(plan.slo) or groups(plan), alone=alone
            )
    return found


def _test_files(plan: Plan, name: str, those: Sequence[Group], *, alone: bool) -> Iterator[Artifact]:
    long, short = reversed(_tests(plan))
    order = [g.name for g in those]
    file = f"{name}.{'rules' if alone else 'tested'}.yml"
    if (long or short) and not alone:
        yield Artifact(path=file, text=HEADER + rules_text(those))
    for kind, interval, tests in (("long", _LONG_STEP, long), ("short", _STEP, short)):
        if tests:
            yield Artifact(path=f"{name}.{kind}.test.yml", text=tests_text(file, interval, tests, order))


def untested(plan: Plan) -> str:
    """Why an SLO has no promtool tests, in words; empty where it has."""
    return "" if isinstance(plan.sli, StoredSli) else unfed(plan.sli)


def _tests(plan: Plan) -> tuple[Sequence[Test], Sequence[Test]]:
    """Tests at 30 s, and tests at 5 min."""
    if isinstance(plan.sli, StoredSli):
        return stored.tests(plan), []
    try:
        fed = fed_by(plan.sli)
    except Unknown:
        return [], []
    short, long = list[Test](), [_budget(plan, fed)]
    if Alarm.NO_DATA not in plan.left_out:
        (short if plan.no_data_after <= _PATIENCE else long).extend(_no_data(plan, fed))
    if isinstance(plan.sli, Counters) and fed.idles:
        short.append(_idle(plan, fed))
    if fed.beyond:
        long.append(_contradiction(plan, fed))
    if plan.alerts:
        first = min(plan.alerts, key=lambda alert: alert.long.length + alert.row.wait)
        (short if first.short.length <= RAW_UP_TO else long).append(_outage(plan, first, fed))
        alone = not fed.sampled and fed.event == 1
        if isinstance(plan.sli, Counters) and alone and min(a.min_bad for a in plan.alerts) > 1:
            long.append(_one_failure(plan, fed))
    return [_later(one, fed) for one in short], [_later(one, fed) for one in long]


def _outage(plan: Plan, alert: BurnAlert, fed: Fed) -> Test:
    """A full outage fires the row over the shortest window within its threshold, a scrape, an evaluation and its own wait."""
    raw = isinstance(plan.sli, Counters) and alert.long.length <= RAW_UP_TO
    share = alert.row.factor * float(plan.allowed)
    step = _STEP if alert.short.length <= RAW_UP_TO else _LONG_STEP
    # Tiles speak from half a window on; the window is then as long as what there is.
    calm = 2 * alert.long.length if raw else alert.long.length * 0.55
    full = alert.long.length if raw else min(calm / (1 - share), alert.long.length)
    tile = timedelta(0) if raw else 2 * (plan.slice or _LONG_STEP)
    needed = max(full, alert.short.length) * share
    if fed.sampled and isinstance(plan.sli, Counters):  # so many samples have to come
        needed = max(needed, alert.min_bad / fed.event * _STEP)
    needed += tile
    if isinstance(plan.sli, Slices):  # so many slices have to be bad, and promtool judges one each step
        needed = max(needed, (alert.min_bad + 1) * step)
    needed += _STEP + step + fed.lag + math.ceil(alert.row.wait / step) * step
    until = math.ceil(needed / step) * step
    before = math.ceil(calm / step) * step
    return Test(
        name=f"{plan.slo}: a full outage fires the {alert.level} over {alert.long.label} within {until / _MINUTE:.4g} min",
        step=_STEP,
        series=_values(fed, [Phase(length=before, good=_BUSY), Phase(length=until + 2 * step, good=0, bad=_BUSY)]),
        expected=(
            firing(plan.slo, names.BURN_ALERT, before, count=None),
            firing(plan.slo, names.BURN_ALERT, before + until, count=1, level=alert.level, window=alert.long.label),
        ),
    )


def _idle(plan: Plan, fed: Fed) -> Test:
    """No events is no burn, and harms no budget."""
    window = plan.windows[0] if plan.windows and plan.windows[0].length <= RAW_UP_TO else None
    busy = timedelta(hours=2)
    asleep = plan.reference + timedelta(minutes=40) + (window.length if window else timedelta(0))
    budget = series(names.BUDGET, plan.slo, period=plan.period_label)
    whole = labels_text(slo=plan.slo, period=plan.period_label)
    expected = [
        Expected(expr=f"round({budget}, 0.0001)", at=busy + asleep, value=1, labels=whole),
        firing(plan.slo, names.NO_DATA_ALERT, busy + asleep, count=None),
    ]
    if window:
        burn = series(names.BURN, plan.slo, window=window.label)
        expected.append(Expected(expr=burn, at=busy + asleep, value=None))
    return Test(
        name=f"{plan.slo}: idle hours leave burn absent and the budget unharmed",
        step=_STEP,
        series=_values(fed, [Phase(length=busy, good=_BUSY), Phase(length=asleep + _MINUTE, good=0)]),
        expected=tuple(expected),
    )


def _no_data(plan: Plan, fed: Fed) -> Iterator[Test]:
    """Series that end are said, in time; not while something else tells that the source is read."""
    busy, silence = timedelta(hours=1), plan.no_data_after
    step = _STEP if silence <= _PATIENCE else _LONG_STEP
    late = busy + silence + plan.reference + 2 * step + timedelta(minutes=5)
    late += fed.lag + _LOOK_BACK if fed.lag else timedelta(0)
    ended, late = _values(fed, [Phase(length=busy, good=_BUSY)]), math.ceil(late / step) * step
    yield Test(
        name=f"{plan.slo}: no data for {duration_text(silence)} is said",
        step=_STEP,
        series=ended,
        expected=(
            firing(plan.slo, names.NO_DATA_ALERT, busy + silence - _MINUTE, count=None),
            firing(plan.slo, names.NO_DATA_ALERT, late, count=1),
        ),
    )
    reads = standing(plan.read_by) if plan.read_by else ()
    if reads and not {one.series for one in reads} & {one.series for one in fed.samples}:
        still = _values(replace(fed, samples=reads), [Phase(length=late + fed.delay + _MINUTE, good=0)])
        yield Test(
            name=f"{plan.slo}: no series is no lack of data while the source is read",
            step=_STEP,
            series=(*ended, *still),
            expected=(firing(plan.slo, names.NO_DATA_ALERT, late, count=None),),
        )


def _contradiction(plan: Plan, fed: Fed) -> Test:
    """More is good, or bad, than there is in all: one alert says so, and only then."""
    sound, wrong = timedelta(hours=1), timedelta(hours=1)
    return Test(
        name=f"{plan.slo}: counts that contradict each other are said",
        step=_STEP,
        series=_values(
            replace(fed, samples=fed.beyond), [Phase(length=sound, good=30), Phase(length=wrong, good=0, bad=30)]
        ),
        expected=(
            firing(plan.slo, names.CONTRADICTION_ALERT, sound, count=None),
            firing(plan.slo, names.CONTRADICTION_ALERT, sound + wrong, count=1),
        ),
    )


def _one_failure(plan: Plan, fed: Fed) -> Test:
    """The guard: a single failure at one request a minute is nobody's alarm, also when the slow rows are warm."""
    calm, after = timedelta(hours=40), timedelta(hours=2)
    phases = [Phase(length=calm, good=0.5), Phase(length=_STEP, good=0, bad=1), Phase(length=after, good=0.5)]
    times = (calm + timedelta(minutes=m) for m in (5, 30, 100))
    return Test(
        name=f"{plan.slo}: one failure at one request a minute is nobody's alarm",
        step=_STEP,
        series=_values(fed, phases),
        expected=tuple(firing(plan.slo, names.BURN_ALERT, at, count=None) for at in times),
    )


def _budget(plan: Plan, fed: Fed) -> Test:
    """Failures counted by hand against the budget that the rules say."""
    before, outage, after = timedelta(hours=12), timedelta(hours=1), timedelta(hours=3)
    # At 5 min between evaluations an hour of slices is counted to one in twelve, and so is what is seen minutes late.
    if isinstance(plan.sli, Slices) or fed.lag > _MINUTE:
        outage = timedelta(hours=4)
    burned = outage / (before + outage + after) / float(plan.allowed)
    phases = [Phase(length=before, good=30), Phase(length=outage, good=0, bad=30), Phase(length=after, good=30)]
    budget = series(names.BUDGET, plan.slo, period=plan.period_label)
    return Test(
        name=f"{plan.slo}: {outage / timedelta(hours=1):g} h of outage in {(before + outage + after) / timedelta(hours=1):g} h "
        f"burn {burned:.4g} times the budget, counted to 3 %",
        step=_STEP,
        series=_values(fed, phases),
        expected=(
            Expected(
                expr=f"abs({budget} - {_number(1 - burned)}) < bool {_number(0.03 * burned)}",
                at=before + outage + after,
                value=1,
                labels=labels_text(slo=plan.slo, period=plan.period_label),
            ),
        ),
    )


def _number(value: float) -> str:
    return f"({number_text(round(value, 6))})"


def _later(test: Test, fed: Fed) -> Test:
    """The test, which begins when the query sees the first of all series."""
    return replace(test, expected=tuple(replace(one, at=one.at + fed.delay) for one in test.expected))


def _values(fed: Fed, phases: Sequence[Phase]) -> tuple[tuple[str, str], ...]:
    """Values of each series in promtool's notation: `0+3000x240 720000+0x59`; those read without an offset begin later."""
    found = []
    for one in fed.samples:
        parts, value = list[str](), 0.0
        if hold := (fed.delay - one.offset) // _STEP:
            parts.append(f"_x{hold}")
        for place, phase in enumerate(phases):
            more = phase.steps if place == 0 else phase.steps - 1
            level = _shown(one, phase)
            if level is not None and not one.grows:
                parts.append(f"{number_text(level)}+0x{more}")
                continue
            step = phase.good * one.good + phase.bad * one.bad if level is None else level * _STEP.total_seconds()
            parts.append(f"{number_text(value if place == 0 else value + step)}+{number_text(step)}x{more}")
            value += step * phase.steps
        found.append((one.series, " ".join(parts)))
    return tuple(found)


def _shown(one: Sample, phase: Phase) -> float | None:
    """What a series shows in a phase, where it is no counter of events."""
    if one.levels is None:
        return None
    fine, broken, idle = one.levels
    return broken if phase.bad else fine if phase.good else idle
