"""What Argo CD does in the company's clusters: applications of the platform itself, and each sync with how it goes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.demo.company.layout import RUNTIME, Company
from platform_meter.demo.company.records import sha_of

APPS = ("certificates", "dashboards", "gateway", "log-shipper", "policies", "secrets-sync")
BY_HAND = "gateway"
"""The application that people sync themselves."""
REPOSITORY = "acme/platform-config"
FAILING = 0.06
"""Share of syncs that the cluster does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One application, which deploys to the cluster that its Argo CD runs in."""

    cluster: str
    name: str
    team: str

    @property
    def automated(self) -> bool:
        return self.name != BY_HAND


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    app: App
    number: int
    """Among those of the application that succeeded; what failed has the number that it did not get."""
    started: datetime
    took: int
    """Seconds of the operation."""
    settling: int
    """Seconds from then until all of it was healthy."""
    failed: bool
    revision: str
    actor: str

    @property
    def ended(self) -> datetime:
        return self.started + timedelta(seconds=self.took)

    @property
    def healthy(self) -> datetime:
        return self.ended + timedelta(seconds=self.settling)


def applications(company: Company) -> tuple[App, ...]:
    """All of them, by cluster and name."""
    return tuple(App(cluster=cluster.name, name=name, team=RUNTIME) for cluster in company.clusters for name in APPS)


def sync(rng: random.Random, company: Company, app: App, before: Sync | None, at: datetime) -> Sync | None:
    """A sync that begins then; None while the one before is not settled."""
    if before is not None and before.healthy >= at:
        return None
    number = 1 if before is None else before.number + (not before.failed)
    return Sync(
        app=app,
        number=number,
        started=at,
        took=3 + int(rng.lognormvariate(2.2, 0.7)),
        settling=2 + int(rng.lognormvariate(2.8, 0.8)),
        failed=before is not None and rng.random() < FAILING,
        revision=sha_of("config", app.cluster, app.name, number),
        actor=rng.choice(company.team[app.team].people),
    )
