"""Reads and writes on sockets that end: by a total time, by silence, or because we stop.

A socket's own timeout counts anew with each byte, so a peer that sends one byte a second holds a thread for ever.
Here every wait is cut to what is left of the whole exchange. Used by the HTTP client and the HTTP server.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GLANCE = 0.5
"""Seconds between two looks at `stop` while nothing arrives."""
_LOOK = 64 * 1024
"""Bytes received to see whether anything has come."""
_SHORTEST = 0.001
"""A timeout of 0 would make the socket non-blocking."""
_SLICE = 256 * 1024
"""Bytes per send; small enough that the time left is looked at often, large enough to cost nothing."""


class Deadline:
    """How long one exchange may still take.

    Args:
        total: seconds from now for all of it; None when it may last (watches).
        idle: seconds in which at least one byte must move.
        stop: ends every wait within half a second.
    """

    __slots__ = ("_end", "_idle", "_idle_end", "_stop", "began", "waiting")

    def __init__(self, *, total: float | None, idle: float, stop: threading.Event | None = None) -> None:
        self._idle, self._stop = idle, stop
        self.waiting = False
        """Whether somebody waits for the peer at this moment."""
        self.restart(total)

    def restart(self, total: float | None) -> None:
        """Allow `total` seconds from now on."""
        now = self.began = time.monotonic()
        self._end = None if total is None else now + total
        self._idle_end = now + self._idle

    def begin(self) -> None:
        """One read or write begins: its silence counts from now."""
        self._idle_end = time.monotonic() + self._idle

    def left(self) -> float:
        """Seconds the next wait may last.

        Raises:
            TimeoutError: nothing is left.
            ConnectionAbortedError: we are stopping.
        """
        if self._stop is not None and self._stop.is_set():
            raise ConnectionAbortedError("stopping")
        end = self._idle_end if self._end is None else min(self._end, self._idle_end)
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")  # cheroot knows a timeout by these words
        return max(_SHORTEST, left if self._stop is None else min(left, _GLANCE))


class BoundedReader(io.RawIOBase):
    """Reads of `sock` that keep to `deadline`. `held` is closed with it (the socket lives as long as this reader)."""

    def __init__(self, sock: socket.socket, deadline: Deadline, held: io.IOBase | None = None) -> None:
        super().__init__()
        self.taken = 0
        """Bytes read so far."""
        self.patient = True
        """Whether a read waits for what has not arrived."""
        self._ahead = bytearray()
        self._over = False
        self._sock, self._deadline = sock, deadline
        self._held: io.IOBase = sock.makefile("rb", buffering=0) if held is None else held

    def readable(self) -> bool:
        return True

    def ready(self, seconds: float) -> bool:
        """Whether a read would find something, or the end, if it came within `seconds`.

        It is received to know that: of TLS a socket that has something to read may have nothing for us.
        """
        end = time.monotonic() + seconds
        self._deadline.begin()
        while not self._ahead and not self._over:
            left = end - time.monotonic()
            self._sock.settimeout(max(_SHORTEST, min(left, self._deadline.left())))
            try:
                got = self._sock.recv(_LOOK)
            except TimeoutError:
                if left <= _SHORTEST:
                    return False
                continue
            self._over = not got
            self._ahead += got
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if not self.patient and not self.ready(0):
            return None
        if self._ahead:
            view = memoryview(buffer).cast("B")
            some = bytes(self._ahead[: len(view)])
            view[: len(some)] = some
            del self._ahead[: len(some)]
            self.taken += len(some)
            return len(some)
        if self._over:
            return 0
        self._deadline.begin()
        self._deadline.waiting = True
        try:
            while True:
                self._sock.settimeout(self._deadline.left())
                try:
                    got = self._sock.recv_into(buffer)
                except TimeoutError:
                    continue  # `left` raises once it is really over
                self.taken += got
                return got
        finally:
            self._deadline.waiting = False

    def close(self) -> None:
        if not self.closed:
            self._held.close()
        super().close()


def send_all(sock: socket.socket, data: bytes | bytearray | memoryview, deadline: Deadline) -> int:
    """Send all of `data` without copying it, within `deadline`.

    Raises:
        TimeoutError: the peer reads too slowly.
    """
    view = memoryview(data)
    sent = 0
    deadline.begin()
    deadline.waiting = True
    try:
        while sent < len(view):
            sock.settimeout(deadline.left())
            try:
                sent += sock.send(view[sent : sent + _SLICE])
            except TimeoutError:
                raise TimeoutError("timed out") from None  # TLS says it in other words, which cheroot would log
            deadline.begin()
        return sent
    finally:
        deadline.waiting = False
