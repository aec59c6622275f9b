"""Delivery: deployments ended (domain section 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from platform_meter.model.catalogue.delivery import DEPLOYMENTS
from platform_meter.model.definitions import Definitions, Environment
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Counting, Measure, Measures
from platform_meter.model.metric import OTHER, Increment


class Environments:
    """The `environment` label of the names that sources use: ids of the declared environments, in file order.

    A name that none of them matches is `_other`, which bounds the label; where none is declared, names stay as they are.
    """

    def __init__(self, declared: Sequence[Environment]) -> None:
        self._declared = tuple(declared)

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


def configured(definitions: Definitions) -> tuple[Measure, ...]:
    """Measures of delivery under the declared environments."""
    count = Environments(definitions.environments).count
    return (Counting(event=Deployment, metrics=(DEPLOYMENTS,), count=count),)


MEASURES = Measures(declared=configured)
