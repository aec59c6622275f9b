"""Calls that a credential makes for itself, at a cloud's own APIs: bounded, tried again and counted as the source's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from platform_meter.model.source import Limited, Unreachable
from platform_meter.runtime.outside import transport
from platform_meter.runtime.outside.exchange import Call, Exchange
from platform_meter.runtime.outside.grants import Grant
from platform_meter.runtime.outside.quota import moment

TRIES = 3
_LONGEST = 10.0
"""Seconds for one call: whoever waits for it holds up the call that it is made for."""
_QUIET = timedelta(minutes=1)
"""How long a cloud that is called too often is left alone, where it names no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a cloud answered: any status below 500 but 429."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in any case."""
    body: bytes = field(repr=False)


class Calls:
    """Sends what a cloud's library has signed, over the exchange of the source that wants in.

    Args:
        exchange: of the source instance: its connections, proxies and counts.
        clock: the current time, UTC.
        sleep: waits that many seconds.
        jitter: a random number 0..1 per wait.
        stop: ends trying again.
        timeout: seconds that one request of the source may take; one of these takes at most 10.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object],
        jitter: Callable[[], float],
        stop: threading.Event,
        timeout: float,
    ) -> None:
        self._exchange, self._clock, self._sleep, self._jitter, self._stop = exchange, clock, sleep, jitter, stop
        self._timeout = min(timeout, _LONGEST)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        tries: int = TRIES,
        timeout: float | None = None,
        secrets: tuple[str, ...] = (),
    ) -> Said:
        """One call, sent again where no answer or a 5xx came. `secrets` of its body are in no text, as that of its header.

        Raises:
            Unreachable: none of the tries had an answer, or each a 5xx.
            Limited: 429.
            Unexpected: the answer leads elsewhere or is too large.
        """
        scheme, host, port = transport.origin(url)
        secret = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
        grant = Grant(base=f"{scheme}://{host}:{port}", secrets=(*secrets, *((secret,) if secret else ())))
        total = min(timeout or self._timeout, self._timeout)
        call = Call(method=method, path=url, headers=headers, body=body, total=total)
        for left in reversed(range(tries)):
            try:
                reply = self._exchange.send(grant, call)
            except Unreachable:
                if not left or self._stop.is_set():
                    raise
            else:
                if reply.status == 429:
                    raise self.limited(f"{self._exchange.shown(call)}: 429", reply.response.headers.get("retry-after"))
                if reply.status < 500:
                    return Said(status=reply.status, headers=reply.response.headers, body=reply.body)
                if not left or self._stop.is_set():
                    raise Unreachable(f"{self._exchange.shown(call)}: {host} answered {reply.said}")
            self._sleep(0.5 * 2.0 ** (tries - 1 - left) * (0.5 + self._jitter()))
        raise AssertionError("a call has at least one try")

    def limited(self, text: str, asked: str | None = None) -> Limited:
        """The error for a cloud that wants fewer calls; `asked` is its Retry-After."""
        now = self._clock()
        until = moment(asked or "", now) or now + _QUIET
        return Limited(f"{text}, too many calls; the next one is made at {until:%H:%M:%S} UTC", until)
