"""docs/config.md and docs/definitions.md say every key there is, and every example in them is sound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from tests.problems.fake_sources import CONFIGS, TYPES

from platform_meter.model.definitions import KINDS, Goal, Hours
from platform_meter.model.source import Secret, SourceConfig
from platform_meter.problems import render
from platform_meter.runtime.config import Config, load_config
from platform_meter.runtime.cross_checks import Known, cross_check
from platform_meter.runtime.definitions import read_definitions

DOCS = Path(__file__).parents[2] / "docs"
CONFIG = (DOCS / "config.md").read_text("utf-8")
DEFINITIONS = (DOCS / "definitions.md").read_text("utf-8")
WRITTEN_AS_TEXT = (Secret, Hours, Goal)
"""Models that stand behind one word, or are explained in a section of their own."""


def keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every key of a model with those inside it, as `active.window`; a list adds nothing to the path."""
    for name, info in model.model_fields.items():
        key = before + (info.alias or name)
        yield key
        for inner in models(info.annotation):
            if inner not in WRITTEN_AS_TEXT:
                yield from keys(inner, key + ".")


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if get_origin(annotation) is Annotated:
        yield from models(get_args(annotation)[0])
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for inner in get_args(annotation):
            yield from models(inner)


def section(text: str, heading: str) -> str:
    """The part of a page under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section '## {heading}'"
    return found[1]


def rows(text: str) -> list[str]:
    """First column of every table row that names a key."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def examples(text: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_key_of_a_kind_has_its_row(kind: str) -> None:
    """One row for each key, in its kind's section, and none for a key that is not there."""
    assert sorted(rows(section(DEFINITIONS, kind))) == sorted(keys(KINDS[kind][0]))


def test_every_key_of_the_configuration_has_its_row() -> None:
    """Settings, those of every source, and how a secret is written."""
    assert sorted(rows(section(CONFIG, "Keys"))) == sorted(keys(Config))
    assert sorted(rows(section(CONFIG, "Every source"))) == sorted(["type", *keys(SourceConfig)])
    assert sorted(rows(section(CONFIG, "Secrets"))) == sorted(keys(Secret))


def test_each_default_in_the_table_is_the_real_one() -> None:
    """The table's defaults, written into a file, change nothing."""
    found = re.findall(r"^\| `([a-z_]+)` \| `([^`]+)` \|", section(CONFIG, "Keys"), re.MULTILINE)
    assert {key for key, _ in found} == {"zone", "listen", "definitions", "tick", "zero_for", "sources"}
    text = "".join(f"{key}: {default}\n" for key, default in found)
    assert load_config(text, "x.yaml", {}).config == load_config("", "x.yaml", {}).config


@pytest.mark.parametrize("text", examples(CONFIG))
def test_every_configuration_in_the_docs_is_sound(text: str) -> None:
    """What the page shows can be copied."""
    assert [render(p) for p in load_config(text, "platform-meter.yaml", CONFIGS).problems] == []


def test_every_definition_in_the_docs_is_sound() -> None:
    """Taken together, the examples fit each other too: no id twice, no name unknown."""
    files = [(f"example-{n}.yaml", text) for n, text in enumerate(examples(DEFINITIONS))]
    found = read_definitions(files)
    known = Known(gives={name: source.gives for name, source in TYPES.items()})
    assert [render(p) for p in (*found.problems, *cross_check(found.read, known))] == []
    assert {type(r.value) for r in found.read} == {model for model, _ in KINDS.values()}


@pytest.mark.parametrize("text", [CONFIG, DEFINITIONS])
def test_one_sentence_stands_on_a_line(text: str) -> None:
    """So that a change of one sentence is a change of one line; tables and code have their own form."""
    prose = re.sub(r"^\|.*$", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    assert [line for line in prose.splitlines() if re.search(r"[.;!?] [A-Z]", line)] == []
