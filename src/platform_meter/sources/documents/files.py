"""CSV and NDJSON files of one folder. One that was changed is read again whole; keys make that harmless.

Of two tellings of one key that of the file which was changed last stands.
"""

from __future__ import annotations

import csv
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from platform_meter.model.source import FoundFile, Page, SourceError, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import Entry
from platform_meter.sources.documents.facts import Told, TooMuchError, all_odd, count_odd, told
from platform_meter.sources.documents.fetched import pages
from platform_meter.sources.documents.pointer import steps
from platform_meter.sources.documents.values import Odd
from platform_meter.sources.kit.names import called_twice
from platform_meter.sources.kit.rows import Sieve

MOST_BYTES = 64 << 20
"""Of one file, unpacked."""
LONGEST = 64 * 1024
"""Bytes of a line of NDJSON."""
AT_REST = timedelta(minutes=1)
"""A file that was not changed for so long is written to its end."""
_BOM = b"\xef\xbb\xbf"


class State(msgspec.Struct):
    """The checkpoint."""

    start: datetime
    """What was before it is no history."""
    whole: dict[str, str] = {}
    """Each file, by its path, as it was found when all of it was told."""


def read(
    entry: Entry,
    files: str,
    delay: timedelta,
    outside: Sieve,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
) -> Iterator[Page]:
    """What files say that came or were changed; those that can't be read stop no others."""
    state = State(start=since) if checkpoint is None else decode(checkpoint, State)
    look = Look(start=state.start, now=now, delay=delay, hashed=outside.hashed)
    standing = _found(files, outside, known=bool(state.whole))
    state.whole = {file.path: stamp for file in standing if (stamp := state.whole.get(file.path))}
    failed: SourceError | None = None
    for file in standing:
        stamp = f"{file.id} {file.size} {file.changed.timestamp()}"
        if state.whole.get(file.path) == stamp:
            continue
        try:
            said, whole = look_at(entry, file, outside, look)
            all_odd(said, file.path)
            if whole and not said.pending:
                state.whole[file.path] = stamp
            yield from pages([replace(fact, updated=file.changed) for fact in said.facts], msgspec.json.encode(state))
        except SourceError as error:
            failed = failed or error
    if failed is not None:
        raise failed


def newest(files: str, outside: Sieve) -> FoundFile | None:
    """The file that was changed last; None where there is none yet."""
    return next(reversed(_found(files, outside, known=True)), None)


def _found(files: str, outside: Sieve, *, known: bool) -> list[FoundFile]:
    """Raises:
    Unexpected: there are none, and were none before.
    """
    folder, names = posixpath.split(files)
    found = list(outside.files(folder or ".", names))
    if not found and not known:
        raise Unexpected(
            f"no file is called {files}; correct `files`, or have them written where platform-meter can see them"
        )
    return found


def look_at(entry: Entry, file: FoundFile, outside: Sieve, look: Look) -> tuple[Told, bool]:
    """What a file says, and whether it is written to its end.

    Raises:
        SourceError: it can't be read.
        Unexpected: it is no such file, or too large.
    """
    lines = _Lines(file, outside, at_rest=look.now - file.changed >= AT_REST)
    try:
        said = told(entry, _cells(entry, lines) if entry.tables else _objects(lines), look)
    except TooMuchError as error:
        raise Unexpected(f"{file.path}: {error}; write it in several files") from None
    count_odd(entry, said, outside)
    return said, not lines.cut


@dataclass(slots=True)
class _Lines:
    """The lines of a file. The last one may be half of what will stand there: without its end it waits until the file rests."""

    file: FoundFile
    outside: Sieve
    at_rest: bool
    cut: bool = False
    """More may stand there than could be read."""

    def __iter__(self) -> Iterator[bytes]:
        rest, size = b"", 0
        for block in self.outside.blocks(self.file):
            size += len(block)
            if size > MOST_BYTES:
                raise TooMuchError(f"there are more than {MOST_BYTES >> 20} MiB of it")
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield line.removeprefix(_BOM) + b"\n"
        if rest and self.at_rest:
            yield rest.removeprefix(_BOM)
        self.cut = self.cut or (bool(rest) and not self.at_rest)


def _objects(lines: _Lines) -> Iterator[Any]:
    """Rows of NDJSON."""
    for line in lines:
        if len(line) > LONGEST:
            yield Odd("a line is too long", "too_long")
        elif line.strip():
            try:
                yield msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                yield Odd("a line is no JSON")


def _cells(entry: Entry, lines: _Lines) -> Iterator[Any]:
    """Rows of CSV by the names of their columns.

    Raises:
        Unexpected: it is no CSV, or lacks a column.
    """
    path = lines.file.path
    # What is no UTF-8 stays what it is in its cell: no name and no number.
    texts = (line.decode(errors="surrogateescape") for line in lines)
    reader = csv.reader(texts, delimiter=entry.separator, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if not header:
            return
        _columns(entry, header, path)
        for cells in reader:
            if len(cells) == len(header):
                yield dict(zip(header, cells, strict=True))
            elif cells:
                yield Odd(f"a row has {len(cells)} cells under {len(header)} columns")
    except csv.Error as error:
        lines.cut = True
        if lines.at_rest:
            raise Unexpected(f"{path}, line {reader.line_num}: no CSV ({error}); correct it") from None


def _columns(entry: Entry, header: list[str], path: str) -> None:
    there = ", ".join(header[:20]) or "none"
    twice = called_twice(header)
    if twice is not None:
        raise Unexpected(f"{path}: column {twice!r} is there twice; give one of them another name")
    for pointer in entry.pointers:
        if len(steps(pointer)) != 1 or steps(pointer)[0] not in header:
            raise Unexpected(
                f"{path}: there is no column {pointer}; those that are there: {there}; correct it, or `separator`"
            )
