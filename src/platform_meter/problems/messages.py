"""What pydantic found, said in plain words: the place, what was found, what to write instead."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from platform_meter.model.access import Secret
from platform_meter.model.scalars import HiddenError
from platform_meter.problems.nodes import Node
from platform_meter.problems.problem import nearest, suggest

Path = tuple[str | int, ...]
_LONGEST = 60
_KEY = "[key]"
_ROOM = 3
"""Levels of a sample value; what a message shows must stay one line."""


@dataclass(frozen=True, slots=True)
class At:
    """Where to point: a path of keys and indexes; at its last key itself; and what must not be shown."""

    at: Path
    key: bool = False
    hide: Path | None = None
    """Path of a value that may be a secret."""

    def below(self, at: Path) -> At:
        """The same place, told from above."""
        return At((*at, *self.at), key=self.key, hide=None if self.hide is None else (*at, *self.hide))


@dataclass(frozen=True, slots=True)
class _Found:
    """One pydantic error, with its place in the file told from tags of unions and keys that validators made."""

    error: ErrorDetails
    node: Node
    path: Path
    key: bool
    branch: Path | None
    """The path up to a union, for errors of one of its branches."""
    others: tuple[str, ...] = ()
    """Error types of the union's other branches at the same place."""

    @property
    def type(self) -> str:
        return self.error["type"]


def explain(error: ValidationError, model: type[BaseModel], root: Node, label: str) -> list[tuple[At, str]]:
    """Place and text of everything in `error`, each once; a key misspelt is not also reported as missing."""
    found = _settle([f for f in (_locate(e, root) for e in error.errors(include_url=False)) if not _echo(f)])
    missing = {(*f.path, str(f.error["loc"][-1])) for f in found if f.type == "missing"}
    told: dict[tuple[At, str], None] = {}
    misspelt: set[Path] = set()
    for f in (f for f in found if f.type == "extra_forbidden"):
        parent, word = f.path[:-1], str(f.path[-1])
        allowed = {name for m in _models(model, parent) for name in _names(m)}
        meant, hint = _meant(word, allowed, set(_children(root, parent)))
        misspelt |= {(*parent, meant)} & missing
        bare = Secret in _models(model, (*parent, meant)) and not isinstance(f.node.value, dict)
        # Whatever else stands where a secret's place should be told may be the secret, and so may what is called so.
        beside = Secret in _models(model, parent) or _SECRET.search(word) is not None
        place = At(f.path, key=True, hide=f.path if bare or beside else None)
        told[place, f"unknown key '{word[:_LONGEST]}' in {_inside(parent, label)}{hint}"] = None
    for f in found:
        if f.type == "missing":
            name = str(f.error["loc"][-1])
            if (*f.path, name) not in misspelt:
                sample = _sample_field(model, f.path, name)
                text = f"missing key '{name}' in {_inside(f.path, label)}; write {name}: {sample}"
                told[At(f.path), text] = None
        elif f.type != "extra_forbidden":
            told[_wrong(f, model)] = None
    return list(told)


def _meant(word: str, allowed: set[str], present: set[str]) -> tuple[str, str]:
    """Which key an unknown one may have been meant as, and what to do about it: to write it, or to remove the unknown."""
    if meant := nearest(word, allowed - present):
        return meant, suggest(word, [meant])
    if meant := nearest(word, allowed & present):
        return meant, f"; remove it, since '{meant}' stands there too"
    return "", suggest(word, allowed - present) or "; remove it"


def _locate(error: ErrorDetails, root: Node) -> _Found:
    node, path, key, branch = root, list[str | int](), False, None
    loc = error["loc"][:-1] if error["type"] == "missing" else error["loc"]
    for part in loc:
        if part == _KEY:
            key = True
        elif part in node.children:
            node = node.children[part]
            path.append(part)
        elif branch is None:
            branch = tuple(path)
    inner = error.get("ctx", {}).get("error")
    for part in getattr(inner, "at", ()):
        if part in node.children:
            node = node.children[part]
            path.append(part)
    return _Found(error, node, tuple(path), key, branch)


def _echo(found: _Found) -> bool:
    """A list counts as too short when its entries are wrong; those are told already."""
    return found.type == "too_short" and len(found.node.children) >= found.error.get("ctx", {}).get("min_length", 0)


def _settle(found: Sequence[_Found]) -> list[_Found]:
    """Of a union's branches, those that got furthest: `verb: [1]` is a wrong item, not a wrong text."""
    furthest: dict[Path, int] = {}
    for f in found:
        if f.branch is not None:
            furthest[f.branch] = max(furthest.get(f.branch, 0), len(f.path))
    groups: dict[tuple[Path | None, Path, bool], list[_Found]] = {}
    for f in found:
        if f.branch is None or len(f.path) == furthest[f.branch]:
            groups.setdefault((f.branch, f.path, f.key), []).append(f)
    out: list[_Found] = []
    for (branch, _, _), group in groups.items():
        out += group if branch is None else [replace(group[0], others=tuple(g.type for g in group[1:]))]
    return out


def _wrong(found: _Found, model: type[BaseModel]) -> tuple[At, str]:
    """A value that is there and cannot be used."""
    kind, node = found.type, found.node
    ctx = {k: f"{v:g}" if isinstance(v, float) else v for k, v in found.error.get("ctx", {}).items()}
    place = At(found.path, key=found.key)
    name = next((str(p) for p in reversed(found.path) if isinstance(p, str)), "")
    verb = "has" if found.path and isinstance(found.path[-1], int) else "is"
    said = f"'{name}' {verb} {_shown(node)}" if name else f"found {_shown(node)}"
    if kind in {"value_error", "assertion_error"}:
        error = ctx.get("error", found.error["msg"])
        return replace(place, hide=found.path if isinstance(error, HiddenError) else None), _one_line(str(error))
    if Secret in _models(model, found.path) and not isinstance(node.value, dict):
        text = f"'{name}' must say where the secret stands, not the secret itself; write {name}: {{env: NAME}} or {name}: {{file: path}}"
        return At(found.path, hide=found.path), text
    if kind == "string_type" and isinstance(node.value, bool | int | float | date):
        return place, f"{said}, which YAML does not read as text; put it in quotes: '{node.written}'"
    if kind in {"enum", "literal_error"}:
        known = re.findall(r"'([^']*)'", str(ctx.get("expected", "")))
        hint = suggest(str(node.value), known)
        return place, f"{said}{hint}" if hint else f"{said}; write {ctx.get('expected', 'one of the known values')}"
    if kind in _LIMITS:
        return place, f"{said}; write {_LIMITS[kind].format(**ctx)}"
    annotations = _annotations(model, found.path)
    sample = _sample_at(model, found.path, annotations)
    wanted = dict.fromkeys(_wanted(k, node, sample) for k in (kind, *found.others))
    if None in wanted:
        return place, f"{said}, which is not allowed here; the documentation shows what is"
    return place, f"{said}; write {' or '.join(w for w in wanted if w)}"


def _wanted(kind: str, node: Node, sample: str) -> str | None:
    if kind in {"list_type", "tuple_type", "set_type", "frozen_set_type"}:
        return f"a list: [{node.written or 'a'}]"
    if kind in {"dict_type", "model_type", "model_attributes_type", "dataclass_type", "mapping_type"}:
        return f"keys and values: {sample}"
    return next((wanted for start, wanted in _WANTED if kind.startswith(start)), None)


_SECRET = re.compile("pass|token|secret|credential|auth|api.?key", re.IGNORECASE)
"""Words in names of keys that hold secrets."""
_WANTED = (
    ("string", "text"),
    ("int", "a whole number, such as 3"),
    ("float", "a number, such as 0.5"),
    ("finite_number", "a number, such as 0.5"),
    ("decimal", "a number, such as 0.5"),
    ("bool", "true or false"),
    ("datetime", "a date and time, such as 2026-03-31T09:00:00Z"),
    ("date", "a date, such as 2026-03-31"),
    ("time_delta", "a duration, such as 30s, 15m, 8h or 28d"),
    ("time", "a time, such as '09:00' in quotes"),
    ("url", "an address, such as https://example.org"),
)
_LIMITS = {
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "a number below {lt}",
    "less_than_equal": "{le} or less",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "text of the form {pattern}",
}


def _inside(path: Path, label: str) -> str:
    name = next((p for p in reversed(path) if isinstance(p, str)), None)
    return f"'{name}' of {label}" if name is not None else label


def _shown(node: Node) -> str:
    match node.value:
        case None:
            return "empty"
        case dict():
            return "keys and values"
        case list():
            return "a list" if node.value else "an empty list"
        case str():
            return f"'{_one_line(node.value)}'"
        case _:
            return _one_line(node.written or str(node.value))


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 5 * _LONGEST else flat[: 5 * _LONGEST] + "…"


# The models behind a path: for known keys and samples


def _annotations(model: Any, path: Path) -> list[Any]:
    """What may stand at `path`: every alternative of every union on the way."""
    found = list(_flat(model))
    for part in path:
        found = [inner for a in found for inner in _step(a, part)]
    return found


def _models(model: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    return [a for a in _annotations(model, path) if isinstance(a, type) and issubclass(a, BaseModel)]


def _flat(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _flat(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from _flat(inner)
    else:
        yield annotation


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    args = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if (info.alias or name) == part:
                yield from _flat(info.annotation)
    elif isinstance(part, int) and args:
        yield from _flat(args[0])
    elif isinstance(part, str) and len(args) == 2:
        yield from _flat(args[1])


def _names(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _children(root: Node, path: Path) -> list[str]:
    node = root
    for part in path:
        node = node.children[part]
    return list(node.keys)


def _sample_field(model: type[BaseModel], path: Path, name: str) -> str:
    for parent in _models(model, path):
        for field, info in parent.model_fields.items():
            if (info.alias or field) == name:
                return _sample_of(info, name, _ROOM)
    return name.upper()


def _sample_at(model: type[BaseModel], path: Path, annotations: Sequence[Any]) -> str:
    """Keys and values as they could stand at `path`: the field's own example, else one made of its type."""
    name = str(path[-1]) if path else ""
    samples = (_sample_field(model, path[:-1], name), *(_sample(a, name, _ROOM) for a in annotations))
    return next((s for s in samples if s.startswith("{")), "{key: value}")


def _sample_of(info: FieldInfo, name: str, room: int) -> str:
    if info.examples:
        return str(info.examples[0])
    return _sample(next(_flat(info.annotation)), name, room)


def _sample(annotation: Any, name: str, room: int) -> str:
    """A value of this type as it could be written; a name in capitals where only its author knows."""
    args = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Literal:
        return str(args[0])
    if origin is dict:
        return f"{{{'KEY' if room else ''}: {_sample(next(_flat(args[1])), 'value', room - 1)}}}"
    if origin in (tuple, list, set, frozenset):
        return f"[{_sample(next(_flat(args[0])), name.removesuffix('s'), room - 1)}]"
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            extra = annotation.model_config.get("json_schema_extra")
            if isinstance(extra, dict) and isinstance(extra.get("example"), str):
                return str(extra["example"])
            needed = {
                i.alias or n: i
                for n, i in annotation.model_fields.items()
                if i.default is PydanticUndefined and i.default_factory is None
            }
            fields = {i.alias or n: i for n, i in annotation.model_fields.items()}
            needed = needed or dict([*fields.items()][:1])
            inner = ", ".join(f"{n}: {_sample_of(i, n, room - 1)}" for n, i in needed.items()) if room else "…"
            return f"{{{inner}}}"
        if issubclass(annotation, Enum):
            return str(next(iter(annotation)).value)
        for known, shown in _SAMPLES:
            if issubclass(annotation, known):
                return shown
    return name.upper()


_SAMPLES: tuple[tuple[type, str], ...] = (
    (bool, "true"),
    (int, "1"),
    (float, "1"),
    (datetime, "2026-03-31T09:00:00Z"),
    (date, "2026-03-31"),
    (time, "'09:00'"),
    (timedelta, "28d"),
)
