"""When a revision that Argo CD synced by itself was committed: a call for each young one, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from msgspec import Struct

from platform_meter.model.facts import Event
from platform_meter.model.facts.gitops import GitopsSync, SyncResult
from platform_meter.model.source import Unexpected, Unreachable
from platform_meter.sources.argocd.facts import moved
from platform_meter.sources.argocd.rows import Application
from platform_meter.sources.kit.rows import Row, Sieve

PATH = "/api/v1/applications"


class Commit(Row):
    becomes: ClassVar[str] = "GitopsSync"
    date: datetime | None = None


class Asked(Struct, omit_defaults=True):
    """What was answered for the last sync of an application."""

    sync: str
    """Its key."""
    committed: datetime | None = None


class Commits:
    """Puts the commit's time on syncs. What can't be told is left out; what did not answer is asked again."""

    def __init__(self, outside: Sieve, asked: Mapping[str, Asked], young: datetime) -> None:
        self._outside, self._before, self._young = outside, asked, young
        self.asked: dict[str, Asked] = {}
        """By uid; of applications that are no more nothing is kept."""

    def put(self, app: Application, event: Event) -> Event:
        """The event, with what is known of its commit.

        Raises:
            SourceError: the credential or the quota, which are no matter of this revision.
        """
        if not isinstance(event, GitopsSync) or event.at < self._young:
            return event
        known = self._before.get(app.metadata.uid)
        if known is None or known.sync != event.key:
            known = self._ask(app, event)
        if known is None:
            return event
        self.asked[app.metadata.uid] = known
        return replace(event, committed=known.committed, updated=event.at) if known.committed else event

    def _ask(self, app: Application, sync: GitopsSync) -> Asked | None:
        """None where it did not answer: the next poll asks again, as long as it tells the sync."""
        nothing = Asked(sync=sync.key)
        history = sorted(app.status.history, key=lambda entry: entry.id)
        wanted = sync.automated and not sync.dry_run and sync.result is SyncResult.SUCCESS
        # The first sync of an application is no change of it: its commit may be of any age.
        if not wanted or len(history) < 2 or history[-1].shas != sync.revisions:
            return nothing
        last = len(history) - 1
        place, entry = moved(history, last), history[-1]
        sources = app.spec.sources or ([app.spec.source] if app.spec.source else [])
        if entry.shas == history[-2].shas or place >= len(sources) or sources[place].chart:
            return nothing
        params: dict[str, object] = {"appNamespace": app.metadata.namespace, "project": sync.project}
        if app.spec.sources:
            params |= {"sourceIndex": place, "versionId": entry.id}
        path = f"{PATH}/{app.metadata.name}/revisions/{entry.shas[place]}/metadata"
        try:
            commit = self._outside.get(path, Commit, params=params).body
        except Unreachable:
            return None
        except Unexpected as error:
            return nothing if error.status else None
        date = commit.date if commit else None
        return Asked(sync=sync.key, committed=date.astimezone(UTC) if date else None)
