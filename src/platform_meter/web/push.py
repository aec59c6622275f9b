"""`/api/v1/events`: the door for what other systems push, and the answer once it is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from werkzeug.wrappers import Request, Response

from platform_meter.model.push import Unreadable
from platform_meter.runtime.push import Delivery, Inbox, NoReceiver, Signed
from platform_meter.store import StoreError

_TEXT = "text/plain; charset=utf-8"
_JSON = re.compile(r"application/(json|[a-z0-9.+-]+\+json)")
_WHY = {
    "expired": "older than the store keeps events",
    "future": "ended more than an hour from now; set the clock of who sends it",
    "invalid": "a name in it can't be stored, such as one with a NUL; mend it",
    "naive": "a time without zone; write one such as 2026-06-01T12:00:00Z",
}


class Pushing:
    """Answers requests with something pushed.

    Args:
        inbox: that of the service which is current.
    """

    def __init__(self, inbox: Callable[[], Inbox]) -> None:
        self._inbox = inbox

    def door(self, request: Request, stopped: Response | None) -> Response | None:
        """The answer to who may not push, given the answer that his roles get; None for who may.

        A right signature lets in who has no role. A wrong one does not, whoever shows it: through a proxy on this
        machine everybody may have the role.
        """
        inbox, delivery = self._inbox(), _delivery(request)
        if (request.content_length or 0) > inbox.most:
            text = f"A body may have {inbox.most} bytes (`push_bytes`); send less at a time.\n"
            return Response(text, status=413, content_type=_TEXT)  # to strangers too: nothing of it is read
        signed = inbox.signed(delivery)
        if signed is Signed.RIGHT:
            return None
        if signed is Signed.WRONG:
            text = "The signature does not fit: sign with the secret that `webhook` of this source names, and send it at once.\n"
            stopped = Response(text, status=401, content_type=_TEXT)
        if stopped is not None:
            inbox.refused(delivery)
        return stopped

    def answer(self, request: Request) -> Response:
        """Store what was pushed, then say what it was: the answer comes after the commit."""
        if not _JSON.fullmatch(request.mimetype):
            found = f"this is {request.mimetype}" if request.mimetype else "nothing says what this is"
            text = f"Only JSON is read, and {found}; send it with Content-Type: application/json.\n"
            return Response(text, status=415, content_type=_TEXT)
        try:
            written = self._inbox().take(_delivery(request))
        except NoReceiver as error:
            return Response(f"{error}\n", status=404, content_type=_TEXT)
        except Unreadable as error:
            return Response(f"{error}\n", status=400, content_type=_TEXT)
        except StoreError:
            text = "The store can't be used now, and nothing of this is stored; send it again.\n"
            return Response(text, status=503, headers={"Retry-After": "5"}, content_type=_TEXT)
        rejected = [
            {"reason": reason, "events": n, "text": _WHY.get(reason, reason)}
            for reason, n in sorted(written.rejected.items())
        ]
        told = {"stored": written.new, "revised": written.revised, "repeated": written.repeated, "rejected": rejected}
        return Response(json.dumps(told) + "\n", content_type="application/json", headers={"Cache-Control": "no-store"})


def _delivery(request: Request) -> Delivery:
    to = request.path.rstrip("/").removeprefix("/api/v1/events").strip("/")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Delivery(to=to or None, headers=headers, body=request.get_data)
