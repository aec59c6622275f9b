"""Files as they lie on the disk: found by name, read from a place on, plain or packed."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from platform_meter.model.source import BLOCK, Forbidden, FoundFile, Moved, Unexpected, Unreachable
from platform_meter.runtime.outside.files import Files

FILES = Files()


def put(path: Path, text: bytes, changed: int) -> Path:
    path.write_bytes(text)
    os.utime(path, (changed, changed))
    return path


def found(folder: Path, *globs: str) -> list[FoundFile]:
    return list(FILES.files(str(folder), *globs))


def read(file: FoundFile, start: int = 0) -> bytes:
    return b"".join(FILES.blocks(file, start))


def test_files_are_found_by_name_in_the_order_of_their_change(tmp_path: Path) -> None:
    """Folders and files of other names are none of them; two names of one file are one."""
    put(tmp_path / "access.log", b"new\n", 300)
    put(tmp_path / "access.log.1", b"old\n", 200)
    put(tmp_path / "error.log", b"x\n", 100)
    (tmp_path / "access.log.d").mkdir()
    os.link(tmp_path / "access.log.1", tmp_path / "access.log.2")
    names = [Path(file.path).name for file in found(tmp_path, "access.log", "access.log.*")]
    assert names[-1] == "access.log"
    assert names[:-1] in (["access.log.1"], ["access.log.2"])


def test_an_id_stays_when_a_file_is_renamed(tmp_path: Path) -> None:
    """And is another one of the file that is made in its place."""
    put(tmp_path / "a", b"x", 1)
    (before,) = found(tmp_path, "a")
    (tmp_path / "a").rename(tmp_path / "b")
    put(tmp_path / "a", b"x", 2)
    renamed, made = found(tmp_path, "?")
    assert (renamed.id, renamed.size) == (before.id, 1)
    assert made.id != before.id


def test_a_file_is_read_from_a_place_on_up_to_where_it_was_found(tmp_path: Path) -> None:
    """What is written while it is read is there the next time."""
    path = put(tmp_path / "a", b"one\ntwo\n", 1)
    (file,) = found(tmp_path, "a")
    with path.open("ab") as more:
        more.write(b"three\n")
    assert read(file, 4) == b"two\n"
    assert read(file, 8) == b""
    assert read(file, 100) == b""


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_long_comes_in_blocks(tmp_path: Path, packed: bool) -> None:
    """Of one length, so that no more than that is held at once; places are those of the unpacked text."""
    text = os.urandom(BLOCK) + b"x" * 10
    put(tmp_path / "a", gzip.compress(text) if packed else text, 1)
    (file,) = found(tmp_path, "a")
    assert [len(block) for block in FILES.blocks(file)] == [BLOCK, 10]
    assert read(file, BLOCK - 5) == text[-15:]


def test_a_file_that_was_moved_is_to_be_looked_for_again(tmp_path: Path) -> None:
    """Renamed, or with another one in its place."""
    put(tmp_path / "a", b"x", 1)
    (file,) = found(tmp_path, "a")
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(Moved, match="a was renamed after it was found"):
        read(file)
    put(tmp_path / "a", b"x", 1)
    with pytest.raises(Moved, match="a is another file than the one that was found"):
        read(file)


def test_a_gzip_that_is_not_whole_is_on_its_way(tmp_path: Path) -> None:
    """One that holds something else can't be read at all."""
    whole = gzip.compress(os.urandom(1000))
    put(tmp_path / "a", whole[:500], 1)
    put(tmp_path / "b", b"\x1f\x8b and no more", 2)
    half, none = found(tmp_path, "?")
    with pytest.raises(Moved, match="it is being packed, or was cut off"):
        read(half)
    with pytest.raises(Unexpected, match="b begins as a gzip and can't be unpacked"):
        read(none)


def test_what_may_not_be_read_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user that tests run as may read everything, so the system's answer is made up."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    put(tmp_path / "a", b"x", 1)
    (file,) = found(tmp_path, "a")
    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "iterdir", refuse)
    says = "may not be read; let the user that platform-meter runs as read it, as by its group"
    with pytest.raises(Forbidden, match=says):
        read(file)
    with pytest.raises(Forbidden, match=says):
        found(tmp_path, "a")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(Unreachable, match="none can't be read: No such file or directory"):
        found(tmp_path / "none", "a")
