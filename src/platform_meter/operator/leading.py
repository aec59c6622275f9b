"""The Lease in the cluster: held while we run, given back at the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from platform_meter.operator.cluster import Cluster, ClusterError
from platform_meter.operator.kinds import LEASE
from platform_meter.operator.lease import Step, Watched, held, step, watched

LOG = logging.getLogger(__name__)
NAME = "platform-meter-operator"
SECONDS = 15
"""How long a Lease holds after it was last renewed."""


class Leader:
    """Tries to hold the Lease on a thread of its own; `leads` says whether nobody else can hold it now."""

    def __init__(
        self, cluster: Cluster, namespace: str, me: str, *, clock: Callable[[], datetime], seconds: int = SECONDS
    ) -> None:
        self._cluster, self._namespace, self._me = cluster, namespace, me
        self._clock, self._seconds = clock, seconds
        self._watched: Watched | None = None
        self._until = 0.0
        self._told = ""

    def leads(self) -> bool:
        """Whether we lead for as long as one write takes."""
        return time.monotonic() < self._until

    def run(self, stop: threading.Event, changed: Callable[[], None]) -> None:
        """Renew the Lease or wait for it, until `stop`; `changed` is called when we begin to lead."""
        while not stop.is_set():
            before = self.leads()
            self.try_once()
            if self.leads() and not before:
                LOG.info("%s leads", self._me)
                changed()
            stop.wait(self._seconds / 3)

    def try_once(self) -> None:
        """Look at the Lease, and take or renew it where that is ours to do."""
        # Counted from before the call: others count from when they see it, which is later.
        now = time.monotonic()
        try:
            lease = self._cluster.get(LEASE, self._namespace, NAME)
            self._watched = watched(lease, self._watched, now)
            what = step(lease, self._watched, self._me, now)
            if what is Step.WAIT:
                self._until = 0.0
                return
            body = held(lease, NAME, self._me, self._clock(), self._seconds)
            if what is Step.CREATE:
                self._cluster.create(LEASE, body, self._namespace)
            else:
                self._cluster.replace(LEASE, body, self._namespace)
        except ClusterError as error:
            if error.taken:
                self._until = 0.0
            elif str(error) != self._told:
                LOG.warning("cannot lead: %s", error)
            self._told = str(error)
            return
        self._until, self._told = now + self._seconds * 2 / 3, ""

    def give_back(self) -> None:
        """Let go of the Lease, so that another need not wait."""
        if not self.leads():
            return
        self._until = 0.0
        try:
            lease = self._cluster.get(LEASE, self._namespace, NAME)
            if lease is not None and lease["spec"].get("holderIdentity") == self._me:
                self._cluster.replace(LEASE, held(lease, NAME, "", self._clock(), 1), self._namespace)
        except ClusterError as error:
            LOG.warning("the Lease %s/%s could not be given back: %s", self._namespace, NAME, error)
