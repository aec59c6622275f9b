"""Every test that takes `url` or `open_store` runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import postgres
from tests.support.stores import Opener


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'meter.db'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.schema()


@pytest.fixture
def open_store(url: str) -> Iterator[Opener]:
    """Opens the store of `url`, as often as wanted; all are closed at the end."""
    opener = Opener(url)
    yield opener
    opener.close()
