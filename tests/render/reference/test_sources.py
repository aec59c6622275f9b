"""Tables of sources, and how they are put into a page."""

from __future__ import annotations

import pytest

from platform_meter.render.reference.sources import BEGIN, END, put, short, whole
from platform_meter.sources import load


def test_a_table_is_put_between_its_marks() -> None:
    """What stands around it stays."""
    assert put(f"a\n{BEGIN}\nold\n{END}\nb\n", "new\n") == f"a\n{BEGIN}\nnew\n{END}\nb\n"


@pytest.mark.parametrize("page", ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n"])
def test_a_page_without_marks_is_refused(page: str) -> None:
    """Else the table would be nowhere, and nobody would know."""
    with pytest.raises(ValueError, match="there is no <!-- sources"):
        put(page, "new\n")


def test_every_source_has_a_row() -> None:
    """The long table says the kinds of fact by name, and links to the section."""
    sources = load()
    areas = {source.area for source in sources.values()}
    assert short(sources.values()).count("\n") == len(sources) + len(areas) + 2
    row = next(line for line in whole(sources.values()).splitlines() if line.startswith("| [`tekton`](#tekton) |"))
    assert "| PipelineActive, PipelineJob, PipelineRun |" in row


def test_an_area_is_named_before_its_sources() -> None:
    """In the order of areas, and there in that of the sources; one that nobody is of is not."""
    jira, github, gitlab = (load()[name] for name in ("jira", "github", "gitlab"))
    assert [line.partition(" | ")[0] for line in short([jira, github, gitlab]).splitlines()[2:]] == [
        "| **CI/CD**",
        "| GitHub",
        "| GitLab",
        "| **Tickets and incidents**",
        "| Jira",
    ]
