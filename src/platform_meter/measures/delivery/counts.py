"""Delivery: deployments ended (domain section 6)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from platform_meter.model.catalogue.delivery import DEPLOYMENTS, DEPLOYMENTS_SHADOW
from platform_meter.model.definitions import Definitions, Environment
from platform_meter.model.facts.delivery import Deployment, DeploymentDim, DeployWay
from platform_meter.model.history import History, Owner, SourceState
from platform_meter.model.measure import WINDOWS, Counting, Ranking, best_ways
from platform_meter.model.metric import OTHER, UNOWNED, Increment


def service_of(owner: Owner, object_: int) -> Hashable:
    """Whose a thing is, by service; what has no service stands for itself."""
    return object_ if owner.service == UNOWNED else owner.service


class Environments:
    """The `environment` label of the names that sources use: ids of the declared environments, in file order.

    Of the ways in which deployments are told the first with data counts, per service and environment.

    A name that none of them matches is `_other`, which bounds the label; where none is declared, names stay as they are.
    """

    def __init__(self, declared: Sequence[Environment], ways: Sequence[DeployWay] = tuple(DeployWay)) -> None:
        self._declared, self._ways = tuple(declared), tuple(ways)

    def label(self, name: str) -> str:
        if not self._declared:
            return name
        patterns = ((e.id, (e.id, *e.match)) for e in self._declared)
        return next((id_ for id_, fits in patterns if any(fnmatchcase(name, p) for p in fits)), OTHER)

    def count(self, event: Deployment, owner: Owner, _source: SourceState) -> Iterator[Increment]:
        """One ended rollout."""
        yield Increment(
            metric=DEPLOYMENTS,
            labels=(owner.team, self.label(event.environment), event.result, event.kind),
        )

    def shadow(self, event: Deployment, owner: Owner, _source: SourceState) -> Iterator[Increment]:
        """One ended rollout that a better way tells too."""
        yield Increment(metric=DEPLOYMENTS_SHADOW, labels=(owner.team, self.label(event.environment), event.way))

    def place(self, dim: DeploymentDim, owner: Owner, object_: int) -> tuple[Hashable, int]:
        """Service and environment, and the place of the way. What has no service stands for itself."""
        return (service_of(owner, object_), self.label(dim.environment)), self._ways.index(dim.way)


def first_told(history: History, definitions: Definitions, now: datetime) -> Callable[[int, DeploymentDim], bool]:
    """Whether the rollouts of an object under a dim are those that count, by the ways of the last 91 days."""
    place, start = _environments(definitions).place, now - WINDOWS[-1]
    told = [
        place(dim, history.owner(object_), object_)
        for source in history.sources(Deployment)
        for object_, dim in history.counts(Deployment, source.instance, start, now)
    ]
    best = best_ways(told)

    def valid(object_: int, dim: DeploymentDim) -> bool:
        thing, at = place(dim, history.owner(object_), object_)
        return best.get(thing, at) == at

    return valid


def _environments(definitions: Definitions) -> Environments:
    return Environments(definitions.environments, definitions.delivery.ways)


def counting(definitions: Definitions) -> Counting[Deployment]:
    """The counters of deployments under the declared environments."""
    environments = _environments(definitions)
    ranking = Ranking(place=environments.place, within=WINDOWS[-1], shadow=environments.shadow)
    metrics = (DEPLOYMENTS, DEPLOYMENTS_SHADOW)
    return Counting(event=Deployment, metrics=metrics, count=environments.count, ranking=ranking)
