"""Who uses the portal, and whether its docs help: distinct people, and votes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from platform_meter.model.catalogue.portal import DOCS_HELPFUL, PORTAL_ACTIVE_PEOPLE
from platform_meter.model.facts.portal import USE, DocsVote, Helpful, PortalVisit
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Gauging, Labels, Piece, Scene, window_label
from platform_meter.model.metric import Metric, Ratio, Sample

WINDOWS = (timedelta(days=1), timedelta(days=7), timedelta(days=28))
VOTES = timedelta(days=28)
KEPT = timedelta(days=400)
"""Events are stored no longer."""


class Actor(Struct, frozen=True, gc=False):
    """What counting people asks of an event."""

    actor: str


def _known(scene: Scene) -> Iterator[tuple[SourceState, datetime]]:
    """Fresh portals that tell of use, with the watermark at which their windows end."""
    for source in scene.history.sources(PortalVisit):
        if source.fresh and source.watermark is not None:
            yield source, source.watermark


def _told_by(scene: Scene, source: SourceState, moment: datetime) -> bool:
    """Whether use was told of up to this moment already: the portal was a source, or something older was sent."""
    if source.since is not None and source.since <= moment:
        return True
    older = (scene.history.rows(kind, moment - KEPT, moment, source=source.instance) for kind in USE)
    return any(next(rows, None) is not None for rows in older)


def active_people(scene: Scene) -> Iterator[Sample]:
    """People by hash, once however many portals they use; what nobody is named in counts for none.

    A window that reaches back to before anything was told has none; nor has one in which people have two names.
    """
    known, since = list(_known(scene)), scene.history.people_since()
    people = set[str]()
    for shorter, window in zip((timedelta(0), *WINDOWS), WINDOWS, strict=False):
        whole = bool(known)
        for source, end in known:
            whole = whole and (since is None or since <= end - window) and _told_by(scene, source, end - window)
            for kind in USE:
                told = scene.history.parts(kind, Actor, end - window, end - shorter, source=source.instance)
                people |= {one.actor for _, one in told}
        people.discard("")
        if whole:
            yield Sample(metric=PORTAL_ACTIVE_PEOPLE, labels=(window_label(window),), value=float(len(people)))


def _behind_people(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    """Each person by something that they did."""
    window = next(window for window in WINDOWS if window_label(window) == labels[0])
    met = set[str]()
    for source, end in _known(scene):
        for kind in USE:
            for row in scene.history.rows(kind, end - window, end, source=source.instance):
                if row.event.actor and row.event.actor not in met:
                    met.add(row.event.actor)
                    yield Piece(source=source.instance, object=row.object, fact=row.event)


def helpful(scene: Scene) -> Iterator[Sample]:
    """By area, from the smallest number of votes that says anything."""
    parts, wholes = defaultdict[str, int](int), defaultdict[str, int](int)
    for source, end in _known(scene):
        for (_, dim), count in scene.history.counts(DocsVote, source.instance, end - VOTES, end).items():
            wholes[dim.area] += count.n
            parts[dim.area] += count.n if dim.helpful is Helpful.YES else 0
    for area in sorted(wholes):
        value = Ratio(part=parts[area], whole=wholes[area], minimum=scene.minimum)
        yield Sample(metric=DOCS_HELPFUL, labels=(area,), value=value)


def _behind_helpful(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    for source, end in _known(scene):
        for row in scene.history.rows(DocsVote, end - VOTES, end, source=source.instance):
            if row.event.area == labels[0]:
                part = float(row.event.helpful is Helpful.YES)
                yield Piece(source=source.instance, object=row.object, fact=row.event, part=part)


PEOPLE = Gauging(
    metrics=(PORTAL_ACTIVE_PEOPLE,),
    reads=frozenset(USE),
    compute=active_people,
    behind=_behind_people,
    every=timedelta(minutes=15),
    at_once=False,
)
HELPFUL = Gauging(
    metrics=(DOCS_HELPFUL,),
    reads=frozenset({DocsVote, PortalVisit}),
    compute=helpful,
    behind=_behind_helpful,
    every=timedelta(minutes=5),
    at_once=False,
)
