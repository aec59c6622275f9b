"""The one way in which parts are found, on packages that a test writes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from platform_meter.model.found import found, names

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Puts a text at a path below a folder that Python imports from; what was imported is forgotten again."""
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)

    def put(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
        importlib.invalidate_caches()

    yield put
    for name in set(sys.modules) - known:
        if name.partition(".")[0] == "room":
            del sys.modules[name]


HALF = "from fractions import Fraction\nHALF = Fraction(1, 2)\n"


def test_names_are_modules_and_folders_in_order(write: Write) -> None:
    """Private ones are nobody's part; nothing is imported to learn the others."""
    write("room/__init__.py", "")
    write("room/b.py", "raise RuntimeError\n")
    write("room/a/__init__.py", "")
    write("room/a/inner.py", "")
    write("room/_kit.py", "")
    assert names("room") == ("a", "b")


def test_public_constants_of_the_type_are_found(write: Write) -> None:
    """In order of modules and then of lines; what is private, of another type or no constant is left."""
    write("room/__init__.py", "")
    write("room/b.py", "from fractions import Fraction\nTHIRD = Fraction(1, 3)\nFIFTH = Fraction(1, 5)\n")
    write("room/a.py", HALF + "quarter = Fraction(1, 4)\n_TENTH = Fraction(1, 10)\nTEXT = '1/2'\n")
    assert found("room", Fraction) == (Fraction(1, 2), Fraction(1, 3), Fraction(1, 5))


def test_one_that_is_imported_from_another_module_is_found_once(write: Write) -> None:
    """It is the same value, by whatever name."""
    write("room/__init__.py", "")
    write("room/a.py", HALF)
    write("room/b.py", "from room.a import HALF as OTHER\n")
    assert found("room", Fraction) == (Fraction(1, 2),)


def test_a_module_that_fails_is_not_passed_over(write: Write) -> None:
    """A part with a mistake in it would else be missing without a word."""
    write("room/__init__.py", "")
    write("room/a.py", "raise RuntimeError('a mistake')\n")
    with pytest.raises(RuntimeError, match="a mistake"):
        found("room", Fraction)


def test_installed_packages_offer_theirs_behind_ours(write: Write) -> None:
    """By entry points of the group, in order of their names; without a group nobody is asked."""
    write("room/__init__.py", "from fractions import Fraction\nTHIRD = Fraction(1, 3)\nFIFTH = Fraction(1, 5)\n")
    write("room/a.py", HALF)
    write("room-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: room\nVersion: 1.0\n")
    write("room-1.0.dist-info/entry_points.txt", "[room.parts]\nz = room:FIFTH\ny = room:THIRD\nx = room.a:HALF\n")
    assert found("room", Fraction, group="room.parts") == (Fraction(1, 2), Fraction(1, 3), Fraction(1, 5))
    assert found("room", Fraction) == (Fraction(1, 2),)


def test_an_entry_point_of_another_type_is_named(write: Write) -> None:
    """With its group, what it is and what it must be."""
    write("room/__init__.py", "TEXT = '1/2'\n")
    write("room-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: room\nVersion: 1.0\n")
    write("room-1.0.dist-info/entry_points.txt", "[room.parts]\nhalf = room:TEXT\n")
    with pytest.raises(TypeError, match=r"^entry point half of room\.parts is '1/2'; room:TEXT must be a Fraction$"):
        found("room", Fraction, group="room.parts")


@pytest.mark.parametrize(
    ("value", "why"),
    [("room.none", "No module named 'room.none'"), ("room:NONE", "module 'room' has no attribute 'NONE'")],
)
def test_an_entry_point_that_leads_nowhere_is_named(write: Write, value: str, why: str) -> None:
    """Its name and what is wrong with it, in place of an error of some import."""
    write("room/__init__.py", "")
    write("room-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: room\nVersion: 1.0\n")
    write("room-1.0.dist-info/entry_points.txt", f"[room.parts]\nhalf = {value}\n")
    with pytest.raises(TypeError, match=rf"^entry point half of room\.parts can't be imported: {why}$"):
        found("room", Fraction, group="room.parts")
