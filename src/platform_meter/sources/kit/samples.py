"""The last samples of another program, kept from one scrape to the next, and what each series grew by since.

They stand in the checkpoint, packed: a series is eight bytes of hash, its value and little else (docs/decisions.md has
what that takes). So they are saved with the facts that were made of them, in one transaction.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

import msgspec

GONE_FOR = timedelta(days=7)
"""For so long a series that is not told any more is remembered: it may come back where it was."""
PROCESSES = 8
"""Of so many that answer in turn under one address the last samples are kept."""
DEAD_AFTER = timedelta(days=1)
"""One that has not answered for so long is not waited for."""


class Last(NamedTuple):
    """One series as it was seen last."""

    value: float
    created: float = 0.0
    """`_created` in seconds since 1970, by the program's clock; 0 where it is not told."""
    gone: int = 0
    """The minute since 1970 in which it was missing first; 0 while it is told."""


class Seen(NamedTuple):
    """One series of a page."""

    value: float
    created: float
    family: str
    """The mark of its family."""


class Process(msgspec.Struct):
    """One process that answered, as the checkpoint has it."""

    at: datetime
    """When it was scraped last, by our clock."""
    packed: bytes
    whole: tuple[str, ...]
    """Marks of families of which that page had every series: what it lacked was not there."""


class Held(msgspec.Struct):
    """The checkpoint: processes by when they say they began, one without a name where they don't."""

    processes: dict[str, Process] = {}

    @property
    def latest(self) -> datetime | None:
        """When any of them was scraped last."""
        return max((process.at for process in self.processes.values()), default=None)

    def keep(self, name: str, process: Process) -> Held:
        """With this process as it is now, and without those that are not waited for."""
        others = sorted(self.processes.items(), key=lambda item: item[1].at, reverse=True)
        kept = {other: old for other, old in others if other != name and process.at - old.at <= DEAD_AFTER}
        return Held(processes={name: process, **dict(list(kept.items())[: PROCESSES - 1])})


def key(*words: str) -> int:
    """What a series is known by: 64 bits of a hash of its words. Of 20,000 two are the same once in 90 billion."""
    text = "\0".join(f"{len(word)} {word}" for word in words)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def grown(now: Seen, last: Last | None, *, before: Process | None, fresh: bool) -> float:
    """By how much a series grew since it was seen last; 0 where that is not known.

    A lower value or another `_created` is a reset: it began again at 0. A new series counts from 0 where its process is
    `fresh`, it says that it was created since, or the page `before` had all of its family and not it.
    """
    if last is not None:
        reset = now.value < last.value or bool(now.created and last.created and now.created != last.created)
        return now.value if reset else now.value - last.value
    if before is None:
        return now.value if fresh else 0.0
    born = now.created > before.at.timestamp() or now.family in before.whole
    return now.value if born else 0.0


def after(found: Mapping[int, Seen], before: Mapping[int, Last], now: datetime, most: int) -> dict[int, Last]:
    """The last samples from now on: what the page had, and for a while what it lacks, the longest gone being the first to go."""
    minute = int(now.timestamp()) // 60
    oldest = minute - GONE_FOR // timedelta(minutes=1)
    gone = {key: last._replace(gone=last.gone or minute) for key, last in before.items() if key not in found}
    room = max(0, most - len(found))
    kept = sorted((item for item in gone.items() if item[1].gone >= oldest), key=lambda item: -item[1].gone)[:room]
    return {key: Last(seen.value, seen.created) for key, seen in found.items()} | dict(kept)


def pack(series: Mapping[int, Last]) -> bytes:
    """Columns in the order of the keys, so that what is alike stands together."""
    keys = sorted(series)
    rows = [series[key] for key in keys]
    n = len(keys)
    return zlib.compress(
        struct.pack(f"<I{n}Q", n, *keys)
        + struct.pack(f"<{n}d", *(row.value for row in rows))
        + struct.pack(f"<{n}d", *(row.created for row in rows))
        + struct.pack(f"<{n}I", *(row.gone for row in rows)),
        1,
    )


def unpack(packed: bytes) -> dict[int, Last]:
    data = zlib.decompress(packed)
    (n,) = struct.unpack_from("<I", data)
    keys = struct.unpack_from(f"<{n}Q", data, 4)
    values = struct.unpack_from(f"<{n}d", data, 4 + 8 * n)
    created = struct.unpack_from(f"<{n}d", data, 4 + 16 * n)
    gone = struct.unpack_from(f"<{n}I", data, 4 + 24 * n)
    return {key: Last(*row) for key, *row in zip(keys, values, created, gone, strict=True)}


def marks(families: Mapping[str, str], told: Collection[str], odd: Collection[str], *, own: bool) -> tuple[str, ...]:
    """Marks of the families (by name) that a page had every series of.

    Of a program that counts by itself (`own`) these are all but those with a line that could not be read. Of one that
    passes on what others count, a family without any series may be one that it could not reach.
    """
    return tuple(mark for name, mark in families.items() if name not in odd and (own or name in told))
