"""All of delivery as it is judged at one moment: releases with their failures, outages with their links, and since when it is known."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from platform_meter.measures.delivery.book import Ledger, Records
from platform_meter.measures.delivery.links import link_failures
from platform_meter.measures.delivery.outages import outages
from platform_meter.measures.delivery.release import Outage, Release
from platform_meter.measures.delivery.releases import Changes, releases
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.history import History, known_to
from platform_meter.model.measure import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was released and what failed, as far as it is stored."""

    by_service: Mapping[Hashable, Sequence[Release]]
    outages: Sequence[Outage]
    records: Records

    @property
    def releases(self) -> Iterable[Release]:
        """Of all services."""
        return chain.from_iterable(self.by_service.values())


class Judge:
    """Judges anew what came since it last did; the same answer while nothing came. For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[object, Judged] | None = None
        self._view: tuple[weakref.ref[History], datetime] | None = None
        """What the last answer is of: a page asks several times in one view of the store, which never changes."""

    def judged(self, scene: Scene) -> Judged:
        """As the scene's store has it."""
        with self._lock:
            if self._last and self._view and self._view[0]() is scene.history and self._view[1] == scene.now:
                return self._last[1]
            records, definitions = scene.kept.of(Ledger).records(scene), scene.definitions
            if self._last is None or self._last[0] != records:
                merged = Changes(records.changes)
                found = releases(records.deployments, merged, definitions, scene.now)
                broken = outages(records.incidents, definitions)
                link_failures(found, broken, merged, records.changes, definitions.delivery.max_link_age)
                self._last = records, Judged(by_service=found, outages=broken, records=records)
            self._view = weakref.ref(scene.history), scene.now
            return self._last[1]


def judged(scene: Scene) -> Judged:
    """All of delivery at this scene."""
    return scene.kept.of(Judge).judged(scene)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Up to when, and since when, what some sources tell of some kinds is known."""

    since: datetime
    until: datetime


class Reach:
    """What sources tell of delivery as far as it is known, of many teams in one view of the store.

    Args:
        scene: the store and the moment.
        back: so much earlier it ends, for a look at the past.
    """

    def __init__(self, scene: Scene, back: timedelta = timedelta()) -> None:
        self._back = back
        self._sources = {kind: scene.history.sources(kind) for kind in KINDS}
        self._pruned = [at for at in (scene.history.pruned(),) if at is not None]

    def is_told(self, kind: type[Event]) -> bool:
        """Whether any source gives this kind, fresh or not."""
        return bool(self._sources[kind])

    def known(self, kind: type[Event], instances: Collection[str] | None = None) -> Known | None:
        """Of what the sources of this kind tell, or those of them that are named; None where one is stale, or none is there."""
        found = [one for one in self._sources[kind] if instances is None or one.instance in instances]
        until = known_to(found)
        if until is None:
            return None
        since = [state.begun for state in found if state.begun is not None]
        return Known(since=max([*since, *self._pruned]), until=until - self._back)


KINDS: tuple[type[Event], ...] = (Deployment, Change, Incident)
"""What delivery is judged by."""
