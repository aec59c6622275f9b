"""The event store, on SQLite or PostgreSQL. Its users see values, never SQL."""

from platform_meter.store.detail import DETAIL
from platform_meter.store.errors import LeaseLost, StoreError
from platform_meter.store.history import StoredHistory
from platform_meter.store.maintenance import RETENTION
from platform_meter.store.schema import COUNTERS
from platform_meter.store.store import Store
from platform_meter.store.values import (
    Calls,
    Configured,
    ConfiguredStream,
    CounterRow,
    Directory,
    GapRow,
    Lease,
    Quota,
    Round,
    StreamState,
    Told,
    Written,
)

__all__ = [
    "COUNTERS",
    "DETAIL",
    "RETENTION",
    "Calls",
    "Configured",
    "ConfiguredStream",
    "CounterRow",
    "Directory",
    "GapRow",
    "Lease",
    "LeaseLost",
    "Quota",
    "Round",
    "Store",
    "StoreError",
    "StoredHistory",
    "StreamState",
    "Told",
    "Written",
]
