"""What every Kubernetes API says in the same way: errors, lines of a watch, and which labels a selector means."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from platform_meter.demo.apis.wsgi import Refusal, Reply, encode

_REQUIREMENT = re.compile(r"\s*(!?)([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*)|(in|notin)\s*\(([^)]*)\))?\s*(?:,|$)")


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def refuse(code: int, reason: str, message: str) -> Refusal:
    return Refusal(Reply(body=encode(status(code, reason, message)), status=code, type="application/json"))


def matcher(selector: str) -> Callable[[dict[str, str]], bool]:
    """Whether labels meet a selector: equality and set forms.

    Raises:
        ValueError: it can't be read.
    """
    rules: list[tuple[str, str, tuple[str, ...]]] = []
    at = 0
    while at < len(selector):
        found = _REQUIREMENT.match(selector, at)
        if not found or found.end() == at:
            raise ValueError(f"unable to parse requirement: found {selector[at:]!r}")
        no, key, sign, value, word, values = found.groups()
        if word:
            rules.append((key, word, tuple(v.strip() for v in values.split(","))))
        elif sign:
            rules.append((key, "notin" if sign == "!=" else "in", (value,)))
        else:
            rules.append((key, "absent" if no else "exists", ()))
        at = found.end()

    def meets(labels: dict[str, str]) -> bool:
        checks: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
            "in": lambda key, wanted: labels.get(key) in wanted,
            "notin": lambda key, wanted: labels.get(key) not in wanted,
            "exists": lambda key, _: key in labels,
            "absent": lambda key, _: key not in labels,
        }
        return all(checks[op](key, wanted) for key, op, wanted in rules)

    return meets


def line(type_: str, thing: dict[str, Any]) -> bytes:
    return encode({"type": type_, "object": thing}) + b"\n"
