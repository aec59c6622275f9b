"""Every source is documented, brings its case and keeps its promise. A new folder in `sources/` is held to it unasked."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.places import DOCS

from platform_meter import sources
from platform_meter.model.source import Source, SourceConfig
from platform_meter.testing import CHECKS, Case

HERE = Path(__file__).parent
PAGE = (DOCS / "sources.md").read_text(encoding="utf-8")
NAMES = tuple(sources.load())


def case_of(name: str) -> Case:
    """The case of one source.

    Raises:
        AssertionError: its test module or the case in it is missing; the text says what to write.
    """
    path = f"tests/sources/{name}/test_{name}.py"
    assert (HERE / name / f"test_{name}.py").is_file(), f"source '{name}' has no test; write {path} with a CASE"
    case = getattr(importlib.import_module(f"tests.sources.{name}.test_{name}"), "CASE", None)
    assert isinstance(case, Case), f"{path} has no CASE = Case(...)"
    return case


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_source_is_held_to_the_contract(name: str, check: Callable[[Source[Any], Case], None]) -> None:
    """It may repeat, it must not skip; what else it promises, each check says."""
    check(sources.load()[name], case_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_case_of_each_source_has_a_later_world(name: str) -> None:
    """With something refused and, where it reads rows, something odd in it; but for one that asks for nothing."""
    case = case_of(name)
    later = case.later
    if case.pushed and not case.answers:
        assert later is None
        return
    assert later is not None, f"the case of '{name}' has no later world; write later=Later(...)"
    assert bool(later.rejected) == case.rows
    assert later.gaps or later.failing


def test_a_source_without_a_test_is_told_what_to_write() -> None:
    """The file, or the value in it."""
    with pytest.raises(AssertionError, match=r"'nova' has no test; write tests/sources/nova/test_nova\.py with a CASE"):
        case_of("nova")


@pytest.mark.parametrize("name", NAMES)
def test_source_is_documented_with_every_setting(name: str) -> None:
    """docs/sources.md has a section for it, which names each of its settings; the table over them is generated."""
    found = re.search(rf"^## `{re.escape(name)}`$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/sources.md: there is no section '## `{name}`'"
    own = set(sources.load()[name].config.model_fields) - set(SourceConfig.model_fields)
    missing = sorted(setting for setting in own if f"| `{setting}` |" not in found[1])
    assert not missing, f"docs/sources.md: section '{name}' lacks settings {missing}; add rows '| `NAME` | ...'"


def test_common_settings_are_documented() -> None:
    """What every source may be told stands in docs/sources.md once."""
    assert [s for s in SourceConfig.model_fields if f"| `{s}` |" not in PAGE] == []


def test_documented_sources_exist() -> None:
    """A source that went away doesn't stay in the docs."""
    headings = set(re.findall(r"^## `([\w-]+)`$", PAGE, re.MULTILINE))
    assert headings <= set(NAMES), f"docs/sources.md documents {sorted(headings - set(NAMES))}, which no folder is"
