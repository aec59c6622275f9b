"""Which of a tool's queues a `select` names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_KEY = r"""(?:"([^"]+)"|'([^']+)'|([^\s=(),"']+))"""
_ONE = re.compile(rf"(?:project\s*=\s*)?{_KEY}", re.IGNORECASE)
_MANY = re.compile(rf"project\s+in\s*\(\s*({_KEY}(?:\s*,\s*{_KEY})*)\s*\)", re.IGNORECASE)


@lru_cache(maxsize=256)
def queue_keys(select: str) -> frozenset[str]:
    """The tool's queues that `source.select` names: `project = PLAT`, `project in (PLAT, OPS)` or a bare key.

    Empty for an empty text: every queue of the source.

    Raises:
        ValueError: any other query.
    """
    text = select.strip()
    if not text:
        return frozenset()
    if one := _ONE.fullmatch(text):
        return frozenset(_found(one.groups()))
    if many := _MANY.fullmatch(text):
        return frozenset(key for groups in re.findall(_KEY, many.group(1)) for key in _found(groups))
    raise ValueError(
        f"{select!r} says more than which queues; write project = PLAT, project in (PLAT, OPS), "
        "one queue's key, or leave select out for every queue of the source"
    )


def _found(groups: Sequence[str | None]) -> list[str]:
    return [g for g in groups if g]
