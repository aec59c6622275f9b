"""How a Prometheus, or what speaks its query API, is asked: for all or nothing, within a time, by an address or a form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from platform_meter.model.source import Answer, Forbidden, Outside, Unexpected
from platform_meter.sources.kit.passing import Passing

T = TypeVar("T")
LONGEST = 4_000
"""Bytes of a query in an address; longer ones are posted. Servers and proxies take lines of 8,000, with all the rest."""
WHOLE: Mapping[str, str] = {"partial_response": "false", "deny_partial_response": "1"}
"""Rather a failure than a part: Thanos's word for it, which it takes for its own flag's, and VictoriaMetrics's. Others
don't look at them.
"""
_NO_FORMS = frozenset({405, 501})
"""Statuses at which Prometheus's own client, too, asks by the address instead."""
_TOO_LONG = frozenset({400, 413, 414, 431})


class Querying(Passing):
    """The way out to one such server. Threads may share it.

    Args:
        timeout: for one request. The server is given a tenth less, so that it is the one to say that it takes too long, and
            works no longer than somebody waits.
    """

    def __init__(self, outside: Outside, timeout: timedelta) -> None:
        super().__init__(outside)
        self._added = {**WHOLE, "timeout": f"{int(900 * timeout.total_seconds())}ms"}
        self._forms = True

    def get(
        self,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Answer[T]:
        """As a form where it is too long for an address and the server, or what stands before it, was not seen to refuse that."""
        asked = {**(params or {}), **self._added}
        if self._forms and is_long(asked):
            try:
                return super().post(path, type_, body=asked, headers=headers, form=True)
            except (Forbidden, Unexpected) as error:
                if isinstance(error, Unexpected) and error.status not in _NO_FORMS:
                    raise
                refused = error
            try:
                answer = super().get(path, type_, params=asked, headers=headers, etag=etag)
            except Unexpected as error:
                # Too long for an address after all: what has to be mended is what refuses the form.
                if error.status in _TOO_LONG:
                    raise refused from error
                raise
            self._forms = False
            return answer
        return super().get(path, type_, params=asked, headers=headers, etag=etag)


def is_long(params: Mapping[str, Any]) -> bool:
    """Whether these are too long for an address."""
    return len(urlencode(params)) > LONGEST
