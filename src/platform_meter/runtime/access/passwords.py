"""Passwords against their bcrypt hashes: verified once, then known; a user who is not there takes as long as one who is."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping

import bcrypt

_KNOWN = 100
"""Pairs that are remembered; exporter-toolkit remembers as many."""
_LONGEST = 72
"""Bytes of a password that bcrypt looks at."""
_COST = slice(4, 6)
"""Where a hash says its cost: $2y$10$..."""
_DECOY = "." * 53
"""Salt and hash that no password has."""


class Passwords:
    """For any number of threads.

    Args:
        verify: whether a password belongs to a hash. Costs what the hash says.
    """

    def __init__(self, verify: Callable[[bytes, bytes], bool] = bcrypt.checkpw) -> None:
        self._verify = verify
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, None] = {}
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def fit(self, users: Mapping[str, str], name: str, password: bytes) -> bool:
        """Whether this user has this password.

        A wrong one is not remembered. One is verified at a time: guessing takes no more than one processor, and who
        is known already does not wait.

        Args:
            users: bcrypt hashes by name.
            name: of a user who may not be among them.
            password: as it was sent.
        """
        password = password[:_LONGEST]
        known = users.get(name)
        stored = (known or self._decoy(users, name)).encode()
        proof = hashlib.blake2b(stored + password, key=self._key).digest()
        with self._lock:
            if known and proof in self._known:
                self._known[proof] = self._known.pop(proof)
                return True
        with self._turn:
            fits = self._verify(password, stored)
        if not (known and fits):
            return False
        with self._lock:
            self._known[proof] = None
            while len(self._known) > _KNOWN:
                del self._known[next(iter(self._known))]
        return True

    def _decoy(self, users: Mapping[str, str], name: str) -> str:
        """A hash that costs what one of the users' does: always the same for a name, so that asking twice tells nothing."""
        costs = sorted(stored[_COST] for stored in users.values()) or ["10"]
        pick = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), key=self._key).digest()
        return f"$2b${costs[int.from_bytes(pick[:8], 'big') % len(costs)]}${_DECOY}"
