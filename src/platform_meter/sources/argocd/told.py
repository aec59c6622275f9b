"""What is said of applications as they come and change, by whichever way: each end of a sync and each deployment once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from platform_meter.model.facts import Event, Fact, Reading
from platform_meter.model.facts.gitops import GitopsApp, RolloutEnded
from platform_meter.model.source import Gap, Outside
from platform_meter.sources.argocd.facts import GOING, Place, deployments, gitops_sync
from platform_meter.sources.argocd.rows import Application, Rollout
from platform_meter.sources.kit.sayers import Inventory, Said

_BAD, _OPEN = "degraded", "running"


class Syncs:
    """Says what ended. It remembers what settled and is not well, and which operations go on."""

    def __init__(
        self,
        place: Place,
        outside: Outside,
        takes: Callable[[Application], bool],
        waiting: Iterable[str],
        since: datetime,
    ) -> None:
        self._place, self._outside, self._takes, self._since = place, outside, takes, since
        self._degraded: dict[str, int] = {}
        self._running: dict[str, str] = {}
        """Name of the application and when its operation began, by uid."""
        self._said: set[str] = set()
        for text in waiting:
            word, uid, rest = text.split(" ", 2)
            if word == _BAD:
                self._degraded[uid] = int(rest)
            else:
                self._running[uid] = rest

    @property
    def waiting(self) -> tuple[str, ...]:
        bad = (f"{_BAD} {uid} {entry}" for uid, entry in self._degraded.items())
        return (*bad, *(f"{_OPEN} {uid} {rest}" for uid, rest in self._running.items()))

    def listed(self, app: Application) -> Sequence[Event]:
        return self.changed(app)

    def changed(self, app: Application) -> Sequence[Event]:
        if not self._takes(app):
            return ()
        state = app.status.operation_state
        if state is not None and state.started_at is not None and state.phase in GOING:
            self._running[app.metadata.uid] = f"{state.started_at.isoformat()} {app.name}"
        else:
            self._running.pop(app.metadata.uid, None)
        sync = gitops_sync(app, self._place)
        ended: list[Event] = [] if sync is None else [sync]
        ended += deployments(app, self._place, self._degraded)
        news = [event for event in ended if event.at >= self._since and event.key not in self._said]
        self._said.update(event.key for event in news)
        return news

    def deleted(self, app: Application) -> Sequence[Event]:
        """Nothing that had not ended will; an operation that went on leaves a gap."""
        said = self.changed(app)
        self.gone(app.metadata.uid)
        return said

    def gone(self, uid: str) -> None:
        """An application is no more."""
        self._degraded.pop(uid, None)
        rest = self._running.pop(uid, None)
        if rest is not None:
            began, _, name = rest.partition(" ")
            at = datetime.fromisoformat(began)
            self._outside.gap(
                Gap(start=at, end=at, reason="pruned", text=f"{name} is gone, and its sync had not ended")
            )

    def keep(self, uids: Iterable[str]) -> None:
        """Of all applications there are: what is not among them is gone."""
        there = set(uids)
        for uid in [uid for uid in (*self._degraded, *self._running) if uid not in there]:
            self.gone(uid)


@dataclass(slots=True, kw_only=True)
class Both:
    """What stands and what ended, each by its own sayer."""

    standing: Inventory[Application]
    syncs: Syncs
    complete: frozenset[type[Reading]] = frozenset({GitopsApp})

    @property
    def waiting(self) -> tuple[str, ...]:
        return self.syncs.waiting

    def listed(self, app: Application) -> Sequence[Fact]:
        return (*self.standing.listed(app), *self.syncs.listed(app))

    def changed(self, app: Application) -> Sequence[Fact]:
        return (*self.standing.changed(app), *self.syncs.changed(app))

    def deleted(self, app: Application) -> Said:
        return (*self.standing.deleted(app), *self.syncs.deleted(app))


@dataclass(slots=True, kw_only=True)
class Ended:
    """Says Rollouts that were promoted or aborted, each end once in a call."""

    row: Callable[[Rollout], RolloutEnded | None]
    since: datetime
    complete: frozenset[type[Reading]] = frozenset()
    waiting: tuple[str, ...] = ()
    _said: set[str] = field(default_factory=set)

    def listed(self, rollout: Rollout) -> Sequence[RolloutEnded]:
        return self.changed(rollout)

    def changed(self, rollout: Rollout) -> Sequence[RolloutEnded]:
        fact = self.row(rollout)
        if fact is None or fact.at < self.since or fact.key in self._said:
            return ()
        self._said.add(fact.key)
        return (fact,)

    def deleted(self, rollout: Rollout) -> Sequence[RolloutEnded]:
        return self.changed(rollout)
