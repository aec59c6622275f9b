"""The roadmap's project in Jira: its items as issues, with the field that holds their quarter."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any

from platform_meter.demo.apis.jira.bodies import Bodies, stamp
from platform_meter.demo.company.roadmap import PLANS, PROJECT, PROJECT_ID, Plan, Roadmap
from platform_meter.demo.world import World

QUARTER_ID, QUARTER = "customfield_10050", "Quarter"
OTHERS = {"duedate": "Due date", "issuelinks": "Linked Issues"}
"""Fields of the site that tickets do not have."""
LINKED = 2
"""Tickets that an item is linked to."""


class Plans:
    """Issues of the roadmap under one base address."""

    def __init__(self, world: World, bodies: Bodies) -> None:
        self._world, self._bodies = world, bodies
        self._roadmap = Roadmap(world.company)

    def found(self, now: datetime, fields: frozenset[str], *, changelog: bool) -> list[dict[str, Any]]:
        """All items that were made by now, oldest first; `fields` empty: all of them."""
        made = sorted(PLANS, key=lambda plan: (self._roadmap.made(plan), plan.number))
        return [self._issue(plan, now, fields, changelog=changelog) for plan in made if self._roadmap.made(plan) <= now]

    def _issue(self, plan: Plan, now: datetime, fields: frozenset[str], *, changelog: bool) -> dict[str, Any]:
        found = self._fields(plan, now)
        body: dict[str, Any] = {
            "id": str(PROJECT_ID * 100_000 + plan.number),
            "key": plan.key,
            "self": f"{self._bodies.at}/issue/{plan.key}",
            "fields": {key: value for key, value in found.items() if not fields or key in fields},
        }
        if changelog:
            entries = [self._entry(plan, n, change) for n, change in enumerate(self._roadmap.changes(plan, now))]
            body["changelog"] = {
                "startAt": 0,
                "maxResults": len(entries),
                "total": len(entries),
                "histories": entries[::-1],
            }
        return body

    def _fields(self, plan: Plan, now: datetime) -> dict[str, Any]:
        roadmap, changes = self._roadmap, self._roadmap.changes(plan, now)
        resolution = roadmap.value(plan, "resolution", now)
        ended = [at for at, what, _, after in changes if what == "resolution" and after]
        return {
            "summary": plan.title,
            "status": self._bodies.status(roadmap.value(plan, "status", now)),
            "resolution": self._bodies.named("resolution", resolution) if resolution else None,
            "resolutiondate": stamp(ended[-1]) if ended else None,
            "created": stamp(roadmap.made(plan)),
            "updated": stamp(changes[-1][0] if changes else roadmap.made(plan)),
            "labels": list(plan.labels),
            "project": {"id": str(PROJECT_ID), "key": PROJECT, "name": "Platform roadmap"},
            "components": [],
            "duedate": None if plan.target is None else roadmap.at(plan.target).date().isoformat(),
            "issuelinks": [
                {"id": f"{plan.number}{n}", "inwardIssue": {"key": key}} for n, key in enumerate(self.wishes(plan))
            ],
            QUARTER_ID: {"value": roadmap.value(plan, "quarter", now)},
        }

    def wishes(self, plan: Plan) -> list[str]:
        """The first tickets that ask for it, by their keys, as far as they came before live time began."""
        begun = self._world.company.start
        if not plan.labels:
            return []
        wanted = set(plan.labels)
        asking = (t.key for t in self._world.history.tickets if t.created < begun and wanted & set(t.labels))
        return list(islice(asking, LINKED))

    def _entry(self, plan: Plan, number: int, change: tuple[datetime, str, str, str]) -> dict[str, Any]:
        at, what, before, after = change
        name = QUARTER if what == "quarter" else what
        ids = [None, None] if what == "quarter" else [self._id(what, word) for word in (before, after)]
        return {
            "id": str(plan.number * 1_000 + number),
            "author": self._bodies.user("platform-owner"),
            "created": stamp(at),
            "items": [
                {
                    "field": name,
                    "fieldtype": "custom" if what == "quarter" else "jira",
                    "fieldId": QUARTER_ID if what == "quarter" else what,
                    "from": ids[0],
                    "fromString": before or None,
                    "to": ids[1],
                    "toString": after or None,
                }
            ],
        }

    def _id(self, what: str, word: str) -> str | None:
        if not word:
            return None
        named = self._bodies.status(word) if what == "status" else self._bodies.named(what, word)
        return str(named["id"])
