"""How much of what runs is in the catalog (domain section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from platform_meter.model.catalogue.portal import CATALOG_COVERAGE
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.history import ObjectRow
from platform_meter.model.measure import Gauging, Labels, Piece, Scene
from platform_meter.model.metric import UNOWNED, Metric, Ratio, Sample

SEEN_IN_CI = timedelta(days=28)
CLUSTERS_OWN = frozenset({"kube-system", "kube-public", "kube-node-lease"})
"""Namespaces of what makes a cluster one: nobody deployed it, and no catalog lists it."""
BY_CATALOG = "2 catalog "
"""What the receipt of an owner begins with that an entry's annotation gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployable:
    """One thing that is deployed or built: a service, or an object of which no service is known."""

    name: str
    team: str
    listed: bool
    """Whether it is in the catalog."""
    seen: ObjectRow
    """The first object by name that it was seen as."""


def deployables(scene: Scene) -> Sequence[Deployable] | None:
    """All that were seen, by name; None where no catalog is known, or nothing fresh tells of any.

    Objects of one service are one. Of others a workload is the same in every cluster, by namespace, kind and name.
    """
    catalogs = scene.history.sources(CatalogEntity)
    seen = _seen(scene)
    if not catalogs or seen is None or not all(s.fresh and s.watermark for s in catalogs):
        return None
    services = {held.reading.service for held in scene.history.readings(CatalogEntity)} - {""}
    found: dict[str, Deployable] = {}
    for row in sorted((r for r in scene.history.objects() if r.id in seen), key=lambda r: (r.name, r.id)):
        owner = row.owner
        name = owner.service if owner.service != UNOWNED else _anywhere(row)
        if name not in found:
            listed = owner.service in services or owner.rule.startswith(BY_CATALOG)
            found[name] = Deployable(name=name, team=owner.team, listed=listed, seen=row)
    return [found[name] for name in sorted(found)]


def _seen(scene: Scene) -> set[int] | None:
    """Objects that run now, and those that had a run in the window; None where nobody tells of either."""
    history = scene.history
    clusters = {s.instance for s in history.sources(Workload) if s.fresh and s.watermark}
    builders = [(s.instance, s.watermark) for s in history.sources(PipelineRun) if s.fresh and s.watermark]
    if not clusters and not builders:
        return None
    standing = (held for held in history.readings(Workload) if held.source in clusters)
    found = {held.object for held in standing if held.reading.namespace not in CLUSTERS_OWN}
    for instance, end in builders:
        found |= {object_ for object_, _ in history.counts(PipelineRun, instance, end - SEEN_IN_CI, end)}
    return found


def _anywhere(row: ObjectRow) -> str:
    """Its name; of a workload without the cluster that it runs in."""
    if row.kind != Workload.__name__.lower():
        return row.name
    system, _, id_ = row.name.partition(":")
    return f"{system}:{id_.partition('/')[2]}"


def coverage(scene: Scene) -> Iterator[Sample]:
    """Absent while nothing was seen."""
    found = deployables(scene)
    if found is not None:
        part = sum(one.listed for one in found)
        yield Sample(metric=CATALOG_COVERAGE, labels=(), value=Ratio(part=part, whole=len(found)))


def _behind(scene: Scene, _metric: Metric, _labels: Labels) -> Iterator[Piece]:
    for one in deployables(scene) or ():
        yield Piece(
            source=one.seen.source, object=one.seen.id, what="" if one.listed else "not listed", part=float(one.listed)
        )


COVERAGE = Gauging(
    metrics=(CATALOG_COVERAGE,),
    reads=frozenset({CatalogEntity, Workload, PipelineRun}),
    compute=coverage,
    behind=_behind,
    every=timedelta(minutes=5),
    at_once=False,
)
