"""What renderers make: a path and a text. Comparing them with what is there is pure; `runtime.artifacts` writes."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from platform_meter.model.generated import HEADER, dashboard_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One generated file."""

    path: str
    """Its name in the folder it is generated into."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One file that is not as it would be generated."""

    path: str
    before: str | None
    """None where there is no such file yet."""
    after: str | None
    """None where the file is generated no more."""

    @property
    def foreign(self) -> bool:
        """Whether somebody else's file stands in the way: it is not ours to replace."""
        return self.before is not None and not is_ours(self.path, self.before)

    @property
    def word(self) -> str:
        """`missing`, `stale`, `left over`, or what is known of a file that is not ours."""
        if self.before is None:
            return "missing"
        if self.foreign:
            return "in the way: `generate` did not write it"
        return "left over" if self.after is None else "stale"

    def diff(self) -> str:
        """As `diff -u` prints it."""
        before, after = (self.before or "").splitlines(keepends=True), (self.after or "").splitlines(keepends=True)
        return "".join(difflib.unified_diff(before, after, f"{self.path} (now)", f"{self.path} (generated)"))


def is_ours(path: str, text: str) -> bool:
    """Whether `generate` wrote this file: YAML by its first line, a dashboard by what it says under its own uid."""
    if not path.endswith(".json"):
        return text.startswith(HEADER)
    try:
        board = json.loads(text)
    except (ValueError, RecursionError):
        return False
    uid = PurePosixPath(path).stem
    described = board.get("description") if isinstance(board, dict) and board.get("uid") == uid else None
    return isinstance(described, str) and described.endswith(dashboard_mark(uid))


def compare(artifacts: Iterable[Artifact], there: Mapping[str, str]) -> Iterator[Difference]:
    """Where the files of a folder (name and text) differ from what would be generated; what is left over comes last.

    A file that we did not write is a difference only where one of ours would stand. Of thousands of files no more than
    one is held at a time, if the artifacts and `there` are read as they are asked for.

    Raises:
        ValueError: two artifacts with one path.
    """
    wanted: set[str] = set()
    for artifact in artifacts:
        if artifact.path in wanted:
            raise ValueError(f"two artifacts are called {artifact.path}")
        wanted.add(artifact.path)
        before = there.get(artifact.path)
        if before != artifact.text:
            yield Difference(path=artifact.path, before=before, after=artifact.text)
    for path in there:
        if path not in wanted and is_ours(path, there[path]):
            yield Difference(path=path, before=there[path], after=None)
