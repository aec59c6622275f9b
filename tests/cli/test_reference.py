"""Pages that the code makes in part or whole are as it would write them now."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.places import ROOT

from platform_meter.cli.reference import main, pages

PAGES = pages(ROOT)


@pytest.mark.parametrize("path", PAGES)
def test_the_committed_page_is_the_generated_one(path: str) -> None:
    """When stale: make generate."""
    assert (ROOT / path).read_text("utf-8") == PAGES[path]


def test_a_stale_page_is_written_anew(tmp_path: Path) -> None:
    """What people wrote around the tables stays, and a second time changes nothing."""
    (tmp_path / "docs" / "runbooks").mkdir(parents=True)
    for path, text in PAGES.items():
        (tmp_path / path).write_text(text.replace("GitHub", "Nobody's"), encoding="utf-8")
    main(tmp_path)
    first = pages(tmp_path)
    main(tmp_path)
    assert pages(tmp_path) == first
    assert first["docs/metrics.md"] == PAGES["docs/metrics.md"]
    assert "| GitHub |" in first["README.md"]
