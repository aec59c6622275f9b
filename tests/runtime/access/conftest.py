"""The same certificates as the server's tests have."""

from __future__ import annotations

from tests.runtime.server.conftest import certs

__all__ = ["certs"]
