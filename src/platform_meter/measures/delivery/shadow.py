"""Where two ways tell of the same deployments and do not agree over a week (domain section 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from datetime import timedelta
from typing import NamedTuple

from platform_meter.measures.delivery.counts import Environments, service_of
from platform_meter.measures.delivery.judged import Reach, judged
from platform_meter.measures.delivery.releases import Production
from platform_meter.model.facts.delivery import Deployment, DeployResult, DeployWay
from platform_meter.model.measure import Scene

WEEK = timedelta(days=7)


class Disagreement(NamedTuple):
    """A service and production environment of which ways told different numbers of deployments that served."""

    team: str
    service: str
    environment: str
    told: Mapping[DeployWay, int]
    """By way, the one that counts at the front."""


def disagreements(scene: Scene) -> list[Disagreement]:
    """Of the week up to where all sources of deployments were read, by team and service. Nothing where one is stale.

    A way that told nothing in that week is in use there if it told of the same thing before.
    """
    reach = Reach(scene).known(Deployment)
    if reach is None:
        return []
    definitions = scene.definitions
    production, ways = Production(definitions), definitions.delivery.ways
    label = Environments(definitions.environments).label
    counts: defaultdict[tuple[str, Hashable, str], dict[DeployWay, int]] = defaultdict(dict)
    names: dict[Hashable, str] = {}
    for record in judged(scene).records.deployments:
        deployed, owner = record.part, record.owner
        if deployed.environment not in production or deployed.result is not DeployResult.SUCCESS:
            continue
        of = service_of(owner, record.object)
        names[of] = owner.service
        told = counts[owner.team, of, label(deployed.environment)]
        inside = reach.until - WEEK <= deployed.at < reach.until
        told[deployed.way] = told.get(deployed.way, 0) + inside
    found = [
        Disagreement(team, names[of], environment, {way: told[way] for way in ways if way in told})
        for (team, of, environment), told in counts.items()
        if len(set(told.values())) > 1
    ]
    return sorted(found, key=lambda one: one[:3])
