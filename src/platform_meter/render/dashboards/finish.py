"""From a Board to the file that Grafana provisions: grafanalib's JSON brought to the classic schema of Grafana 11.

Same board, same bytes: panels are numbered in reading order, keys sorted, and nothing depends on the machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from grafanalib import _gen, core

from platform_meter.model.generated import dashboard_mark
from platform_meter.render.artifact import Artifact
from platform_meter.render.dashboards.board import COLUMNS, Board, Card, Mark, Variable

SCHEMA_VERSION = 39
"""Grafana 10.3 and later read it; newer ones move it on themselves."""
PANELS_OF = "11.0.0"
"""The release whose panel options we write; without it Grafana takes them for those of release 6."""
TAG = "platform-meter"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_GRAFANA = {"type": "grafana", "uid": "-- Grafana --"}
_PANEL_KEYS = frozenset(
    {
        "datasource",
        "description",
        "fieldConfig",
        "interval",
        "options",
        "targets",
        "title",
        "transformations",
        "transparent",
        "type",
    }
)
"""What is kept of grafanalib's panels; the rest is of releases before Grafana 8."""
_TARGET_KEYS = frozenset({"expr", "format", "instant", "legendFormat", "refId"})


def finish(board: Board) -> Artifact:
    """The dashboard's file, `<uid>.json`."""
    made = core.Dashboard(
        uid=board.uid,
        title=board.title,
        description=f"{board.description} {dashboard_mark(board.uid)}",
        tags=[TAG],
        timezone="browser",
        time=core.Time(board.span, "now"),
        refresh=board.refresh,
        schemaVersion=SCHEMA_VERSION,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        panels=[card.panel for row in board.rows for card in row],
    )
    plain = json.loads(json.dumps(made, cls=_gen.DashboardEncoder))
    places = _places(board.rows)
    found = {
        "annotations": {"list": [_ALERTS_OF_GRAFANA, *map(_annotation, board.marks)]},
        "description": plain["description"],
        "editable": False,
        "fiscalYearStartMonth": 0,
        "graphTooltip": plain["graphTooltip"],
        "id": None,
        "links": [_LINKS],
        "panels": [_panel(p, n, place) for n, (p, place) in enumerate(zip(plain["panels"], places, strict=True), 1)],
        "refresh": plain["refresh"],
        "schemaVersion": plain["schemaVersion"],
        "tags": plain["tags"],
        "templating": {"list": [_DATASOURCES, *map(_variable, board.variables)]},
        "time": plain["time"],
        "timepicker": {},
        "timezone": plain["timezone"],
        "title": plain["title"],
        "uid": plain["uid"],
        "version": 1,
        "weekStart": "monday",
    }
    return Artifact(
        path=f"{board.uid}.json", text=json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )


def _places(rows: tuple[tuple[Card, ...], ...]) -> Iterator[dict[str, int]]:
    """Each row below the last, its panels from left to right; widths that are not given share the rest."""
    y = 0
    for row in rows:
        free = [card for card in row if not card.width]
        rest = COLUMNS - sum(card.width for card in row)
        widths = [rest // len(free) + (n < rest % len(free)) for n in range(len(free))] if free else []
        x, height = 0, max(card.height for card in row)
        for card in row:
            width = card.width or widths.pop(0)
            yield {"x": x, "y": y, "w": width, "h": height}
            x += width
        y += height


def _panel(old: Mapping[str, Any], number: int, place: dict[str, int]) -> dict[str, Any]:
    new = {k: v for k, v in old.items() if k in _PANEL_KEYS and v is not None}
    new["id"], new["gridPos"], new["pluginVersion"] = number, place, PANELS_OF
    new["options"] = _options(old["type"], old["options"])
    if old["type"] == "text":  # it asks nothing
        return {k: v for k, v in new.items() if k not in {"targets", "transformations", "fieldConfig", "datasource"}}
    new["datasource"] = DATASOURCE
    new["targets"] = [_target(target) for target in old["targets"]]
    new["fieldConfig"] = _field_config(old["type"], old["fieldConfig"])
    return new


def _options(kind: str, old: Mapping[str, Any]) -> dict[str, Any]:
    new = dict(old)
    if kind == "timeseries":
        new["legend"] = {**old["legend"], "showLegend": True}
    elif kind == "table":
        new["cellHeight"] = "sm"
        new["footer"] = {"show": False, "countRows": False, "fields": "", "reducer": ["sum"]}
    return new


def _field_config(kind: str, old: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {k: v for k, v in old["defaults"].items() if v is not None}
    thresholds = defaults.pop("thresholds")
    if thresholds["steps"]:
        defaults["thresholds"] = _thresholds(thresholds)
    if custom := {k: v for k, v in defaults.pop("custom", {}).items() if v is not None}:
        if kind == "table":
            custom.pop("displayMode", None)
            custom.setdefault("cellOptions", {"type": "auto"})
        if kind == "timeseries":
            custom["scaleDistribution"] = {"type": custom["scaleDistribution"]["type"]}
        defaults["custom"] = custom
    overrides = [{**o, "properties": [_property(p) for p in o["properties"]]} for o in old.get("overrides", [])]
    return {"defaults": defaults, "overrides": overrides}


def _property(old: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": old["id"], "value": _thresholds(old["value"]) if old["id"] == "thresholds" else old["value"]}


def _thresholds(old: Mapping[str, Any]) -> dict[str, Any]:
    """Colour and value; the first holds from minus infinity, which Grafana writes as null and grafanalib as "null"."""
    steps = [{"color": s["color"], "value": s["value"] if n else None} for n, s in enumerate(old["steps"])]
    return {"mode": old["mode"], "steps": steps}


def _target(old: Mapping[str, Any]) -> dict[str, Any]:
    new = {k: v for k, v in old.items() if k in _TARGET_KEYS}
    return {**new, "datasource": DATASOURCE, "editorMode": "code", "range": not old["instant"]}


_DATASOURCES = {
    "name": "datasource",
    "label": "Prometheus",
    "type": "datasource",
    "query": "prometheus",
    "regex": "",
    "refresh": 1,
    "hide": 0,
    "includeAll": False,
    "multi": False,
    "options": [],
    "current": {},
    "skipUrlSync": False,
}
_LINKS = {
    "title": "platform-meter",
    "type": "dashboards",
    "tags": [TAG],
    "asDropdown": True,
    "icon": "external link",
    "includeVars": False,
    "keepTime": True,
    "targetBlank": False,
    "tooltip": "",
    "url": "",
}
_ALERTS_OF_GRAFANA = {
    "builtIn": 1,
    "datasource": _GRAFANA,
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def _variable(variable: Variable) -> dict[str, Any]:
    common = {
        "name": variable.name,
        "label": variable.label,
        "hide": 2 if variable.hidden else 0,
        "includeAll": variable.several,
        "multi": variable.several,
        "skipUrlSync": False,
        "current": _chosen(variable),
    }
    if variable.several:
        common["allValue"] = ".*"
    if variable.listed:
        values = variable.query.split(",")
        options = [{"selected": v == variable.default, "text": v, "value": v} for v in values]
        return {**common, "type": "custom", "query": variable.query, "options": options}
    return {
        **common,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": variable.query,
        "query": {"qryType": 1, "query": variable.query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "regex": "",
        "refresh": 2,  # on change of the time range: new teams appear
        "sort": 1,
        "options": [],
    }


def _chosen(variable: Variable) -> dict[str, Any]:
    if variable.several:
        return {"selected": True, "text": ["All"], "value": ["$__all"]}
    if variable.default:
        return {"selected": True, "text": variable.default, "value": variable.default}
    return {}


def _annotation(mark: Mark) -> dict[str, Any]:
    return {
        "name": mark.name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": mark.color,
        "expr": mark.expr,
        "step": mark.step,
        "titleFormat": mark.title,
        "textFormat": mark.text,
        "tagKeys": "",
        "useValueForTime": False,
    }
