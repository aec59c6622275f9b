"""A way out that passes all calls on as they are: what others add something to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.source import Answer, FoundFile, Gap, Outside

T = TypeVar("T")


class Passing:
    """`Outside` over another one."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @property
    def at_once(self) -> int:
        return self._outside.at_once

    def get(
        self,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Answer[T]:
        return self._outside.get(path, type_, params=params, headers=headers, etag=etag)

    def post(
        self, path: str, type_: type[T], *, body: Any, headers: Mapping[str, str] | None = None, form: bool = False
    ) -> Answer[T]:
        return self._outside.post(path, type_, body=body, headers=headers, form=form)

    def text(
        self, path: str, *, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> tuple[int, str]:
        return self._outside.text(path, params=params, timeout=timeout)

    def lines(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 330.0,
    ) -> Iterator[Sequence[bytes]]:
        return self._outside.lines(path, params=params, headers=headers, timeout=timeout)

    def look(self, endpoint: Endpoint, *, timeout: float) -> Look:
        return self._outside.look(endpoint, timeout=timeout)

    def gap(self, gap: Gap) -> None:
        self._outside.gap(gap)

    def filled(self, what: str, start: datetime, end: datetime) -> None:
        self._outside.filled(what, start, end)

    def hashed(self, person: str) -> str:
        return self._outside.hashed(person)

    def beside(self, name: str) -> Outside:
        return self._outside.beside(name)

    def files(self, folder: str, *patterns: str) -> Sequence[FoundFile]:
        return self._outside.files(folder, *patterns)

    def blocks(self, file: FoundFile, start: int = 0) -> Iterator[bytes]:
        return self._outside.blocks(file, start)
