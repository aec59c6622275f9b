"""A log of another program line by line, over its rotation: each line once, with a name that is its own for ever.

    tail = Tail(sieve, Log.at("/var/log/nginx/access.log"), state.places, now, becomes=Requests)
    for lines in tail.read(): ...  # and save what was made of them with `state.places`, in one page

A file is known by its first line, whatever it is called and wherever it lies by now: renamed, copied and emptied, or
packed. Where it is read on stands in `places`. They are moved before lines are given, so that what is saved with a page
is the place behind its lines; what was given and not saved is given again.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from platform_meter.model.facts import Fact
from platform_meter.model.source import FoundFile, Gap, Moved, Unexpected
from platform_meter.sources.kit.rows import Sieve

LONGEST = 64 * 1024
"""Bytes of a line; a longer one is left out."""
FORGET = timedelta(days=7)
"""For so long a file that is not found any more is remembered: it may have been moved for a while."""
STUCK = timedelta(hours=1)
"""A file that can't be read to its end, and was not changed for so long, is no file on its way."""


class Line(NamedTuple):
    key: str
    """Its file and where in it the line begins: natural, whoever reads it and how often."""
    text: bytes


class Place(msgspec.Struct, omit_defaults=True):
    """How far one file was read, as the checkpoint has it."""

    at: datetime
    """When it was there last, by our clock."""
    path: str = ""
    """What it was called then."""
    start: int = 0
    """Bytes, unpacked, before the line that is next."""
    inside: bool = False
    """That is the middle of a line which is too long."""
    whole: str = ""
    """The file as it was found when it was read to its end; while it is so there is nothing to read."""
    lost: bool = False
    """It was told that its end may be missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A file that is written, and those that were it once, in the same folder."""

    path: str
    rotated: str = ""
    """A glob of the names of the latter; empty for its own with more behind it (`.1`, `.2.gz`, `-20260504`)."""

    def is_at(self, path: str) -> bool:
        """Whether that is the one that is written, in its folder."""
        return posixpath.basename(path) == posixpath.basename(self.path)

    def files(self, outside: Sieve) -> Sequence[FoundFile]:
        folder, name = posixpath.split(self.path)
        plain = re.sub(r"([*?[])", r"[\1]", name)
        return outside.files(folder or ".", plain, self.rotated or f"{plain}[.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """One look at a log: what was written to it since the last one."""

    outside: Sieve
    log: Log
    places: dict[str, Place]
    """By what each file is known by; changed here."""
    now: datetime
    becomes: type[Fact]
    """What is missing without a line that is left out."""

    def read(self) -> Iterator[Sequence[Line]]:
        """The lines that were not read yet, about `BLOCK` bytes at once: of old files first, at last of the one that is written.

        A last line that has no end yet waits for it.

        Raises:
            SourceError: the files can't be had.
            Unexpected: there are none.
        """
        found = self._found()
        if self._missing(found):
            found = self._found()  # a file that is renamed while names are listed may slip through once
        for place in self._missing(found):
            place.lost = True
            text = f"{place.path} was emptied, deleted or moved away; what was written after the last look is not known"
            self.outside.gap(Gap(start=place.at, end=self.now, reason="pruned", text=text))
        for name, file in found:
            if not name:
                continue
            place = self.places.setdefault(name, Place(at=self.now))
            place.at, place.path, place.lost = self.now, file.path, False
            if place.whole != _stamp(file):
                yield from self._lines(name, place, file)
        gone = [name for name, place in self.places.items() if self.now - place.at > FORGET]
        for name in gone:
            del self.places[name]

    def _found(self) -> list[tuple[str, FoundFile]]:
        """Files with what they are known by; what has no whole line yet, or is being packed, has no name."""
        known = {place.whole: name for name, place in self.places.items() if place.whole}
        files = sorted(self.log.files(self.outside), key=lambda file: self.log.is_at(file.path))
        if not files and not self.places:
            raise Unexpected(
                f"{self.log.path} is not there; correct the path, or have the log written where platform-meter can see it"
            )
        return [(known.get(_stamp(file)) or self._name(file), file) for file in files if file.size]

    def _missing(self, found: Sequence[tuple[str, FoundFile]]) -> list[Place]:
        """The file that was written until the last look, where it is under no name any more."""
        there = {name for name, _ in found}
        if "" in there:
            return []  # it may be this one
        places = ((name, place) for name, place in self.places.items() if not place.lost)
        return [place for name, place in places if name not in there and self.log.is_at(place.path)]

    def _name(self, file: FoundFile) -> str:
        try:
            head = next(self.outside.blocks(file), b"")
        except (Moved, Unexpected) as error:
            self._stuck(file, error)
            return ""
        first, end, _ = head.partition(b"\n")
        known = bool(end) or len(first) > LONGEST
        return blake2b(first[:LONGEST], digest_size=8).hexdigest() if known else ""

    def _lines(self, name: str, place: Place, file: FoundFile) -> Iterator[Sequence[Line]]:
        rest = b""
        try:
            for block in self.outside.blocks(file, place.start):
                *texts, rest = (rest + block).split(b"\n")
                lines = []
                for text in texts:
                    if len(text) > LONGEST and not place.inside:
                        self._too_long()
                    elif text.strip() and not place.inside:
                        lines.append(Line(f"{name}@{place.start}", text))
                    place.start, place.inside = place.start + len(text) + 1, False
                if len(rest) > LONGEST:
                    if not place.inside:
                        self._too_long()
                    place.start, place.inside, rest = place.start + len(rest), True, b""
                yield lines
        except (Moved, Unexpected) as error:
            self._stuck(file, error)
        else:
            place.whole = _stamp(file)

    def _too_long(self) -> None:
        self.outside.reject(self.becomes, "too_long")

    def _stuck(self, file: FoundFile, error: Moved | Unexpected) -> None:
        """What is being moved or packed is read the next time; what stays so is a gap."""
        if self.now - file.changed > STUCK:
            self.outside.gap(Gap(start=file.changed, end=file.changed, reason="unreadable", text=str(error)))


def _stamp(file: FoundFile) -> str:
    return f"{file.id} {file.size} {file.changed.timestamp()}"
