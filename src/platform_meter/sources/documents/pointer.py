"""JSON Pointer (RFC 6901): where in a document something stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

from platform_meter.model.source import Unexpected

_POINTER = re.compile(r"(/([^/~]|~[01])*)*")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_SHOWN = 10
"""Names of keys that an error tells."""
_LETTERS = 60
"""Of each of them."""


def is_pointer(text: str) -> str:
    """A pointer of RFC 6901; empty for the whole.

    Raises:
        ValueError: anything else.
    """
    if not _POINTER.fullmatch(text):
        how = "write ~1 for a / and ~0 for a ~ within a name" if text.startswith("/") else f"write /{text}"
        raise ValueError(f"'{text}' is no JSON Pointer; {how}")
    return text


Pointer = Annotated[str, AfterValidator(is_pointer)]
"""Where something stands: `/data/services`, `/0/name`."""


def steps(pointer: str) -> Sequence[str]:
    """The names and numbers that it goes by."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def found(document: Any, pointer: str) -> Any:
    """What stands there.

    Raises:
        LookupError: nothing does.
    """
    for step in steps(pointer):
        if isinstance(document, dict):
            document = document[step]
        elif isinstance(document, list) and _NUMBER.fullmatch(step):
            document = document[int(step)]
        else:
            raise KeyError(step)
    return document


def rows(document: Any, pointer: str, where: str) -> Sequence[Any]:
    """The list that stands there; an object is a list of one.

    Raises:
        Unexpected: neither stands there; the text tells what does.
    """
    try:
        held = found(document, pointer)
    except LookupError:
        raise Unexpected(f"{where}: nothing stands at {pointer}; {_nearest(document, pointer)}") from None
    if isinstance(held, list):
        return held
    if isinstance(held, dict):
        return [held]
    place = pointer or "the top"
    raise Unexpected(f"{where}: at {place} stands {shape(held)}; correct `items` so that it leads to a list of objects")


def _nearest(document: Any, pointer: str) -> str:
    """What stands on the way there, as far as it goes."""
    at, parts = "", pointer.split("/")[1:]
    for part in parts:
        try:
            found(document, f"{at}/{part}")
        except LookupError:
            break
        at = f"{at}/{part}"
    return f"at {at or 'the top'} stands {shape(found(document, at))}; correct `items`"


def shape(value: Any) -> str:
    """What a value is, in words and without what it says."""
    match value:
        case dict():
            names = [name[:_LETTERS] for name in value]
            more = " and more" if len(names) > _SHOWN else ""
            return f"an object with {', '.join(names[:_SHOWN])}{more}" if names else "an empty object"
        case list():
            return f"a list of {len(value):,}"
        case bool():
            return "true or false"
        case None:
            return "null"
        case str():
            return "a text"
        case _:
            return "a number"
