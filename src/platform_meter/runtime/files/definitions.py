"""The folder of definitions: every file read, each document as its kind, ids unique, SLO files left for `slo`."""

from __future__ import annotations

import os
import posixpath
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from platform_meter.model.definitions import KINDS, Definition, Definitions
from platform_meter.model.generated import HEADER, dashboard_mark
from platform_meter.problems import Document, Problem, decode, suggest

SLO_VERSIONS = ("openslo", "sloth.slok.dev/", "pyrra.dev/")
"""How `apiVersion` begins in files that `slo` reads."""
SLOTH = "prometheus/v1"
"""`version` of a Sloth file, which has no apiVersion."""
SUFFIXES = (".yaml", ".yml")
JSON = ".json"
GENERATED = "generated"
_LONGEST_ID = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One document of our kinds: its kind and id stand, whatever else is wrong with it."""

    document: Document
    kind: str
    id: str
    """Empty where it has none."""
    value: Definition | None
    """None where it has problems."""

    @classmethod
    def of(cls, document: Document, value: Definition | None = None) -> Declared:
        return cls(document=document, kind=document.word("kind"), id=document.word("id"), value=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDefinitions:
    """What a folder declares."""

    definitions: Definitions
    """What is sound."""
    problems: tuple[Problem, ...]
    declared: tuple[Declared, ...]
    """Every document of our kinds, sound or not."""
    slo_files: tuple[tuple[str, str], ...]
    """Path and text of every file with an SLO in it; it may hold our kinds too."""
    warnings: tuple[Problem, ...] = ()
    """Allowed, but worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What lies in a folder of definitions."""

    files: list[Path] = field(default_factory=list)
    """Those to read."""
    problems: list[Problem] = field(default_factory=list)
    """What is there and is not read, though its author may believe so."""


def is_slo(document: Document) -> bool:
    """Whether `slo` reads this document: OpenSLO, Sloth or Pyrra."""
    version = document.value.get("apiVersion")
    return (isinstance(version, str) and version.startswith(SLO_VERSIONS)) or document.value.get("version") == SLOTH


def model_for(document: Document) -> type[Definition] | Problem | None:
    """The model of one of our kinds; None for an SLO, a Problem for anything else."""
    if is_slo(document):
        return None
    kind = document.value.get("kind")
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind][0]
    if "apiVersion" in document.value:
        version = document.value["apiVersion"]
        found = "empty apiVersion" if version is None else f"unknown apiVersion '{version}'"
        return document.problem(f"{found}; SLOs have openslo/v1, and our kinds have none", "apiVersion")
    if kind is None:
        text = f"this document does not say what it is; write kind: with one of {', '.join(sorted(KINDS))}, or apiVersion: openslo/v1"
        return document.problem(text, *(["kind"] if "kind" in document.value else []))
    return document.problem(f"unknown kind '{kind}'{suggest(str(kind), KINDS)}", "kind")


def read_definitions(
    files: Iterable[tuple[str, str]], slo: Callable[[Document], None] = lambda _: None
) -> LoadedDefinitions:
    """What these files (path and text) declare, and every problem of each by itself. Touches no file.

    `slo` is given every SLO in them at once; none is kept, since there may be thousands.
    """
    declared: list[Declared] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    slo_files: list[tuple[str, str]] = []
    for path, text in files:
        decoded = decode(text, path, model_for, context={"base": posixpath.dirname(path)}, lists=True)
        problems += decoded.problems
        if decoded.empty:
            said = "nothing stands in this file; write a definition into it, or remove it"
            warnings.append(Problem(path=path, line=1, column=1, text=said))
        sound = [Declared.of(r.document, r.value) for r in decoded.values if isinstance(r.value, Definition)]
        unsound = map(Declared.of, decoded.unsound)
        declared += sorted((*sound, *unsound), key=lambda one: one.document.line)
        if decoded.others:
            slo_files.append((path, text))
            for document in decoded.others:
                slo(document)
    first, doubled = _unique(declared)
    return LoadedDefinitions(
        definitions=collect(one.value for one in first if one.value is not None),
        problems=tuple(sorted(problems + doubled + [p for one in first for p in _bad_id(one)])),
        declared=tuple(declared),
        slo_files=tuple(slo_files),
        warnings=tuple(warnings),
    )


def load_definitions(
    *folders: Path,
    read: Callable[[Path], str] = lambda path: path.read_text("utf-8"),
    slo: Callable[[Document], None] = lambda _: None,
) -> LoadedDefinitions:
    """What all YAML files under these folders (or single files) declare. A file that can't be read is a problem.

    `generated/`, hidden files and what `generate` wrote elsewhere are never input; a file reached twice is read once.
    """
    listed = [definition_files(folder) for folder in reversed(folders)]
    problems = list(dict.fromkeys(problem for one in listed for problem in one.problems))
    paths = {path.resolve(): path for one in listed for path in one.files}

    def files() -> Iterator[tuple[str, str]]:
        for path in sorted(paths.values()):
            text = read_text(path, read)
            if isinstance(text, Problem):
                problems.append(text)
            elif not text.startswith(HEADER):
                yield str(path), text

    found = read_definitions(files(), slo)
    return replace(found, problems=tuple(sorted((*found.problems, *problems))))


def definition_files(folder: Path) -> Listed:
    """YAML files under `folder`, without hidden ones and what `generate` wrote; a single file is itself.

    Links to files are followed, as a mounted ConfigMap has them; links to folders are not, since they may lead anywhere.
    """
    found = Listed()
    if not is_there(folder):
        return found
    if folder.is_file():
        found.files.append(folder)
    else:
        _walk(folder, found)
    found.files.sort()
    return found


def _walk(folder: Path, found: Listed) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        text = f"folder cannot be read: {error.strerror or error}; correct its permissions, or move it out of here"
        found.problems.append(_about(folder, text))
        return
    for entry in entries:
        if not entry.name.startswith("."):
            _take(folder / entry.name, entry, found)


def _take(path: Path, entry: os.DirEntry[str], found: Listed) -> None:
    """One thing in a folder: a file to read, one more folder, nothing of ours, or a problem."""
    try:
        is_folder = entry.is_dir() if not entry.is_symlink() else stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        text = f"a link to {path.readlink()}, which cannot be read: {error.strerror or error}; correct the link, or remove it"
        found.problems.append(_about(path, text))
        return
    ending = path.suffix.lower()
    if is_folder:
        if path.name == GENERATED:
            return
        if entry.is_symlink():
            text = "a link to a folder is not followed; put the folder itself here, or name it beside this one"
            found.problems.append(_about(path, text))
        else:
            _walk(path, found)
    elif ending in SUFFIXES and path.suffix != ending:
        text = f"a file that ends in {path.suffix} is not read; rename it to {path.stem}{ending}"
        found.problems.append(_about(path, text))
    elif ending == JSON and not _is_dashboard(path):
        text = f"a JSON file is not read; rename it to {path.stem}.yaml, since JSON is YAML too, or move it out of here"
        found.problems.append(_about(path, text))
    elif ending in SUFFIXES and not path.is_file():
        found.problems.append(_about(path, "no regular file but a pipe or the like; put a file here, or rename it"))
    elif ending in SUFFIXES:
        found.files.append(path)


def _is_dashboard(path: Path) -> bool:
    """Whether `generate` wrote this JSON file, which needs no folder of its own."""
    text = read_text(path)
    return isinstance(text, str) and dashboard_mark(path.stem) in text


def _about(path: Path, text: str) -> Problem:
    return Problem(path=str(path), line=1, column=1, text=text)


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder; a text that no file system takes for a path names none."""
    try:
        path.stat()
    except PermissionError:
        return True  # in a folder that hides it: reading it will say so
    except (OSError, ValueError):
        return False
    return True


def read_text(path: Path, read: Callable[[Path], str] = lambda path: path.read_text("utf-8")) -> str | Problem:
    """The file's text, or why there is none."""
    try:
        return read(path)
    except UnicodeDecodeError as error:
        text = f"not UTF-8 (byte {error.start + 1}); save the file as UTF-8"
    except (OSError, ValueError) as error:
        text = f"cannot be read: {getattr(error, 'strerror', '') or error}; correct the path or its permissions"
    return _about(path, text)


def collect(values: Iterable[Definition]) -> Definitions:
    """Definitions by kind, in order of file and place."""
    places = dict(KINDS.values())
    found: dict[str, list[Any]] = defaultdict(list)
    for value in values:
        found[places[type(value)]].append(value)
    return Definitions(**{place: tuple(those) for place, those in found.items()})


def _unique(declared: Sequence[Declared]) -> tuple[list[Declared], list[Problem]]:
    """The first of each kind and id. Ownership files need no id, and then are as many as one likes."""
    seen: dict[tuple[str, str], Document] = {}
    unique: list[Declared] = []
    problems: list[Problem] = []
    for one in declared:
        first = seen.setdefault((one.kind, one.id), one.document) if one.id else one.document
        if first is one.document:
            unique.append(one)
        else:
            where = f"{first.path}:{first.problem('', 'id').line}"
            problems.append(
                one.document.problem(f"{one.document.label} stands in {where} too; give one another id", "id")
            )
    return unique, problems


def _bad_id(one: Declared) -> Iterator[Problem]:
    """Ids become label values: short, visible, and not ours (`_unowned`, `_other`)."""
    for _, id_ in one.document.texts("id"):
        if not id_ or id_.startswith("_") or len(id_) > _LONGEST_ID or not id_.isprintable() or id_ != id_.strip():
            text = f"'{id_[:40]}' cannot be an id; write a short name such as team-pay (one that begins with _ is reserved)"
            yield one.document.problem(text, "id")
