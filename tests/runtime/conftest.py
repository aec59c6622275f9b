"""A scriptable server on loopback, and what ways out are made of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.http import Server, serving
from tests.support.ways import Kit


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = Kit()
    yield made
    made.close()
