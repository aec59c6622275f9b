"""The operator at work: it looks at what is there, writes what is wanted, and waits until something changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_meter.operator.cluster import Cluster, ClusterError
from platform_meter.operator.kinds import EVENT, READ, RULE, Kind
from platform_meter.operator.wanted import (
    Object,
    Said,
    Seen,
    Settings,
    apart,
    event,
    is_ours,
    left_over,
    rule_of,
    said,
    stands,
    status_of,
    warning,
    written,
)

LOG = logging.getLogger(__name__)
AGAIN_SECONDS = 60.0
"""All is looked at so often without any change: kinds may have been installed, and rights given."""
_BROKEN_SECONDS = 5.0
"""A watch that broke begins again after this long."""
_LATER_SECONDS = 15.0
"""The same where the kind is not installed, or may not be watched."""


@dataclass(slots=True, kw_only=True)
class Done:
    """What one look came to."""

    objects: int = 0
    written: int = 0
    deleted: int = 0
    broken: int = 0
    """Objects with problems."""
    refused: int = 0
    """Calls that the cluster refused."""

    def __str__(self) -> str:
        counts = f"{self.objects} objects, {self.written} PrometheusRules written, {self.deleted} deleted"
        return f"{counts}, {self.broken} objects with problems, {self.refused} calls refused"


class Keeper:
    """Keeps PrometheusRules as objects want them. What it says to people it says once for each change."""

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        *,
        namespace: str = "",
        clock: Callable[[], datetime],
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._cluster, self._settings, self._namespace = cluster, settings, namespace
        self._clock, self._leads = clock, leads
        self._read: dict[str, tuple[tuple[str, str], Said]] = {}
        """What each object said when it was last read, by uid."""
        self._events: dict[str, set[str]] = {}
        """Names of events that were written, by the uid of what they are about."""
        self._told: dict[str, str] = {}
        """What was last logged of each call."""

    def look(self) -> Done:
        """Look at all once, and write what is wanted while we lead."""
        done = Done()
        objects, listed = self._objects(done)
        try:
            standing = self._cluster.list(RULE, self._namespace)
        except ClusterError as error:
            self._tell(done, RULE.called, error)
            self._say_all(objects, error, done)
            return done
        self._tell(done, RULE.called, None)
        by_name = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in standing}
        alive = {seen.uid for seen in objects}
        self._read = {uid: kept for uid, kept in self._read.items() if uid in alive}
        self._events = {uid: kept for uid, kept in self._events.items() if uid in alive}
        done.objects = len(objects)
        for seen, what in apart(((seen, self._said(seen)) for seen in objects), by_name):
            if not self._leads():
                return done
            self._keep(seen, what, by_name.get((seen.namespace, seen.rule_name)), done)
        for one in left_over(standing, objects, listed):
            if self._leads():
                self._delete(one["metadata"], done)
        return done

    def _objects(self, done: Done) -> tuple[list[Seen], list[Kind]]:
        """All objects of kinds that can be listed, and those kinds. One that is not installed is not listed."""
        objects, listed = list[Seen](), list[Kind]()
        for kind in READ:
            try:
                found = self._cluster.list(kind, self._namespace)
            except ClusterError as error:
                if error.missing:
                    LOG.info("%s is not installed; it is looked for again", kind.called)
                else:
                    self._tell(done, kind.called, error)
                continue
            self._tell(done, kind.called, None)
            listed.append(kind)
            objects += [Seen(kind=kind, value=one) for one in found if not one["metadata"].get("deletionTimestamp")]
        return objects, listed

    def _said(self, seen: Seen) -> Said:
        kept = self._read.get(seen.uid)
        if kept is None or kept[0] != seen.stamp:
            kept = self._read[seen.uid] = seen.stamp, said(seen, self._settings)
        return kept[1]

    def _keep(self, seen: Seen, what: Said, standing: Object | None, done: Done) -> None:
        now, wrote = self._clock(), False
        if what.problems:
            done.broken += 1
            self._say(seen, warning(seen, what, now, kept=standing is not None), done)
        else:
            rule = rule_of(seen, what)
            if not stands(rule, standing):
                try:
                    if standing is None:
                        self._see_that_it_is_free(rule["metadata"])
                    self._cluster.apply(RULE, rule)
                except ClusterError as error:
                    self._tell(done, seen.called, error)
                    self._say(seen, event(seen, "NotWritten", str(error), now, bad=True), done)
                    what = Said(problems=(str(error),))
                else:
                    wrote = True
                    done.written += 1
                    self._tell(done, seen.called, None)
                    self._say(seen, written(seen, what, rule, now), done)
        status = status_of(seen, what, now, wrote=wrote)
        if status is None:
            return
        try:
            self._cluster.say_status(seen.kind, seen.namespace, seen.name, status)
        except ClusterError as error:
            if error.missing:  # deleted meanwhile
                return
            self._tell(done, f"status of {seen.called}", error)
            self._say(seen, event(seen, "NoStatus", str(error), now, bad=True), done)
        else:
            self._tell(done, f"status of {seen.called}", None)

    def _see_that_it_is_free(self, meta: Mapping[str, Any]) -> None:
        """Fail where a PrometheusRule of this name is somebody else's.

        Raises:
            ClusterError: it is, or nobody may look.
        """
        found = self._cluster.get(RULE, meta["namespace"], meta["name"])
        if found is not None and not is_ours(found):
            text = f"a PrometheusRule {meta['namespace']}/{meta['name']} of somebody else stands; rename or delete it"
            raise ClusterError(text)

    def _delete(self, meta: Mapping[str, Any], done: Done) -> None:
        about = f"PrometheusRule {meta['namespace']}/{meta['name']}"
        try:
            self._cluster.delete(RULE, meta["namespace"], meta["name"], meta["uid"])
        except ClusterError as error:
            self._tell(done, about, error)
        else:
            done.deleted += 1
            self._tell(done, about, None)

    def _say_all(self, objects: Iterable[Seen], error: ClusterError, done: Done) -> None:
        """That nothing can be written, at each object."""
        for seen in objects:
            if self._leads():
                self._say(seen, event(seen, "NotWritten", str(error), self._clock(), bad=True), done)

    def _say(self, seen: Seen, body: Mapping[str, Any], done: Done) -> None:
        """Write an event, once; a warning is logged too."""
        names, name = self._events.setdefault(seen.uid, set()), str(body["metadata"]["name"])
        if name in names:
            return
        if body["type"] == "Warning":
            LOG.warning("%s: %s", seen.called, body["message"])
        try:
            self._cluster.create(EVENT, body, seen.namespace)
        except ClusterError as error:
            if not error.taken:  # said before this process began, where it is
                self._tell(done, f"events of {seen.namespace}", error)
                return
        names.add(name)

    def _tell(self, done: Done, about: str, error: ClusterError | None) -> None:
        """Log what was refused, once for each text of it."""
        if error is None:
            self._told.pop(about, None)
            return
        done.refused += 1
        if self._told.get(about) != str(error):
            self._told[about] = str(error)
            LOG.warning("%s: %s", about, error)


class Watches:
    """A thread for each kind, which tells that something changed. They end with the process."""

    def __init__(self, cluster: Cluster, namespace: str, stop: threading.Event) -> None:
        self._cluster, self._namespace, self._stop = cluster, namespace, stop
        self.changed = threading.Event()

    def start(self) -> None:
        """Begin to watch."""
        for kind in (*READ, RULE):
            threading.Thread(target=self._watch, args=(kind,), name=f"watch {kind.resource}", daemon=True).start()

    def _watch(self, kind: Kind) -> None:
        told = ""
        while not self._stop.is_set():
            try:
                self._cluster.watch(kind, self._namespace, self.changed.set)
            except ClusterError as error:
                if error.forbidden and str(error) != told:
                    told = str(error)
                    LOG.warning("%s: %s; it is looked at every %g s instead", kind.called, error, AGAIN_SECONDS)
                if error.forbidden or error.missing:  # a watch that begins tells of all that is there
                    self._stop.wait(_LATER_SECONDS)
                else:
                    self._stop.wait(_BROKEN_SECONDS)
                    self.changed.set()
