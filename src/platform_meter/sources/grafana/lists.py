"""What is found by searching: folders with their paths, dashboards, and how often these were looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from platform_meter.model.source import Answer, Outside, Unexpected
from platform_meter.sources.grafana.rows import DashboardRow, Folder, Sortings, Views
from platform_meter.sources.kit.walk import Walk

PATH = "/api/search"
SORTING = "/api/search/sorting"
DASHBOARDS, FOLDERS = "dash-db", "dash-folder"
PER_PAGE = 5_000
"""The most that Grafana gives at once."""
RECENT = "viewed-recently-desc"
"""By views of the last 30 days; only where usage insights are."""
NOT_FOUND = 404

R = TypeVar("R", DashboardRow, Folder, Views)


def found(outside: Outside, of: str, type_: type[list[R]], sort: str | None = None) -> Iterator[R]:
    """All of a type that the token may see, page by page; an empty page is the end.

    Raises:
        SourceError: one of its pages can't be had.
        Unexpected: the same page comes again and again.
    """
    walk, number = Walk(f"{PATH} of {of}"), 1
    while True:
        params = {"type": of, "limit": PER_PAGE, "page": number if number > 1 else None, "sort": sort}
        answer = walk.page(_uids, partial(outside.get, PATH, type_, params=params))
        if not answer.body and not answer.odd:
            return
        yield from answer.body or ()
        number += 1


def _uids(answer: Answer[list[R]]) -> tuple[str, ...]:
    return tuple(row.uid for row in answer.body or ())


@dataclass(frozen=True, slots=True)
class Folders:
    """Every folder that the token may see, by uid."""

    known: Mapping[str, Folder] = field(default_factory=dict)

    def path(self, uid: str, otherwise: str = "") -> str:
        """Titles from the top down to this folder; of one that may not be seen its title as others tell it, or its uid."""
        titles: list[str] = []
        seen = set[str]()
        while uid and uid not in seen:
            seen.add(uid)
            folder = self.known.get(uid)
            titles.append(folder.title if folder else (not titles and otherwise) or uid)
            uid = folder.folder_uid if folder else ""
        return "/".join(reversed(titles))


def folders(outside: Outside) -> Folders:
    """All of them, as `found` has them."""
    return Folders({one.uid: one for one in found(outside, FOLDERS, list[Folder])})


def views(outside: Outside) -> Mapping[str, float]:
    """How often each dashboard was looked at of late, by uid; empty where the edition does not tell.

    More than 0 is within 30 days. Some releases weigh days, and have 0 too for up to five views that are all more than a
    week old.
    """
    try:
        sortings = outside.get(SORTING, Sortings).body
    except Unexpected as error:
        if error.status != NOT_FOUND:
            raise
        return {}
    if sortings is None or RECENT not in {one.name for one in sortings.sort_options}:
        return {}
    return {one.uid: one.sort_meta for one in found(outside, DASHBOARDS, list[Views], RECENT) if one.sort_meta_name}
