"""The way out of sources: HTTP with auth, retries, quota, breaker and bounds, all in one place.

What a source sees is `model.source.Outside`: an answer or one of five errors.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPException
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar, cast
from urllib.parse import urlencode

import msgspec
import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_when_event_set

from platform_meter.model.access import Access
from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.personal import SALT_BYTES, hashed
from platform_meter.model.source import (
    Answer,
    Expired,
    Forbidden,
    Gap,
    Limited,
    Refused,
    SourceError,
    Unexpected,
    Unreachable,
)
from platform_meter.model.typed import decoder
from platform_meter.runtime.outside import transport
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.credentials import credentials, unaccepted
from platform_meter.runtime.outside.exchange import Call, Exchange, Reply
from platform_meter.runtime.outside.files import Files
from platform_meter.runtime.outside.gaps import Gaps
from platform_meter.runtime.outside.grants import Credentials, Grant
from platform_meter.runtime.outside.quota import Account, Budgets, moment

T = TypeVar("T")
log = logging.getLogger(__name__)

TRIES = 3
LONGEST_WAIT = timedelta(seconds=60)
"""A call waits so long for the server's quota; beyond that the poll ends and the runner waits."""
_AGAIN = frozenset({500, 502, 503, 504})
_NOT_DONE = 501  # says something of the path and method, as a 4xx does, and nothing of how the server is


class _Again(Exception):
    """One try failed in a way that another may not. `wait` is what the server asked for."""

    def __init__(self, error: SourceError, wait: timedelta | None = None) -> None:
        super().__init__()
        self.error, self.wait = error, wait


class _Last(threading.local):
    """The last grant of this thread: its secrets are hidden in every error that the thread meets."""

    grant = Grant(base="")


class Way(Files):
    """`model.source.Outside` over HTTP for one source instance. Threads may share it.

    Args:
        budgets: quota and breakers, shared by all instances.
        clock: the current time, UTC.
        sleep: waits that many seconds; `stop.wait` makes stopping prompt.
        salt: 16 bytes or more; the key of `hashed`.
        stop: ends waits, retries and streams.
        outcome: called with ok, error or limited after each request that was sent, one call at a time.
        on_gap: called with each range of history not seen before by this object.
        on_filled: called with a range that was read after all, and whose it is.
        jitter: a random number 0..1 per wait.
        environ: where secrets by variable come from.
        max_bytes: bound of one answer, decompressed, and of one line of a stream.
        timeout: of one request, from the first byte sent to the last byte read.
        credential: in place of what `access` names.

    Raises:
        ValueError: `access` or `salt` is unusable; the text says why.
    """

    def __init__(
        self,
        access: Access,
        *,
        instance: str,
        source_type: str,
        budgets: Budgets,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object],
        salt: bytes,
        stop: threading.Event,
        outcome: Callable[[str], None],
        on_gap: Callable[[Gap], None],
        on_filled: Callable[[str, datetime, datetime], None],
        jitter: Callable[[], float] = random.random,
        environ: Mapping[str, str] = os.environ,
        max_bytes: int = 32 * 1024 * 1024,
        timeout: timedelta = timedelta(seconds=30),
        credential: Credentials | None = None,
    ) -> None:
        if len(salt) < SALT_BYTES:
            raise ValueError(f"the salt has {len(salt)} bytes; it must have {SALT_BYTES} or more")
        self._exchange = Exchange(
            instance, rate_headers=access.rate_headers, stop=stop, outcome=outcome, max_bytes=max_bytes
        )
        calls = Calls(
            self._exchange, clock=clock, sleep=sleep, jitter=jitter, stop=stop, timeout=timeout.total_seconds()
        )
        self._credentials = credential or credentials(access, clock=clock, environ=environ, calls=calls)
        self._unaccepted = unaccepted(access.credential)
        self._told_rate, self._pace = access.rate_headers, access.pace
        self._instance, self._type, self._budgets = instance, source_type, budgets
        self._clock, self._sleep, self._jitter, self._stop = clock, sleep, jitter, stop
        self._salt, self._max_bytes, self._timeout = salt, max_bytes, timeout.total_seconds()
        self._gaps, self._last = Gaps(on_gap, on_filled), _Last()
        self._beside = {
            name: Way(
                other,
                instance=instance,
                source_type=source_type,
                budgets=budgets,
                clock=clock,
                sleep=sleep,
                salt=salt,
                stop=stop,
                outcome=outcome,
                on_gap=on_gap,
                on_filled=on_filled,
                jitter=jitter,
                environ=environ,
                max_bytes=max_bytes,
                timeout=timeout,
            )
            for name, other in access.beside.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all idle connections."""
        self._exchange.close()
        for other in self._beside.values():
            other.close()

    # What sources call: see model.source.Outside for the meaning of each.

    @property
    def at_once(self) -> int:
        return 1 if self._pace is None else self._pace.at_once

    def get(
        self,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Answer[T]:
        sent = {"Accept": "application/json", **(headers or {})}
        if etag:
            sent["If-None-Match"] = etag
        call = Call(method="GET", path=path, params=params, headers=sent, total=self._timeout)
        with self._declared(call):
            return self._answer(call, type_, etag)

    def post(
        self, path: str, type_: type[T], *, body: Any, headers: Mapping[str, str] | None = None, form: bool = False
    ) -> Answer[T]:
        content = "application/x-www-form-urlencoded" if form else "application/json"
        sent = {"Accept": "application/json", "Content-Type": content, **(headers or {})}
        data = urlencode(body).encode() if form else msgspec.json.encode(body)
        call = Call(method="POST", path=path, headers=sent, body=data, total=self._timeout)
        with self._declared(call):
            return self._answer(call, type_, "")

    def text(
        self, path: str, *, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> tuple[int, str]:
        accept = {"Accept": "text/plain, */*;q=0.5"}
        total = self._timeout if timeout is None else timeout
        call = Call(method="GET", path=path, params=params, headers=accept, total=total, any_status=True)
        with self._declared(call):
            reply = self._exchange.send(self._grant(), call)
            return reply.status, transport.decoded(reply.body, reply.response.headers.get("content-type", ""))

    def lines(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 330.0,
    ) -> Iterator[Sequence[bytes]]:
        sent = {"Accept": "application/json", **(headers or {})}
        call = Call(method="GET", path=path, params=params, headers=sent, total=self._timeout, stream=timeout)
        try:
            with self._declared(call):
                reply = self._retried(call)
                with reply.response, self._exchange.network(reply.grant, call):
                    if reply.status >= 300:
                        self._unexpected(call, reply, "a stream")
                    more = partial(transport.more, reply.response)
                    yield from transport.lines(transport.chunks(reply.response), self._max_bytes, more)
        except transport.TooLong as error:
            raise Unexpected(f"{self._exchange.shown(call)}: {error}, the bound; select less") from None
        except Unreachable:
            if not self._stop.is_set():
                raise

    def look(self, endpoint: Endpoint, *, timeout: float) -> Look:
        return self._exchange.look(endpoint, timeout, self._clock)

    def gap(self, gap: Gap) -> None:
        self._gaps.tell(gap)

    def filled(self, what: str, start: datetime, end: datetime) -> None:
        self._gaps.fill(what, start, end)

    def hashed(self, person: str) -> str:
        return hashed(self._salt, person)

    def beside(self, name: str) -> Way:
        return self._beside[name]

    # From here on: how.

    def _grant(self) -> Grant:
        self._last.grant = self._credentials.grant()
        return self._last.grant

    @contextmanager
    def _declared(self, call: Call) -> Iterator[None]:
        """Whatever an answer does in here ends in an error that `Outside` declares, on one line and without secrets."""
        try:
            yield
        except SourceError as error:
            error.args = (self._line(str(error)), *error.args[1:])
            raise
        except (ValueError, LookupError, ArithmeticError, RecursionError, HTTPException) as error:
            text = f"{self._exchange.shown(call)}: the answer can't be understood ({type(error).__name__})"
            raise Unexpected(self._line(text)) from None  # what it says may quote the answer

    def _line(self, text: str) -> str:
        return self._last.grant.line(text)

    def _answer(self, call: Call, type_: type[T], etag: str) -> Answer[T]:
        reply = self._retried(call)
        headers = {name.lower(): value for name, value in reply.response.headers.items()}
        # One that could not be sent back would fail each call to come.
        tag = headers.get("etag", "")
        tag = tag if tag.isascii() and tag.isprintable() else ""
        if reply.status == 304 and etag:
            return Answer(body=None, headers=headers, changed=False, etag=tag or etag)
        expected = "JSON" if type_ is msgspec.Raw else f"JSON of {_named(type_)}"
        if not 200 <= reply.status < 300:
            self._unexpected(call, reply, expected)
        try:
            body = decoder(cast("Any", type_)).decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            text = f"{self._exchange.shown(call)}: {error}; expected {expected}, found {reply.found}"
            said = Answer(body=reply.body, headers=headers, etag=tag)
            whole = said if isinstance(error, msgspec.ValidationError) else None
            # The cause quotes the answer, which may echo a secret.
            raise Unexpected(reply.grant.hide(text), answer=whole) from None
        return Answer(body=body, headers=headers, etag=tag)

    def _retried(self, call: Call) -> Reply:
        """Send until an answer is worth looking at: 2xx, 3xx, or a 4xx that means neither auth nor quota."""
        account = self._account(self._grant())
        account.breaker.admit(call.door)
        account.budget.admit(call.key)
        retrying = Retrying(
            retry=retry_if_exception_type(_Again),
            stop=stop_after_attempt(TRIES) | stop_when_event_set(self._stop),
            wait=self._wait,
            sleep=self._pause,
            reraise=True,
        )
        try:
            return retrying(self._once, call)
        except _Again as again:
            raise again.error from again.__cause__

    def _wait(self, state: RetryCallState) -> float:
        """What the server asked for, else 0.5 s, 1 s, ... each times 0.5 to 1.5."""
        failed = state.outcome.exception() if state.outcome is not None else None
        if isinstance(failed, _Again) and failed.wait is not None:
            return failed.wait.total_seconds() + self._jitter()
        return float(0.5 * 2.0 ** (state.attempt_number - 1) * (0.5 + self._jitter()))

    def _once(self, call: Call) -> Reply:
        grant = self._grant()
        account = self._account(grant)
        try:
            with account.budget.turn(self._pace, call.method):
                reply = self._sent(grant, call)
        except Unreachable as error:
            raise _Again(error) from error.__cause__
        account.budget.learn(call.key, reply.response.headers, self._told_rate)
        self._judge(account, call, reply)
        account.breaker.passed(call.door)
        account.budget.passed()
        return reply

    def _sent(self, grant: Grant, call: Call) -> Reply:
        # Its turn may have been long in coming.
        if self._stop.is_set():
            raise Unreachable(f"{self._exchange.shown(call)}: not sent, we are stopping")
        return self._exchange.send(grant, call)

    def _judge(self, account: Account, call: Call, reply: Reply) -> None:
        """Raise what an error status means; return for a 4xx that only says something of the path."""
        status, shown = reply.status, self._exchange.shown(call)
        asked = self._asked(reply.response)
        if self._exchange.is_limit(reply):
            self._limited(account, call, reply, asked)
        if status in {401, 403}:
            why = self._unaccepted if status == 401 else f"the credential lacks a permission{reply.wanted}"
            text = reply.grant.line(f"{shown}: {status}, {why}; the server says {reply.found}")
            refused = Refused(text) if status == 401 else Forbidden(text)
            if status == 401 and self._credentials.renew(reply.grant):
                raise _Again(refused, timedelta())
            account.breaker.refused(call.door, refused)
            raise refused
        if status == 410:
            account.breaker.passed(call.door)
            raise Expired(f"{shown}: 410, what we asked to go on from is no longer kept")
        if status >= 500 and status != _NOT_DONE:
            if asked is not None and asked > LONGEST_WAIT:
                self._limited(account, call, reply, asked)
            error = Unreachable(f"{shown}: the server answered {reply.said}{reply.error}")
            if status not in _AGAIN:
                raise error
            raise _Again(error, asked)

    def _limited(self, account: Account, call: Call, reply: Reply, asked: timedelta | None) -> NoReturn:
        """No instance with this credential calls before the time is over; a call whose wait is short tries again."""
        until = account.budget.limited(call.key, asked)
        wait = until - self._clock()
        why = "the quota is used up" if reply.status < 500 else "the server asks us to wait"
        error = Limited(
            f"{self._exchange.shown(call)}: {reply.status}, {why} until {until:%Y-%m-%d %H:%M:%S} UTC", until
        )
        if wait > LONGEST_WAIT:
            raise error
        raise _Again(error, wait)

    def _asked(self, response: requests.Response) -> timedelta | None:
        """How long the server asks us to wait: Retry-After, else the reset of a quota with nothing left."""
        now = self._clock()
        until = moment(response.headers.get("retry-after", ""), now)
        for _, remaining, reset in self._exchange.rate_headers:
            if until is None and response.headers.get(remaining, "").strip() == "0":
                until = moment(response.headers.get(reset, ""), now)
        return None if until is None else max(timedelta(), until - now)

    def _unexpected(self, call: Call, reply: Reply, expected: str) -> NoReturn:
        text = (
            f"{self._exchange.shown(call)}: the server answered {reply.said}; expected {expected}, found {reply.found}"
        )
        raise Unexpected(reply.grant.hide(text), reply.status)

    def _account(self, grant: Grant) -> Account:
        scheme, host, port = transport.origin(grant.base)
        return self._budgets.account(
            f"{scheme}://{host}:{port}", grant.fingerprint, source_type=self._type, instance=self._instance
        )

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)


def _named(type_: Any) -> str:
    return type_.__name__ if isinstance(type_, type) and not hasattr(type_, "__args__") else str(type_)
