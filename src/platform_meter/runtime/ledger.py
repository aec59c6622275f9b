"""What reading costs: calls of this process and what APIs told of their quotas, kept in the store now and then.

So every replica shows what all of them did, and a restart forgets nothing but the last seconds before a crash.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from platform_meter.measures.news import floor
from platform_meter.runtime.outside.quota import Left
from platform_meter.store import Calls, Quota, Store, StoreError

log = logging.getLogger(__name__)
_SLICE = timedelta(minutes=5)
"""Calls of so long are counted together, as the store has them."""


class Ledger:
    """Counts until it is kept. Threads may share it.

    Args:
        clock: the current time, UTC.
        quotas: what was told of the quotas of an instance.
    """

    def __init__(self, clock: Callable[[], datetime], quotas: Callable[[str], Iterable[Left]]) -> None:
        self._clock, self._quotas = clock, quotas
        self._lock = threading.Lock()
        self._made = Counter[tuple[str, str, datetime]]()

    def called(self, instance: str, outcome: str) -> None:
        """One call ended: ok, error or limited."""
        begun = floor(self._clock(), _SLICE)
        with self._lock:
            self._made[instance, outcome, begun] += 1

    def keep(self, store: Store) -> None:
        """Store what was counted since the last time. A store that can't be used now gets it the next time."""
        with self._lock:
            made, self._made = self._made, Counter()
        if not made:
            return
        told = [
            Quota(instance, left.name, left.limit, left.remaining, left.reset, left.at)
            for instance in sorted({instance for instance, _, _ in made})
            for left in self._quotas(instance)
        ]
        try:
            store.add_costs(
                [Calls(instance, outcome, at, n) for (instance, outcome, at), n in sorted(made.items())], told
            )
        except StoreError as error:
            log.warning("calls to APIs are counted later: %s", error)
            with self._lock:
                self._made += made
