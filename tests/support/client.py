"""Calls to servers on loopback, past any proxy of the environment, which knows nothing of them."""

from __future__ import annotations

import requests
from tests.support.waiting import PATIENCE


def session() -> requests.Session:
    """One that goes straight to where it is sent; whoever asks for it closes it."""
    made = requests.Session()
    made.trust_env = False
    return made


class Client:
    """A server at its address, ready once it answers well at a path."""

    def __init__(self, url: str, ready: str) -> None:
        self.url, self._ready = url, ready
        self._session = session()

    def close(self) -> None:
        self._session.close()

    def is_ready(self) -> bool:
        try:
            return self._session.get(f"{self.url}{self._ready}", timeout=PATIENCE).ok
        except requests.RequestException:
            return False
