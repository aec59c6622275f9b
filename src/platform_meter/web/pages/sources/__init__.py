"""Sources: can the numbers be trusted? Health, data age, quota, gaps, and objects nobody owns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform_meter.measures.meter import MACHINERY
from platform_meter.model.catalogue.meter import OBJECTS_SEEN, OWNERSHIP_CONFLICTS, UNOWNED_OBJECTS
from platform_meter.model.metric import UNOWNED
from platform_meter.web.page import WebPage
from platform_meter.web.view import Health, SourceExtra, View

SHOWN = 50
LEVELS = {Health.UP: "good", Health.STARTING: "soft", Health.IMPORTING: "warn", Health.DOWN: "bad"}


def page(view: View) -> Mapping[str, Any]:
    sources = []
    for state in sorted(view.history.sources(), key=lambda s: s.instance):
        name = state.instance
        streams = [s for s in view.streams if s.instance == name]
        extra = view.extras.get(name, SourceExtra())
        sources.append(
            {
                "name": name,
                "type": state.type,
                "health": view.health(state),
                "age": (view.now - state.watermark).total_seconds() if state.watermark else None,
                "quota": extra.quota,
                "late": extra.late,
                "paused_until": extra.paused_until,
                "streams": streams,
                "oldest": min((s.last_success for s in streams if s.last_success), default=None),
                "pushed": max((s.pushed for s in streams if s.pushed), default=None),
                "errors": list(dict.fromkeys(s.last_error for s in streams if s.last_error)),
                "progress": [f"{stream}: {said}" if len(streams) > 1 else said for stream, said in view.progress(name)],
            }
        )
    objects = [o for o in view.history.objects() if o.kind not in MACHINERY]
    unowned = sorted(o.name for o in objects if o.owner.team == UNOWNED)
    conflicts = sorted((o.name, o.owner.team, o.owner.rule, o.owner.conflict) for o in objects if o.owner.conflict)
    kinds = []
    for labels, total in view.get(OBJECTS_SEEN):
        kinds.append(
            {
                **labels,
                "total": total,
                "unowned": view.one(UNOWNED_OBJECTS, **labels) or 0.0,
                "conflicts": view.one(OWNERSHIP_CONFLICTS, **labels) or 0.0,
            }
        )
    return {
        "sources": sources,
        "levels": LEVELS,
        "kinds": kinds,
        "gaps": [{"source": g[0], "start": g[1], "end": g[2], "reason": g[3], "text": g[4]} for g in view.gaps],
        "unowned": unowned[:SHOWN],
        "unowned_more": max(0, len(unowned) - SHOWN),
        "conflicts": conflicts[:SHOWN],
    }


PAGE = WebPage(path="/sources", title="Sources", place=9, template="sources/sources.html", fill=page)
