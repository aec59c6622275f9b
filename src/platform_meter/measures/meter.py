"""The meter's own view: objects and who owns them, known services and teams, health of sources (domain sections 3 and 4)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from platform_meter.measures.adoption.units import roster
from platform_meter.measures.objectives.reach import ID
from platform_meter.model.catalogue.entities import SERVICE_INFO, TEAM_INFO
from platform_meter.model.catalogue.meter import (
    OBJECTS_SEEN,
    OWNERSHIP_CONFLICTS,
    SOURCE_LAST_SUCCESS,
    SOURCE_UP,
    UNOWNED_OBJECTS,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import event_kinds, reading_kinds
from platform_meter.model.facts.slis import KIND
from platform_meter.model.history import ObjectRow
from platform_meter.model.measure import Gauging, Labels, Measures, Piece, Scene
from platform_meter.model.metric import UNOWNED, Metric, Sample
from platform_meter.model.ownership import RESPONDENTS

MACHINERY = frozenset({"node", "cluster", "instance", "pool", "group", "person", RESPONDENTS, "template_run"})
"""Kinds that are the platform's own, and what people and groups of them are and did once: nothing that a team of users
answers for, so they are left out of ownership."""


def ownerless(definitions: Definitions) -> Callable[[ObjectRow], bool]:
    """Tells the objects that no team answers for, whatever service they have.

    For what an SLO counts the team answers that keeps the SLO.
    """
    kept = {one.sli.where.get(ID) for one in definitions.objectives if one.owner}
    return lambda row: row.owner.team == UNOWNED and not (row.kind == KIND and row.name.partition(":")[2] in kept)


def _seen(scene: Scene) -> Iterator[tuple[Labels, ObjectRow, Mapping[str, bool]]]:
    """Objects of fresh sources by source type and kind, with the metrics that each adds to."""
    unowned = ownerless(scene.definitions)
    types = {s.instance: s.type for s in scene.history.sources() if s.fresh}
    for row in scene.history.objects():
        if row.source in types and row.kind not in MACHINERY:
            adds = {
                OBJECTS_SEEN.name: True,
                UNOWNED_OBJECTS.name: unowned(row),
                OWNERSHIP_CONFLICTS.name: bool(row.owner.conflict),
            }
            yield (types[row.source], row.kind), row, adds


def objects(scene: Scene) -> Iterator[Sample]:
    """All objects, those without an owner, those whose rules disagree."""
    metrics = (OBJECTS_SEEN, UNOWNED_OBJECTS, OWNERSHIP_CONFLICTS)
    found: defaultdict[Labels, Counter[str]] = defaultdict(Counter)
    for labels, _, adds in _seen(scene):
        found[labels].update({name: int(added) for name, added in adds.items()})
    for labels, counts in sorted(found.items()):
        for metric in metrics:
            yield Sample(metric=metric, labels=labels, value=float(counts[metric.name]))


def _behind_objects(scene: Scene, metric: Metric, labels: Labels) -> Iterator[Piece]:
    for place, row, adds in _seen(scene):
        if place == labels and adds[metric.name]:
            yield Piece(source=row.source, object=row.id)


def entities(scene: Scene) -> Iterator[Sample]:
    """1 for each service and team that a file declares or ownership found; of the latter only the names are known."""
    known = roster(scene)
    for service in sorted(known.services.values(), key=lambda s: s.id):
        labels = (service.id, service.team, service.system, service.tier)
        yield Sample(metric=SERVICE_INFO, labels=labels, value=1.0)
    for team in sorted(known.teams.values(), key=lambda t: t.id):
        yield Sample(metric=TEAM_INFO, labels=(team.id, team.org, team.persona), value=1.0)


def sources(scene: Scene) -> Iterator[Sample]:
    """Health of every configured source; these stay when it is stale, for they say so."""
    for state in sorted(scene.history.sources(), key=lambda s: (s.type, s.instance)):
        labels = (state.type, state.instance)
        yield Sample(metric=SOURCE_UP, labels=labels, value=float(state.fresh))
        if state.last_success is not None:
            value = state.last_success.timestamp()
            yield Sample(metric=SOURCE_LAST_SUCCESS, labels=labels, value=value)


MEASURES = Measures(
    standing=(
        Gauging(
            metrics=(OBJECTS_SEEN, UNOWNED_OBJECTS, OWNERSHIP_CONFLICTS),
            reads=frozenset({*event_kinds().values(), *reading_kinds().values()}),
            compute=objects,
            behind=_behind_objects,
        ),
        Gauging(
            metrics=(SERVICE_INFO, TEAM_INFO),
            reads=frozenset(),
            compute=entities,
            # New objects and owners are reason enough by themselves.
            every=timedelta(minutes=5),
        ),
        Gauging(metrics=(SOURCE_UP, SOURCE_LAST_SUCCESS), reads=frozenset(), compute=sources),
    )
)
