"""The event store, on SQLite or PostgreSQL. Its users see values, never SQL."""

from platform_meter.store.errors import LeaseLost, StoreError
from platform_meter.store.store import RETENTION, Store
from platform_meter.store.values import (
    Configured,
    CounterRow,
    Directory,
    GapRow,
    Poll,
    StreamState,
    Written,
)

__all__ = [
    "RETENTION",
    "Configured",
    "CounterRow",
    "Directory",
    "GapRow",
    "LeaseLost",
    "Poll",
    "Store",
    "StoreError",
    "StreamState",
    "Written",
]
