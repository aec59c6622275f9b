"""docs/config.md and docs/definitions.md say every key there is, and every example of any page is sound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from tests.support.our_slos import our_plans
from tests.support.places import DOCS

from platform_meter import sources
from platform_meter.model.access import Secret
from platform_meter.model.definitions import KINDS, Goal, Hours
from platform_meter.model.objective import StoredSli
from platform_meter.model.source import SourceConfig
from platform_meter.problems import render
from platform_meter.runtime.files.config import Config, load_config
from platform_meter.runtime.files.cross_checks import Known, Slo, cross_check
from platform_meter.runtime.files.definitions import read_definitions

CONFIG = (DOCS / "config.md").read_text("utf-8")
DEFINITIONS = (DOCS / "definitions.md").read_text("utf-8")
TYPES = sources.load()
CONFIGS = {name: source.config for name, source in TYPES.items()}
INSTALLED = Known(
    instances={name: name for name in TYPES},
    gives={name: source.gives for name, source in TYPES.items()},
    slos={p.slo: Slo(objective=p.objective, stored=isinstance(p.sli, StoredSli)) for p in our_plans()},
)
"""An installation with one source of each type there is, and this repository's SLOs."""
PAGES = sorted(page.relative_to(DOCS.parent).as_posix() for page in (*DOCS.glob("*.md"), DOCS.parent / "README.md"))
OTHERS = ("receivers:", "route:", "scrape_configs:", "apiVersion: openslo/v1", "apiVersion: monitoring.coreos.com/v1")
"""How examples begin that are for other programs, or are SLOs, which have tests of their own."""
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
    assert {key for key, _ in found} == {"zone", "listen", "definitions", "tick", "zero_for", "push_bytes", "sources"}
    text = "".join(f"{key}: {default}\n" for key, default in found)
    assert load_config(text, "x.yaml", {}).config == load_config("", "x.yaml", {}).config


@pytest.mark.parametrize("page", PAGES)
def test_every_example_of_a_page_can_be_copied(page: str) -> None:
    """For the sources there are: each configuration by itself, and all definitions of the page together."""
    definitions: list[tuple[str, str]] = []
    for number, text in enumerate(examples((DOCS.parent / page).read_text("utf-8"))):
        name = f"{page} example {number + 1}"
        if re.search("^(sources|zone):", text, re.MULTILINE):
            assert [render(p) for p in load_config(text, name, CONFIGS).problems] == []
        elif re.search(r"^\{?kind:", text):
            definitions.append((name, text))
        else:
            assert text.startswith(OTHERS)
    found = read_definitions(definitions)
    assert [render(p) for p in (*found.problems, *cross_check(found.declared, INSTALLED))] == []


def test_every_kind_has_its_example() -> None:
    """One at least."""
    found = read_definitions(("definitions.md", text) for text in examples(DEFINITIONS))
    assert {one.kind for one in found.declared} == set(KINDS)


@pytest.mark.parametrize("text", [CONFIG, DEFINITIONS])
def test_one_sentence_stands_on_a_line(text: str) -> None:
    """So that a change of one sentence is a change of one line; tables and code have their own form."""
    prose = re.sub(r"^\|.*$", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    assert [line for line in prose.splitlines() if re.search(r"[.;!?] [A-Z]", line)] == []
