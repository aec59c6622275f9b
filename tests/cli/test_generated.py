from __future__ import annotations

from pathlib import Path

import click
import pytest

from platform_meter.cli.generated import Folder, reading_and_writing, write
from platform_meter.model.generated import HEADER
from platform_meter.render.artifact import Artifact

OURS = f"{HEADER}route: {{}}\n"
SAID = "move it away, or name another file with --alertmanager"


def one(folder: Path, text: str = OURS) -> Folder:
    """A file alone in a folder."""
    return Folder(
        path=folder,
        alone="a.yml",
        elsewhere="another file with --alertmanager",
        artifacts=(Artifact(path="a.yml", text=text),),
        again="platform-meter generate --alertmanager a.yml",
    )


def test_a_file_alone_leaves_what_lies_beside_it(tmp_path: Path) -> None:
    """Generated or not, whatever its name ends in: the folder is none of ours."""
    beside = {"rules.yml": HEADER, "my-a.yml": HEADER, "mine.yml": "x"}
    for name, text in beside.items():
        (tmp_path / name).write_text(text)
    write([one(tmp_path)])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == beside | {"a.yml": OURS}
    assert list(one(tmp_path).differences()) == []


def test_a_folder_loses_what_is_generated_no_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What we wrote there goes and is named; what somebody else wrote stays."""
    for name, text in (("old.yml", HEADER), ("mine.yml", "x")):
        (tmp_path / name).write_text(text)
    write([Folder(path=tmp_path, suffix=".yml", elsewhere="another folder", artifacts=())])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yml"]
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'old.yml'} was generated no more, and is removed",
        f"{tmp_path}: 1 files changed",
    ]


def test_what_is_told_of_a_file(tmp_path: Path) -> None:
    """How to write it where it is missing or stale, and where to write it instead where another one stands."""

    def told() -> list[str]:
        folder = one(tmp_path)
        return [folder.told(d) for d in folder.differences()]

    at = tmp_path / "a.yml"
    assert told() == [f"{at} is missing; run: platform-meter generate --alertmanager a.yml"]
    at.write_text(HEADER)
    assert told() == [f"{at} is stale; run: platform-meter generate --alertmanager a.yml"]
    at.write_text("route: {}\n")
    assert told() == [f"{at} is in the way: `generate` did not write it; {SAID}"]


def test_one_file_in_the_way_stops_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written in other folders either."""
    (tmp_path / "a.yml").write_text("mine")
    other = Folder(
        path=tmp_path / "other", suffix=".yml", elsewhere="x", artifacts=(Artifact(path="b.yml", text=HEADER),)
    )
    with pytest.raises(SystemExit) as ended:
        write([other, one(tmp_path)])
    assert ended.value.code == 1
    assert (tmp_path / "a.yml").read_text() == "mine"
    assert list((tmp_path / "other").iterdir()) == []
    assert capsys.readouterr().err == "nothing was written\n"


def test_what_the_file_system_refuses_is_a_sentence(tmp_path: Path) -> None:
    """With the name of the file that it refused."""
    (tmp_path / "folder").write_text("")
    with pytest.raises(click.ClickException) as raised, reading_and_writing():
        write([one(tmp_path / "folder")])
    assert raised.value.message == f"{tmp_path / 'folder'}: File exists"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`generate --diff | head`: click ends then without a word."""
    with pytest.raises(BrokenPipeError), reading_and_writing():
        raise BrokenPipeError
