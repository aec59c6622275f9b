"""Dims: the words under which an event is tallied, as a typed tuple in code and as one text in the store.

Each kind of event has a tuple of its own (`model.facts`); nothing else joins or splits the words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeVar, get_type_hints

Dim = tuple[str, ...]
"""At least one word; enums of words are words too."""
D = TypeVar("D", bound=Dim)

_REMEMBERED = 10_000
_WORD = re.compile(r"(?:^|\|)((?:\\.|[^|\\])*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@lru_cache(_REMEMBERED)  # once per event, of few dims
def encode(dim: Dim) -> str:
    r"""The words joined by `|`, with a `\` before each `|` or `\` inside a word: no two dims give the same text."""
    return "|".join(word.replace("\\", r"\\").replace("|", r"\|") for word in dim)


def decode(text: str, kind: type[D]) -> D:
    """The dim, a NamedTuple of this kind, that was encoded as this text.

    Raises:
        ValueError: no dim of this kind is encoded so.
    """
    found: D = _decode(text, kind)
    return found


@lru_cache(_REMEMBERED)
def _decode(text: str, kind: Any) -> Any:
    types = get_type_hints(kind).values()
    words = tuple(_ESCAPED.sub(r"\1", word) for word in _WORD.findall(text))
    if encode(words) != text or len(words) != len(types):
        raise ValueError(f"{text!r} is not a {kind.__name__}")
    return tuple.__new__(kind, (type_(word) for type_, word in zip(types, words, strict=True)))
