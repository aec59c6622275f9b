"""What one request carries to be let in, with the secrets of that moment; they are never shown."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from requests import PreparedRequest

_SHORTEST_HIDDEN = 3
"""Shorter secrets would blank out half of every text and are no secrets."""


class Signer(Protocol):
    """Lets each request in by a signature of it, and knows how such a system words its refusals."""

    def sign(self, request: PreparedRequest) -> None:
        """Put the signature into the headers of a request that is whole but for it."""
        ...

    def meant(self, status: int, headers: Mapping[str, str], body: bytes) -> int:
        """The status that HTTP has for an answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Address, headers and TLS files of one request, with the secrets of this moment."""

    base: str
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    fingerprint: str = ""
    """Equal for equal credentials, different once the secret changes; reveals nothing. Empty without a credential."""
    secrets: tuple[str, ...] = field(repr=False, default=())
    """All that must not appear in any text."""
    verify: bool | str = True
    """True for the system's CAs, else the path of a CA file."""
    cert: tuple[str, str] | None = None
    """Paths of client certificate and key."""
    server_name: str = ""
    """The name the server's certificate carries, where it isn't the host."""
    proxy: str = field(repr=False, default="")
    signer: Signer | None = field(repr=False, default=None)
    """Of a system that wants each request signed."""

    def hide(self, text: str) -> str:
        """`text` without any of the secrets, as they are or as a URL writes them, in capitals or not."""
        forms = {form for secret in self.secrets for form in (secret, quote(secret, safe=""))}
        for form in sorted(forms, key=len, reverse=True):
            if len(form) >= _SHORTEST_HIDDEN:
                text = re.sub(re.escape(form), "***", text, flags=re.IGNORECASE)
        return text

    def line(self, text: str) -> str:
        """`text` on one line, printable and without any of the secrets."""
        shown = "".join(letter if letter.isprintable() else " " for letter in self.hide(text))
        # Blanks stood in for what can't be shown: a secret may have been in two halves.
        return self.hide(" ".join(shown.split()))


class Credentials(Protocol):
    """Gives the grant for the next request."""

    def grant(self) -> Grant:
        """Read what is needed as it stands now.

        Raises:
            Refused: a secret is missing or unusable; the text says what to do.
        """
        ...

    def renew(self, refused: Grant) -> bool:
        """The server did not take this grant, which may not be the last one any more: threads share a credential.

        True where the next grant is another one, False where asking again can't help.
        """
        ...


def fingerprint(*parts: str) -> str:
    """A digest of `parts` that keeps their borders."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()
