"""Golden cases: text files of named parts, each after a line `-- name --`; PLATFORM_METER_UPDATE=1 rewrites what is expected."""

from __future__ import annotations

import os
from pathlib import Path

UPDATE = os.environ.get("PLATFORM_METER_UPDATE") == "1"
EXPECTED = "expected"


def parts(case: Path) -> dict[str, str]:
    """The parts of a case by name."""
    found: dict[str, str] = {}
    name = ""
    for line in case.read_text("utf-8").splitlines(keepends=True):
        if line.startswith("-- ") and line.endswith(" --\n"):
            name = line[3:-4]
            found[name] = ""
        elif name:
            found[name] += line
    return found


def hold(case: Path, found: str) -> None:
    """Fail unless `found` is what the case expects; or write it there, where one asks for that, to be read in review."""
    known = parts(case)
    if UPDATE:
        known[EXPECTED] = found
        case.write_text("".join(f"-- {name} --\n{text}" for name, text in known.items()), "utf-8")
    assert found == known[EXPECTED]
