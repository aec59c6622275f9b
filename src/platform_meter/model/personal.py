"""People as facts have them: salted hashes, the fields and keys that hold them, and no name."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator

from platform_meter.model.facts import Fact

SALT_BYTES = 16
"""Of a salt at least: 128 bits, which nobody can try out."""
_LETTERS = 32
_KEY = re.compile(r"(?:^|/)@[0-9a-f]{24}(?=/|$)")
_FINGERPRINT = "\0fingerprint of the salt"
"""What nobody is called."""


def hashed(salt: bytes, person: str) -> str:
    """A person's name as everything stored has it: the first half of its HMAC-SHA-256 under the salt (RFC 2104, section 5).

    Without the salt nobody can say whose it is.
    """
    return hmac.digest(salt, person.encode(), "sha256").hex()[:_LETTERS]


def fingerprint(salt: bytes) -> str:
    """By this a salt is known again. It tells nothing of it, nor of anybody's hash."""
    return hashed(salt, _FINGERPRINT)


def by_person(digest: str) -> str:
    """A part of an event's key that hangs on a person's hash: under another salt the same event has another key."""
    return f"@{digest[:24]}"


def hangs_on_person(key: str) -> bool:
    """Whether `by_person` is a part of it."""
    return _KEY.search(key) is not None


def people(fact: Fact) -> Iterator[str]:
    """Everybody whom a fact names, by hash."""
    for name in type(fact).who:
        value = getattr(fact, name)
        yield from filter(None, (value,) if isinstance(value, str) else value)
