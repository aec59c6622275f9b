"""Stories of delivery for tests of measures: what was deployed, merged and broken, told in hours since a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.delivery.judged import Judged, judged
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.history import Owner
from platform_meter.model.measure import Scene

START = datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 29, tzinfo=UTC)
"""28 days after it: a window of 28 days holds a whole story."""
SHOP = owner("shop", "pay")


def at(hours: float) -> datetime:
    """So many hours after `START`."""
    return START + timedelta(hours=hours)


def deployed(hours: float, sha: str, environment: str = "production", **more: Any) -> Deployment:
    """One that ended then and took six minutes; its key is its commit, environment and hour."""
    fields = {"result": DeployResult.SUCCESS, "kind": DeployKind.PLANNED, "started": at(hours - 0.1), **more}
    key = f"{sha}@{environment}@{hours:g}"
    about = Ref(system="github", kind="repository", id="acme/shop")
    return Deployment(**{"key": key, "at": at(hours), "about": about, "environment": environment, "sha": sha, **fields})


def merged(hours: float, sha: str, **more: Any) -> Change:
    """One that was merged then, opened ten hours before, reviewed four hours before, written from 20 hours before on."""
    about = Ref(system="github", kind="repository", id="acme/shop")
    fields = {
        "opened": at(hours - 10),
        "first_commit": at(hours - 20),
        "first_review": at(hours - 4),
        "name": f"acme/shop#{sha}",
        "branch": "main",
        **more,
    }
    return Change(**{"key": f"pull/{sha}", "at": at(hours), "about": about, "sha": sha, **fields})


def broken(hours: float, end: float | None, name: str = "", **more: Any) -> Incident:
    """One that began then, and was over at the hour `end`."""
    about = Ref(system="pagerduty", kind="service", id="P1")
    name = name or f"I{hours:g}"
    fields = {"ids": (name,), "resolved": None if end is None else at(end), **more}
    return Incident(**{"key": name, "at": at(hours), "about": about, "name": name, **fields})


def scene(*facts: Event | tuple[Owner, Event], definitions: Definitions | None = None, **more: Any) -> Scene:
    """A store with these facts, of the shop unless they say whose they are; its sources were read up to `NOW`."""
    sources = (source("github", watermark=NOW), source("pagerduty", watermark=NOW))
    whose = (fact if isinstance(fact, tuple) else (SHOP, fact) for fact in facts)
    told = [("pagerduty" if isinstance(fact, Incident) else "github", mine, fact) for mine, fact in whose]
    gives = {"github": frozenset({Deployment, Change}), "pagerduty": frozenset({Incident})}
    history = MemoryHistory(told, sources=sources, gives=gives)
    return Scene(**{"history": history, "definitions": definitions or Definitions(), "now": NOW, **more})


def story(*facts: Event | tuple[Owner, Event], definitions: Definitions | None = None) -> Judged:
    """How these are judged."""
    return judged(scene(*facts, definitions=definitions))
