"""An `Outside` in memory: it answers from a function or from a dict of paths, and decodes as the real one does.

Bodies are encoded to JSON and decoded as the type that was asked for, so a source's Structs are put to the test.
Every body gets an ETag made of its bytes, and a call that brings it back is answered "unchanged", as HTTP would.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec

from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.facts.probes import ProbeResult
from platform_meter.model.source import (
    BLOCK,
    Answer,
    Expired,
    Forbidden,
    FoundFile,
    Gap,
    Refused,
    SourceError,
    Unexpected,
)
from platform_meter.model.typed import decode

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as the source made it."""

    method: str
    """GET, POST, TEXT, LINES or LOOK; FILES for which there are in a folder, FILE for what is in one."""
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    beside: str = ""
    """The name of the other address that it went to (`Outside.beside`)."""
    etag: str = ""
    unchanged: bool = False
    """Answered 304: free of quota."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. `status` from 400 on becomes the error the real one would raise."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Call], Reply]
"""What stands for the system: a call in, its answer out."""


def from_paths(paths: Mapping[str, Any]) -> Answering:
    """Answers by path: a body, a Reply, or a function of the call that returns either. Unknown paths are 404.

    `NAME:PATH` is a path at the address beside that has this name; a folder's body is what its files hold, by path.
    A list under the key `PATH pages` is a list of pages, served by the `page` parameter with GitHub's Link header.
    """

    def answer(call: Call) -> Reply:
        if f"{call.path} pages" in paths:
            pages = paths[f"{call.path} pages"]
            number = int(call.params.get("page", 1))
            body = pages[number - 1] if number <= len(pages) else []
            link = f'<https://api.example.test{call.path}?page={number + 1}>; rel="next"' if number < len(pages) else ""
            return Reply(body=body, headers={"Link": link} if link else {})
        path = f"{call.beside}:{call.path}" if call.beside else call.path
        if path not in paths:
            return Reply(status=404)
        found = paths[path]
        made = found(call) if callable(found) else found
        return made if isinstance(made, Reply) else Reply(body=made)

    return answer


class FakeOutside:
    """Implements `platform_meter.model.source.Outside`.

    `fail_at` is the number of the call (from 0) that raises `error` instead of being answered. Threads may share it; with
    `at_once` above 1 a source may visit several objects side by side, and calls come in any order.
    """

    def __init__(
        self,
        answering: Answering | Mapping[str, Any],
        *,
        fail_at: int | None = None,
        error: SourceError | None = None,
        at_once: int = 1,
    ) -> None:
        self.answering: Answering = answering if callable(answering) else from_paths(answering)
        self.fail_at = fail_at
        self.error = error
        self.at_once = at_once
        self.calls: list[Call] = []
        self.name = ""
        """Empty, or that of the address beside."""
        self._lock = threading.Lock()
        self.gaps: list[Gap] = []
        self.fills: list[tuple[str, datetime, datetime]] = []

    @property
    def paid(self) -> list[Call]:
        """The calls that cost quota: all but those answered 304."""
        return [call for call in self.calls if not call.unchanged]

    def _ask(self, call: Call) -> Reply:
        with self._lock:
            number = len(self.calls)
            self.calls.append(call)
        if number == self.fail_at and self.error is not None:
            raise self.error
        return self.answering(call)

    def _refuse(self, call: Call, reply: Reply) -> None:
        if reply.status in {401, 403}:
            kind = Refused if reply.status == 401 else Forbidden
            raise kind(f"{call.method} {call.path}: {reply.status}")
        if reply.status == 410:
            raise Expired(f"{call.method} {call.path}: 410")
        if reply.status >= 400:
            raise Unexpected(f"{call.method} {call.path}: {reply.status}", reply.status)

    def _json(self, call: Call, type_: type[T]) -> Answer[T]:
        reply = self._ask(call)
        self._refuse(call, reply)
        body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
        etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        if call.etag == etag:
            with self._lock:
                number = next(n for n in reversed(range(len(self.calls))) if self.calls[n] is call)
                self.calls[number] = replace(call, unchanged=True)
            return Answer(body=None, headers=reply.headers, changed=False, etag=etag)
        try:
            return Answer(body=decode(body, type_), headers=reply.headers, etag=etag)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = Answer(body=body, headers=reply.headers, etag=etag)
            whole = said if isinstance(error, msgspec.ValidationError) else None
            raise Unexpected(f"{call.method} {call.path}: {error}", answer=whole) from error

    def get(
        self,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the protocol's
        etag: str = "",
    ) -> Answer[T]:
        sent = {name: value for name, value in (params or {}).items() if value is not None}
        return self._json(Call(beside=self.name, method="GET", path=path, params=sent, etag=etag), type_)

    def post(
        self,
        path: str,
        type_: type[T],
        *,
        body: Any,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the protocol's
        form: bool = False,  # noqa: ARG002 - the protocol's
    ) -> Answer[T]:
        return self._json(Call(beside=self.name, method="POST", path=path, body=body), type_)

    def text(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the protocol's
    ) -> tuple[int, str]:
        reply = self._ask(Call(beside=self.name, method="TEXT", path=path, params=dict(params or {})))
        return reply.status, str(reply.body or "")

    def lines(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the protocol's
        timeout: float = 330.0,  # noqa: ARG002 - the protocol's
    ) -> Iterator[Sequence[bytes]]:
        call = Call(beside=self.name, method="LINES", path=path, params=dict(params or {}))
        reply = self._ask(call)
        self._refuse(call, reply)
        said = reply.body or []
        # A text came whole; of a list each line comes alone, and a list in it is lines that came together.
        groups: Sequence[Any] = [said.encode().splitlines()] if isinstance(said, str) else said
        for group in groups:
            lines = group if isinstance(group, list) else [group]
            yield [line if isinstance(line, bytes) else msgspec.json.encode(line) for line in lines]

    def look(self, endpoint: Endpoint, *, timeout: float) -> Look:  # noqa: ARG002 - the protocol's
        """A `Look` as the body is it; any other is what the endpoint answered."""
        call = Call(method="LOOK", path=endpoint.place + (endpoint.path or ""))
        reply = self._ask(call)
        if isinstance(reply.body, Look):
            return reply.body
        return Look(result=ProbeResult.OK, seconds=0.0, status=reply.status, text=str(reply.body or ""))

    def files(self, folder: str, *patterns: str) -> Sequence[FoundFile]:
        """The answer is what each file holds by its path, the one that was changed last at the end."""
        held = self._held(Call(beside=self.name, method="FILES", path=folder))
        fitting = (path for path in held if any(fnmatchcase(PurePosixPath(path).name, glob) for glob in patterns))
        return [
            FoundFile(path=path, id=path, size=len(held[path]), changed=_EPOCH + timedelta(minutes=number))
            for number, path in enumerate(fitting)
        ]

    def blocks(self, file: FoundFile, start: int = 0) -> Iterator[bytes]:
        folder = str(PurePosixPath(file.path).parent)
        held = self._held(Call(beside=self.name, method="FILE", path=folder, params={"start": start}))[file.path]
        for at in range(start, len(held), BLOCK):
            yield held[at : at + BLOCK]

    def _held(self, call: Call) -> Mapping[str, bytes]:
        reply = self._ask(call)
        self._refuse(call, reply)
        return {path: text.encode() if isinstance(text, str) else text for path, text in reply.body.items()}

    def gap(self, gap: Gap) -> None:
        self.gaps.append(gap)

    def filled(self, what: str, start: datetime, end: datetime) -> None:
        self.fills.append((what, start, end))
        self.gaps[:] = [gap for gap in self.gaps if not gap.lies_in(what, start, end)]

    def hashed(self, person: str) -> str:
        return hashlib.sha256(f"salt {person}".encode()).hexdigest()[:16]

    def beside(self, name: str) -> FakeOutside:
        other = copy(self)  # calls and gaps are the same lists
        other.name = name
        return other
