"""Source types are found by themselves: a folder with a `SOURCE` is all it takes."""

from __future__ import annotations

from platform_meter import sources
from platform_meter.model.found import names


def test_every_folder_but_the_kit_is_a_source() -> None:
    """Each is called by the name of its folder, in what people write and in the `source` label."""
    folders = set(names("platform_meter.sources")) - {"kit"}
    assert {"github", "kubernetes"} <= folders
    assert {folder: sources.load()[folder].name for folder in folders} == {folder: folder for folder in folders}
