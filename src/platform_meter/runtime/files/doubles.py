"""Sources that read the same thing, so that it would be counted twice: told from their settings alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from platform_meter.model.access import Secret
from platform_meter.model.scalars import LocalPath
from platform_meter.model.source import SourceConfig
from platform_meter.problems import Problem
from platform_meter.runtime.files.config import LoadedConfig
from platform_meter.runtime.files.kubeconfigs import contexts

_WHICH = ("projects", "repositories")
"""Lists of names or globs that say which part of a system is read; an empty one is all of it."""
_NARROWED = ("select",)
"""More conditions in a system's own language; two different ones are taken as written on purpose."""
_WHO = ("email", "user")
"""As whom it is read: no other thing."""
_HOW = ("app", "deployments", "incidents", "outcomes", "roadmaps")
"""A way in, and rules for what is read: no parts that are read apart."""
_PUSHED = ("alertmanager", "push")
"""Types that read nothing: what is pushed to one of them is pushed to no other."""
_READ = ("access_log", "metrics", "status")
"""Files and pages that are read by a source which has no address of its own; a part of them makes two alike."""
_PATH = get_args(LocalPath)[1]


def doubled(
    loaded: LoadedConfig, read: Callable[[str], bytes | None], environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Each source that reads what one before it reads, unless their settings prove that it does not.

    Args:
        loaded: as `load_config` gives it; what is sound of it is looked at.
        read: what the file of this path holds, for kubeconfigs.
        environ: variables by name.
    """
    return tuple(_found(loaded, read, environ))


def _found(loaded: LoadedConfig, read: Callable[[str], bytes | None], environ: Mapping[str, str]) -> Iterator[Problem]:
    document, told = loaded.document, set[str]()
    if document is None:
        return
    for (one, first), (other, second) in combinations(loaded.sections.items(), 2):
        if first.type_name != second.type_name or first.type_name in _PUSHED or other in told:
            continue
        here = f"source '{one}' (line {document.problem('', 'sources', one, key=True).line})"
        a, b = first.config, second.config
        if first.type_name == "kubernetes":
            if _same_text(a, b, "cluster"):
                text = f"{here} has the cluster '{getattr(b, 'cluster', '')}' too, so that every number of it would be doubled; remove one of the two, or give each cluster its own name"
                yield document.problem(text, "sources", other, "cluster")
                told.add(other)
            elif _way(a, read, environ) == _way(b, read, environ) is not None:
                text = f"source '{other}' reads the very cluster that {here} reads, so that its numbers would be doubled; remove one of the two"
                yield document.problem(text, "sources", other, key=True)
                told.add(other)
        elif _same(a, b):
            which = [name for name in _WHICH if name in type(b).model_fields]
            apart = f", or write which {' and '.join(which)} each of them reads" if which else ""
            text = f"source '{other}' reads what {here} reads already, so that it would be counted twice; remove one of the two{apart}"
            yield document.problem(text, "sources", other, key=True)
            told.add(other)


def _same_text(a: SourceConfig, b: SourceConfig, name: str) -> bool:
    return bool(getattr(a, name, "")) and getattr(a, name, "") == getattr(b, name, "")


def _way(
    config: SourceConfig, read: Callable[[str], bytes | None], environ: Mapping[str, str]
) -> tuple[Any, ...] | None:
    """What leads to a cluster: an address, a context of a kubeconfig, the pod's own, or its name in a cloud."""
    values: dict[str, Any] = {
        name: getattr(config, name, None) for name in ("url", "kubeconfig", "context", "in_cluster", "eks", "gke")
    }
    if values["url"]:
        return ("url", _address(values["url"]))
    if values["in_cluster"]:
        return ("in_cluster",)
    if values["eks"]:
        return ("eks", values["eks"])
    if values["gke"]:
        return ("gke", values["gke"].project, values["gke"].location, values["gke"].name)
    found = contexts(values["kubeconfig"] or "", read, environ)
    context = values["context"] or found.current
    return ("kubeconfig", found.paths, context) if context else None


def _same(a: SourceConfig, b: SourceConfig) -> bool:
    """Whether nothing proves that the two read different things."""
    if "url" not in type(a).model_fields and (_read(a) or _read(b)) and not _read(a) & _read(b):
        return False
    shared: list[bool] = []
    for name, field in type(a).model_fields.items():
        one, other = getattr(a, name), getattr(b, name)
        if name in _HOW:
            continue
        if name in _WHICH:
            if not _overlap(one, other):
                return False
        elif name in _NARROWED:
            if one and other and one != other:
                return False
        elif _says_where(name, field, one, other):
            if _address(str(one)) != _address(str(other)):
                return False
        elif isinstance(one, Mapping) and isinstance(other, Mapping) and name == "headers":
            if one != other:
                return False
        elif _are_parts(one) or _are_parts(other):
            shared.append(bool(_keys(one) & _keys(other)))
    return any(shared) if shared or _only_parts(a) else True


def _read(config: SourceConfig) -> set[str]:
    """All files and pages."""
    values = (getattr(config, name, None) or () for name in _READ)
    texts = (one for value in values for one in ((value,) if isinstance(value, str) else value))
    return {_address(text) if text.startswith("http") else text for text in texts}


def _says_where(name: str, field: FieldInfo, one: Any, other: Any) -> bool:
    plain = field.annotation in (str, str | None) and _PATH not in field.metadata and name not in _WHO
    return plain and not isinstance(one, Secret) and not isinstance(other, Secret)


def _address(text: str) -> str:
    """An address or a name, however it is written."""
    bare = re.sub(r"^https?://", "", text.strip().lower()).rstrip("/")
    return re.sub(r":(?:80|443)(?=/|$)", "", bare)


def _only_parts(config: SourceConfig) -> bool:
    """Whether the source reads nothing but parts that are listed in its section, such as queries."""
    return any(_holds_models(field) for name, field in type(config).model_fields.items() if name not in _HOW)


def _holds_models(field: FieldInfo) -> bool:
    args = get_args(field.annotation)
    return bool(args) and isinstance(args[0], type) and issubclass(args[0], BaseModel) and args[0] is not Secret


def _are_parts(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], BaseModel)


def _keys(parts: Sequence[BaseModel]) -> set[tuple[str, ...]]:
    """What tells parts apart: all that is text in them."""
    return {tuple(str(v) for v in one.__dict__.values() if isinstance(v, str)) for one in parts}


def _overlap(one: Collection[str], other: Collection[str]) -> bool:
    """Whether a name may meet globs of both."""
    return not one or not other or any(_meet(a.lower(), b.lower()) for a in one for b in other)


def _meet(a: str, b: str) -> bool:
    wild = re.compile(r"[*?\[]")
    if not wild.search(a):
        return fnmatchcase(a, b)
    if not wild.search(b):
        return fnmatchcase(b, a)
    begin_a, begin_b = wild.split(a, maxsplit=1)[0], wild.split(b, maxsplit=1)[0]
    return begin_a.startswith(begin_b) or begin_b.startswith(begin_a)
