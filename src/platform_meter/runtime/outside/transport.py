"""requests, made to keep to a Deadline and to an address.

urllib3 bounds each read but not their sum; the connections made here read through `sockets.BoundedReader`, so that a
server which drips its headers or its body ends with the deadline, and a watch ends when we stop.
"""

from __future__ import annotations

import codecs
import errno
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError, ReadTimeoutError
from urllib3.util import parse_url

from platform_meter.runtime.outside.sockets import BoundedReader, Deadline

_POOL = 8
"""Connections kept open to one host; more are made when needed and closed afterwards."""
_CHUNK = 64 * 1024
GATHER = 1.0
"""Seconds between two groups of lines while they keep coming."""
_TOGETHER, _TOGETHER_BYTES = 500, 4 * 1024 * 1024
"""Lines of one group, and their bytes: then it is handed on at once."""
_PORTS = {"http": 80, "https": 443}
_NO_WAY = frozenset(
    {errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE}
)
"""No route, no address, no file: nothing was sent."""
_OUR_CERTIFICATE = re.compile(
    r"ALERT_(CERTIFICATE|UNKNOWN_CA|BAD_CERTIFICATE|NO_CERTIFICATE|UNSUPPORTED_CERT|ACCESS_DENIED)"
)
"""How OpenSSL words that the server does not take the certificate that we show."""
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
"""Codecs of Python that are no charsets: some raise whatever they are told, some take hours."""


class TooLong(Exception):
    """A line of a stream exceeds its bound."""


class _Current(threading.local):
    deadline: Deadline | None = None


_current = _Current()


@contextmanager
def bounded(deadline: Deadline) -> Iterator[None]:
    """Answers that begin on this thread inside the block keep to `deadline` until they are read."""
    before, _current.deadline = _current.deadline, deadline
    try:
        yield
    finally:
        _current.deadline = before


class Response(HTTPResponse):
    """An answer that keeps to the deadline of the `bounded` block in which it began."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        deadline = _current.deadline
        self._reader: BoundedReader | None = None
        if deadline is not None:
            held = self.fp.detach()
            self._reader = BoundedReader(sock, deadline, held)
            self.fp = io.BufferedReader(self._reader)

    def more(self, seconds: float) -> bool:
        """Whether more of the body, or its end, comes within `seconds`."""
        if self._reader is None or self._reader.closed:
            return True
        self._reader.patient = False
        try:
            held = self.fp.peek(1)
        finally:
            self._reader.patient = True
        # What is held may be no more than the end of the last chunk.
        return bool(held.strip(b"\r\n")) or self._reader.ready(seconds)

    def begin(self) -> None:
        super().begin()
        # What is no header is dropped: urllib3 would log it as it stands, and it may echo a secret.
        self.msg.defects.clear()
        self.msg.set_payload("")


class _Plain(HTTPConnection):
    response_class = Response


class _Tls(HTTPSConnection):
    response_class = Response


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    """Makes bounded connections; `server_name` is what the certificate must carry where it isn't the host."""

    def __init__(self, server_name: str) -> None:
        self._tls = {"server_hostname": server_name, "assert_hostname": server_name} if server_name else {}
        super().__init__(pool_connections=2, pool_maxsize=_POOL, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs, **self._tls)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs, **self._tls)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        return manager


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Redirects are ours to follow; requests looks where they lead even when told not to, and fails there."""
        del resp


def session(server_name: str = "") -> requests.Session:
    """A session that keeps connections and no cookies. Proxies and CA bundles come from the environment as usual."""
    made = _Session()
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.headers.clear()
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Adapter(server_name))
    return made


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, as the client will understand them.

    Raises:
        urllib3.exceptions.LocationParseError: it is no URL.
    """
    parsed = parse_url(url)
    scheme = parsed.scheme or ""
    return scheme, (parsed.host or "").lower(), parsed.port or _PORTS.get(scheme, 0)


def elsewhere(url: str, base: str) -> str:
    """Why a credential for `base` must not be sent to `url`; empty when it may."""
    try:
        there, here = origin(url), origin(base)
        if parse_url(url).auth is not None:
            return "leads to a URL with credentials in it, which are never sent"
    except LocationParseError:
        return "leads to something that is no URL"
    if there == here:
        return ""
    shown = "{}://{}:{}".format
    return f"leads to {shown(*there)}, but credentials are only sent to {shown(*here)}; if the system has moved, change its url"


def chunks(response: requests.Response) -> Iterator[bytes]:
    """The decoded body as it arrives.

    Raises:
        urllib3.exceptions.HTTPError: it broke off, was too slow or could not be decompressed.
    """
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        yield chunk


def lines(chunks: Iterator[bytes], max_bytes: int, more: Callable[[float], bool]) -> Iterator[list[bytes]]:
    """Lines that are not blank, stripped, in groups: the first at once, then what came in the `GATHER` s since the last.

    `more` tells whether the next chunk, or the end, comes within so many seconds.

    Raises:
        TooLong: a line is longer than `max_bytes`.
    """
    together: list[bytes] = []
    held, size, due = bytearray(), 0, 0.0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for end in ended:
            held += end
            if line := bytes(held).strip():
                together.append(line)
                size += len(line)
            held.clear()
        held += rest
        if len(held) > max_bytes:
            if together:
                yield together
            raise TooLong(f"a line is longer than {max_bytes} bytes")
        full = len(together) >= _TOGETHER or size >= _TOGETHER_BYTES
        if together and (full or not more(max(0.0, due - time.monotonic()))):
            due = time.monotonic() + GATHER
            yield together
            together, size = [], 0
    if last := bytes(held).strip():
        together.append(last)
    if together:
        yield together


def more(response: requests.Response, seconds: float) -> bool:
    """Whether more of the body, or its end, comes within `seconds`."""
    wrapped = response.raw._original_response  # noqa: SLF001 - urllib3 has no public name for the answer that it wraps
    return wrapped.more(seconds) if isinstance(wrapped, Response) else True


def decoded(body: bytes, content_type: str) -> str:
    """Text in the charset the server names, UTF-8 without one; what can't be decoded is replaced."""
    found = re.search(r"charset=\"?([\w.:-]+)", content_type)
    try:
        charset = codecs.lookup(found[1] if found else "utf-8").name.replace("-", "_")
        return body.decode("utf-8" if charset in _NO_CHARSETS else charset, "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def timed_out(error: BaseException) -> bool:
    """Whether a failure of requests or urllib3 is that of time."""
    return any(isinstance(e, requests.Timeout | ReadTimeoutError | TimeoutError) for e in _causes(error))


def ours(error: BaseException) -> bool:
    """Whether a call failed on our side: a certificate that is not trusted, here or there, a name, a proxy, a route."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError() | socket.gaierror() | requests.exceptions.ProxyError():
                return True
            case ssl.SSLError() if _OUR_CERTIFICATE.search(getattr(cause, "reason", None) or ""):
                return True
            case OSError() if cause.errno in _NO_WAY or (type(cause) is OSError and cause.errno is None):
                return True  # without a number: requests found no file of that name
    return False


def reason(error: BaseException) -> str:
    """Why a call failed, in few words and without its URL."""
    found = list(_causes(error))
    for cause in found:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted ({cause.verify_message}); name its CA in ca_file"
    for cause in reversed(found):
        if isinstance(cause, ssl.SSLError):
            # Only those that OpenSSL raises have a reason.
            return f"TLS failed ({getattr(cause, 'reason', None) or 'connection closed'})"
        if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException) and cause.strerror:
            return cause.strerror
    if timed_out(error):
        return "no answer in time"
    return type(found[-1]).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The failure and all it wraps: as cause, as context, as `reason` or as an argument."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]
