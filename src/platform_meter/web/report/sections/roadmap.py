"""The roadmap: what was committed to the periods that ran, what of it is done, and what slipped."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.roadmap.items import items
from platform_meter.measures.roadmap.judged import Judged, Result, judge, overdue
from platform_meter.web.report.content import NOT_ENOUGH, Block, Bullets, Paragraph, Section, Table
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import first_of

_NAMED = 10


def tell(told: Told) -> Section | None:
    """None where no roadmap is declared."""
    if not told.now.definitions.roadmaps:
        return None
    return Section(title="Roadmap", blocks=list(_blocks(told)))


def _blocks(told: Told) -> Iterator[Block]:
    scene, week = told.now, told.week
    everything = items(scene, past=True)
    if everything is None:
        yield Paragraph(f"{NOT_ENOUGH.capitalize()}: a source of it is not read now.")
        return
    start, end = week.start(scene.zone), week.end(scene.zone)
    done = sorted(
        one.told.title or one.told.name
        for one in everything
        if not one.gone and one.done and one.told.ended and start <= one.told.ended < end
    )
    yield Paragraph(f"Done this week: {first_of(done, _NAMED)}." if done else "Nothing was done this week.")
    running = [
        one for one in judge(scene, everything) if one.period.start <= week.sunday and week.monday < one.period.end
    ]
    rows = [_row(one) for one in running if one.results]
    if rows:
        yield Table(["Period", "Committed", "Done", "Open", "Slipped", "Dropped", "Added"], rows)
    unseen = [one.period.label for one in running if not one.results]
    if unseen:
        yield Paragraph(f"What was committed to {', '.join(unseen)} is not known: nobody looked when it began.")
    late = [
        f"{one.told.title or one.told.name}, {days.days} days"
        for one in everything
        if not one.gone and (days := overdue(one.told, week.sunday))
    ]
    if late:
        yield Bullets([f"Past the target and open: {first_of(sorted(late), _NAMED)}."])
    yield Paragraph("Items as they stand when this report is made: a roadmap is read as it is, not as it was.")


def _row(one: Judged) -> list[str]:
    found = {result: len(one.results.get(result, ())) for result in Result}
    slipped = found[Result.LATE] + found[Result.MOVED]
    numbers = (
        one.committed,
        one.delivered,
        found[Result.OPEN],
        slipped,
        found[Result.DROPPED] + one.lost,
        found[Result.ADDED],
    )
    return [one.period.label, *map(str, numbers)]


CHAPTER = Chapter(place=7, tell=tell)
