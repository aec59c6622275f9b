"""One look at an endpoint, over a connection of its own, straight: no proxy, no connection kept, no redirect followed.

A look ends in time whatever the endpoint does, and says what came of it; only what fails on our side is an error.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from platform_meter import __version__
from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.facts.probes import ProbeResult
from platform_meter.model.source import Severed, Unreachable
from platform_meter.runtime.outside import transport
from platform_meter.runtime.outside.der import ends
from platform_meter.runtime.outside.sockets import Deadline

LONGEST = 1024 * 1024
"""Bytes of an answer that are read."""
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name the authorities which this machine trusts, as for every other call."""
_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of openssl/x509_vfy.h."""
_Address = tuple[socket.AddressFamily, Any]


def look(endpoint: Endpoint, seconds: float, *, clock: Callable[[], datetime], stop: threading.Event) -> Look:
    """Connect, shake hands where it is TLS, and ask where there is a path.

    Args:
        endpoint: whatever it is: nothing is shown to it that would let us in.
        seconds: for all of it, the look-up of the name aside.
        clock: the current time, UTC: what tells whether a certificate has expired.
        stop: ends it.

    Raises:
        Severed: it failed on our side: a certificate that is not trusted, a name, a route. It tells nothing of the endpoint.
        Unreachable: we are stopping.
    """
    try:
        context = _context(*_stamped(_bundle(endpoint.ca_file))) if endpoint.tls else None
        addresses = _addresses(endpoint)
    except OSError as error:
        raise Severed(f"{endpoint.place}: {_ours(error, endpoint)}") from error
    one = _Looking(endpoint, context, Deadline(total=seconds, idle=seconds, stop=stop))
    why, result = "", ProbeResult.OK
    try:
        one.over(addresses)
    except (OSError, HTTPException) as error:
        if stop.is_set():
            raise Unreachable(f"{endpoint.place}: ended, we are stopping") from error
        late = transport.timed_out(error)
        why, result = transport.reason(error), ProbeResult.TIMEOUT if late else ProbeResult.ERROR
        if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code == _EXPIRED:
            one.saw_without_trust(addresses, seconds)
            if one.ends is not None and one.ends <= clock():  # otherwise it is an authority's, which may be ours
                return one.told(ProbeResult.ERROR, "the certificate has expired")
        if not late and transport.ours(error):
            raise Severed(f"{endpoint.place}: {why}") from error
    return one.told(result, why)


class _Looking:
    """What one look has seen so far."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None, deadline: Deadline) -> None:
        self._endpoint, self._context, self._deadline = endpoint, context, deadline
        self._status, self._text, self._took = 0, "", 0.0
        self.ends: datetime | None = None

    def told(self, result: ProbeResult, why: str) -> Look:
        return Look(
            result=result,
            seconds=self._took,
            why=why,
            status=self._status,
            text=self._text,
            certificate_ends=self.ends,
        )

    def over(self, addresses: Sequence[_Address]) -> None:
        """Look at the first of the addresses that takes the connection."""
        try:
            with ExitStack() as held:
                sock = held.enter_context(_connected(addresses, self._deadline))
                if self._context is not None:
                    sock = held.enter_context(self._shaken(sock, self._context, self._deadline))
                if self._endpoint.path is not None:
                    self._ask(sock, self._endpoint.path)
        finally:
            self._took = time.monotonic() - self._deadline.began

    def saw_without_trust(self, addresses: Sequence[_Address], seconds: float) -> None:
        """See the certificate of an endpoint that is not trusted: nothing is asked, the handshake alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        deadline = Deadline(total=seconds, idle=seconds)
        try:
            with _connected(addresses, deadline) as sock, self._shaken(sock, context, deadline):
                pass
        except OSError:
            return  # then it is not known, and nothing is told of it

    def _shaken(self, sock: socket.socket, context: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
        shaken = context.wrap_socket(sock, server_hostname=self._endpoint.host, do_handshake_on_connect=False)
        try:
            while event := _wanted(shaken):
                _wait(shaken, event, deadline)
        except BaseException:
            shaken.close()
            raise
        self.ends = ends(shaken.getpeercert(binary_form=True) or b"")
        return shaken

    def _ask(self, sock: socket.socket, path: str) -> None:
        place, usual = self._endpoint.place, 443 if self._endpoint.tls else 80
        headers = {
            "Host": place.removesuffix(f":{usual}"),
            "User-Agent": f"platform-meter/{__version__}",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        asking = HTTPConnection(self._endpoint.host, self._endpoint.port)
        asking.response_class, asking.auto_open, asking.sock = transport.Response, 0, sock
        sock.settimeout(self._deadline.left())
        with transport.bounded(self._deadline):
            asking.request("GET", path, headers=headers)
            answer = asking.getresponse()
        self._status = answer.status
        body = answer.read(LONGEST)
        if answer.length and len(body) < LONGEST:
            raise ConnectionResetError(errno.ECONNRESET, "the answer broke off")
        self._text = transport.decoded(body, answer.headers.get("content-type", ""))


def _connected(addresses: Sequence[_Address], deadline: Deadline) -> socket.socket:
    """A connection to the first address that takes one, as `socket.create_connection` makes it, but within a deadline."""
    failed: OSError = OSError("it has no address")
    for family, address in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            _connect(sock, address, deadline)
        except OSError as error:
            sock.close()
            if isinstance(error, TimeoutError):
                raise
            failed = error if transport.ours(failed) else failed  # one that refuses tells more than one without a route
        else:
            return sock
    raise failed


def _connect(sock: socket.socket, address: Any, deadline: Deadline) -> None:
    sock.setblocking(False)
    code = sock.connect_ex(address)
    if code == errno.EINPROGRESS:
        _wait(sock, select.POLLOUT, deadline)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _wanted(shaken: ssl.SSLSocket) -> int:
    """What the handshake waits for; 0 once it is done."""
    try:
        shaken.do_handshake()
    except ssl.SSLWantReadError:
        return select.POLLIN
    except ssl.SSLWantWriteError:
        return select.POLLOUT
    return 0


def _wait(sock: socket.socket, event: int, deadline: Deadline) -> None:
    """Until the socket can go on.

    Raises:
        TimeoutError: the time is over.
        ConnectionAbortedError: we are stopping.
    """
    poll = select.poll()
    poll.register(sock, event)
    while not poll.poll(deadline.left() * 1_000):
        pass


def _addresses(endpoint: Endpoint) -> list[_Address]:
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


def _bundle(ca_file: str | None) -> str:
    if ca_file is not None:
        return str(Path(ca_file).expanduser())
    return next((path for name in _BUNDLES if (path := os.environ.get(name))), DEFAULT_CA_BUNDLE_PATH)


def _stamped(path: str) -> tuple[str, int, int]:
    """A file with what changes when it does."""
    stat = Path(path).stat()
    return path, stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=64)
def _context(path: str, _changed: int, _size: int) -> ssl.SSLContext:
    """Reading all authorities takes longer than most looks, so it is done once."""
    folder = Path(path).is_dir()
    return ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)


def _ours(error: OSError, endpoint: Endpoint) -> str:
    if isinstance(error, socket.gaierror):
        return f"its name is not known here ({error.strerror}); correct it, or mend the resolver"
    return f"the authorities in {_bundle(endpoint.ca_file)} can't be read ({error.strerror}); write a PEM file"
