"""The meter's own view: objects and who owns them, known services and teams, health of sources (domain sections 3 and 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from platform_meter.measures import catalogue
from platform_meter.measures.adoption_units import roster
from platform_meter.model.facts import EVENTS, READINGS
from platform_meter.model.measure import Gauging, Measure, Scene
from platform_meter.model.metric import UNOWNED, Sample

MACHINERY = frozenset({"node", "cluster", "pool"})
"""Kinds that are the platform's own: no team of users answers for them, so they are left out of ownership."""


def objects(scene: Scene) -> Iterator[Sample]:
    """Objects of fresh sources by source type and kind: all, those without an owner, those whose rules disagree.

    An object without a team is without an owner, whatever service it has: nobody answers for it.
    """
    types = {s.instance: s.type for s in scene.history.sources() if s.fresh}
    seen, unowned, disputed = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in scene.history.objects():
        if row.source in types and row.kind not in MACHINERY:
            labels = (types[row.source], row.kind)
            seen[labels] += 1
            unowned[labels] += row.owner.team == UNOWNED
            disputed[labels] += bool(row.owner.conflict)
    for labels, count in sorted(seen.items()):
        yield Sample(metric=catalogue.OBJECTS, labels=labels, value=float(count))
        yield Sample(metric=catalogue.UNOWNED_OBJECTS, labels=labels, value=float(unowned[labels]))
        yield Sample(metric=catalogue.OWNERSHIP_CONFLICTS, labels=labels, value=float(disputed[labels]))


def entities(scene: Scene) -> Iterator[Sample]:
    """1 for each service and team that a file declares or ownership found; of the latter only the names are known."""
    known = roster(scene)
    for service in sorted(known.services.values(), key=lambda s: s.id):
        labels = (service.id, service.team, service.system, service.tier)
        yield Sample(metric=catalogue.SERVICE_INFO, labels=labels, value=1.0)
    for team in sorted(known.teams.values(), key=lambda t: t.id):
        yield Sample(metric=catalogue.TEAM_INFO, labels=(team.id, team.org, team.persona), value=1.0)


def sources(scene: Scene) -> Iterator[Sample]:
    """Health of every configured source; these stay when it is stale, for they say so."""
    for state in sorted(scene.history.sources(), key=lambda s: (s.type, s.instance)):
        labels = (state.type, state.instance)
        yield Sample(metric=catalogue.SOURCE_UP, labels=labels, value=float(state.fresh))
        if state.last_success is not None:
            value = state.last_success.timestamp()
            yield Sample(metric=catalogue.SOURCE_LAST_SUCCESS, labels=labels, value=value)


MEASURES: tuple[Measure, ...] = (
    Gauging(
        metrics=(catalogue.OBJECTS, catalogue.UNOWNED_OBJECTS, catalogue.OWNERSHIP_CONFLICTS),
        reads=frozenset({*EVENTS.values(), *READINGS.values()}),
        compute=objects,
    ),
    Gauging(
        metrics=(catalogue.SERVICE_INFO, catalogue.TEAM_INFO),
        reads=frozenset(),
        compute=entities,
        # New objects and owners are reason enough by themselves.
        every=timedelta(minutes=5),
    ),
    Gauging(metrics=(catalogue.SOURCE_UP, catalogue.SOURCE_LAST_SUCCESS), reads=frozenset(), compute=sources),
)
