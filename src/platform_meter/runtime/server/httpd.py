"""The HTTP server: cheroot, with the gaps closed that a server on a company's network must not have.

cheroot alone makes TLS handshakes in its accepting thread, counts its timeout anew with each byte, takes any number of
connections and reads certificates once (measured in docs/decisions/http-server.md). Here a connection has its own
worker from the first byte, a time for its headers, its body and its answer, and one cap over all of them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import resource
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from cheroot.server import HTTPConnection
from cheroot.wsgi import Server as CherootServer

from platform_meter.runtime.outside.sockets import BoundedReader, Deadline, send_all
from platform_meter.runtime.server.heads import StrictRequest
from platform_meter.runtime.server.tls import Contexts, TlsAdapter

log = logging.getLogger(__name__)

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application."""

_GRACE = 5
"""Seconds that running answers get when the server stops."""
_BACKLOG = 128
_AT_ONCE = 0.1
"""Seconds within which an honest client has sent its request."""
_SOON = 1.0
"""Seconds within which an honest client has taken most of an answer."""
_NO_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_TAKEN = 16
"""Reads of what nobody asked for."""
_BREATH = 0.05
"""Seconds before the next accept where the machine has no room for another connection."""
_SAY_AGAIN = 60.0
_OTHER_FILES = 64
"""Descriptors that the rest of the process needs: store, sources, logs."""


def _plain(status: str, text: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return (head + text).encode()


_BUSY = _plain("503 Service Unavailable", "too many connections; try again\n")
_NOT_TLS = _plain("400 Bad Request", "this port speaks https\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    connections: int
    headers: float
    body: float
    answer: float


class _Reader(io.BufferedReader):
    """Reads of one connection, and whether something was read that nobody has asked for yet."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._source = BoundedReader(sock, deadline)
        self._tls = sock if isinstance(sock, ssl.SSLSocket) else None
        self.bytes_read = 0
        super().__init__(self._source)

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.bytes_read += len(line)
        return line

    def has_data(self) -> bool:
        # The selector does not see what TLS has already decrypted.
        return self._source.taken > self.bytes_read or (self._tls is not None and self._tls.pending() > 0)


class _Writer:
    """Writes of one connection: without copies, and only as long as the client may take."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self.bytes_written = 0

    def write(self, data: bytes) -> int:
        try:
            sent = send_all(self._sock, data, self._deadline)
        except TimeoutError:
            # Closing shall drop what the kernel still holds for a client that doesn't read.
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise
        self.bytes_written += sent
        return sent


class _Request(StrictRequest):
    def respond(self) -> None:
        """The headers are read: from here on the body has its time."""
        self.conn.reading.restart(self.server.limits.body)
        super().respond()

    def send_headers(self) -> None:
        self.conn.answering.restart(self.server.limits.answer)
        super().send_headers()


class _Connection(HTTPConnection):
    RequestHandlerClass = _Request

    def __init__(self, server: _Cheroot, sock: socket.socket, _makefile: object = None) -> None:
        limits = server.limits
        self.reading = Deadline(total=limits.headers, idle=limits.headers + limits.body)
        self.reading.waiting = True  # until a worker has read its first request
        self.answering = Deadline(total=limits.answer, idle=limits.answer)
        self.admitted = self.resting = False
        self._shaken = not isinstance(sock, ssl.SSLSocket)
        super().__init__(server, sock, self._file)

    def _file(self, sock: socket.socket, mode: str, _size: int) -> _Reader | _Writer:
        return _Reader(sock, self.reading) if "r" in mode else _Writer(sock, self.answering)

    def communicate(self) -> bool:
        """One request and its answer; True keeps the connection."""
        limits = self.server.limits
        self.resting = False
        self.reading.restart(limits.headers)
        if not self._shaken:
            if not self._handshake():
                return False
            self.reading.restart(limits.headers)
        self.answering.restart(limits.headers + limits.answer)
        self.resting = bool(super().communicate())  # type: ignore[no-untyped-call]
        return self.resting

    def _handshake(self) -> bool:
        self.reading.waiting = True
        try:
            self.socket.settimeout(self.reading.left())
            self.socket.do_handshake()
        except OSError as error:
            log.debug("TLS handshake with %s failed: %s", self.remote_addr, error)
            if getattr(error, "reason", "") == "HTTP_REQUEST":
                _say(self.socket, _NOT_TLS)
            return False
        finally:
            self.reading.waiting = False
        if not self.server.ssl_adapter.admits(self.socket):
            log.info("%s showed a certificate with a name that is not in client_allowed_sans", self.remote_addr)
            return False
        self._shaken = True
        self.ssl_env = self.server.ssl_adapter.get_environ(self.socket)
        return True

    def refuse(self) -> None:
        """One connection too many."""
        if self._shaken:
            _say(self.socket, _BUSY)
        self.close()

    def cut(self) -> None:
        """End it under the hands of the thread that works on it."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self.server.closed(self)
        _take(self.socket)
        super().close()


def _say(sock: socket.socket, text: bytes) -> None:
    """Say something below TLS, without ever waiting."""
    _take(sock)
    with contextlib.suppress(OSError):
        socket.socket.send(sock, text)


def _take(sock: socket.socket) -> None:
    """Take what has arrived and nobody read, without ever waiting: else closing would erase what was answered."""
    with contextlib.suppress(OSError):
        sock.setblocking(False)
        for _ in range(_TAKEN):
            if not socket.socket.recv(sock, 65536):
                break


class _Cheroot(CherootServer):
    ConnectionClass = _Connection

    def __init__(self, address: tuple[str, int], app: App, limits: _Limits) -> None:
        super().__init__(
            address,
            app,
            numthreads=limits.connections,
            max=limits.connections,
            server_name="platform-meter",
            request_queue_size=_BACKLOG,
            shutdown_timeout=_GRACE,
        )
        self.limits = limits
        # Half of the connections at most rest between requests, so that resting ones never fill the cap.
        self.keep_alive_conn_limit = max(1, limits.connections // 2)
        self._said_no_files = -_SAY_AGAIN
        self._held: set[_Connection] = set()
        self._held_lock = threading.Lock()

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        """Bind, and close the socket where that fails."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_

    def process_conn(self, conn: _Connection) -> None:
        """Hand a connection on which something can be read to a worker; there is one for each."""
        if not conn.admitted:
            with self._held_lock:
                slow = self._slowest() if len(self._held) >= self.limits.connections else None
                conn.admitted = slow is not None or len(self._held) < self.limits.connections
                if slow is not None:
                    self._held.discard(slow)
                if conn.admitted:
                    self._held.add(conn)
            if slow is not None:
                slow.cut()
            if not conn.admitted:
                conn.refuse()
                return
        super().process_conn(conn)

    def _slowest(self) -> _Connection | None:
        """The connection whose place a new one deserves more; None where all of them are being answered.

        Those that let us wait for their request, then for their reading, then those that rest; of each the one that
        does so the longest. Who has only just come is taken last, so that an honest client among many slow ones has
        the moment that it needs.
        """
        now = time.monotonic()
        asking = [(c.reading.began, c) for c in self._held if c.reading.waiting]
        taking = [(c.answering.began, c) for c in self._held if c.answering.waiting]
        resting = [(c.reading.began, c) for c in self._held if c.resting]
        slow = [one for one in asking if now - one[0] > _AT_ONCE] or [one for one in taking if now - one[0] > _SOON]
        found = min(slow or resting or asking + taking, key=lambda one: one[0], default=None)
        return found[1] if found else None

    def closed(self, conn: _Connection) -> None:
        with self._held_lock:
            self._held.discard(conn)

    def cut(self) -> None:
        with self._held_lock:
            held = list(self._held)
        for conn in held:
            conn.cut()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        error = sys.exception()
        if isinstance(error, OSError) and error.errno in _NO_FILES:
            self._no_files(error)
            return
        log.log(level, "%s", msg, exc_info=traceback)

    def _no_files(self, error: OSError) -> None:
        """A connection could not be accepted: cheroot would try again at once, and say so each time."""
        now = time.monotonic()
        if now >= self._said_no_files + _SAY_AGAIN:
            self._said_no_files = now
            log.error("no room for another connection: %s; raise the limit of open files", error.strerror)
        time.sleep(_BREATH)


def _affordable(wanted: int) -> int:
    """As many connections as open files are allowed, besides those that the rest of the process needs."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY or wanted + _OTHER_FILES <= allowed:
        return wanted
    found = max(2, min(wanted, max(allowed - _OTHER_FILES, allowed // 4)))
    log.warning("only %d files may be open, so at most %d connections are served instead of %d", allowed, found, wanted)
    return found


class Server:
    """Serves a WSGI application from a thread of its own.

    Args:
        host: loopback unless others are to reach it.
        port: 0 takes a free one; see `port` after `start`.
        tls: gives the context of each connection; None speaks plain HTTP.
        max_connections: at once, fewer where the limit of open files is lower. A further one takes the place of the
            slowest client; where all are being answered it is told 503 (closed where TLS is spoken). Half of them may
            rest between requests.
        header_timeout: seconds for the TLS handshake, and again for all headers of one request together.
        body_timeout: seconds for one request's body.
        answer_timeout: seconds for the client to read one answer.
        idle_timeout: seconds a connection may rest between requests; longer than the scrape interval.
        max_header_bytes: of one request; more get 414 or 431.
        max_body_bytes: of one request; more get 413.

    """

    def __init__(
        self,
        app: App,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: Contexts | None = None,
        max_connections: int = 64,
        header_timeout: float = 10.0,
        body_timeout: float = 30.0,
        answer_timeout: float = 60.0,
        idle_timeout: float = 120.0,
        max_header_bytes: int = 32 * 1024,
        max_body_bytes: int = 10 * 1024 * 1024,
    ) -> None:
        limits = _Limits(
            connections=_affordable(max_connections), headers=header_timeout, body=body_timeout, answer=answer_timeout
        )
        self._cheroot = _Cheroot((host, port), app, limits)
        self._cheroot.timeout = idle_timeout
        self._cheroot.max_request_header_size = max_header_bytes
        self._cheroot.max_request_body_size = max_body_bytes
        if tls is not None:
            self._cheroot.ssl_adapter = TlsAdapter(tls)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port that is listened on, once started."""
        return int(self._cheroot.bind_addr[1])

    @property
    def url(self) -> str:
        """Where the pages are, once started."""
        scheme = "http" if self._cheroot.ssl_adapter is None else "https"
        host = self._cheroot.bind_addr[0]
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def start(self) -> None:
        """Listen and serve.

        Raises:
            OSError: the address is taken or not ours.
        """
        self._cheroot.prepare()
        self._thread = threading.Thread(target=self._cheroot.serve, name="http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, give running answers 5 s, then cut them."""
        if self._thread is None:
            return
        cutting = threading.Timer(_GRACE, self._cheroot.cut)
        cutting.daemon = True
        cutting.start()
        self._cheroot.stop()
        cutting.cancel()
        self._thread.join()
        self._thread = None
