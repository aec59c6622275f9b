"""Generated files on disk: read as they are, and written so that none is ever seen half done."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_STAGE = ".generate-"


def one_text(path: Path) -> Mapping[str, str]:
    """The text of one file by its name, or nothing where there is none. What is no file, or not UTF-8, is as in `Texts`.

    Raises:
        OSError: it cannot be read.
    """
    if not (path.exists() or path.is_symlink()):  # a link that leads nowhere is somebody's all the same
        return {}
    return {path.name: path.read_text("utf-8", errors="replace") if path.is_file() else ""}


class Texts(Mapping[str, str]):
    """Text by name of everything in a folder whose name ends so, read when it is asked for.

    What lies deeper, and hidden files, are left out. What is no file, or not UTF-8, has a text that nobody wrote.

    Raises:
        OSError: the folder, or later a file, cannot be read.
    """

    def __init__(self, folder: Path, suffixes: Collection[str]) -> None:
        self._folder = folder
        found = folder.iterdir() if folder.exists() else ()
        names = (path.name for path in found)
        self._names = sorted(n for n in names if n.endswith(tuple(suffixes)) and not n.startswith("."))
        self._known = frozenset(self._names)

    def __getitem__(self, name: str) -> str:
        if name not in self._known:
            raise KeyError(name)
        path = self._folder / name
        return path.read_text("utf-8", errors="replace") if path.is_file() else ""

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Staging:
    """Files on their way into folders: each is put down beside its place, and all are put in their places at the end.

    So a full disk, or a folder that cannot be written, changes nothing. What a killed run left behind goes.

        with Staging() as staging:
            staging.write(folder, "a.yml", text)
            staging.remove(folder, "b.yml")
            staging.swap()
    """

    def __init__(self) -> None:
        self._stages: dict[Path, Path] = {}
        self._written: list[tuple[Path, str]] = []
        self._removed: list[tuple[Path, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stage in self._stages.values():
            shutil.rmtree(stage, ignore_errors=True)

    def write(self, folder: Path, name: str, text: str) -> None:
        """Put a file down; its folder is made where it does not exist.

        Raises:
            ValueError: a name that leads out of the folder.
            OSError: it cannot be written.
        """
        _inside(folder, name)
        with (self._stage(folder) / name).open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        self._written.append((folder, name))

    def remove(self, folder: Path, name: str) -> None:
        """Let a file go at the end.

        Raises:
            ValueError: as `write`.
        """
        _inside(folder, name)
        self._removed.append((folder, name))

    def swap(self) -> None:
        """Put every file in its place, each at once, and remove what goes.

        Raises:
            OSError: a file cannot take its place or be removed.
        """
        for folder, name in self._written:
            (self._stages[folder] / name).replace(folder / name)
        for folder, name in self._removed:
            (folder / name).unlink(missing_ok=True)

    def _stage(self, folder: Path) -> Path:
        if folder not in self._stages:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob(f"{_STAGE}*"):
                if left not in self._stages.values():
                    shutil.rmtree(left, ignore_errors=True)
            self._stages[folder] = Path(tempfile.mkdtemp(prefix=_STAGE, dir=folder))
        return self._stages[folder]


def _inside(folder: Path, name: str) -> None:
    if name in ("", "..") or name != Path(name).name:
        raise ValueError(f"{name} leads out of {folder}")
