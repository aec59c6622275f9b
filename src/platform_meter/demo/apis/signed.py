"""Services of Amazon: who asks them signs with a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from platform_meter.demo.apis.wsgi import Api, Handler, Refusal, Reply, Request, encode

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=(\w+)/")


class SignedApi(Api):
    """One that knows a single key. The signature is not computed again: the simulation keeps no secret by it."""

    def __init__(self, key: str, routes: Mapping[str, Handler]) -> None:
        self._key = key
        super().__init__(routes)

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        signed = _SIGNED.match(request.header("Authorization"))
        if signed is None or signed[1] != self._key:
            raise refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        return handle()

    def missing(self, request: Request) -> Reply:
        raise refused(404, "NotFoundException", f"nothing at {request.path}")


def refused(status: int, code: str, message: str) -> Refusal:
    """The code stands in a header too: services differ in where they write it, and clients in where they look."""
    body = encode({"__type": code, "message": message})
    return Refusal(Reply(body=body, status=status, headers=(("x-amzn-ErrorType", code),)))
