"""A cluster for tests of standards: services run workloads there, and golden images cover some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from tests.support.adoption import NOW, capability, teams
from tests.support.history import BEGINNING, MemoryHistory, owner, source

from platform_meter.model.definitions import Capability, Definitions, Service
from platform_meter.model.facts import Reading, Ref
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.practices import GoldenImage, Quota
from platform_meter.model.history import Owner, SourceState, UnitState
from platform_meter.model.measure import Scene

Held = tuple[str, Owner, Reading, datetime, datetime | None]
EU = source("eu", "kubernetes", watermark=NOW)


def golden(**changed: Any) -> Capability:
    """Every workload of a production service runs a golden image."""
    said = {
        "id": "golden",
        "unit": "service",
        "mandated": True,
        "eligible": {"any": [{"service": {"lifecycle": ["production"]}}]},
        "adopted": {"source": "kubernetes", "count": "goldenimages", "every": {"count": "workloads"}},
        "active": {"source": "kubernetes", "count": "goldenimages"},
    }
    return capability(**(said | changed))


def about(name: str, version: str = "") -> Ref:
    labels = (("version", version),) if version else ()
    return Ref(system="kubernetes", kind="workload", id=f"eu/prod/Deployment/{name}", labels=labels)


def stands(
    unit: str,
    name: str,
    *,
    team: str = "a",
    start: datetime = BEGINNING,
    until: datetime | None = None,
    instance: str = "eu",
    version: str = "",
    namespace: str = "prod",
    made: datetime | None = None,
) -> Held:
    """A workload of a service; `made` is when its cluster says that it came to be."""
    said = Workload(
        about=about(name, version), since=made, cluster="eu", namespace=namespace, workload_kind="Deployment"
    )
    return (instance, owner(unit, team), said, start, until)


def covered(
    unit: str,
    name: str,
    *,
    team: str = "a",
    start: datetime = BEGINNING,
    until: datetime | None = None,
    kind: type[GoldenImage | Quota] = GoldenImage,
) -> Held:
    """The same workload, which something covers."""
    said = kind(about=about(name), cluster="eu", namespace="prod", workload_kind="Deployment", by=("x",))
    return ("eu", owner(unit, team), said, start, until)


def at(
    *standard: Capability,
    held: Iterable[Held] = (),
    services: Sequence[Service] = (),
    sources: Sequence[SourceState] = (EU,),
    taken: Sequence[UnitState] = (),
    now: datetime = NOW,
    **more: Any,
) -> Scene:
    history = MemoryHistory(sources=sources, held=held, taken=taken, **more)
    definitions = Definitions(capabilities=standard or (golden(),), services=tuple(services), teams=teams("a", "b"))
    return Scene(history=history, definitions=definitions, now=now)


def was(state: str, day: date, unit: str = "pay") -> UnitState:
    return UnitState(day=day, what="standard/golden", unit=unit, state=state)
