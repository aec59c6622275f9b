"""The source of docs/adding-a-source.md runs and keeps the contract; each way to break it fails by the check that is meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.added import added
from tests.support.places import DOCS

from platform_meter import sources
from platform_meter.testing import CHECKS, Case

TEXTS = re.findall(
    r"^```python\n(.*?)^```$", (DOCS / "adding-a-source.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)
SOURCE, TEST = TEXTS


def case() -> Case:
    names: dict[str, Any] = {}
    exec(compile(TEST, "test_library.py", "exec"), names)  # noqa: S102 - our own docs
    found: Case = names["CASE"]
    return found


@pytest.fixture
def told(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """What each check says of a source with this text, where it does not pass."""

    def told(text: str) -> dict[str, str]:
        said = {}
        with added("platform_meter.sources", {"library/__init__.py": text}, tmp_path):
            sources.load.cache_clear()
            try:
                source = sources.load()["library"]
                for check in CHECKS:
                    try:
                        check(source, case())
                    except AssertionError as error:
                        said[check.__name__] = str(error)
            finally:
                sources.load.cache_clear()
        return said

    return told


def test_the_example_keeps_the_contract(told: Callable[[str], dict[str, str]]) -> None:
    """A source is found in its folder, and at most 120 lines long."""
    assert told(SOURCE) == {}
    assert len(SOURCE.splitlines()) <= 120


@pytest.mark.parametrize(
    ("sound", "broken", "check", "says"),
    [
        ("type=State) if", "type=Cursor) and State() if", "sees_the_world_move", "the later world lacks Usage(key='loan/3'"),
        ("        number += 1", "        return", "sees_the_world_move", "Usage(key='loan/7'"),
        ("watch.look(state.out, ask))", "[(0, 0, ask(id_, held).body) for id_, held in [*state.out.items()]])", "sees_the_world_move", "go on past what fails"),
        ("        number += 1", "        if not answer.body:\n            return\n        number += 1", "sees_the_world_move", "Usage(key='loan/7'"),
        ("return outside.get(f", "return Answer(body=None, headers={}) if id_ == '4' else outside.get(f", "sees_the_world_move", "no gap tells of loan 4: "),
        ("return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))", "return pages(outside, checkpoint, since, now)", "sees_the_world_move", "a poll of the later world fails"),
    ],
    ids=["forgets what was running", "never reads page 2", "stops at one 404", "takes an empty page for the end", "tells no gap", "stops at an odd row"],
)  # fmt: skip
def test_a_broken_source_fails(
    told: Callable[[str], dict[str, str]], sound: str, broken: str, check: str, says: str
) -> None:
    """By the check that looks for it, in words that say what is lost."""
    assert sound in SOURCE
    assert says in told(SOURCE.replace(sound, broken))[check]
