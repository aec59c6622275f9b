"""Generated files on disk: read as they are, and written so that none is ever seen half done."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

_STAGE = ".generate-"


def read_tree(root: Path, suffixes: Collection[str]) -> dict[str, str]:
    """Path (relative, with forward slashes) and text of every file under `root` whose name ends so. No folder is empty.

    A file that is not UTF-8 is none of ours: it is left out.

    Raises:
        OSError: a file cannot be read.
    """
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.is_file() and path.name.endswith(tuple(suffixes)):
            try:
                found[relative.as_posix()] = path.read_text("utf-8")
            except UnicodeDecodeError:
                continue
    return found


def write_tree(root: Path, texts: Mapping[str, str], remove: Collection[str] = ()) -> None:
    """Write all of `texts` under `root`, then remove what is generated no more.

    All texts are staged beside their places first, so a full disk changes nothing; each file then takes its place at once.

    Args:
        root: the folder; made where it does not exist.
        texts: relative path and content.
        remove: relative paths that go.

    Raises:
        ValueError: a path that leads out of `root`.
        OSError: a folder or file cannot be written.
    """
    for path in (*texts, *remove):
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts:
            raise ValueError(f"{path} leads out of {root}")
    root.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=root))
    try:
        for path, text in texts.items():
            staged = stage / path
            staged.parent.mkdir(parents=True, exist_ok=True)
            with staged.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        for path in texts:
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            (stage / path).replace(place)
        for path in remove:
            (root / path).unlink(missing_ok=True)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
