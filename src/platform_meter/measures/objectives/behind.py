"""The events behind the window gauges of an SLO over stored events: each good or bad, as the windows count it.

A ratio is told by its valid events: the whole is their number, and what each adds to the part makes the gauge of it. An
error of e among v valid events burns e / v / (1 - T), so that a bad event adds 1 / (1 - T) to a burn rate, and as much less
than 1 to what is left of a budget (domain section 5).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from platform_meter.measures.objectives.reach import Span, Window, candidate_sources, labels
from platform_meter.measures.objectives.slices import Lines, slice_of
from platform_meter.measures.support.decided import decided
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_BURN, SLO_SLI, SLO_WINDOW_EVENTS
from platform_meter.model.facts import Event
from platform_meter.model.facts.tickets import SlaResult
from platform_meter.model.measure import Labels, Piece, Scene
from platform_meter.model.metric import Metric
from platform_meter.model.objective import StoredObjective

PARTS: dict[str, Callable[[float, float, float], float]] = {
    SLO_SLI.name: lambda good, _bad, _allowed: good,
    SLO_BURN.name: lambda _good, bad, allowed: bad / allowed,
    SLO_BUDGET_REMAINING.name: lambda good, bad, allowed: good + bad - bad / allowed,
}
"""What so many good and bad events add to the part of each ratio."""


def behind(scene: Scene, metric: Metric, wanted: Labels) -> Iterator[Piece]:
    """The events of one series of a metric that events stand behind."""
    objective = next(o for o in scene.definitions.objectives if o.slo == wanted[0])
    allowed = float(objective.allowed)
    for one in judged(scene, objective, Window(labels(objective)[wanted[1]])):
        if metric is SLO_WINDOW_EVENTS:
            adds, part = one.good if wanted[2] == "good" else one.bad, 0.0
        else:
            adds, part = one.good + one.bad, PARTS[metric.name](one.good, one.bad, allowed)
        if adds:
            yield replace(one.piece, adds=adds, part=part)


class Judged(NamedTuple):
    """Something that counts, and how many good and bad ones it stands for."""

    piece: Piece
    good: float
    bad: float


def judged(scene: Scene, objective: StoredObjective, span: Span) -> Iterator[Judged]:
    """All that counts in the span; of slices, no more than the objective's period back from now."""
    if objective.slice is not None:
        return _slices(scene, objective, span)
    return (_cycles if objective.sli.events.folded is not None else _events)(scene, objective, span)


def _events(scene: Scene, objective: StoredObjective, span: Span) -> Iterator[Judged]:
    sli = objective.sli
    for source in candidate_sources(scene, objective):
        if source.watermark is None:
            continue
        yield from _days(scene, objective, source.instance, *span.moments(source.watermark))
        for row in scene.history.rows(sli.events.event, *span.moments(source.watermark), source=source.instance):
            if sli.events.belongs(sli, row.event):
                good, bad = _counted(objective, row.event)
                yield Judged(Piece(source=source.instance, object=row.object, fact=row.event), good, bad)


def _days(scene: Scene, objective: StoredObjective, source: str, start: datetime, end: datetime) -> Iterator[Judged]:
    """What is counted by days alone, by object: of these the store has no events any more."""
    kind = objective.sli.events
    summed = scene.history.summed_before(kind.event)
    if summed is None or start >= summed:
        return
    sums: defaultdict[int, dict[bool, float]] = defaultdict(lambda: {True: 0.0, False: 0.0})
    for (object_, dim), count in scene.history.counts(kind.event, source, start, min(end, summed)).items():
        verdict = kind.good(objective.sli, dim)
        if verdict is not None:
            sums[object_][verdict] += count.amount
    what = f"days before {summed.astimezone(scene.zone):%Y-%m-%d}, of which only sums are kept"
    for object_, judged_ in sums.items():
        yield Judged(Piece(source=source, object=object_, what=what), judged_[True], judged_[False])


def _counted(objective: StoredObjective, event: Event) -> tuple[float, float]:
    sums = {True: 0.0, False: 0.0, None: 0.0}
    for tally in event.tallies():
        much = tally.amount if objective.sli.events.elsewhere else float(tally.n)
        sums[objective.sli.events.good(objective.sli, tally.dim)] += much
    return sums[True], sums[False]


def _cycles(scene: Scene, objective: StoredObjective, span: Span) -> Iterator[Judged]:
    for source in candidate_sources(scene, objective):
        if source.watermark is not None:
            for cycle in decided(scene, objective.sli, source, *span.moments(source.watermark)):
                met = cycle.result is SlaResult.MET
                yield Judged(Piece(source=source.instance, fact=cycle), float(met), float(not met))


def _slices(scene: Scene, objective: StoredObjective, span: Span) -> Iterator[Judged]:
    """The events of each slice share it; of slices without any, as many as count for what the file says of them."""
    lines = Lines([objective])
    lines.read(scene.history, scene.now)
    line = lines[objective.slo]
    given = [s for s in candidate_sources(scene, objective) if s.instance in line.sources]
    ends = [s.watermark for s in given if s.watermark is not None]
    if not ends or line.first is None:
        return
    first, last = span.slices(line, min(ends))
    first = max(first, line.first)
    kind = objective.sli.events
    found: defaultdict[int, list[Piece]] = defaultdict(list)
    # What was counted elsewhere up to the very end of the last slice is part of it.
    for row in scene.history.rows(kind.event, line.start(first), line.start(last + 1)):
        index = slice_of(kind, row.event, line.length)
        if index < last and any(kind.good(line.sli, tally.dim) is not None for tally in row.event.tallies()):
            found[index].append(Piece(source=row.source, object=row.object, fact=row.event))
    silent = Counter[bool]()
    for index in range(first, last):
        good = line.is_good(index)
        if good is None:
            continue
        for piece in (pieces := found.get(index, [])):
            yield Judged(piece, good / len(pieces), (not good) / len(pieces))
        silent[good] += not pieces
    for good, n in silent.items():
        piece = Piece(what=f"slices without data that count as {'good' if good else 'bad'}")
        yield Judged(piece, float(n * good), float(n * (not good)))
