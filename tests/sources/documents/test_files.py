"""CSV and NDJSON files: on a real disk, as they are written, changed and broken."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.facts import Fact
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import FoundFile, SourceError, Unexpected
from platform_meter.runtime.outside.files import Files
from platform_meter.sources.documents import files
from platform_meter.sources.documents.config import Config, UsageRows
from platform_meter.sources.documents.files import read
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
HEADER = "id,team,at\n"


class Disk(Files, FakeOutside):
    """The real way to files."""


class Folder:
    """Files that are read as they are written, and what each look at them said."""

    def __init__(self, path: Path, names: str = "*.csv", **said: Any) -> None:
        self.path = path
        use = {"action": "open_page", "by": ["/team"], "kind": "team", "at": "/at", "key": ["/id"]}
        told = {**use, "files": f"{path}/{names}", **said}
        self.entry: UsageRows = Config.model_validate({"usage": [told]}).usage[0]
        self.now = NOON
        self.checkpoint: bytes | None = None
        self.rejected: dict[tuple[str, str], int] = {}
        self.error = ""

    def write(self, name: str, text: str | bytes, minutes: float = -10) -> Path:
        """A file that was changed so long after noon."""
        path = self.path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        changed = (NOON + minutes * MINUTE).timestamp()
        os.utime(path, (changed, changed))
        return path

    def facts(self) -> list[Fact]:
        found: list[Fact] = []
        self.rejected, self.error = {}, ""
        pages = Sieve.over(
            Disk({}),
            lambda sieve: read(
                self.entry, self.entry.files or "", MINUTE, sieve, self.checkpoint, NOON - DAY, self.now
            ),
        )
        try:
            for page in pages:
                found += page.facts
                self.rejected |= page.rejected
                self.checkpoint = page.checkpoint or self.checkpoint
        except SourceError as error:
            self.error = str(error)
        return found

    def teams(self) -> list[str]:
        """What the facts of one look are about."""
        return [fact.about.id for fact in self.facts() if isinstance(fact, Usage)]


def line(number: int, team: str) -> str:
    return f"{number},{team},2026-05-04T11:00:00Z\n"


def test_a_file_is_read_when_it_came_or_was_changed(tmp_path: Path) -> None:
    """And is as new as its last change."""
    folder = Folder(tmp_path)
    folder.write("a.csv", HEADER + line(1, "red"))
    (fact,) = folder.facts()
    assert isinstance(fact, Usage)
    assert fact.updated == NOON - 10 * MINUTE
    assert folder.teams() == []
    folder.write("a.csv", HEADER + line(1, "red") + line(2, "blue"), -9)
    folder.write("b.csv", HEADER + line(3, "green"), -8)
    folder.write("c.txt", HEADER + line(4, "grey"))
    assert folder.teams() == ["red", "blue", "green"]
    assert folder.teams() == []


def test_the_file_that_was_changed_last_is_right(tmp_path: Path) -> None:
    """Of two that tell of the same, whichever is read first."""
    folder = Folder(tmp_path)
    folder.write("a.csv", HEADER + line(1, "new"), -5)
    folder.write("b.csv", HEADER + line(1, "old"), -50)
    facts = [fact for fact in folder.facts() if isinstance(fact, Usage)]
    assert len({fact.key for fact in facts}) == 1
    assert max(facts, key=lambda fact: fact.updated or NOON - DAY).about.id == "new"


def test_a_last_line_without_its_end_waits(tmp_path: Path) -> None:
    """It may be half of what it will be; a minute later nobody is writing any more."""
    folder = Folder(tmp_path)
    folder.write("a.csv", HEADER + line(1, "red") + "2,bl", minutes=-0.5)
    assert folder.teams() == ["red"]
    folder.write("a.csv", HEADER + line(1, "red") + line(2, "blue").strip(), minutes=-0.5)
    assert folder.teams() == ["red"]
    folder.now = NOON + MINUTE
    assert folder.teams() == ["red", "blue"]
    assert folder.teams() == []


def test_a_quote_that_is_still_open_waits(tmp_path: Path) -> None:
    """As long as the file is written; then it is no CSV."""
    folder = Folder(tmp_path)
    folder.write("a.csv", HEADER + line(1, "red") + '2,"blue\n', minutes=-0.5)
    assert (folder.teams(), folder.error) == (["red"], "")
    folder.now = NOON + MINUTE
    assert folder.teams() == []
    assert folder.error == f"{tmp_path}/a.csv, line 3: no CSV (unexpected end of data); correct it"


def test_what_csv_can_be(tmp_path: Path) -> None:
    """Quotes, line ends within them, those of Windows, a mark of byte order, empty lines, packed; another separator."""
    folder = Folder(tmp_path, separator=";")
    text = '\ufeffid;team;at\r\n1;"a;b";2026-05-04T11:00:00Z\r\n\r\n2; plain ;"2026-05-04T11:00:00Z"\r\n'
    folder.write("a.csv", text)
    assert folder.teams() == ["a;b", "plain"]
    packed = Folder(tmp_path, names="*.csv.gz", separator=";")
    packed.write("a.csv.gz", gzip.compress(text.encode()))
    assert packed.teams() == ["a;b", "plain"]


def test_odd_rows_of_csv(tmp_path: Path) -> None:
    """Too few cells, too many, a byte that is no UTF-8: left out and counted, the rest is told."""
    folder = Folder(tmp_path)
    text = HEADER + line(1, "red") + "2\n" + line(3, "a,b") + line(4, "X") + line(5, "blue")
    folder.write("a.csv", text.encode().replace(b"X", b"\xff"))
    assert folder.teams() == ["red", "blue"]
    assert folder.rejected == {("Usage", "invalid"): 3}


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    """Or there twice; a file like that stops no other, and fails until it is mended."""
    folder = Folder(tmp_path)
    folder.write("a.csv", "id,group,at\n", -9)
    folder.write("b.csv", HEADER + line(1, "red"), -8)
    says = "there is no column /team; those that are there: id, group, at; correct it, or `separator`"
    assert folder.teams() == ["red"]
    assert folder.error == f"{tmp_path}/a.csv: {says}"
    assert folder.teams() == []
    assert folder.error == f"{tmp_path}/a.csv: {says}"
    folder.write("a.csv", "id,team,at,team\n", -7)
    folder.teams()
    assert folder.error == f"{tmp_path}/a.csv: column 'team' is there twice; give one of them another name"
    folder.write("a.csv", HEADER + line(2, "blue"), -6)
    assert (folder.teams(), folder.error) == (["blue"], "")


def test_lines_of_json(tmp_path: Path) -> None:
    """Each by itself: odd ones are left out, those that are too long too, and empty ones are none."""
    folder = Folder(tmp_path, names="*.ndjson", by=["/who/team"])
    good = '{"id": 1, "who": {"team": "red"}, "at": "2026-05-04T11:00:00Z"}\n'
    long = good.replace("red", "x" * 65_536)
    folder.write("a.ndjson", good + "\n{odd\n[]\n" + long + good.replace("red", "blue").replace("1,", "2,").strip())
    assert folder.teams() == ["red", "blue"]
    assert folder.rejected == {("Usage", "invalid"): 2, ("Usage", "too_long"): 1}


def test_a_file_of_which_nothing_can_be_read_fails_each_time(tmp_path: Path) -> None:
    """Until it is changed."""
    folder = Folder(tmp_path, names="*.ndjson")
    folder.write("a.ndjson", "odd\n" * 11)
    for _ in range(2):
        assert folder.teams() == []
        assert folder.error == f"{tmp_path}/a.ndjson: none of 11 rows can be read: a line is no JSON"


def test_a_slice_that_is_not_over_is_read_again(tmp_path: Path) -> None:
    """Though its file was not changed since."""
    folder = Folder(tmp_path)
    sli = {"id": "orders", "files": f"{tmp_path}/*.csv", "good": "/ok", "total": "/all", "at": "/at"}
    entry = Config.model_validate({"slis": [sli]}).slis[0]
    folder.write("a.csv", "at,ok,all\n2026-05-04T11:59:00Z,1,2\n")
    ends, checkpoint = [], None
    for minutes in (0, 1, 2):
        pages = read(entry, sli["files"], MINUTE, Sieve(Disk({})), checkpoint, NOON - DAY, NOON + minutes * MINUTE)
        for page in pages:
            ends.append([fact.at for fact in page.facts if isinstance(fact, SliCount)])
            checkpoint = page.checkpoint
    assert ends == [[], [NOON]]


def test_no_file_at_all(tmp_path: Path) -> None:
    """Is a mistake; a folder that is emptied is none."""
    folder = Folder(tmp_path)
    folder.teams()
    assert folder.error == (
        f"no file is called {tmp_path}/*.csv; correct `files`, or have them written where platform-meter can see them"
    )
    path = folder.write("a.csv", "")
    assert (folder.teams(), folder.error) == ([], "")
    path.unlink()
    assert (folder.teams(), folder.error) == ([], "")


def test_files_that_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of them is told."""
    monkeypatch.setattr(files, "MOST_BYTES", 1 << 20)
    folder = Folder(tmp_path)
    folder.write("a.csv", HEADER + line(1, "red") * 40_000)
    assert folder.teams() == []
    assert folder.error == f"{tmp_path}/a.csv: there are more than 1 MiB of it; write it in several files"


@given(
    st.binary(max_size=60)
    | st.text(alphabet='id,team\n"1\r', max_size=60).map(lambda text: HEADER.encode() + text.encode())
)
def test_any_bytes_are_facts_left_out_rows_or_unexpected(text: bytes) -> None:
    """As CSV and as NDJSON, at rest or not; nothing else comes of them."""
    for name in ("/x/a.csv", "/x/a.ndjson"):
        said = {"action": "open_page", "by": ["/team"], "kind": "team", "at": "/at", "files": name}
        entry = Config.model_validate({"usage": [said]}).usage[0]
        outside = FakeOutside({"/x": {name: text}})
        for now in (NOON, datetime(1970, 1, 1, tzinfo=UTC)):
            try:
                assert not any(page.facts for page in read(entry, name, MINUTE, Sieve(outside), None, NOON - DAY, now))
            except Unexpected as error:
                assert str(error).startswith(name)  # noqa: PT017 - nothing has to be raised


def test_the_newest_file_is_looked_at(tmp_path: Path) -> None:
    """By its last change; there may be none yet."""
    folder = Folder(tmp_path)
    assert files.newest(f"{tmp_path}/*.csv", Sieve(Disk({}))) is None
    folder.write("a.csv", "", -1)
    folder.write("b.csv", "", -2)
    found = files.newest(f"{tmp_path}/*.csv", Sieve(Disk({})))
    assert isinstance(found, FoundFile)
    assert found.path == f"{tmp_path}/a.csv"
