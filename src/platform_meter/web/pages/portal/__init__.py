"""Portal: is the catalog true and whole, do templates work, does anybody find what they look for. Nobody is named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from platform_meter.measures.census import standing
from platform_meter.measures.portal import KINDS
from platform_meter.measures.portal.coverage import SEEN_IN_CI, Deployable, deployables
from platform_meter.model.catalogue.portal import (
    CATALOG_COVERAGE,
    CATALOG_ENTITIES,
    DOCS_HELPFUL,
    GOLDEN_PATH,
    GOLDEN_PATH_STAY,
    PORTAL_ACTIVE_PEOPLE,
)
from platform_meter.model.catalogue.training import TRAINING_COMPLETED, TRAINING_PEOPLE
from platform_meter.model.facts.portal import (
    CatalogEntity,
    DocsView,
    Found,
    OwnerState,
    PortalSearch,
    TemplateOutcome,
    TemplateRun,
)
from platform_meter.web.page import WebPage
from platform_meter.web.view import Tile, View, percent, safe, sentence, whole

WINDOW = timedelta(days=28)
SHOWN = 100
"""Rows of a list."""
OWNERS = {
    OwnerState.NONE: "no owner",
    OwnerState.UNKNOWN: "an owner that the portal does not know",
    OwnerState.EMPTY: "an owner without members",
    OwnerState.PERSON: "an owner that is a person, not a group",
}


class Lacking(NamedTuple):
    """One entry that is not complete."""

    name: str
    kind: str
    team: str
    lacks: str
    url: str


def page(view: View) -> Mapping[str, Any]:
    """All of it, and of each part why it is not there."""
    entries, kinds = list(_entries(view)), _kinds(view)
    lacking = sorted(_lacking(entries), key=lambda row: (row.team, row.kind, row.name))
    unlisted = [one for one in deployables(view.scene) or () if not one.listed]
    runs, searches, views = _runs(view), _searches(view), _views(view)
    return {
        "absence": view.lacking(CatalogEntity),
        "tiles": _tiles(view, kinds, runs, searches),
        "kinds": kinds,
        "teams": _teams(entries),
        "lacking": lacking[:SHOWN],
        "more_lacking": max(0, len(lacking) - SHOWN),
        "unlisted": unlisted[:SHOWN],
        "more_unlisted": max(0, len(unlisted) - SHOWN),
        "no_coverage": _no_coverage(view, unlisted),
        "templates": [_template(name, counts) for name, counts in sorted(runs.items())],
        "no_templates": sentence(view.lacking(TemplateRun) or "no run ended in 28 days"),
        "areas": searches,
        "docs": views,
        "courses": _courses(view),
        "no_use": view.lacking(PortalSearch),
        "shown": SHOWN,
    }


def _tiles(
    view: View,
    kinds: Sequence[tuple[str, int, int]],
    runs: Mapping[str, Counter[str]],
    searches: Sequence[tuple[str, int, int]],
) -> list[Tile]:
    complete, entries = sum(row[1] for row in kinds), sum(row[2] for row in kinds)
    ended = sum(runs.values(), Counter[str]())
    tried = ended[TemplateOutcome.SUCCESS] + ended[TemplateOutcome.FAILED]
    hits, misses = sum(row[1] for row in searches), sum(row[2] for row in searches)
    weekly = view.one(PORTAL_ACTIVE_PEOPLE, window="7d")
    stay = view.one(GOLDEN_PATH_STAY, window="91d")
    return [
        Tile(
            name="Complete entries",
            value=percent(complete / entries if entries else None),
            more=f"{complete:,} of {entries:,}" if entries else view.lacking(CatalogEntity),
        ),
        Tile(name="Coverage", value=percent(view.one(CATALOG_COVERAGE)), more="deployables that are in the catalog"),
        Tile(
            name="Golden path, 28 d",
            value=percent(view.one(GOLDEN_PATH, window="28d")),
            more="new repositories that a template made"
            + (f"; {percent(stay)} of older ones still complete at day 90" if stay is not None else ""),
        ),
        Tile(
            name="Templates that worked, 28 d",
            value=percent(ended[TemplateOutcome.SUCCESS] / tried if tried else None),
            more=f"{ended[TemplateOutcome.FAILED]:,} of {tried:,} runs failed" if tried else "no run ended",
        ),
        Tile(
            name="Active people, 28 d",
            value=whole(view.one(PORTAL_ACTIVE_PEOPLE, window="28d")),
            more=f"{whole(weekly)} in 7 d",
        ),
        Tile(
            name="Searches with a hit, 28 d",
            value=percent(hits / (hits + misses) if hits + misses else None),
            more=f"{misses:,} of {hits + misses:,} found nothing" if hits + misses else "no search was told of",
        ),
    ]


def _kinds(view: View) -> list[tuple[str, int, int]]:
    """By kind: complete entries and all, as `/metrics` says it."""
    found = defaultdict[str, Counter[str]](Counter)
    for labels, value in view.get(CATALOG_ENTITIES):
        found[labels["kind"]][labels["complete"]] += int(value)
    return [(kind, n["yes"], n.total()) for kind, n in sorted(found.items())]


def _entries(view: View) -> Iterator[tuple[str, CatalogEntity]]:
    """Entries that can be complete, with the teams that they belong to."""
    for _, held in standing(view.scene, CatalogEntity):
        if held.reading.kind in KINDS:
            yield view.history.owner(held.object).team, held.reading


def _teams(entries: Iterable[tuple[str, CatalogEntity]]) -> list[tuple[str, int, int]]:
    found = defaultdict[str, Counter[bool]](Counter)
    for team, entity in entries:
        found[team][entity.complete] += 1
    return [(team, n[True], n.total()) for team, n in sorted(found.items(), key=lambda row: (-row[1][False], row[0]))]


def _lacking(entries: Iterable[tuple[str, CatalogEntity]]) -> Iterator[Lacking]:
    for team, entity in entries:
        if not entity.complete:
            lacks = [OWNERS.get(entity.owner, one) if one == "owner" else one for one in entity.missing]
            name = entity.about.id.partition(":")[2].removeprefix("default/")
            yield Lacking(name, entity.kind, team, ", ".join(lacks), safe(entity.url))


def _no_coverage(view: View, unlisted: Sequence[Deployable]) -> str:
    if view.one(CATALOG_COVERAGE) is None:
        return sentence(view.lacking(CatalogEntity) or "no source tells what runs or is built")
    return (
        ""
        if unlisted
        else f"Every deployable that was seen in clusters, or in CI within {SEEN_IN_CI.days} days, is in the catalog."
    )


def _runs(view: View) -> dict[str, Counter[str]]:
    """Ended runs by template and outcome."""
    found = defaultdict[str, Counter[str]](Counter)
    for (_, dim), count in view.counts(TemplateRun, view.now - WINDOW, view.now).items():
        found[dim.template][dim.outcome] += count.n
    return dict(found)


def _template(name: str, counts: Counter[str]) -> Mapping[str, Any]:
    good, bad = counts[TemplateOutcome.SUCCESS], counts[TemplateOutcome.FAILED]
    return {
        "name": name,
        "good": good,
        "bad": bad,
        "cancelled": counts[TemplateOutcome.CANCELLED],
        "share": percent(good / (good + bad) if good + bad else None),
    }


def _searches(view: View) -> list[tuple[str, int, int]]:
    """By area: searches that found something, and those that found nothing; the most of the latter first."""
    found = defaultdict[str, Counter[str]](Counter)
    for (_, dim), count in view.counts(PortalSearch, view.now - WINDOW, view.now).items():
        found[dim.area][dim.found] += count.n
    rows = [(area, n[Found.HIT], n[Found.MISS]) for area, n in found.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _views(view: View) -> list[tuple[str, int, str]]:
    """By area: how often docs were opened, and the share of votes that say they help; the most opened first."""
    helps = {labels["area"]: value for labels, value in view.get(DOCS_HELPFUL)}
    found = Counter[str]()
    for (_, dim), count in view.counts(DocsView, view.now - WINDOW, view.now).items():
        found[dim.area] += count.n
    return [
        (area, n, percent(helps.get(area))) for area, n in sorted(found.items(), key=lambda row: (-row[1], row[0]))
    ][:SHOWN]


def _courses(view: View) -> list[tuple[str, float, str]]:
    """By course: people who began it, and the share of them that got through; the most taken first."""
    through = {labels["course"]: value for labels, value in view.get(TRAINING_COMPLETED)}
    began = [(labels["course"], value) for labels, value in view.get(TRAINING_PEOPLE)]
    most = sorted(began, key=lambda row: (-row[1], row[0]))[:SHOWN]
    return [(course, n, percent(through.get(course))) for course, n in most]


PAGE = WebPage(path="/portal", title="Portal", place=11, template="portal/portal.html", fill=page)
