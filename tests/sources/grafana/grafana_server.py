"""A Grafana in memory: folders, dashboards and alert rules, in pages smaller than what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_meter.testing.outside import Call, Reply

Row = dict[str, Any]
ALERTS = "/api/v1/provisioning/alert-rules"
RULER = "/api/ruler/grafana/api/v1/rules"


def folder(uid: str, title: str, parent: str = "") -> Row:
    row = {"id": 1, "uid": uid, "title": title, "uri": f"db/{uid}", "url": f"/dashboards/f/{uid}", "slug": ""}
    row |= {"type": "dash-folder", "tags": [], "isStarred": False, "sortMeta": 0, "isDeleted": False}
    return {**row, **({"folderUid": parent} if parent else {})}


def dashboard(uid: Any, folder: Row | None, *tags: str, views: int = 0) -> Row:
    row = {"id": 2, "uid": uid, "title": "Ada's board", "uri": f"db/{uid}", "url": f"/d/{uid}/adas-board", "slug": ""}
    row |= {"type": "dash-db", "tags": list(tags), "isStarred": False, "views": views, "isDeleted": False}
    if folder is None:
        return row
    return {**row, "folderUid": folder["uid"], "folderTitle": folder["title"], "folderUrl": folder["url"]}


def rule(uid: Any, folder_uid: str, labels: Mapping[str, str] | None = None, **more: Any) -> Row:
    return {
        "id": 3,
        "uid": uid,
        "orgID": 1,
        "folderUID": folder_uid,
        "ruleGroup": "Ada's group",
        "title": "Ada's rule",
        "condition": "A",
        "data": [],
        "updated": "2026-05-01T10:00:00Z",
        "noDataState": "NoData",
        "execErrState": "Error",
        "for": "5m",
        "annotations": {"summary": "Wake Ada"},
        "labels": None if labels is None else dict(labels),
        "isPaused": False,
        "record": None,
        "provenance": "api",
        **more,
    }


@dataclass(slots=True)
class Grafana:
    """Answers as Grafana does, Enterprise where it tells of views."""

    folders: list[Row]
    dashboards: list[Row]
    rules: list[Row] = field(default_factory=list)
    insights: bool = True
    refused: frozenset[str] = frozenset()
    """Paths that are answered 403."""
    size: int = 2
    """Rows of a page, whatever is asked for."""

    def __call__(self, call: Call) -> Reply:
        if call.path in self.refused:
            return Reply(status=403)
        if call.path == "/api/search":
            return Reply(body=self._search(call))
        if call.path == "/api/search/sorting":
            names = ["alpha-asc", "alpha-desc", *(["viewed-recently-desc", "viewed-desc"] if self.insights else [])]
            return Reply(body={"sortOptions": [{"name": name, "displayName": name, "meta": ""} for name in names]})
        if call.path == ALERTS:
            return Reply(body=self.rules)
        if call.path == RULER:
            return Reply(body=self._ruled(), status=202)
        return Reply(status=404)

    def _search(self, call: Call) -> list[Row]:
        rows = self.folders if call.params["type"] == "dash-folder" else self.dashboards
        by_views = self.insights and call.params.get("sort") == "viewed-recently-desc"
        if by_views:
            rows = sorted(rows, key=lambda row: -row["views"])
        size = min(self.size, call.params["limit"])
        start = (call.params.get("page", 1) - 1) * size
        told = [{name: value for name, value in row.items() if name != "views"} for row in rows[start : start + size]]
        if not by_views:
            return [{**row, "sortMeta": 0} for row in told]
        views = {row["uid"]: row["views"] for row in rows}
        return [{**row, "sortMeta": views[row["uid"]], "sortMetaName": "views"} for row in told]

    def _ruled(self) -> dict[str, list[Row]]:
        """The rules as the ruler has them, each in a group of its own."""
        told: dict[str, list[Row]] = {}
        for row in self.rules:
            alert = {
                "uid": row["uid"],
                "title": row["title"],
                "namespace_uid": row["folderUID"],
                "rule_group": row["ruleGroup"],
                "is_paused": row["isPaused"],
                **({"record": row["record"]} if row["record"] else {}),
                "updated_by": {"uid": "u1", "name": "Ada"},
            }
            one = {"expr": "", "for": "5m", "annotations": row["annotations"], "grafana_alert": alert}
            one |= {} if row["labels"] is None else {"labels": row["labels"]}
            told.setdefault(row["folderUID"], []).append({"name": row["uid"], "interval": "1m", "rules": [one]})
        return told
