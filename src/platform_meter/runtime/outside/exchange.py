"""One request and its answer: on its own host, within its bounds, counted, with the network's failures as our errors."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from platform_meter import __version__
from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.facts.probes import ProbeResult
from platform_meter.model.source import Severed, TimedOut, Unexpected, Unreachable
from platform_meter.runtime.outside import transport
from platform_meter.runtime.outside.grants import Grant
from platform_meter.runtime.outside.probing import look
from platform_meter.runtime.outside.sockets import Deadline

_CONNECT = 10.0
_HOPS = 5
_FOUND = 200
"""Characters of an answer that an error quotes."""
_REASON = 100
"""Characters of a reason phrase that an error quotes."""
_LOOKED = 16 * 1024
_WANTED = ("x-accepted-github-permissions", "x-accepted-oauth-scopes")
"""Headers in which systems name the permissions that would do."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_MOVED_POST = frozenset({307, 308})
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_SLOW_DOWN = re.compile(rb"secondary[ _-]rate[ _-]limit|abuse[ _-](detection|rate)", re.IGNORECASE)
"""How GitHub words the limits whose answers have no header: for too many calls at once, not for too many an hour."""
_RATE = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
"""Looked at on 403 and 429 even where a source names no headers: many systems copied them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as a source asked for it."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str]
    total: float
    """Seconds for the whole answer; of a stream, for its headers."""
    stream: float | None = None
    """Seconds of silence a stream may have; None for an answer read as a whole."""
    body: bytes | None = None
    any_status: bool = False
    """Every status is an answer, a redirect elsewhere too."""

    @property
    def key(self) -> str:
        """The path without query, and without the host of a whole URL."""
        path = self.path.partition("?")[0]
        if _ABSOLUTE.match(path):
            path = path.partition("://")[2].partition("/")[2]
        return "/" + path.lstrip("/")

    @property
    def door(self) -> str:
        """What a permission is for: some let in whoever only reads by GET, and nobody else."""
        return self.key if self.method == "GET" else f"{self.method} {self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. `body` is empty where it is a stream."""

    grant: Grant
    response: requests.Response
    body: bytes = b""

    @property
    def status(self) -> int:
        """As HTTP has it, also where the system says 400 for all that it refuses."""
        status, signer = self.response.status_code, self.grant.signer
        return status if signer is None else signer.meant(status, self.response.headers, self.body)

    @property
    def found(self) -> str:
        """The first of what the server said, on one line."""
        # Secrets go before the cut, which could leave a half of one.
        text = " ".join(self.grant.hide(self.body[:_LOOKED].decode("utf-8", "replace")).split())
        return repr(text[:_FOUND]) if text else "nothing"

    @property
    def error(self) -> str:
        """What an answer of JSON says went wrong, as words to put behind others; empty where it is none."""
        return f"; the server says {self.found}" if self.body.lstrip()[:1] == b"{" else ""

    @property
    def said(self) -> str:
        """The status and its reason phrase, which is the server's to write."""
        reason = (self.response.reason or "").encode("latin-1", "replace").decode("utf-8", "replace")
        return f"{self.status} {self.grant.line(reason)[:_REASON]}".rstrip()

    @property
    def wanted(self) -> str:
        """Which permissions would do, where the system says it."""
        found = next((said for name in _WANTED if (said := self.response.headers.get(name, "").strip())), "")
        return f" (any of: {found[:_FOUND]})" if found else ""


class Exchange:
    """Sends calls of one source instance. Threads may share it.

    Args:
        rate_headers: names of the limit, remaining and reset headers where they differ from GitHub's.
        stop: ends waiting for answers.
        outcome: called with ok, error or limited after each request that was sent, one call at a time.
        max_bytes: bound of one answer, decompressed.
    """

    def __init__(
        self,
        instance: str,
        *,
        rate_headers: tuple[str, str, str] | None,
        stop: threading.Event,
        outcome: Callable[[str], None],
        max_bytes: int,
    ) -> None:
        self._instance, self._stop, self._outcome, self._max_bytes = instance, stop, outcome, max_bytes
        self.rate_headers = (_RATE,) if rate_headers is None else (rate_headers, _RATE)
        """Triples of names, the source's own first."""
        self._lock = threading.Lock()
        self._sessions: dict[str, requests.Session] = {}

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def shown(self, call: Call) -> str:
        """Method, path and instance for error texts; queries may hold what is nobody's business."""
        return f"{call.method} {call.key} of {self._instance}"

    def is_limit(self, reply: Reply) -> bool:
        """429, or a 403 that GitHub and others send in its place."""
        if reply.status != 403:
            return reply.status == 429
        headers = reply.response.headers
        return (
            "retry-after" in headers
            or any(headers.get(remaining, "").strip() == "0" for _, remaining, _ in self.rate_headers)
            or _SLOW_DOWN.search(reply.body[:_LOOKED]) is not None
        )

    def send(self, grant: Grant, call: Call) -> Reply:
        """Send one request, following redirects on its own host, and read the answer unless it is a stream.

        Raises:
            Unreachable: no answer, or none in time.
            Unexpected: it leads elsewhere or is too large.
        """
        url = f"{grant.base}/{call.path.lstrip('/')}" if call.path else grant.base
        if _ABSOLUTE.match(call.path):
            url = call.path
            if problem := transport.elsewhere(url, grant.base):
                raise Unexpected(f"{self.shown(call)}: the address {problem}")
        deadline = Deadline(total=call.total, idle=call.stream or call.total, stop=self._stop)
        headers = {
            "User-Agent": f"platform-meter/{__version__}",
            "Accept-Encoding": "gzip",
            **call.headers,
            **grant.headers,
        }
        request = requests.Request(call.method, url, headers, params=call.params, data=call.body)
        for _ in range(_HOPS):
            reply = self._hop(grant, call, request, deadline)
            if reply.status not in (_MOVED if call.method == "GET" else _MOVED_POST):
                return reply
            there, problem = _led(reply.response, grant.base)
            if problem and call.any_status:
                return reply
            if problem:
                raise Unexpected(f"{self.shown(call)}: a redirect {problem}", reply.status)
            request = requests.Request(call.method, there, headers, data=call.body)
        raise Unexpected(f"{self.shown(call)}: redirected more than {_HOPS} times; check the url", 302)

    def look(self, endpoint: Endpoint, seconds: float, clock: Callable[[], datetime]) -> Look:
        """One look at an endpoint that is not the source's own, counted; raises what `probing.look` raises."""
        outcome = "error"
        try:
            found = look(endpoint, seconds, clock=clock, stop=self._stop)
            outcome = "ok" if found.result is ProbeResult.OK else "error"
            return found
        finally:
            with self._lock:
                self._outcome(outcome)

    def _hop(self, grant: Grant, call: Call, request: requests.Request, deadline: Deadline) -> Reply:
        """One request and its answer, counted."""
        outcome = "error"
        try:
            reply = self._read(grant, call, self._request(grant, call, request, deadline), deadline)
            if self.is_limit(reply):
                outcome = "limited"
            elif reply.status < 400:
                outcome = "ok"
            return reply
        finally:
            with self._lock:
                self._outcome(outcome)

    def _request(self, grant: Grant, call: Call, request: requests.Request, deadline: Deadline) -> requests.Response:
        with self.network(grant, call), transport.bounded(deadline):
            session, prepared = self._session(grant), request.prepare()
            if grant.signer is not None:
                grant.signer.sign(prepared)
            proxies = {"http": grant.proxy, "https": grant.proxy} if grant.proxy else {}
            settings = session.merge_environment_settings(
                prepared.url or "", proxies, stream=True, verify=grant.verify, cert=grant.cert
            )
            timeout = (min(_CONNECT, call.total), call.total)
            return session.send(prepared, timeout=timeout, allow_redirects=False, **settings)

    def _read(self, grant: Grant, call: Call, response: requests.Response, deadline: Deadline) -> Reply:
        if call.stream is not None and response.status_code < 300:
            deadline.restart(None)
            return Reply(grant=grant, response=response)
        body = bytearray()
        with response, self.network(grant, call):
            for chunk in transport.chunks(response):
                body += chunk
                if len(body) > self._max_bytes:
                    text = f"{self.shown(call)}: the answer is larger than {self._max_bytes} bytes, the bound; ask for smaller pages"
                    raise Unexpected(text)
        return Reply(grant=grant, response=response, body=bytes(body))

    def _session(self, grant: Grant) -> requests.Session:
        with self._lock:
            if grant.server_name not in self._sessions:
                self._sessions[grant.server_name] = transport.session(grant.server_name)
            return self._sessions[grant.server_name]

    @contextmanager
    def network(self, grant: Grant, call: Call) -> Iterator[None]:
        """What the network does wrong in here is told as Unreachable, and as Severed where it is our side of it."""
        try:
            yield
        except (requests.RequestException, HTTPError, OSError) as error:
            where = f"{self.shown(call)}: {parse_url(grant.base).netloc}"
            if self._stop.is_set():
                raise Unreachable(f"{where}: ended, we are stopping") from error
            if transport.timed_out(error):
                raise TimedOut(f"{where}: no answer in time") from error
            kind = Severed if transport.ours(error) else Unreachable
            raise kind(grant.hide(f"{where}: {transport.reason(error)}")) from error


def _led(response: requests.Response, base: str) -> tuple[str, str]:
    """Where a redirect leads, and why that is no place to go to; empty when it is one."""
    try:
        there = urljoin(response.url, response.headers.get("location", ""))
    except ValueError:
        return "", "leads to something that is no URL"
    return there, transport.elsewhere(there, base)
