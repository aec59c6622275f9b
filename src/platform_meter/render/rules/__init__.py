"""Plans -> Prometheus rules: one file a service, the same `slo:` names whatever the SLI's source (domain section 5).

Five things every file keeps. Windows up to 1 h read the raw counters, longer ones sum tiles. What is read as an instant
vector is written at least every 2 min. An alert stands after the windows it waits for, in their group. A row over tiles
is silent until half of its long window has tiles. An idle window has no burn (absent), never NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby

from platform_meter.model.catalogue.slos import (
    SLO_BUDGET_REMAINING,
    SLO_BURN,
    SLO_DATA_AGE,
    SLO_SLI,
    SLO_WINDOW_EVENTS,
)
from platform_meter.model.generated import HEADER
from platform_meter.model.metric import Metric
from platform_meter.render.artifact import Artifact
from platform_meter.render.rules.alerts import budget_spent, burn_alerts, contradiction, no_data
from platform_meter.render.rules.promql import LOOKS, LOOKS_OF_A_ROW, every, half, half_full, looked, series
from platform_meter.render.rules.text import Group, Rule, rules_text
from platform_meter.slo import names
from platform_meter.slo.plan import (
    COPY,
    LONG,
    RAW_UP_TO,
    TILE,
    Counters,
    Plan,
    Slices,
    Window,
    bad_recorded,
    raw_every,
    tolerance,
    total_recorded,
)
from platform_meter.slo.promql import duration_text, number_text, quote
from platform_meter.slo.tiles import tile


def rules(plans: Iterable[Plan]) -> list[Artifact]:
    """`<service>.rules.yml` for every service, by name; groups by SLO."""
    ordered = sorted(plans, key=lambda p: (p.service, p.slo))
    return [
        rule_file(service, (group for plan in those for group in groups(plan)))
        for service, those in groupby(ordered, key=lambda p: p.service)
    ]


def rule_file(name: str, those: Iterable[Group]) -> Artifact:
    """These groups as the file that Prometheus loads."""
    return Artifact(path=f"{name}.rules.yml", text=HEADER + rules_text(those))


def groups(plan: Plan) -> tuple[Group, ...]:
    """All rules of one SLO."""
    match plan.sli:
        case Counters():
            return (
                _group(
                    plan,
                    "short",
                    raw_every(plan),
                    _from_counters(plan, plan.sli),
                    burn_alerts(plan, short=True),
                    no_data(plan),
                ),
                _group(plan, "tiles", plan.sli.tile, _tiles(plan, plan.sli)),
                _group(
                    plan,
                    "long",
                    LONG,
                    _from_tiles(plan),
                    _state(plan),
                    [contradiction(plan, plan.sli)],
                    burn_alerts(plan, short=False),
                ),
            )
        case Slices():
            return (
                _group(plan, "slices", plan.sli.tile, _judged(plan, plan.sli)),
                _group(plan, "short", COPY, _from_slices(plan, plan.sli), burn_alerts(plan, short=True), no_data(plan)),
                *([_group(plan, "tiles", TILE, _gathered(plan, plan.sli))] if plan.sli.tile != TILE else []),
                _group(
                    plan,
                    "long",
                    LONG,
                    _from_tiles(plan),
                    _state(plan),
                    [contradiction(plan, plan.sli.reads)] if isinstance(plan.sli.reads, Counters) else [],
                    burn_alerts(plan, short=False),
                ),
            )
        case _:
            return (_group(plan, "windows", COPY, _copied(plan), burn_alerts(plan), no_data(plan)),)


def _group(plan: Plan, name: str, interval: timedelta, *parts: Iterable[Rule]) -> Group:
    found = tuple(rule for part in parts for rule in part)
    return Group(name=f"slo {plan.slo} {name}", interval=interval, rules=found)


def _record(plan: Plan, name: str, expr: str, **labels: str) -> Rule:
    """A recording rule. All carry the SLO's name, also where their expression gives it: promtool's lint compares labels."""
    return Rule(record=name, labels={"slo": plan.slo, **labels}, expr=expr)


# Counted by Prometheus


def _from_counters(plan: Plan, sli: Counters) -> Iterator[Rule]:
    """Windows up to 1 h."""
    guarded = [w for w in plan.bad_counts if w.length <= RAW_UP_TO]
    none = f"0 * {sli.total.over(plan.reference)}"
    for window in guarded if sli.bad else ():
        yield _record(plan, names.BAD, f"{sli.part.over(window.length)} or {none}", window=window.label)
    for window in plan.windows:
        if window.length > RAW_UP_TO:
            break
        total, part = sli.total.over(window.length), f"{sli.part.over(window.length)} or {none}"
        burn, all_ = (series(name, plan.slo, window=window.label) for name in (names.BURN, names.TOTAL))
        if window in total_recorded(plan):
            yield _record(plan, names.TOTAL, total, window=window.label)
            ratio = f"1 - ({part}) / on () ({all_} > 0)"
        elif sli.bad is None:
            ratio = f"1 - ({part}) / ({total} > 0)"
        elif window in guarded:
            bad = series(names.BAD, plan.slo, window=window.label)
            ratio = f"{bad} / on () group_left () ({total} > 0)"
        else:
            ratio = f"({part}) / ({total} > 0)"
        share = _share(ratio, window, sli.pad)
        yield _record(plan, names.BURN, f"{share} / {plan.allowed_text}", window=window.label)
        if window in total_recorded(plan):
            bad = f"round({burn} * {plan.allowed_text} * {all_}, 0.001) or 0 * ({all_} == 0)"
            yield _record(plan, names.BAD, bad, window=window.label)


def _share(ratio: str, window: Window, scrape: timedelta) -> str:
    """The bad share, 0 to 1; nothing where it is so far outside that good or bad cannot be a part of total."""
    most = tolerance(window.length, scrape)
    return f"clamp({ratio} >= {number_text(-most)} <= {number_text(round(1 + most, 3))}, 0, 1)"


def _tiles(plan: Plan, sli: Counters) -> Iterator[Rule]:
    """Events since the tile before, across gaps in scrapes and stops of the server (`slo.tiles`)."""
    total, bad = (names.tile(kind, sli.tile) for kind in ("total", "bad"))
    valid = f"max({series(total, plan.slo)})"
    yield _record(plan, total, tile(sli.total, sli.tile, sli.pad, series(total, plan.slo)))
    found = f"{tile(sli.part, sli.tile, sli.pad, series(bad, plan.slo))} or 0 * {valid}"
    # Below 0 where more is good than all: windows tell that from what is out by a scrape.
    yield _record(plan, bad, found if sli.bad else f"{valid} - ({found})")


def _judged(plan: Plan, sli: Slices) -> Iterator[Rule]:
    """One sample a slice that counts: 1 where it is bad. Slices of 5 minutes are tiles already."""
    slices = names.tile("bad", sli.tile)
    yield _record(plan, slices, sli.bad)
    if sli.tile == TILE:
        yield _record(plan, names.tile("total", TILE), f"0 * {series(slices, plan.slo)} + 1")


def _from_slices(plan: Plan, sli: Slices) -> Iterator[Rule]:
    """Windows up to 1 h. Every slice that counts is one sample, so the number of samples is the number of slices."""
    slices = series(names.tile("bad", sli.tile), plan.slo)
    guarded = [w for w in plan.bad_counts if w.length <= RAW_UP_TO]
    for window in guarded:
        yield _record(plan, names.BAD, f"sum_over_time({slices}[{window.label}])", window=window.label)
    for window in plan.windows:
        if window.length > RAW_UP_TO:
            break
        count = f"count_over_time({slices}[{window.label}])"
        expr = f"sum_over_time({slices}[{window.label}]) / {count} / {plan.allowed_text}"
        if window in guarded:
            expr += f"\nand {count} >= {half(window, sli.tile)}"
        yield _record(plan, names.BURN, expr, window=window.label)


def _gathered(plan: Plan, sli: Slices) -> Iterator[Rule]:
    """Short slices as tiles of 5 minutes, which long windows sum cheaply."""
    slices = f"{series(names.tile('bad', sli.tile), plan.slo)}[{duration_text(TILE)}]"
    yield _record(plan, names.tile("total", TILE), f"count_over_time({slices})")
    yield _record(plan, names.tile("bad", TILE), f"sum_over_time({slices})")


def _from_tiles(plan: Plan) -> Iterator[Rule]:
    """Windows over 1 h, and the period."""
    bad_tile, total_tile = (series(names.tile(kind, TILE), plan.slo) for kind in ("bad", "total"))
    # Out of good events: tiles of bad ones may be below 0, and what is counted may not.
    counted = isinstance(plan.sli, Counters) and plan.sli.bad is None
    guarded = [w for w in bad_recorded(plan) if w.length > RAW_UP_TO and (w != plan.period_window or not counted)]
    for window in guarded:
        bad = f"sum_over_time({bad_tile}[{window.label}])"
        yield _record(plan, names.BAD, f"{bad} >= 0" if counted else bad, window=window.label)
    period = plan.period_label
    yield _record(plan, names.TOTAL, f"sum_over_time({total_tile}[{period}])", window=period)

    def share(ratio: str, window: Window) -> str:
        return _share(ratio, window, plan.sli.pad) if isinstance(plan.sli, Counters) else ratio

    for window in plan.windows:
        if window.length <= RAW_UP_TO:
            continue
        total = f"(sum_over_time({total_tile}[{window.label}]) > 0)"
        summed, on = f"sum_over_time({bad_tile}[{window.label}])", ""
        if window in guarded and not counted:
            summed, on = series(names.BAD, plan.slo, window=window.label), "ignoring (window) "
        expr = f"{share(f'{summed} / {on}{total}', window)} / {plan.allowed_text}"
        if window in plan.bad_counts:
            expr += f"\nand {on}{half_full(total_tile, window, LOOKS_OF_A_ROW)}"
        yield _record(plan, names.BURN, expr, window=window.label)
    bad, total = (series(n, plan.slo, window=period) for n in (names.BAD, names.TOTAL))
    if counted:
        bad = f"sum_over_time({bad_tile}[{period}])"
        ratio = f"{bad} / ignoring (window) ({total} > 0)"
    else:
        ratio = f"{bad} / ({total} > 0)"
    yield _record(plan, names.SLI, f"1 - {share(ratio, plan.period_window)}", window=period)
    sli = series(names.SLI, plan.slo, window=period)
    if counted:
        yield _record(plan, names.BAD, f"round((1 - {sli}) * {total}, 0.001)", window=period)
    yield _record(plan, names.BUDGET, f"1 - sum without (window) ((1 - {sli}) / {plan.allowed_text})", period=period)
    yield _record(plan, names.COVERAGE, _coverage(plan, total_tile), period=period)


def _coverage(plan: Plan, total_tile: str) -> str:
    """Share of the period with tiles, and of the time since the first one where that is shorter.

    Looked at every hour of 28 days: times with a tile / times since the first that had one.
    """
    step = every(plan.period, LOOKS)
    looks, seen = f"[{plan.period_label}:{duration_text(step)}]", looked(total_tile)
    return (
        f"count_over_time({seen}{looks})\n"
        f"/ (floor((time() - min_over_time((0 * {seen} + time()){looks})) / {int(step.total_seconds())}) + 1)"
    )


# Counted by the exporter


def _copied(plan: Plan) -> Iterator[Rule]:
    """The exporter's exact gauges under the common names; of several replicas one is enough."""

    def copy(name: str, by: str, metric: Metric, **labels: str) -> Rule:
        return _record(plan, name, f"max by ({by}) ({series(metric.name, plan.slo, **labels)})")

    def those(windows: Sequence[Window]) -> str:
        return f'window=~"{"|".join(w.label for w in windows)}"'

    period = plan.period_label
    slo = f"slo={quote(plan.slo)}"
    events = SLO_WINDOW_EVENTS.name
    if plan.windows:
        burn = f"{SLO_BURN.name}{{{slo},{those(plan.windows)}}}"
        yield _record(plan, names.BURN, f"max by (slo, window) ({burn})")
    bad = f'{events}{{{slo},result="bad",{those(plan.bad_counts)}}}'
    yield _record(plan, names.BAD, f"max by (slo, window) ({bad})")
    both = f"max by (slo, window, result) ({series(events, plan.slo, window=period)})"
    yield _record(plan, names.TOTAL, f"sum by (slo, window) ({both})")
    yield copy(names.SLI, "slo, window", SLO_SLI, window=period)
    yield copy(names.BUDGET, "slo, period", SLO_BUDGET_REMAINING, period=period)
    age = f"min by (slo) ({series(SLO_DATA_AGE.name, plan.slo)})"
    yield _record(plan, names.COVERAGE, f"clamp_min(1 - {age} / {int(plan.period.total_seconds())}, 0)", period=period)
    yield from _state(plan)


# The same for all


def _state(plan: Plan) -> Iterator[Rule]:
    """What the SLO is, and the alert of its budget."""
    yield _record(plan, names.OBJECTIVE, f"vector({plan.objective_text})")
    words = {
        "service": plan.service,
        "owner": plan.owner,
        "capability": plan.capability,
        "profile": plan.profile,
        "counts": plan.counts,
    }
    yield _record(plan, names.INFO, "vector(1)", **{k: v for k, v in words.items() if v})
    yield from budget_spent(plan)
