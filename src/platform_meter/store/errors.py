"""What the store raises. Texts are for an operator; they never hold a password."""

from __future__ import annotations


class StoreError(Exception):
    """The store can't be opened, read or written."""


class LeaseLost(StoreError):
    """Another replica polls this source now; nothing was written."""
