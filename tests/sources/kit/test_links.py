"""Which addresses are kept."""

from __future__ import annotations

import pytest

from platform_meter.sources.kit.links import LONGEST, link

GOOD = "https://ci.example/run/1?job=2"


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "javascript:alert(1)",
        "ci.example/run/1",
        "https:///run/1",
        "https://ada:s3cret@ci.example/run/1",
        "https://[ci.example/run/1",
        "https://ci.example/run 1",
        "https://ci.example/run\x001",
        "https://ci.example/" + "r" * LONGEST,
    ],
)
def test_only_what_leads_to_a_page_is_kept(bad: str | None) -> None:
    """No script, no login, nothing that is no address; the next one is taken in its place."""
    assert link(bad) == ""
    assert link(bad, GOOD) == GOOD
