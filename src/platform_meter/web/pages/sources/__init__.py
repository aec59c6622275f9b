"""Sources: can the numbers be trusted, and what does reading them cost? By area, each with a page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from platform_meter.model.catalogue.meter import OBJECTS_SEEN, OWNERSHIP_CONFLICTS, UNOWNED_OBJECTS
from platform_meter.model.source import by_area
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.pages.sources.one import GAPS, detail, ranges
from platform_meter.web.pages.sources.state import Books, One, every
from platform_meter.web.view import Health, Tile, View, percent, whole

SHOWN = 50
EXAMPLE = """
sources:
  github-acme:
    type: github
    org: acme
    token: {env: GITHUB_TOKEN}
"""


def page(view: View) -> Mapping[str, Any]:
    books = Books(view)
    sources, objects = every(books), books.rows
    unowned = sorted(o.name for o in objects if books.ownerless(o))
    conflicts = sorted((o.name, o.owner.team, o.owner.rule, o.owner.conflict) for o in objects if o.owner.conflict)
    return {
        "tiles": _tiles(sources, len(objects), len(unowned)) if sources else [],
        "areas": list(by_area(sources).items()),
        "example": EXAMPLE,
        "kinds": [
            {
                **labels,
                "total": total,
                "unowned": view.one(UNOWNED_OBJECTS, **labels) or 0.0,
                "conflicts": view.one(OWNERSHIP_CONFLICTS, **labels) or 0.0,
            }
            for labels, total in view.get(OBJECTS_SEEN)
        ],
        "gaps": ranges(view, view.records.gaps(GAPS)),
        "unowned": unowned[:SHOWN],
        "unowned_more": max(0, len(unowned) - SHOWN),
        "conflicts": conflicts[:SHOWN],
    }


def _tiles(sources: Sequence[One], objects: int, unowned: int) -> list[Tile]:
    down = sum(one.health is Health.DOWN for one in sources)
    fresh = sum(one.health is Health.UP for one in sources)
    made = [one.hour for one in sources if one.hour is not None]
    bad = sum(m.error + m.limited for m in made)
    low = min(((one.quotas[0].share, one.name) for one in sources if one.quotas), default=None)
    return [
        Tile(
            name="Sources with fresh data",
            value=f"{fresh} of {len(sources)}",
            more=f"{down} down" if down else "the others have not been read whole yet" if fresh < len(sources) else "",
            level="bad" if down else "",
        ),
        Tile(
            name="Calls in an hour",
            value=whole(sum(m.all for m in made) if made else None),
            more=f"{bad:,} of them came to nothing" if bad else "" if made else "no call was counted yet",
        ),
        Tile(
            name="Least quota left",
            value=percent(low[0] if low else None),
            more=low[1] if low else "no API tells one",
            href=f"/sources/{low[1]}" if low else "",
        ),
        Tile(
            name="Objects without owner",
            value=whole(unowned if objects else None),
            more=f"of {objects:,}" if objects else "none is known yet",
            href="#ownership",
        ),
    ]


PAGE = WebPage(
    path="/sources",
    title="Sources",
    place=17,
    template="sources/sources.html",
    fill=page,
    detail=Detail(template="sources/source.html", fill=detail),
)
