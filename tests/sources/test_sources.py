"""Source types are found by themselves: a folder with a `SOURCE` is all it takes."""

from __future__ import annotations

from platform_meter import sources
from platform_meter.model.found import names
from platform_meter.model.source import Area


def test_every_folder_but_the_kit_is_a_source() -> None:
    """Each is called by the name of its folder, in what people write and in the `source` label."""
    folders = set(names("platform_meter.sources")) - {"kit"}
    assert {"github", "kubernetes"} <= folders
    assert {folder: sources.load()[folder].name for folder in folders} == {folder: folder for folder in folders}


def test_each_says_what_it_is_shown_with() -> None:
    """`Area.OTHER` is for installed packages; pages and tables would have ours at their end."""
    assert [
        name for name in names("platform_meter.sources") if name != "kit" and sources.load()[name].area is Area.OTHER
    ] == []


def test_sources_that_slo_files_ask() -> None:
    """The types of the documentation's table; one that tells levels says what it may be asked of them."""
    asking = sources.asking()
    assert {name: one.level is not None for name, one in asking.items()} == {
        "cloudwatch": True,
        "datadog": True,
        "elasticsearch": True,
    }
    for name, one in asking.items():
        assert sources.load()[name].asked is one
