"""docs/design.md is true: its rooms and the files of its two walks are there, and no room is left out."""

from __future__ import annotations

import re

import pytest
from tests.support.places import DOCS, ROOT

SOURCE = ROOT / "src" / "platform_meter"
PAGE = (DOCS / "design.md").read_text("utf-8")
WALKS = {"from an HTTP answer to `/metrics`": 20, "to its alert": 12}


def section(title: str) -> str:
    """What stands under the heading that ends so."""
    return re.split(r"^## ", PAGE.partition(f"{title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


ROOMS = re.findall(r"^\| `([\w/]+)/` \|", section("The rooms"), re.MULTILINE)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_there(room: str) -> None:
    """A room of the page is a package with something in it."""
    assert any((SOURCE / room).glob("*.py")), f"docs/design.md speaks of {room}/, which is not there"


def test_no_room_is_left_out() -> None:
    """Every folder of code is named, or is one part among those that a named room finds."""
    rooms = set(ROOMS)
    folders = {path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")} - {"."}
    found = {"sources", "measures", "web/pages", "demo/apis"}
    assert {folder for folder in folders if folder not in rooms and folder.rpartition("/")[0] not in found} == set()


def test_the_picture_names_the_rooms_at_the_top() -> None:
    """The picture over the table has every room that stands right in the package."""
    picture = section("The rooms").partition("```\n")[2].partition("```")[0]
    tops = {path.parent.name for path in SOURCE.glob("*/*.py")} - {"testing"}
    assert tops <= set(re.findall(r"[a-z]+", picture))


@pytest.mark.parametrize(("title", "most"), WALKS.items())
def test_the_walks_go_through_files_that_are_there(title: str, most: int) -> None:
    """Each step is a file, none twice, and they are as few as they should be."""
    steps = re.findall(r"^\d+\. `([\w/]+\.py)`", section(title), re.MULTILINE)
    assert 10 <= len(set(steps)) == len(steps) <= most
    assert [step for step in steps if not (SOURCE / step).is_file()] == []


def test_the_largest_module_is_the_one_it_names() -> None:
    """And none has 400 lines."""
    sizes = {
        path.relative_to(SOURCE).as_posix(): len(path.read_text("utf-8").splitlines()) for path in SOURCE.rglob("*.py")
    }
    said = re.search(r"The largest module is `([\w/.]+)` with (\d+) lines", PAGE)
    assert said is not None
    assert max(sizes.items(), key=lambda one: one[1]) == (said[1], int(said[2]))
    assert int(said[2]) < 400
