"""What was deployed, merged and broken of late, as far as delivery is judged by it: read once, and on from there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity, start_of
from platform_meter.model.history import Owner
from platform_meter.model.measure import WINDOWS, Scene

REACH = 2 * WINDOWS[-1]
"""How far back is looked: what was deployed before the longest window tells what came with the first in it."""
_BEGINNING, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class Deployed(Struct, frozen=True, gc=False):
    """What is asked of a `Deployment`."""

    key: str
    at: datetime
    environment: str
    sha: str
    result: DeployResult
    kind: DeployKind = DeployKind.PLANNED
    version: str = ""
    started: datetime | None = None
    way: DeployWay = DeployWay.DEPLOYMENTS_API
    task: str = ""
    after: str = ""
    changes: tuple[str, ...] = ()
    url: str = ""

    @property
    def began(self) -> datetime:
        return self.started or self.at

    @property
    def what(self) -> str:
        """The version that it brought, by its commit where there is one."""
        return self.sha or self.version


class Merged(Struct, frozen=True, gc=False):
    """What is asked of a `Change`."""

    key: str
    at: datetime
    sha: str
    opened: datetime | None = None
    first_commit: datetime | None = None
    first_review: datetime | None = None
    labels: tuple[str, ...] = ()
    bot: bool = False
    name: str = ""
    branch: str = ""
    undoes: tuple[str, ...] = ()
    mends: tuple[str, ...] = ()
    url: str = ""


class Broken(Struct, frozen=True, gc=False):
    """What is asked of an `Incident`."""

    key: str
    at: datetime
    severity: Severity = Severity.UNKNOWN
    way: IncidentWay = IncidentWay.INCIDENTS_API
    detected: datetime | None = None
    acknowledged: datetime | None = None
    resolved: datetime | None = None
    name: str = ""
    url: str = ""
    ids: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    valid: bool = True

    @property
    def start(self) -> datetime | None:
        """As `Incident.start`."""
        return start_of(self.at, self.detected, self.acknowledged, self.resolved)


P = TypeVar("P", Deployed, Merged, Broken)


class Record(NamedTuple, Generic[P]):
    """One of them, and whose it was when it ended."""

    source: str
    object: int
    owner: Owner
    part: P

    @property
    def order(self) -> tuple[datetime, str, str]:
        """When it ended; of several in one moment the order never changes."""
        return self.part.at, self.source, self.part.key


class Records(NamedTuple):
    """Of each kind what ended within `REACH`, in order."""

    deployments: Sequence[Record[Deployed]]
    changes: Sequence[Record[Merged]]
    incidents: Sequence[Record[Broken]]


KINDS: tuple[tuple[type[Event], type[Any]], ...] = ((Deployment, Deployed), (Change, Merged), (Incident, Broken))


def _since(scene: Scene) -> datetime:
    """From when on all is looked at: within `REACH`, or from the beginning of what an intervention on delivery is held to."""
    begins = [
        datetime.combine(one.at, time(), scene.zone) - one.windows.pre
        for one in scene.definitions.interventions
        if any(metric.measured[0].startswith("platform_dora_") for metric in one.judged)
    ]
    return min([scene.now - REACH, *begins])


class Ledger:
    """Deployments, changes and incidents of one store. For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[type[Event], int] = {}
        self._held: dict[type[Event], dict[tuple[str, str], tuple[int, Any]]] = {kind: {} for kind, _ in KINDS}

    def records(self, scene: Scene) -> Records:
        """What the scene's store has, with the owners as they are known now of the time when each ended."""
        with self._lock:
            return Records(*(self._of(scene, kind, shape) for kind, shape in KINDS))

    def _of(self, scene: Scene, kind: type[Event], shape: type[Any]) -> list[Any]:
        history, held, seen = scene.history, self._held[kind], self._seen.get(kind, 0)
        latest = history.latest(kind)
        if latest > seen:
            # Of what was read before, a correction may have any age.
            since = _BEGINNING if seen else _since(scene)
            for source in history.sources(kind):
                for object_, part in history.parts(kind, shape, since, _END, source=source.instance, after=seen):
                    held[source.instance, part.key] = object_, part
            self._seen[kind] = latest
        since = max(_since(scene), history.pruned() or _BEGINNING)
        for old in [at for at, (_, part) in held.items() if part.at < since - timedelta(days=1)]:
            del held[old]
        found = [
            Record(source, object_, history.owner(object_, part.at), part)
            for (source, _), (object_, part) in held.items()
            if since <= part.at <= scene.now
        ]
        return sorted(found, key=lambda record: record.order)
