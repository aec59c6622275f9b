"""The little that all simulated APIs share: requests in, replies out, routes by werkzeug."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import Map, Rule

JSON = "application/json; charset=utf-8"
encode = msgspec.json.Encoder().encode


def stamp(moment: datetime) -> str:
    """A time as most of them write it: UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    type: str = JSON

    def beside(self, *headers: tuple[str, str]) -> Reply:
        """The same with these headers beside its own."""
        return replace(self, headers=(*self.headers, *headers))


class Refusal(Exception):
    """Ends a request with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Request:
    """One request; header names are given as HTTP writes them."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ
        self.method = str(environ["REQUEST_METHOD"])
        self.path = str(environ.get("PATH_INFO", ""))
        self.query_string = str(environ.get("QUERY_STRING", ""))

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    def header(self, name: str) -> str:
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A query parameter as a number within bounds; the default where it is none."""
        text = self.query.get(name, "")
        return min(max(int(text), low), high) if text.isdecimal() else default

    @cached_property
    def json(self) -> Any:
        """The body. Raises msgspec.DecodeError where it is no JSON."""
        length = int(str(self.environ.get("CONTENT_LENGTH") or 0))
        return msgspec.json.decode(self.environ["wsgi.input"].read(length))


Handler = Callable[..., Reply]


class Api:
    """A WSGI application of routes. A subclass says what an unknown path gets, and who may ask where that is not everybody."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        """`routes`: `GET /path/<name>` to handler(request, **names)."""
        rules = []
        for route, handler in routes.items():
            method, path = route.split(" ", 1)
            rules.append(Rule(path, methods=[method], endpoint=handler))
        self._routes = Map(rules, strict_slashes=False, merge_slashes=False).bind("demo")

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        """Everything around one request: credentials, limits, headers. `handle` does the rest, and by itself for everybody."""
        del request
        return handle()

    def missing(self, request: Request) -> Reply:
        """What an unknown path gets."""
        raise NotImplementedError

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            reply = self.answer(request, lambda: self._route(request))
        except Refusal as refused:
            reply = refused.reply
        headers = [("Content-Type", reply.type), *reply.headers]
        if isinstance(reply.body, bytes) and reply.status != 304:
            headers.append(("Content-Length", str(len(reply.body))))
        start_response(f"{reply.status} {HTTP_STATUS_CODES[reply.status]}", headers)
        return [reply.body] if isinstance(reply.body, bytes) else reply.body

    def _route(self, request: Request) -> Reply:
        try:
            handler, names = self._routes.match(request.path, method=request.method)
        except (HTTPException, MethodNotAllowed):
            return self.missing(request)
        found: Reply = handler(request, **names)
        return found
