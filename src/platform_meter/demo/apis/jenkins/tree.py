"""Jenkins' `tree` parameter: which properties of an answer are wanted, and which part of a list.

`jobs[name,builds[number]{0,100}]` wants of each job its name and, of its first hundred builds, the number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"(?P<name>\w+)|(?P<range>\{(\d*),(\d*)\})|(?P<sign>[\[\],])")


@dataclass(slots=True, kw_only=True)
class Wanted:
    """Properties by name; none means all."""

    inner: dict[str, Wanted] = field(default_factory=dict)
    part: slice = field(default_factory=lambda: slice(None))
    """Of the list that stands here."""

    def of(self, thing: Any) -> Any:
        """What is wanted of this answer. What kind of thing something is, Jenkins says unasked."""
        if isinstance(thing, list):
            return [self.of(one) for one in thing[self.part]]
        if isinstance(thing, Mapping) and self.inner:
            chosen = {name: inner.of(thing[name]) for name, inner in self.inner.items() if name in thing}
            return {"_class": thing["_class"], **chosen} if "_class" in thing else chosen
        return thing


def wanted(text: str) -> Wanted:
    """The meaning of a `tree` parameter.

    Raises:
        ValueError: it can't be read.
    """
    top = Wanted()
    open_, last, at = [top], top, 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"tree={text!r} can't be read from {text[at:]!r} on")
        at = found.end()
        if name := found["name"]:
            last = open_[-1].inner.setdefault(name, Wanted())
        elif found["range"]:
            last.part = slice(int(found[3] or 0), int(found[4]) if found[4] else None)
        elif found["sign"] == "[":
            open_.append(last)
        elif found["sign"] == "]":
            last = open_.pop()
    if len(open_) > 1:
        raise ValueError(f"tree={text!r} has an open bracket")
    return top
