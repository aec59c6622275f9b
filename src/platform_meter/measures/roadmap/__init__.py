"""Roadmap and feedback: what was committed and what came of it, what people ask for and whether they are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from platform_meter.measures.roadmap.items import Item, by_period, items, standing
from platform_meter.measures.roadmap.judged import COMMITTED, Judged, Result, judge
from platform_meter.measures.roadmap.snapshots import STATES
from platform_meter.measures.roadmap.voices import NONE, Answered, answered, voices
from platform_meter.model.catalogue.roadmap import (
    FEEDBACK_CLOSED_LOOP,
    FEEDBACK_OPEN,
    PAIN_POINT_REPORTS,
    ROADMAP_COMMITMENTS,
    ROADMAP_DELIVERY,
    ROADMAP_ITEMS,
    ROADMAP_LINKED,
)
from platform_meter.model.facts import Fact
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.roadmap import Feedback, RoadmapItem
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.measure import WINDOWS, Gauging, Labels, Measures, Piece, Scene, window_label
from platform_meter.model.metric import Metric, Ratio, Sample

Told = tuple[Metric, Labels, Piece | None]
"""A piece of one series; None has the series stand at 0 where there is no piece of it."""


def heard(scene: Scene, planned: Sequence[Item] | None) -> Sequence[Answered] | None:
    """All feedback with those of the items that answer it; None while part of either is not known."""
    if planned is None:
        return None
    found = voices(scene, planned)
    return None if found is None else answered(found, planned)


def _planned(scene: Scene) -> Iterator[Told]:
    """What each sample about items is made of."""
    everything = items(scene, past=True)
    if everything is None:
        return
    for period, some in by_period(standing(everything)).items():
        for item in some:
            labels = (period.label if period else NONE, str(item.told.status))
            yield ROADMAP_ITEMS, labels, _piece(item)
    for one in judge(scene, everything):
        yield from _judged(one)


def _judged(one: Judged) -> Iterator[Told]:
    label = one.period.label
    for result, some in one.results.items():
        yield ROADMAP_COMMITMENTS, (label, str(result)), None
        for item in some:
            yield ROADMAP_COMMITMENTS, (label, str(result)), _piece(item)
            if result in COMMITTED:
                yield ROADMAP_DELIVERY, (label,), _piece(item, part=float(result is Result.DELIVERED))
    for _ in range(one.lost):
        piece = Piece(what="an item that was committed, and of which nothing is known any more")
        yield ROADMAP_COMMITMENTS, (label, str(Result.DROPPED)), piece
        yield ROADMAP_DELIVERY, (label,), piece
    for item, linked in one.linked:
        yield ROADMAP_LINKED, (label,), _piece(item, part=float(linked))


def _piece(item: Item, *, part: float = 0.0) -> Piece:
    fact = item.told if item.source else None
    what = "" if item.source else f"item {item.told.name} of the file of {item.told.roadmap}"
    return Piece(source=item.source, object=item.object, fact=fact, what=what, part=part)


def _asked(scene: Scene) -> Iterator[Told]:
    """What each sample about feedback is made of."""
    told = heard(scene, items(scene))
    if told is None:
        return
    for one in told:
        voice, piece = one.voice, _said(one)
        for theme in voice.themes or (NONE,):
            for persona in voice.personas or (NONE,):
                yield FEEDBACK_OPEN, (theme, persona), piece if one.open else None
            if one.shipped is not None and not voice.anonymous:
                yield FEEDBACK_CLOSED_LOOP, (theme,), replace(piece, part=float(one.looped))
        for pain in voice.pains:
            for window in WINDOWS:
                if voice.until - window <= voice.at:
                    yield PAIN_POINT_REPORTS, (*pain, window_label(window)), piece
    # Where anything tells of any, a pain point of which nobody told is one with no report.
    if any(s.watermark and s.fresh for kind in (TicketEvent, Feedback) for s in scene.history.sources(kind)):
        for who in scene.definitions.personas:
            for point in who.pain_points:
                for window in WINDOWS:
                    yield PAIN_POINT_REPORTS, (who.id, point.id, window_label(window)), None


def _said(one: Answered) -> Piece:
    voice = one.voice
    return Piece(source=voice.source, object=voice.object, what=voice.key)


def _facts(scene: Scene, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same with the events that began each feedback: these are read where somebody asks for them alone."""
    began = {(one.voice.source, one.voice.key): one.voice.at for one in heard(scene, items(scene)) or ()}
    for piece in pieces:
        at = began[piece.source, piece.what]
        until = at + timedelta(milliseconds=1)
        rows = (
            row for kind in (TicketEvent, Feedback) for row in scene.history.rows(kind, at, until, source=piece.source)
        )
        fact = next((row.event for row in rows if row.event.key == piece.what), None)
        yield replace(piece, fact=fact, what="" if fact else piece.what)


def _gauging(
    told: Callable[[Scene], Iterable[Told]],
    metrics: tuple[Metric, ...],
    reads: frozenset[type[Fact]],
    facts: Callable[[Scene, Iterable[Piece]], Iterable[Piece]] = lambda _, pieces: pieces,
    **more: Any,
) -> Gauging:
    """Gauges of these pieces: counts, and the ratios among the metrics; `facts` has each show what it is made of."""

    def compute(scene: Scene) -> Iterator[Sample]:
        found: defaultdict[tuple[int, Labels], list[Piece]] = defaultdict(list)
        for metric, labels, piece in told(scene):
            found[metrics.index(metric), labels] += [piece] if piece else []
        for (place, labels), some in sorted(found.items()):
            metric, whole = metrics[place], sum(piece.adds for piece in some)
            ratio = Ratio(part=sum(piece.part for piece in some), whole=whole)
            yield Sample(metric=metric, labels=labels, value=ratio if metric in _RATIOS else whole)

    def behind(scene: Scene, metric: Metric, labels: Labels) -> Iterator[Piece]:
        found = (piece for of, at, piece in told(scene) if piece and of is metric and at == labels)
        return iter(facts(scene, found))

    return Gauging(metrics=metrics, reads=reads, compute=compute, behind=behind, **more)


_RATIOS = (ROADMAP_DELIVERY, ROADMAP_LINKED, FEEDBACK_CLOSED_LOOP)
MEASURES = Measures(
    standing=(
        STATES,
        _gauging(
            _planned,
            (ROADMAP_ITEMS, ROADMAP_COMMITMENTS, ROADMAP_DELIVERY, ROADMAP_LINKED),
            frozenset({RoadmapItem}),
            every=timedelta(minutes=1),
        ),
        _gauging(
            _asked,
            (FEEDBACK_OPEN, FEEDBACK_CLOSED_LOOP, PAIN_POINT_REPORTS),
            frozenset({RoadmapItem, TicketEvent, Feedback, SurveyResponse, Membership}),
            _facts,
            # Not anew with every comment: nobody acts on themes within minutes.
            at_once=False,
            every=timedelta(minutes=5),
        ),
    )
)
