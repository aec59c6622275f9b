"""A log on the disk, rotated in every way there is: each line once."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.facts.traffic import GatewayRequests
from platform_meter.model.source import BLOCK, Page, Unexpected
from platform_meter.runtime.outside.files import Files
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.tail import FORGET, LONGEST, Line, Log, Place, Tail
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Disk(Files, FakeOutside):
    """The real files, and gaps in memory."""


@dataclass
class Reader:
    """Looks at a log and keeps what a source keeps; every look is a new process."""

    folder: Path
    rotated: str = ""
    outside: Disk = field(default_factory=lambda: Disk({}))
    saved: bytes = b"{}"
    keys: list[str] = field(default_factory=list)
    rejected: int = 0
    now: datetime = NOW
    changed: int = 1_777_000_000

    @property
    def log(self) -> Path:
        return self.folder / "access.log"

    def write(self, *lines: str, end: str = "\n") -> None:
        with self.log.open("a") as file:
            file.write("".join(line + end for line in lines))
        self.changed += 1
        os.utime(self.log, (self.changed, self.changed))

    def look(self, batches: int | None = None) -> list[str]:
        """Lines of one look, or of its first batches: then it dies, with the last one not saved."""
        self.now += timedelta(minutes=1)
        places = msgspec.json.decode(self.saved, type=dict[str, Place])
        said: list[str] = []

        def read(sieve: Sieve) -> Iterator[Page]:
            log = Log(path=str(self.log), rotated=self.rotated)
            tail = Tail(outside=sieve, log=log, places=places, now=self.now, becomes=GatewayRequests)
            for number, lines in enumerate(tail.read()):
                if number == batches:
                    return
                self._keep(lines, said)
                self.saved = msgspec.json.encode(places)
                yield Page()
            self.saved = msgspec.json.encode(places)

        for page in Sieve.over(self.outside, read):
            self.rejected += sum(page.rejected.values())
        return said

    def _keep(self, lines: list[Line] | tuple[Line, ...] | object, said: list[str]) -> None:
        assert isinstance(lines, list)
        for line in lines:
            self.keys.append(line.key)
            said.append(line.text.decode())


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def test_lines_are_read_as_they_are_written(reader: Reader) -> None:
    """A last one without its end waits for it; empty ones are none."""
    reader.write("a", "", "b")
    reader.write("half", end="")
    assert reader.look() == ["a", "b"]
    assert reader.look() == []
    reader.write(" and half", "c")
    assert reader.look() == ["half and half", "c"]


def test_a_renamed_file_is_read_to_its_end(reader: Reader) -> None:
    """Its writer goes on with it until it opens the new one."""
    reader.write("a")
    assert reader.look() == ["a"]
    reader.log.rename(reader.folder / "access.log.1")
    with (reader.folder / "access.log.1").open("a") as old:
        old.write("b\n")
    reader.write("c")
    assert reader.look() == ["b", "c"]


def test_a_file_that_was_copied_and_emptied_goes_on_in_its_copy(reader: Reader) -> None:
    """What was not read of it yet is read there, and the emptied one from its beginning."""
    reader.write("a")
    assert reader.look() == ["a"]
    reader.write("b")
    shutil.copy2(reader.log, reader.folder / "access.log.1")
    os.truncate(reader.log, 0)
    reader.write("c")
    assert reader.look() == ["b", "c"]
    assert reader.outside.gaps == []


def test_an_emptied_file_that_is_longer_than_before_is_a_new_one(reader: Reader) -> None:
    """Its length alone would not tell."""
    reader.write("a")
    reader.look()
    os.truncate(reader.log, 0)
    reader.write("b", "c", "d")
    assert reader.look() == ["b", "c", "d"]


def test_an_emptied_file_without_a_copy_is_a_gap(reader: Reader) -> None:
    """Once: what was written between the last look and its end is not known."""
    reader.write("a")
    reader.look()
    os.truncate(reader.log, 0)
    assert reader.look() == []
    assert reader.look() == []
    (gap,) = reader.outside.gaps
    assert (gap.start, gap.end, gap.reason) == (NOW + timedelta(minutes=1), NOW + timedelta(minutes=2), "pruned")
    assert (
        gap.text
        == f"{reader.log} was emptied, deleted or moved away; what was written after the last look is not known"
    )


def test_a_packed_file_is_the_one_that_it_was(reader: Reader) -> None:
    """Read to its end before or not; while it is being packed it is waited for."""
    reader.write("a", "b" * 1000)
    reader.look()
    reader.write("c")
    old = reader.folder / "access.log.1"
    reader.log.rename(old)
    whole = gzip.compress(old.read_bytes())
    reader.write("d")
    (reader.folder / "access.log.1.gz").write_bytes(whole[:15])
    old.unlink()
    assert reader.look() == ["d"]
    (reader.folder / "access.log.1.gz").write_bytes(whole)
    assert reader.look() == ["c"]
    (reader.folder / "access.log.1.gz").rename(reader.folder / "access.log.2.gz")
    assert reader.look() == []
    assert reader.outside.gaps == []


def test_old_files_are_read_first(reader: Reader) -> None:
    """All that are there when a log is met, by the time of their last change."""
    reader.write("new")
    for name, text, at in (("access.log-20260503", "mid", 200), ("access.log.9.gz", "old", 100)):
        packed = gzip.compress(f"{text}\n".encode()) if name.endswith("gz") else f"{text}\n".encode()
        (reader.folder / name).write_bytes(packed)
        os.utime(reader.folder / name, (at, at))
    (reader.folder / "access.logs").write_text("another\n")
    assert reader.look() == ["old", "mid", "new"]


def test_rotated_files_may_be_called_otherwise(tmp_path: Path) -> None:
    """By a glob of their names."""
    reader = Reader(tmp_path, rotated="access-*.log")
    (tmp_path / "access-1.log").write_text("a\n")
    (tmp_path / "access.log.1").write_text("no\n")
    reader.write("b")
    assert reader.look() == ["a", "b"]


def test_a_name_is_no_glob(tmp_path: Path) -> None:
    """Whatever letters a path has."""
    log = Log(path=str(tmp_path / "[a]?.log"))
    for name in ("[a]?.log", "[a]?.log.1", "ab.log", "a.log.1"):
        (tmp_path / name).write_text(f"{name}\n")
    tail = Tail(outside=Sieve(Disk({})), log=log, places={}, now=NOW, becomes=GatewayRequests)
    assert [line.text for lines in tail.read() for line in lines] == [b"[a]?.log.1", b"[a]?.log"]


def test_a_line_that_is_too_long_is_left_out(reader: Reader) -> None:
    """And counted, also one that is longer than what is read at once; the line behind it is whole."""
    long = "x" * (LONGEST + 1)
    reader.write("a", long, "b", "x" * (2 * BLOCK), "c")
    assert reader.look() == ["a", "b", "c"]
    assert reader.rejected == 2
    reader.write("d" * LONGEST)
    assert reader.look() == ["d" * LONGEST]


def test_a_line_that_is_too_long_and_has_no_end_yet_is_counted_once(reader: Reader) -> None:
    """However often its rest is looked for."""
    reader.write("a")
    reader.write("x" * (LONGEST + 1), end="")
    assert reader.look() == ["a"]
    reader.write("x" * (LONGEST + 1), end="")
    assert reader.look() == []
    reader.write("x", "b")
    assert reader.look() == ["b"]
    assert reader.rejected == 1


def test_a_burst_is_read_in_parts(reader: Reader) -> None:
    """Each about a block, and one that dies between two of them goes on behind what it saved."""
    lines = [f"{number:08} {'x' * 91}" for number in range(30_000)]
    reader.write(*lines)
    first = reader.look(batches=1)
    assert 10_000 < len(first) < 11_000
    assert first + reader.look() == lines
    assert len(set(reader.keys)) == 30_000


def test_a_file_that_can_not_be_read_for_long_is_a_gap(reader: Reader) -> None:
    """And those beside it are read."""
    path = reader.folder / "access.log.1.gz"
    path.write_bytes(b"\x1f\x8b and no more")
    os.utime(path, (reader.now.timestamp(), reader.now.timestamp()))
    reader.write("a")
    assert reader.look() == ["a"]
    assert reader.outside.gaps == []
    reader.now += timedelta(hours=2)
    reader.look()
    (gap,) = reader.outside.gaps
    assert (gap.start, gap.end, gap.reason) == (NOW, NOW, "unreadable")
    assert gap.text.startswith(f"{path} begins as a gzip and can't be unpacked: ")


def test_a_log_that_is_not_there_is_told(reader: Reader) -> None:
    """One that was there may be away for a while."""
    with pytest.raises(Unexpected, match=r"access\.log is not there; correct the path"):
        reader.look()
    reader.log.touch()
    assert reader.look() == []
    reader.write("a")
    reader.look()
    reader.log.unlink()
    assert reader.look() == []


def test_what_is_away_comes_back_where_it_was(reader: Reader) -> None:
    """It is forgotten only after a week."""
    reader.write("a")
    reader.look()
    away = reader.folder / "elsewhere"
    reader.log.rename(away)
    reader.write("b")
    assert reader.look() == ["b"]
    away.rename(reader.folder / "access.log.1")
    assert reader.look() == []
    (reader.folder / "access.log.1").rename(away)
    reader.now += FORGET
    reader.look()
    reader.now += timedelta(minutes=1)
    reader.look()
    assert len(msgspec.json.decode(reader.saved)) == 1


STEPS = st.lists(st.sampled_from(["write", "burst", "rename", "copy", "pack", "look", "die"]), max_size=25)


@given(STEPS)
def test_whatever_happens_each_line_is_read_once(steps: list[str]) -> None:
    """Writing, every way of rotating, looks, and looks that die, in any order; what was saved is never given again."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(Path(folder))
        written: list[str] = ["0"]
        reader.write("0")
        read: list[str] = []

        def write(n: int) -> None:
            lines = [str(len(written) + i) for i in range(n)]
            written.extend(lines)
            reader.write(*lines)

        def shift() -> Path:
            for number in range(30, 0, -1):
                for end in ("", ".gz"):
                    old = reader.folder / f"access.log.{number}{end}"
                    if old.exists():
                        old.rename(reader.folder / f"access.log.{number + 1}{end}")
            return reader.folder / "access.log.1"

        for step in [*steps, "look"]:
            if step == "write":
                write(1)
            elif step == "burst":
                write(5)
            elif step == "rename" and reader.log.stat().st_size:
                reader.log.rename(shift())
                write(1)
            elif step == "copy" and reader.log.stat().st_size:
                shutil.copy2(reader.log, shift())
                os.truncate(reader.log, 0)
                write(1)
            elif step == "pack" and (one := reader.folder / "access.log.1").exists():
                (reader.folder / "access.log.1.gz").write_bytes(gzip.compress(one.read_bytes()))
                one.unlink()
            elif step == "look":
                read += reader.look()
            elif step == "die":
                read += reader.look(batches=0)
        assert sorted(read, key=int) == written
        assert len(set(reader.keys)) == len(reader.keys)
        assert reader.outside.gaps == []
