"""Git remotes: the repository behind an address, as its own source names it."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

HOSTS = ("github", "gitlab")
"""Systems by a word in the names of their hosts."""
_SHORT = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//|\d+/)(.+)")
"""`git@host:path`, the short form of an address of SSH."""


@lru_cache(maxsize=4_096)
def repository(url: str) -> str:
    """The repository of a remote's address (`github:acme/shop`); empty for a host whose system nobody knows."""
    short = _SHORT.fullmatch(url)
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        host, path = (short[1], short[2]) if short else (parts.hostname or "", parts.path)
    except ValueError:
        return ""
    system = next((name for name in HOSTS if name in host.lower()), "")
    path = path.strip("/").removesuffix(".git")
    return f"{system}:{path}" if system and "/" in path else ""
