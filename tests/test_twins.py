"""tests/ mirrors src by folder, both ways: who knows the one file knows where the other is.

A module src/platform_meter/a/b/m.py that does something is tested by tests/a/b/test_m.py, or by its folder's own test
module tests/a/b/test_b.py, which covers the parts that are seen only through the folder's face; `__init__.py` is tested
by tests/a/b/test_b.py. Protocols and plain values do nothing. And a test module stands in a folder that src has too,
named after a module of it or after the folder, with a word more where one has several: test_meter_upkeep.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = "platform_meter"
SOURCE = TESTS.parent / "src" / PACKAGE
APART = {"real", "docs", "contracts", "support"}
"""Folders of tests that are about no one folder of src."""


def _does_something(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether its body is more than a docstring or `...`."""
    return not all(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in function.body)


def has_behaviour(code: str) -> bool:
    """Whether a function or method of this module does something."""
    found = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(_does_something(function) for function in found)


def imported(code: str) -> Iterator[str]:
    """The full names of all that a module imports, and of what it takes out of them."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> list[str]:
    """Every module with behaviour by its path."""
    found = (path for path in SOURCE.rglob("*.py") if has_behaviour(path.read_text("utf-8")))
    return sorted(path.relative_to(SOURCE).as_posix() for path in found)


def twins(module: str) -> list[Path]:
    """Where the tests of a module may stand."""
    path = Path(module)
    folder = TESTS / path.parent
    own = folder / f"test_{path.stem.lstrip('_')}.py"
    face = folder / f"test_{path.parent.name or PACKAGE}.py"
    return [face] if path.name == "__init__.py" else [own, face]


def in_rooms() -> list[str]:
    """Every test module that must have its place in src, by its path."""
    found = (path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))
    return sorted(path.as_posix() for path in found if len(path.parts) > 1 and path.parts[0] not in APART)


@pytest.mark.parametrize("module", modules())
def test_the_module_has_its_test_module(module: str) -> None:
    """One of the places where one looks for it holds tests, and they import from the module's folder."""
    room = ".".join([PACKAGE, *Path(module).parts[:-1]])
    there = [path for path in twins(module) if path.is_file()]
    places = " or ".join(path.relative_to(TESTS.parent).as_posix() for path in twins(module))
    assert there, f"{module} has no test module; write {places}"
    codes = [path.read_text("utf-8") for path in there]
    assert any(
        "\ndef test_" in code and any(f"{name}.".startswith(f"{room}.") for name in imported(code)) for code in codes
    ), f"{places} holds no test that imports from {room}"


@pytest.mark.parametrize("module", in_rooms())
def test_the_test_module_has_its_place(module: str) -> None:
    """Its folder is one of src, and its name begins with that of a module there or with the folder's own."""
    path = Path(module)
    folder = SOURCE / path.parent
    assert folder.is_dir(), f"tests/{module} tests a folder that src does not have"
    names = {name.stem.lstrip("_") for name in folder.glob("*.py") if name.stem != "__init__"} | {path.parent.name}
    said = path.stem.removeprefix("test_")
    assert any(said == name or said.startswith(f"{name}_") for name in names), (
        f"tests/{module} is named after none of {', '.join(sorted(names))}"
    )


def test_modules_are_found() -> None:
    """An empty list would prove nothing: what does something is among them, what does nothing is not."""
    assert {"runtime/poller.py", "sources/__init__.py", "sources/github/runs.py"} <= set(modules())
    assert "runtime/__init__.py" not in modules()
    assert twins("cli/__init__.py") == [TESTS / "cli" / "test_cli.py"]
    assert twins("sources/github/runs.py") == [
        TESTS / "sources" / "github" / "test_runs.py",
        TESTS / "sources" / "github" / "test_github.py",
    ]
    assert "runtime/test_poller_threads.py" in in_rooms()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("class Row:\n    n: int", False),
        ('class Reads(Protocol):\n    def read(self) -> int:\n        """Said."""', False),
        ("class Reads(Protocol):\n    def read(self) -> int: ...", False),
        ("class Row:\n    n: int\n    @property\n    def twice(self) -> int:\n        return 2 * self.n", True),
        ('def read() -> int:\n    """Said."""\n    return 1', True),
    ],
)
def test_what_behaviour_is(code: str, expected: bool) -> None:
    """Values and promises have none; a function that does something is some."""
    assert has_behaviour(code) is expected
