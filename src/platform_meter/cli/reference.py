"""`python -m platform_meter.cli.reference`: in a checkout, writes anew what the code says in README and `docs/`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def pages(root: Path) -> Mapping[str, str]:
    """Every page that the code makes in part or whole, as it should be, by its path below `root`."""
    from platform_meter.render.reference import columns, metrics, sources
    from platform_meter.render.runbooks import runbooks
    from platform_meter.sources import load

    every = load().values()
    readme, docs, sql = "README.md", "docs/sources.md", "docs/sql.md"
    return {
        readme: sources.put((root / readme).read_text("utf-8"), sources.short(every)),
        docs: sources.put((root / docs).read_text("utf-8"), sources.whole(every)),
        sql: sources.put((root / sql).read_text("utf-8"), columns.views(), "views"),
        "docs/metrics.md": metrics.document(),
        **{f"docs/runbooks/{page.path}": page.text for page in runbooks()},
    }


def main(root: Path) -> None:
    """Write them."""
    for path, text in pages(root).items():
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
