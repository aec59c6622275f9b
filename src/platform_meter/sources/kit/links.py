"""Addresses that others wrote and people follow from a page."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 2_000
"""Characters; what is longer is no place to go to."""


def link(*urls: str | None) -> str:
    """The first that is an address of the web and holds no login; empty where none is, whatever else it would do."""
    return next((url for url in urls if url and _leads(url)), "")


def _leads(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    web = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    return web and len(url) <= LONGEST and url.isprintable() and " " not in url
