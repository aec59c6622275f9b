from __future__ import annotations

from pathlib import Path

import pytest

from platform_meter.runtime.artifacts import read_tree, write_tree


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Files land under the root with their very bytes, folders made as needed, and no stage is left behind."""
    write_tree(tmp_path / "generated", {"a.rules.yml": "groups: é\n", "sub/b.json": "{}\n"})
    assert read_tree(tmp_path / "generated", [".yml", ".json"]) == {"a.rules.yml": "groups: é\n", "sub/b.json": "{}\n"}
    assert sorted(p.name for p in (tmp_path / "generated").iterdir()) == ["a.rules.yml", "sub"]


def test_what_is_generated_no_more_goes(tmp_path: Path) -> None:
    """Named files are removed, others stay."""
    for name in ("old.rules.yml", "mine.rules.yml"):
        (tmp_path / name).write_text("x")
    write_tree(tmp_path, {"new.rules.yml": "y"}, remove=["old.rules.yml", "never-there.yml"])
    assert read_tree(tmp_path, [".yml"]) == {"mine.rules.yml": "x", "new.rules.yml": "y"}


def test_a_failure_changes_nothing(tmp_path: Path) -> None:
    """When one text cannot be staged, no file has been replaced and the stage is gone."""
    (tmp_path / "a.yml").write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_tree(tmp_path, {"a.yml": "after", "b.yml": "\ud800"})
    assert read_tree(tmp_path, [".yml"]) == {"a.yml": "before"}
    assert [p.name for p in tmp_path.iterdir()] == ["a.yml"]


@pytest.mark.parametrize("path", ["../out.yml", "/tmp/out.yml", "a/../../b.yml", ""])
def test_no_path_leads_out(path: str, tmp_path: Path) -> None:
    """A path that leaves the folder is refused, written or removed."""
    with pytest.raises(ValueError, match="leads out of"):
        write_tree(tmp_path, {path: "x"})
    with pytest.raises(ValueError, match="leads out of"):
        write_tree(tmp_path, {}, remove=[path])


def test_what_is_not_text_is_left_out(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 and hidden files are none of ours."""
    (tmp_path / "bytes.yml").write_bytes(b"\xff")
    (tmp_path / ".hidden.yml").write_text("x")
    assert read_tree(tmp_path, [".yml"]) == {}
    assert read_tree(tmp_path / "missing", [".yml"]) == {}
