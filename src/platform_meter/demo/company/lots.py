"""Lots that follow from names alone: what is drawn for something is the same at every start, whatever stands beside it."""

from __future__ import annotations

from zlib import crc32


def drawn(*what: str) -> int:
    """A number below 2**32, by the words of what it is drawn for."""
    return crc32("/".join(what).encode())


def one_in(many: int, *what: str) -> bool:
    """Whether the lot falls on it, as it does on one in so many."""
    return drawn(*what) % many == 0
