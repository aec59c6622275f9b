"""Amazon's services as moto's server has them, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.server import ThreadedMotoServer


@contextmanager
def amazon_server() -> Iterator[str]:
    """All of them, empty, for the time of the block: their address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def lead_to(url: str, monkeypatch: pytest.MonkeyPatch, region: str = "") -> None:
    """Have boto3 and our own way out find them there, with an account's keys, by the environment."""
    given = {"ENDPOINT_URL": url, "ACCESS_KEY_ID": "AKIATEST", "SECRET_ACCESS_KEY": "s3cret"}
    for name, value in {**given, **({"DEFAULT_REGION": region} if region else {})}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
