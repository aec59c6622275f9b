"""What is wrong with plain JSON, for who sent it: where, what was found, what to write instead."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from itertools import islice
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from platform_meter.model.push import Unreadable

SHOWN = 60
"""Letters of a value that are repeated."""
MOST = 50
"""Problems of one request that are told."""


def refuse_all(problems: Iterable[str]) -> None:
    """Raises:
    Unreadable: there are any; the first `MOST` of them, a line each.
    """
    first = list(islice(problems, MOST + 1))
    if len(first) > MOST:
        first[MOST:] = ["and more; mend these first"]
    if first:
        raise Unreadable("\n".join(first))


def told(at: str, error: ErrorDetails, model: type[BaseModel]) -> str:
    """One problem: where, what was found, what to write instead."""
    path = at + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    field = model.model_fields.get(str(next(iter(error["loc"]), "")))
    example = f", such as {json.dumps(field.examples[0])}" if field is not None and field.examples else ""
    match error["type"]:
        case "missing":
            return f"{path}: missing; write it{example}"
        case "extra_forbidden":
            known = model.model_fields
            return f"{path}: unknown key{near(str(error['loc'][-1]), known)}; known are {', '.join(known)}"
        case "value_error":
            return f"{path}: {error['msg'].removeprefix('Value error, ')}"
        case "model_type":
            return f"{path}: {shown(error['input'])} does not fit (input should be an object); write another value"
        case "enum":
            return f"{path}: {shown(error['input'])} is no such word; write {(error.get('ctx') or {})['expected']}"
        case _:
            return (
                f"{path}: {shown(error['input'])} does not fit ({error['msg'].lower()}); write another value{example}"
            )


def near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word[:SHOWN], known, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def shown(value: Any) -> str:
    """A value as it was sent, cut where it is long."""
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
