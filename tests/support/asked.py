"""A Prometheus as far as `slo.verify` asks it, written down by a test: series by their labels, counts by their query."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NOW = 1_800_000_000.0
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


@dataclass(slots=True, kw_only=True)
class Asked:
    """Answers as the query API does. `text` in the keys below is a part of the query that is asked."""

    series: Sequence[Mapping[str, str]] = ()
    """Labels of all series of the last week."""
    counts: Mapping[str, float | Sequence[float | str | None]] = field(default_factory=dict)
    """By text: what each step counts, the newest last; None: nothing."""
    refused: Mapping[str, tuple[int, str, str]] = field(default_factory=dict)
    """By text: status, type of error and error."""
    samples: Sequence[float] = tuple(NOW - 30 * n for n in reversed(range(120)))
    """Times at which a series was scraped."""
    retention: str | None = "400d"
    young: bool = False
    """No series is older than a day."""
    seen: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    """Every call."""

    def ask(self, path: str, params: Mapping[str, str]) -> tuple[int, str]:
        self.seen.append((path, params))
        found = self._answer(path, params)
        if isinstance(found, tuple):
            status, word, error = found
            return status, json.dumps({"status": "error", "errorType": word, "error": error})
        return (404, "no such page") if found is None else (200, json.dumps({"status": "success", "data": found}))

    def _answer(self, path: str, params: Mapping[str, str]) -> Any:
        text = params.get("query", "")
        refused = next((answer for key, answer in self.refused.items() if key in text), None)
        match path.removeprefix("/api/v1/").split("/"):
            case _ if text and refused is not None:
                return refused
            case ["query"] if text == "time()":
                return {"resultType": "scalar", "result": [NOW, str(NOW)]}
            case ["query_range"]:
                return {"resultType": "matrix", "result": self._counted(text, params)}
            case ["query"] if text.endswith("[1h]"):
                values = [[at, "1"] for at in self.samples]
                return {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
            case ["query"] if self.young and float(params["time"]) < NOW:
                return {"resultType": "vector", "result": []}
            case ["query"]:
                metrics = [one for one in self.series if one["__name__"] in text][:1]
                return {"resultType": "vector", "result": [{"metric": one, "value": [NOW, "1"]} for one in metrics]}
            case ["labels"]:
                return sorted({label for one in self._selected(params) for label in one})
            case ["label", label, "values"]:
                return sorted({one[label] for one in self._selected(params) if label in one})
            case _:
                return None if self.retention is None else {"storageRetention": self.retention}

    def _selected(self, params: Mapping[str, str]) -> list[Mapping[str, str]]:
        matchers = _MATCHER.findall(params.get("match[]", ""))
        return [one for one in self.series if all(_fits(one, *matcher) for matcher in matchers)]

    def _counted(self, text: str, params: Mapping[str, str]) -> list[Mapping[str, object]]:
        found = next((count for key, count in self.counts.items() if key in text), None)
        steps = {"1h": 3600, "1d": 86_400}[params["step"]]
        number = round((float(params["end"]) - float(params["start"])) / steps) + 1
        if found is None:
            return []
        each = [found] * number if isinstance(found, int | float) else list(found)[-number:]
        values = [[NOW - steps * n, str(c)] for n, c in enumerate(reversed(each)) if c is not None]
        return [{"metric": {}, "values": values}]


def _fits(labels: Mapping[str, str], label: str, operator: str, value: str) -> bool:
    had = labels.get(label, "")
    same = re.fullmatch(value, had) is not None if "~" in operator else had == value
    return same is not operator.startswith("!")
