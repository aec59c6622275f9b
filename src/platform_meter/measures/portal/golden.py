"""The golden path: how many new repositories a template made, and how many of those are still on it (domain section 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.model.catalogue.portal import GOLDEN_PATH, GOLDEN_PATH_STAY
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.portal import CatalogEntity, TemplateRun
from platform_meter.model.history import Held
from platform_meter.model.measure import Gauging, Labels, Piece, Scene, window_label
from platform_meter.model.metric import Metric, Ratio, Sample
from platform_meter.model.portal import repositories

WINDOW = timedelta(days=28)
STAY = timedelta(days=90)
STAY_WINDOW = timedelta(days=91)
APART = timedelta(days=1)
"""So far may the end of a run lie from the birth of the repository that it made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Born:
    """A repository that came to be in the window."""

    held: Held[Repository]
    at: datetime
    template: bool
    """Whether a template made it: a run tells of it, or its entry in the catalog does."""


def born(scene: Scene, back: timedelta, until: timedelta = timedelta(0)) -> Sequence[Born] | None:
    """Repositories that came to be from `back` to `until` before the newest moment that all sources are known up to.

    None while a source of repositories or of template runs is stale. Before runs were read only an entry can tell that a
    template made one.
    """
    history = scene.history
    told = [*history.sources(Repository), *(runs := history.sources(TemplateRun))]
    marks = [s.watermark for s in told if s.fresh and s.watermark is not None]
    if not runs or len(runs) == len(told) or len(marks) < len(told):
        return None
    end, start = min(marks) - until, min(marks) - back
    made = {row.event.repository.lower() for row in history.rows(TemplateRun, start - APART, end + APART)} - {""}
    noted = (held.reading for held in history.readings(CatalogEntity))
    made |= {name.lower() for entity in noted if entity.template for name in repositories(entity)}
    found: dict[int, Born] = {}
    for held in history.stood(Repository, start, min(marks)):
        at = held.reading.since
        if at is not None and start <= at < end:
            template = held.reading.about.name.lower() in made
            found[held.object] = Born(held=held, at=at, template=template)
    return [found[object_] for object_ in sorted(found)]


def _new(scene: Scene) -> Sequence[Born] | None:
    runs = scene.history.sources(TemplateRun)
    read = [s.watermark is not None and s.read_from is not None and s.read_from <= s.watermark - WINDOW for s in runs]
    return born(scene, WINDOW) if all(read) else None


def golden_path(scene: Scene) -> Iterator[Sample]:
    """Absent where no repository came to be, or runs of templates were not read as far back."""
    found = _new(scene)
    if found is not None:
        value = Ratio(part=sum(one.template for one in found), whole=len(found))
        yield Sample(metric=GOLDEN_PATH, labels=(window_label(WINDOW),), value=value)


def _behind_path(scene: Scene, _metric: Metric, _labels: Labels) -> Iterator[Piece]:
    for one in _new(scene) or ():
        held = one.held
        yield Piece(source=held.source, object=held.object, fact=held.reading, part=float(one.template))


def stayed(scene: Scene) -> Sequence[tuple[Born, bool]] | None:
    """Repositories made by a template whose 90th day is in the window, and whether their entries were complete then.

    None while the catalog is stale. One whose 90th day was before the catalog was first read is none of them.
    """
    catalogs = scene.history.sources(CatalogEntity)
    found = born(scene, STAY + STAY_WINDOW, STAY)
    if found is None or not catalogs or any(not s.fresh or s.since is None for s in catalogs):
        return None
    known = max(s.since for s in catalogs if s.since is not None)
    judged = [one for one in found if one.template and one.at + STAY >= known]
    complete = _complete(scene, [one.at + STAY for one in judged])
    return [(one, _stays(one, complete.get(one.held.reading.about.name.lower(), ()))) for one in judged]


def _complete(scene: Scene, days: Sequence[datetime]) -> Mapping[str, Sequence[Held[CatalogEntity]]]:
    """Complete entries that stood at one of these moments, or between, by repository."""
    found: defaultdict[str, list[Held[CatalogEntity]]] = defaultdict(list)
    for held in scene.history.stood(CatalogEntity, min(days), max(days)) if days else ():
        for name in repositories(held.reading) if held.reading.complete else ():
            found[name.lower()].append(held)
    return found


def _stays(one: Born, complete: Iterable[Held[CatalogEntity]]) -> bool:
    day = one.at + STAY
    return any(held.start <= day and (held.until is None or day < held.until) for held in complete)


def golden_path_stay(scene: Scene) -> Iterator[Sample]:
    """Absent where none has its 90th day in the window."""
    found = stayed(scene)
    if found is not None:
        value = Ratio(part=sum(stays for _, stays in found), whole=len(found))
        yield Sample(metric=GOLDEN_PATH_STAY, labels=(window_label(STAY_WINDOW),), value=value)


def _behind_stay(scene: Scene, _metric: Metric, _labels: Labels) -> Iterator[Piece]:
    for one, stays in stayed(scene) or ():
        yield Piece(source=one.held.source, object=one.held.object, fact=one.held.reading, part=float(stays))


PATH = Gauging(
    metrics=(GOLDEN_PATH,),
    reads=frozenset({Repository, TemplateRun, CatalogEntity}),
    compute=golden_path,
    behind=_behind_path,
    every=timedelta(minutes=5),
    at_once=False,
)
STAYS = Gauging(
    metrics=(GOLDEN_PATH_STAY,),
    reads=frozenset({Repository, TemplateRun, CatalogEntity}),
    compute=golden_path_stay,
    behind=_behind_stay,
    every=timedelta(hours=1),
    at_once=False,
)
