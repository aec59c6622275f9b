"""SLO files of any language that is read, as OpenSLO v1: what `slo convert` writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from platform_meter.problems import Document, Problem, decode
from platform_meter.slo.check import read_slos
from platform_meter.slo.foreign import translated

_WIDEST = 4096
"""Letters of a line that are not folded: a query stays whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A file in OpenSLO v1."""

    text: str
    """Its documents in YAML; empty where there are problems."""
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """What is read otherwise than its own tool reads it."""


def convert(text: str, path: str) -> Converted:
    """One file: each SLO as a document of its own, those that are OpenSLO v1 already as they stand.

    Comments are lost, since a value is written anew. What comes out says the same SLOs as what went in.

    Args:
        text: the file.
        path: as problems are to call it.
    """
    checked = read_slos([(path, text)])
    if checked.problems:
        return Converted(text="", problems=checked.problems)
    documents = [one for found in decode(text, path, lambda _: None, lists=True).others for one in _said(found)]
    return Converted(text="---\n".join(_yaml(one.value) for one in documents), notes=checked.warnings)


def _said(document: Document) -> tuple[Document, ...]:
    found = translated(document)
    return (document,) if found is None else found.documents


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as they are read."""


def _lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _lines)


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDEST)
