"""Series that a query would count, made up from its selectors: what generated promtool tests feed to the rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations_with_replacement, product

import promql_parser as promql

from platform_meter.render.rules.promtool.instant import Series, World, takes, value
from platform_meter.render.rules.promtool.labels import all_labels
from platform_meter.render.rules.promtool.reads import Read, Unknown, numbers, reads, tree
from platform_meter.slo.plan import Counters, Gauge, Slices
from platform_meter.slo.promql import quote

_SERIES = 3
"""Series that one event adds to, at most."""
_WORLDS = 4000
"""Ways to set levels that are tried, at most."""
_EVEN = timedelta(minutes=5)
"""Tests begin later by whole tiles."""
_LONGEST_OFFSET = timedelta(days=1)
_LONGEST_LAG = timedelta(minutes=6)

Levels = tuple[float, float, float | None]
"""What a series shows while all is good, while all is bad, and while nothing happens; None where it cannot tell of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A series: a counter of events, or one that shows how things stand."""

    series: str
    good: int = 0
    """What a good event adds to the counter."""
    bad: int = 0
    levels: Levels | None = None
    grows: bool = False
    """Its levels are what it grows in a second."""
    offset: timedelta = timedelta(0)
    """How much later the query reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """Series behind an SLI."""

    samples: tuple[Sample, ...]
    event: float = 1
    """What one event counts as: more where the query multiplies it; where levels are sampled, what one step counts as."""
    lag: timedelta = timedelta(0)
    """How long a change takes to be seen in full."""
    beyond: tuple[Sample, ...] = ()
    """Series whose bad events make the part contradict the total; none where it cannot, or nobody knows how."""

    @property
    def sampled(self) -> bool:
        """It counts samples, which come at their own pace, and not events."""
        return not any(one.good or one.bad for one in self.samples)

    @property
    def idles(self) -> bool:
        """There can be a time without events."""
        return all(one.levels is None or one.levels[2] is not None for one in self.samples)

    @property
    def delay(self) -> timedelta:
        """How much later than the series of a test begins what its query sees."""
        return math.ceil(max(one.offset for one in self.samples) / _EVEN) * _EVEN


def fed_by(sli: Counters | Slices) -> Fed:
    """Series behind an SLI.

    Raises:
        Unknown: nobody can guess them; the text says why.
    """
    of = sli.reads if isinstance(sli, Slices) else sli
    return _level(of) if isinstance(of, Gauge) else _counters(of)


def unfed(sli: Counters | Slices) -> str:
    """Why no series can be made up for an SLI; empty where they can."""
    try:
        fed_by(sli)
    except Unknown as why:
        return str(why)
    return ""


def standing(promql_text: str) -> tuple[Sample, ...]:
    """Series at 1 for which PromQL gives something above 0; none where nobody can guess them."""
    try:
        query = _query((promql.parse(promql_text),))
    except Unknown:
        return ()
    (given,) = query.gives(dict.fromkeys(query.series, 1.0))
    above = given is not None and given > 0
    return tuple(query.sample(one, levels=(1.0, 1.0, 1.0)) for one in query.series) if above else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """A total and its part, or a level, and the series that they may read."""

    trees: tuple[promql.Expr, ...]
    series: Mapping[Series, Read]
    lag: timedelta

    def gives(self, world: World) -> tuple[float | None, ...]:
        return tuple(value(one, world) for one in self.trees)

    def sample(self, series: Series, *, good: int = 0, bad: int = 0, levels: Levels | None = None) -> Sample:
        read = self.series[series]
        return Sample(
            series=_text(series), good=good, bad=bad, levels=levels, grows=read.how == "rated", offset=read.offset
        )


def _query(trees: tuple[promql.Expr, ...]) -> _Query:
    found = [read for one in trees for read in reads(one)]
    series: dict[Series, Read] = {}
    for one in all_labels(found, trees):
        those = {(r.how, r.offset) for r in found if takes(r.selector, one.metric, dict(one.labels))}
        if len(those) > 1:
            raise Unknown(f"{one.metric} is read in two ways, or at two offsets")
        series[one] = next(r for r in found if takes(r.selector, one.metric, dict(one.labels)))
    lag = max(read.lag for read in found)
    if lag > _LONGEST_LAG:
        raise Unknown(
            f"a subquery that sees what happens later than {_LONGEST_LAG // timedelta(minutes=1)} minutes after"
        )
    if max(read.offset for read in found) > _LONGEST_OFFSET:
        raise Unknown("an offset of more than a day")
    return _Query(trees=trees, series=series, lag=lag)


def _counters(sli: Counters) -> Fed:
    query = _query((tree(sli.total), tree(sli.part)))
    hows = {read.how for read in query.series.values()}
    good, bad = (0, 1) if sli.bad is not None else (1, 0)
    if "counted" not in hows:
        return _states(query, good, bad)
    if hows & {"sampled", "rated"}:
        raise Unknown("counters beside samples")
    return _events(query, good, bad)


def _events(query: _Query, good: int, bad: int) -> Fed:
    """Counters that good and bad events add to: such sets of them that total and part grow as they should."""
    calm = {one: float(read.how == "joined") for one, read in query.series.items()}
    adds: dict[Series, tuple[float, float]] = {}
    for one, read in query.series.items():
        if read.how == "counted":
            total, part = query.gives({**calm, one: 1.0})
            adds[one] = (total or 0.0, part or 0.0)
    for each in sorted({total for total, _ in adds.values() if total > 0}):
        sets = [_set_of(adds, (each, each * part)) for part in (good, bad)]
        worlds = [{**calm, **{s: float(those.count(s)) for s in those}} for those in sets if those is not None]
        if len(worlds) == 2 and all(
            _is(query.gives(world), each, part) for world, part in zip(worlds, (good, bad), strict=True)
        ):
            kept = _needed(query, worlds)
            return Fed(
                samples=tuple(
                    query.sample(s, levels=(1.0, 1.0, 1.0))
                    if query.series[s].how == "joined"
                    else query.sample(s, good=int(worlds[0][s]), bad=int(worlds[1][s]))
                    for s in kept
                ),
                event=each,
                beyond=tuple(_beyond(query, adds, worlds[0])),
            )
    raise Unknown("no series are known that make a good event, and others that make a bad one")


def _beyond(query: _Query, adds: Mapping[Series, tuple[float, float]], fine: World) -> Iterator[Sample]:
    """A good event, and beside it three times as much of a series that the part counts and the total does not."""
    alone = next((one for one, (total, part) in adds.items() if total == 0 and part > 0), None)
    if alone is None:
        return
    for one, read in query.series.items():
        if read.how == "joined":
            yield query.sample(one, levels=(1.0, 1.0, 1.0))
        else:
            yield query.sample(one, good=int(fine[one]), bad=int(fine[one]) + 3 * (one == alone))


def _set_of(adds: Mapping[Series, tuple[float, float]], wanted: tuple[float, float]) -> tuple[Series, ...] | None:
    """The fewest series that together add just this."""
    for size in range(1, _SERIES + 1):
        for some in combinations_with_replacement(adds, size):
            if tuple(map(sum, zip(*(adds[s] for s in some), strict=True))) == wanted:
                return some
    return None


def _is(given: Sequence[float | None], total: float, part: float) -> bool:
    return given[0] is not None and math.isclose(given[0], total) and math.isclose(given[1] or 0.0, total * part)


def _needed(query: _Query, worlds: Sequence[World]) -> list[Series]:
    """The series without which the query would give something else."""
    kept = list(query.series)
    before = [query.gives(world) for world in worlds]
    for one in query.series:
        fewer = [s for s in kept if s != one]
        if [query.gives({s: world[s] for s in fewer if s in world}) for world in worlds] == before:
            kept = fewer
    return [one for one in kept if all(one in world for world in worlds)]


def _states(query: _Query, good: int, bad: int) -> Fed:
    """Levels of which each sample counts, as good or as bad."""
    found: dict[frozenset[Series], dict[tuple[float, float], World]] = {}
    for world in _worlds(query):
        total, part = query.gives(world)
        if total is None or math.isnan(total) or total < 0:
            continue
        those = found.setdefault(frozenset(world), {})
        those.setdefault((total, part or 0.0), world)
        fine, broken = those.get((total, total * good)), those.get((total, total * bad))
        if total > 0 and fine is not None and broken is not None:
            idle = those.get((0.0, 0.0)) or next((w for w in _worlds(query) if _idle(query, w, fine)), None)
            kept = _needed(query, [fine, broken, *([idle] if idle else [])])
            samples = (query.sample(s, levels=(fine[s], broken[s], idle[s] if idle else None)) for s in kept)
            return Fed(samples=tuple(samples), event=total, lag=query.lag)
    raise Unknown("no levels are known that make a sample good, and others that make it bad")


def _idle(query: _Query, world: World, other: World) -> bool:
    return world.keys() == other.keys() and query.gives(world)[0] == 0


def _worlds(query: _Query) -> Iterator[World]:
    """Levels that may make a difference: around each number that stands in the query. Series that are missing come last."""
    known = {0.0, 1.0, *(n + by for one in query.trees for n in numbers(one) for by in (-1, -0.5, 0, 0.5, 1))}
    values: list[float | None] = [*sorted((v for v in known if v >= 0), key=lambda v: (v not in (0, 1), v)), None]
    if len(values) ** len(query.series) > _WORLDS:
        values = [0.0, 1.0, None]
    if len(values) ** len(query.series) > _WORLDS:
        raise Unknown("too many series")
    every = [dict(zip(query.series, those, strict=True)) for those in product(values, repeat=len(query.series))]
    every.sort(key=lambda world: sum(x is None for x in world.values()))
    yield from ({s: x for s, x in world.items() if x is not None} for world in every)


def _level(of: Gauge) -> Fed:
    """A series whose level puts the query on each side of its bound, while all others stand at 1."""
    query = _query((tree(of.query),))
    if any(read.how == "counted" for read in query.series.values()):
        raise Unknown("a level that is read from a counter's window")
    ones = dict.fromkeys(query.series, 1.0)
    for one, read in query.series.items():
        none, single, double = (query.gives({**ones, one: x})[0] for x in (0.0, 1.0, 2.0))
        if none is None or single is None or double is None or single == none:
            continue
        if not math.isclose(double - single, single - none):
            continue
        wanted = ((float(target) - none) / (single - none) for target in (of.good, of.bad))
        fine, broken = (max(x, 0.0) if read.how == "rated" else x for x in wanted)
        worlds = [{**ones, one: x} for x in (fine, broken)]
        if _apart([query.gives(world)[0] for world in worlds], of):
            levels = {one: (fine, broken, None)}
            kept = _needed(query, worlds)
            samples = (query.sample(s, levels=levels.get(s, (1.0, 1.0, 1.0))) for s in kept)
            return Fed(samples=tuple(samples), lag=query.lag)
    raise Unknown("no series is known whose level makes it good, and bad")


def _apart(given: Sequence[float | None], of: Gauge) -> bool:
    """Whether the two values lie on the two sides of the bound."""
    bound, up = float(of.good + of.bad) / 2, 1 if of.bad > of.good else -1
    fine, broken = given
    return fine is not None and broken is not None and fine * up < bound * up < broken * up


def _text(series: Series) -> str:
    pairs = ",".join(f"{k}={quote(v)}" for k, v in series.labels)
    return f"{series.metric}{{{pairs}}}" if pairs else series.metric
