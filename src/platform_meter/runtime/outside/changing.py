"""The way out to a system in which something is changed: any method, with the credentials, retries and bounds of `http`."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Self

from platform_meter.model.access import Access
from platform_meter.runtime.outside import transport
from platform_meter.runtime.outside.exchange import Call
from platform_meter.runtime.outside.http import Way
from platform_meter.runtime.outside.quota import Budgets


class Changing(Way):
    """A `Way` that may also change things."""

    @classmethod
    def to(
        cls,
        access: Access,
        *,
        instance: str,
        clock: Callable[[], datetime],
        environ: Mapping[str, str],
        uninvited: str,
    ) -> Self:
        """A way for the calls of one command. It counts for nobody, and nothing is kept of what is read.

        Args:
            access: where to, and as whom.
            instance: how errors call the system.
            clock: the current time, UTC.
            environ: where secrets by variable come from.
            uninvited: what to do where it wants a credential and none was given.

        Raises:
            ValueError: `access` is unusable; the text says why.
        """
        stop = threading.Event()
        made = cls(
            access,
            instance=instance,
            source_type=instance,
            budgets=Budgets(clock, stop.wait),
            clock=clock,
            sleep=stop.wait,
            salt=secrets.token_bytes(16),
            stop=stop,
            outcome=lambda _: None,
            on_gap=lambda _: None,
            on_filled=lambda _, __, ___: None,
            environ=environ,
        )
        if access.credential is None:
            made._unaccepted = uninvited
        return made

    def send(
        self, method: str, path: str, *, body: bytes = b"", content: str = "", accepted: Collection[int] = ()
    ) -> tuple[int, str]:
        """One call that may be sent again if it fails, so it has to mean the same the second time.

        Args:
            method: GET, POST, PUT or DELETE.
            path: under the address, encoded.
            body: empty for none.
            content: its type.
            accepted: statuses beside 2xx that are an answer.

        Returns:
            The status and the answer as text.

        Raises:
            SourceError: as `Outside.get`; `Unexpected` with what the server says for a status that is no answer.
        """
        headers = {"Accept": "*/*"} | ({"Content-Type": content} if content else {})
        call = Call(method=method, path=path, headers=headers, body=body or None, total=self._timeout)
        with self._declared(call):
            reply = self._retried(call)
            if not 200 <= reply.status < 300 and reply.status not in accepted:
                self._unexpected(call, reply, "a success")
            return reply.status, transport.decoded(reply.body, reply.response.headers.get("content-type", ""))
