"""Files of other programs on this machine, such as logs: found by their names, and read as they lie there."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from platform_meter.model.source import BLOCK, Forbidden, FoundFile, Moved, Unexpected, Unreachable

_GZIP = b"\x1f\x8b"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Files:
    """The part of `model.source.Outside` that reads files. Nothing stays open between two calls."""

    def files(self, folder: str, *patterns: str) -> Sequence[FoundFile]:
        found: dict[str, FoundFile] = {}
        place = Path(folder).expanduser()
        try:
            names = [path for path in place.iterdir() if any(fnmatchcase(path.name, glob) for glob in patterns)]
        except OSError as error:
            raise _failed(place, error) from None
        for path in names:
            try:
                seen = path.stat()
            except FileNotFoundError:  # renamed meanwhile: it is there under its new name the next time
                continue
            except OSError as error:
                raise _failed(path, error) from None
            if stat.S_ISREG(seen.st_mode):
                found.setdefault(_id(seen), _file(path, seen))
        return sorted(found.values(), key=lambda file: (file.changed, file.path))

    def blocks(self, file: FoundFile, start: int = 0) -> Iterator[bytes]:
        path = Path(file.path)
        try:
            with path.open("rb") as raw:
                if _id(os.fstat(raw.fileno())) != file.id:
                    raise Moved(f"{path} is another file than the one that was found")
                packed = raw.read(len(_GZIP)) == _GZIP
                raw.seek(0)
                yield from _unpacked(path, raw, start) if packed else _plain(raw, start, file.size)
        except FileNotFoundError:
            raise Moved(f"{path} was renamed after it was found") from None
        except OSError as error:
            raise _failed(path, error) from None


def _plain(raw: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """No more than there was when it was found: what is written as fast as it is read has no end."""
    raw.seek(start)
    while block := raw.read(min(BLOCK, max(0, end - start))):
        start += len(block)
        yield block


def _unpacked(path: Path, raw: BinaryIO, start: int) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=raw) as unpacked:
            unpacked.seek(start)
            while block := unpacked.read(BLOCK):
                yield block
    except EOFError:
        raise Moved(f"{path} ends before its gzip does: it is being packed, or was cut off") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Unexpected(f"{path} begins as a gzip and can't be unpacked: {error}") from None


def _file(path: Path, seen: os.stat_result) -> FoundFile:
    changed = _EPOCH + timedelta(microseconds=seen.st_mtime_ns // 1000)
    return FoundFile(path=str(path), id=_id(seen), size=seen.st_size, changed=changed)


def _id(seen: os.stat_result) -> str:
    return f"{seen.st_dev}:{seen.st_ino}"


def _failed(path: Path, error: OSError) -> Forbidden | Unreachable:
    if isinstance(error, PermissionError):
        return Forbidden(f"{path} may not be read; let the user that platform-meter runs as read it, as by its group")
    return Unreachable(f"{path} can't be read: {error.strerror or type(error).__name__}")
