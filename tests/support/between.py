"""A loopback server in front of another one: it passes every call on, until a test says what comes back instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.client import session
from tests.support.http import Reply, Seen, serving
from tests.support.waiting import PATIENCE

Spoil = Callable[[Seen, Reply], Reply]
"""What comes back in place of the answer."""
_KEPT = ("content-type", "date")


def _as_it_is(seen: Seen, reply: Reply) -> Reply:
    del seen
    return reply


def _nothing(seen: Seen) -> None:
    del seen


class Between:
    """What stands between a source and its system."""

    def __init__(self, system: str) -> None:
        self.url = ""
        self.own: Callable[[Seen], Reply | None] = _nothing
        """Answers for the system, where it gives an answer."""
        self._spoil: Spoil = _as_it_is
        self._system, self._session = system, session()

    def close(self) -> None:
        self._session.close()

    @contextmanager
    def spoiled(self, by: Spoil) -> Iterator[None]:
        """For the time of the block."""
        self._spoil = by
        try:
            yield
        finally:
            self._spoil = _as_it_is

    def answer(self, seen: Seen) -> Reply:
        return self._spoil(seen, self.own(seen) or self._passed_on(seen))

    def _passed_on(self, seen: Seen) -> Reply:
        headers = {name: value for name, value in seen.headers.items() if name not in {"host", "content-length"}}
        address = f"{self._system}{seen.path}{'?' if seen.query else ''}{seen.query}"
        found = self._session.request(seen.method, address, data=seen.body, headers=headers, timeout=PATIENCE)
        kept = {name: found.headers[name] for name in _KEPT if name in found.headers}
        return Reply(status=found.status_code, headers=kept, body=found.content)


def away(seen: Seen, reply: Reply) -> Reply:
    """The system does not answer."""
    del seen, reply
    return Reply(status=503)


@contextmanager
def between(system: str, *paths: str) -> Iterator[Between]:
    """In front of the server at `system`, of which these paths are called; of none where all answers are its own."""
    made = Between(system)
    with serving() as server:
        made.url = server.url
        try:
            for path in paths:
                server.on(path, made.answer)
            yield made
        finally:
            made.close()
