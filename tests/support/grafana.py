"""What Grafana would ask Prometheus for a dashboard, without a Grafana: its queries, and its variables put in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = dict[str, Any]
BUILT_IN = {"__range": "7d", "__interval": "1h", "__rate_interval": "10m"}
_LABEL_VALUES = re.compile(r"label_values\((?P<selector>.+), (?P<label>\w+)\)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{([a-z_]\w*)\}|([a-z_]\w*))")
"""`$1` is none: it stands for a group of a regular expression."""


class How(StrEnum):
    """How the answer is used."""

    INSTANT = "instant"
    RANGE = "range"
    LABEL = "label values"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One query of a dashboard."""

    board: str
    where: str
    """Title of the panel, or name of the annotation or variable."""
    expr: str
    how: How
    labels: tuple[str, ...] = ()
    """Labels that its legend, its table or its variable shows."""


def queries(dashboard: Json) -> Iterator[Asked]:
    """Every query of every panel, variable and annotation."""
    uid = dashboard["uid"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found = _LABEL_VALUES.fullmatch(variable["query"]["query"])
            assert found, variable
            yield Asked(
                board=uid, where=variable["name"], expr=found["selector"], how=How.LABEL, labels=(found["label"],)
            )
    for mark in dashboard["annotations"]["list"]:
        if "expr" in mark:
            labels = _shown(mark["titleFormat"] + mark["textFormat"])
            yield Asked(board=uid, where=mark["name"], expr=mark["expr"], how=How.RANGE, labels=labels)
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield Asked(
                board=uid,
                where=panel["title"],
                expr=target["expr"],
                how=How.INSTANT if target["instant"] else How.RANGE,
                labels=_matrix(panel) or _shown(target["legendFormat"]),
            )


def words(panel: Json) -> set[str]:
    """Labels that a table shows as words."""
    steps = {step["id"]: step["options"] for step in panel["transformations"]}
    renamed = steps["organize"]["renameByName"] if "organize" in steps else {}
    return {name for name in renamed if not name.startswith("Value")}


def _matrix(panel: Json) -> tuple[str, ...]:
    for step in panel["transformations"]:
        if step["id"] == "groupingToMatrix":
            return (step["options"]["rowField"], step["options"]["columnField"])
    return ()


def _shown(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\{\{(\w+)\}\}", text))


def defaults(dashboard: Json) -> dict[str, str]:
    """The value of each variable when the dashboard is opened; all, where several can be chosen."""
    found = dict(BUILT_IN)
    for variable in dashboard["templating"]["list"]:
        current = variable["current"].get("value", "")
        found[variable["name"]] = variable["allValue"] if variable["multi"] else current
    return found


def put_in(expr: str, values: Mapping[str, str]) -> str:
    """A query with its variables replaced.

    Raises:
        KeyError: a variable that the dashboard does not have.
    """
    return _VARIABLE.sub(lambda m: values[m[1] or m[2]].replace("\\", "\\\\").replace('"', '\\"'), expr)


def load(text: str) -> Json:
    found: Json = json.loads(text)
    return found
