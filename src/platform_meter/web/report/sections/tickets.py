"""Support: the categories with most tickets, and how they moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from platform_meter.measures.support.queues import category_of, reads
from platform_meter.measures.support.tickets import belongs
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.model.weeks import week_of
from platform_meter.web.report.compare import WEEKS, counts
from platform_meter.web.report.content import NOT_ENOUGH, Block, Paragraph, Section, Table
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import whole

TOP = 5


def tell(told: Told) -> Section | None:
    """None where no queue is declared."""
    queues = sorted(told.then.definitions.ticketing, key=lambda queue: queue.id)
    blocks = [block for queue in queues for block in _queue(told, queue)]
    return Section(title="Tickets", blocks=blocks) if blocks else None


def _queue(told: Told, queue: Ticketing) -> Iterator[Block]:
    zone = told.then.zone
    sources = {s.instance: s for s in told.then.history.sources(TicketEvent) if reads(queue, s)}
    weeks = [told.week.back(n) for n in range(WEEKS + 1)]
    begun = [s.begun for s in sources.values()]
    if not sources or not all(s.fresh for s in sources.values()):
        yield Paragraph(f"{queue.id}: {NOT_ENOUGH}, its source was not read to the end of the week.")
        return
    # Weeks before the first that is known whole compare with nothing.
    known = [week for week in weeks if all(at is not None and at <= week.start(zone) for at in begun)]
    found = {week: Counter[str]() for week in weeks}
    for row in told.then.history.rows(TicketEvent, weeks[-1].start(zone), told.week.end(zone)):
        event = row.event
        if (
            event.change is TicketChange.CREATED
            and row.source in sources
            and belongs(queue, sources[row.source], event)
        ):
            found[week_of(event.at.astimezone(zone).date())][category_of(queue, event)] += 1
    now, past = found[told.week], [found[week] for week in weeks[1:] if week in known]
    total = counts(queue.id, "tickets", now.total(), sum(past_week.total() for past_week in past))
    enough = len(past) == WEEKS and total.said
    yield Paragraph(
        f"{queue.id}: {total.said if enough else f'{whole(now.total())} tickets; {NOT_ENOUGH} of the weeks before'}."
    )
    if now:
        rows = [_row(name, n, past) for name, n in sorted(now.items(), key=lambda one: (-one[1], one[0]))[:TOP]]
        yield Table(["Category", "This week", "The week before", f"A week, in the {WEEKS} before"], rows)


def _row(name: str, n: int, past: list[Counter[str]]) -> list[str]:
    before = f"{past[0][name]} ({n - past[0][name]:+d})" if past else NOT_ENOUGH
    usual = f"{sum(week[name] for week in past) / WEEKS:.1f}" if len(past) == WEEKS else NOT_ENOUGH
    return [name, whole(n), before, usual]


CHAPTER = Chapter(place=5, tell=tell)
