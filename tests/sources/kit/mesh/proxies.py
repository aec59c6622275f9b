"""Proxies of a mesh in memory: a Prometheus that scraped them, and the pages that they serve themselves."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import promql_parser

from platform_meter.testing.outside import Call, Reply

Amount = Callable[[int], float | str | None]
"""What a series grew by in the slice with this end, in epoch seconds; None where it is not there."""


@dataclass(slots=True, kw_only=True)
class Prometheus:
    """Answers the one form of query that sources of meshes ask, by what each series grew by in each slice."""

    series: dict[str, list[tuple[dict[str, str], Amount]]] = field(default_factory=lambda: defaultdict(list))
    odd: dict[str, Any] | None = None
    """A row that comes with each answer and is none."""

    def grew(self, name: str, amount: Amount, **labels: str) -> None:
        """A series of this name and labels."""
        self.series[name].append((labels, amount))

    def __call__(self, call: Call) -> Reply:
        name, by, takes = asked(str((call.body or call.params)["query"]))
        found = [(labels, amount) for labels, amount in self.series[name] if takes(labels)]
        if call.method == "TEXT":
            result: list[Any] = [{"metric": {}, "value": [0, "1"]}] if found else []
            body = {"status": "success", "data": {"resultType": "vector", "result": result}}
            return Reply(body=msgspec.json.encode(body).decode())
        ends = range(int(call.params["start"]), int(call.params["end"]) + 1, int(call.params["step"]))
        groups: dict[tuple[str, ...], dict[int, Any]] = defaultdict(dict)
        for labels, amount in found:
            held = groups[tuple(labels.get(label, "") for label in by)]
            for end in ends:
                one, before = amount(end), held.get(end, 0.0)
                if one is not None:
                    held[end] = next((part for part in (before, one) if isinstance(part, str)), None) or before + one
        result = [
            {
                "metric": dict(zip(by, values, strict=True)),
                "values": [[end, str(amount)] for end, amount in held.items()],
            }
            for values, held in groups.items()
            if held
        ]
        result += [self.odd] if self.odd is not None else []
        return Reply(body={"status": "success", "data": {"resultType": "matrix", "result": result}})


def asked(query: str) -> tuple[str, list[str], Callable[[Mapping[str, str]], bool]]:
    """The counter that a query asks for, the labels that it is summed by, and which series it takes."""
    summed: Any = promql_parser.parse(query)
    selector = summed.expr.rhs.lhs.lhs.args[0].vector_selector
    matchers = [(str(m.op).rpartition(".")[2], m.name, m.value) for m in selector.matchers.matchers]

    def takes(labels: Mapping[str, str]) -> bool:
        return all(_fits(op, labels.get(name, ""), value) for op, name, value in matchers)

    return selector.name, list(summed.modifier.labels), takes


def _fits(op: str, found: str, value: str) -> bool:
    match op:
        case "Equal":
            return found == value
        case "Re":
            return re.fullmatch(value, found) is not None
        case "NotRe":
            return re.fullmatch(value, found) is None
    raise AssertionError(op)


def page(*series: tuple[str, dict[str, str], float], born: float | None = None) -> str:
    """A page of metrics as a proxy serves it."""
    lines = [f"process_start_time_seconds {born:g}"] if born is not None else []
    for name, labels, value in series:
        told = ",".join(f'{label}="{text}"' for label, text in labels.items())
        lines.append(f"{name}{{{told}}} {value:g}")
    return "\n".join(["# HELP x y", *lines, ""])
