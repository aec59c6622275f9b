"""Grafana's API of the simulated company, as the edition has it that tells of views: search, alert rules, a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode, stamp
from platform_meter.demo.company.boards import SHARED, TEAMS, Board, Rule, boards, rules, teams
from platform_meter.demo.company.layout import TEAM_LABEL, Company
from platform_meter.demo.world import World

TOKEN = "grafana_demo"  # noqa: S105 - opens nothing but the simulation
USUAL, MOST = 1_000, 5_000
"""Rows of one page."""
VIEWED = "viewed-recently-desc"
SORTINGS = ("alpha-asc", "alpha-desc", "viewed-desc", VIEWED)


def refuse(status: int, message: str) -> Refusal:
    return Refusal(Reply(body=encode({"message": message}), status=status))


def uid(folder: str) -> str:
    """Of a folder by what it is of."""
    return f"folder-{folder}".lower()


class GrafanaApi(Api):
    """The one organisation."""

    def __init__(self, world: World) -> None:
        self._folders = _folders(world.company)
        self._boards, self._rules = tuple(boards(world.company)), tuple(rules(world.company))
        self._made = stamp(world.company.start)
        super().__init__(
            {
                "GET /api/search": self._search,
                "GET /api/search/sorting": self._sorting,
                "GET /api/v1/provisioning/alert-rules": self._alert_rules,
            }
        )

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("Authorization") != f"Bearer {TOKEN}":
            raise refuse(401, "Invalid API key")
        return handle()

    def missing(self, request: Request) -> Reply:
        del request
        raise refuse(404, "Not found")

    def _search(self, request: Request) -> Reply:
        """Page by page; an order by views has their number beside each dashboard."""
        viewed = request.query.get("sort") == VIEWED
        kind = request.query.get("type", "")
        if kind == "dash-folder":
            rows: Sequence[dict[str, Any]] = self._folders
        else:
            found = sorted(self._boards, key=lambda b: -b.views) if viewed else self._boards
            rows = [_board(one, viewed=viewed) for one in found]
        size = request.number("limit", USUAL, 1, MOST)
        start = (request.number("page", 1, 1, 10**6) - 1) * size
        return Reply(body=encode(rows[start : start + size]))

    def _sorting(self, request: Request) -> Reply:
        del request
        options = [{"name": name, "displayName": name, "description": "", "meta": ""} for name in SORTINGS]
        return Reply(body=encode({"sortOptions": options}))

    def _alert_rules(self, request: Request) -> Reply:
        del request
        return Reply(body=encode([_rule(one, self._made) for one in self._rules]))


def _folders(company: Company) -> Sequence[dict[str, Any]]:
    top = [_folder(title, title) for title in (TEAMS, SHARED)]
    return [*top, *(_folder(team.id, team.id) | {"folderUid": uid(TEAMS)} for team in teams(company))]


def _folder(of: str, title: str) -> dict[str, Any]:
    at = uid(of)
    row = {"uid": at, "title": title, "uri": f"db/{at}", "url": f"/dashboards/f/{at}", "slug": ""}
    return {**row, "type": "dash-folder", "tags": [], "isStarred": False, "sortMeta": 0, "isDeleted": False}


def _board(one: Board, *, viewed: bool) -> dict[str, Any]:
    tags = [f"{TEAM_LABEL}:{one.team}"] if one.folder == SHARED else []
    place = {"folderUid": uid(one.folder), "folderTitle": one.folder, "folderUrl": f"/dashboards/f/{uid(one.folder)}"}
    views = {"sortMeta": one.views, "sortMetaName": "Views"} if viewed else {"sortMeta": 0}
    return {
        "uid": one.uid,
        "title": one.title,
        "uri": f"db/{one.uid}",
        "url": f"/d/{one.uid}",
        "slug": "",
        "type": "dash-db",
        "tags": tags,
        "isStarred": False,
        "isDeleted": False,
        **(place if one.folder else {}),
        **views,
    }


def _rule(one: Rule, updated: str) -> dict[str, Any]:
    return {
        "uid": one.uid,
        "orgID": 1,
        "folderUID": uid(one.team),
        "ruleGroup": "usual",
        "title": one.title,
        "condition": "A",
        "data": [],
        "updated": updated,
        "noDataState": "NoData",
        "execErrState": "Error",
        "for": "5m",
        "annotations": {},
        "labels": {},
        "isPaused": one.paused,
        "record": None,
        "provenance": "",
    }
