from __future__ import annotations

from pathlib import Path

import pytest

from platform_meter.runtime.files.artifacts import Staging, Texts, one_text


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Files land in their folders with their very bytes, folders made as needed, and no stage is left behind."""
    rules, boards = tmp_path / "generated" / "rules", tmp_path / "boards"
    with Staging() as staging:
        staging.write(rules, "a.rules.yml", "groups: é\n")
        staging.write(boards, "b.json", "{}\n")
        staging.swap()
    assert dict(Texts(rules, [".yml", ".json"])) == {"a.rules.yml": "groups: é\n"}
    assert dict(Texts(boards, [".json"])) == {"b.json": "{}\n"}
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.rules.yml", "b.json", "boards", "generated", "rules"]


def test_what_is_generated_no_more_goes(tmp_path: Path) -> None:
    """Named files are removed, others stay."""
    for name in ("old.rules.yml", "mine.rules.yml"):
        (tmp_path / name).write_text("x")
    with Staging() as staging:
        staging.write(tmp_path, "new.rules.yml", "y")
        staging.remove(tmp_path, "old.rules.yml")
        staging.remove(tmp_path, "never-there.yml")
        staging.swap()
    assert dict(Texts(tmp_path, [".yml"])) == {"mine.rules.yml": "x", "new.rules.yml": "y"}


def test_nothing_changes_before_the_swap(tmp_path: Path) -> None:
    """Until all is staged every file is as it was; when something of it fails, all stays so, and the stages are gone."""
    first, last = tmp_path / "first", tmp_path / "last"
    first.mkdir()
    for name in ("a.yml", "b.yml"):
        (first / name).write_text("before")
    with Staging() as staging:
        staging.write(first, "a.yml", "after")
        staging.remove(first, "b.yml")
        with pytest.raises(UnicodeEncodeError):
            staging.write(last, "b.json", "\ud800")
    assert dict(Texts(first, [".yml"])) == {"a.yml": "before", "b.yml": "before"}
    assert sorted(p.name for p in first.iterdir()) == ["a.yml", "b.yml"]
    assert list(last.iterdir()) == []


def test_nothing_to_do_touches_nothing(tmp_path: Path) -> None:
    """A folder is made for its first file."""
    with Staging() as staging:
        staging.remove(tmp_path / "never", "a.yml")
        staging.swap()
    assert list(tmp_path.iterdir()) == []


def test_the_stage_of_a_killed_run_goes(tmp_path: Path) -> None:
    """What a run left that could not end its stage is removed by the next one."""
    left = tmp_path / ".generate-killed"
    left.mkdir()
    (left / "a.yml").write_text("half")
    with Staging() as staging:
        staging.write(tmp_path, "a.yml", "whole")
        staging.write(tmp_path, "a.json", "whole")
        staging.swap()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.yml"]


@pytest.mark.parametrize("name", ["../out.yml", "/tmp/out.yml", "a/b.yml", "", ".."])
def test_no_name_leads_out(name: str, tmp_path: Path) -> None:
    """A name that leaves the folder is refused, written or removed."""
    with Staging() as staging:
        with pytest.raises(ValueError, match="leads out of"):
            staging.write(tmp_path, name, "x")
        with pytest.raises(ValueError, match="leads out of"):
            staging.remove(tmp_path, name)


def test_what_is_not_read(tmp_path: Path) -> None:
    """What lies deeper, hidden files and other endings are left out; what holds no text is there, as nobody's text."""
    (tmp_path / "bytes.yml").write_bytes(b"a\xff")
    (tmp_path / ".hidden.yml").write_text("x")
    (tmp_path / "other.txt").write_text("x")
    (tmp_path / "folder.yml").mkdir()
    (tmp_path / "folder.yml" / "deeper.yml").write_text("x")
    found = Texts(tmp_path, [".yml"])
    assert (dict(found), len(found)) == ({"bytes.yml": "a\ufffd", "folder.yml": ""}, 2)
    assert "other.txt" not in found
    assert dict(Texts(tmp_path / "missing", [".yml"])) == {}


def test_one_file_alone(tmp_path: Path) -> None:
    """Its text by its name and nothing of what lies beside it; what is no file has a text that nobody wrote."""
    (tmp_path / "a.yml").write_text("é\n", "utf-8")
    (tmp_path / "folder.yml").mkdir()
    (tmp_path / "lost.yml").symlink_to(tmp_path / "nowhere")
    (tmp_path / ".hidden.yml").write_text("x")
    names = ("a.yml", "folder.yml", "lost.yml", ".hidden.yml", "none.yml")
    assert [dict(one_text(tmp_path / name)) for name in names] == [
        {"a.yml": "é\n"},
        {"folder.yml": ""},
        {"lost.yml": ""},
        {".hidden.yml": "x"},
        {},
    ]
