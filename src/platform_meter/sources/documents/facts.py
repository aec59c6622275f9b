"""Rows to facts: counts of SLIs in slices of time, use, incidents, feedback and courses.

What a row says is told or left out, never half of it. Rows of one key that say different things contradict each other:
which of them is true nobody knows, so none is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.roadmap import Feedback
from platform_meter.model.facts.slis import KIND, SliCount
from platform_meter.model.facts.training import Enrolment
from platform_meter.model.facts.use import Usage
from platform_meter.model.personal import by_person
from platform_meter.model.source import Unexpected
from platform_meter.sources.documents import cells
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import (
    NOW,
    SYSTEM,
    Entry,
    FeedbackRows,
    IncidentRows,
    SliRows,
    TrainingRows,
    UsageRows,
)
from platform_meter.sources.documents.feedback import feedback
from platform_meter.sources.documents.incidents import incident
from platform_meter.sources.documents.training import enrolment
from platform_meter.sources.documents.values import Odd, name
from platform_meter.sources.kit.rows import MOST, Sieve

MOST_ROWS = 50_000
"""In one document or file: all of them are held at once, so that rows of one key are seen together."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = 6
"""Decimals kept: 0.3 less 0.1 leaves 0.19999999999999998."""


Said = SliCount | Usage | Incident | Feedback | Enrolment


class TooMuchError(Exception):
    """There is more in one document or file than is held at once."""


@dataclass(slots=True)
class Told:
    """What the rows of one document say."""

    facts: list[Said] = field(default_factory=list)
    pending: bool = False
    """One tells of a slice that is not over: it will say more without being changed."""
    sound: int = 0
    odd: Counter[str] = field(default_factory=Counter)
    """Rows that are left out, by reason."""
    why: str = ""
    """What is wrong with the last of them."""


def told(entry: Entry, rows: Iterable[Any], look: Look) -> Told:
    """What these rows say; one that is an `Odd` could not be read at all.

    Raises:
        TooMuchError: there are too many of them.
    """
    said = Told()
    by_key: dict[str, Said] = {}
    rows_of = Counter[str]()
    contradicted = set[str]()
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            raise TooMuchError(f"there are more than {MOST_ROWS:,} rows")
        try:
            fact = _fact(entry, row, look, said)
        except Odd as error:
            said.odd[error.reason] += 1
            said.why = str(error)
            continue
        said.sound += 1
        if fact is not None:
            rows_of[fact.key] += 1
            if by_key.setdefault(fact.key, fact) != fact:
                contradicted.add(fact.key)
    for key in contradicted:
        del by_key[key]
        said.odd["contradiction"] += rows_of[key]
        said.sound -= rows_of[key]
        said.why = "rows that nothing tells apart say different things; name in `key` what does"
    said.facts = list(by_key.values())
    return said


def becomes(entry: Entry) -> type[Said]:
    """What its rows are."""
    match entry:
        case SliRows():
            return SliCount
        case UsageRows():
            return Usage
        case IncidentRows():
            return Incident
        case FeedbackRows():
            return Feedback
        case TrainingRows():
            return Enrolment


def count_odd(entry: Entry, said: Told, outside: Sieve) -> None:
    """Have the rows that were left out counted."""
    for reason, rows in said.odd.items():
        for _ in range(rows):
            outside.reject(becomes(entry), reason)


def all_odd(said: Told, where: str, most: int = MOST) -> None:
    """Raises:
    Unexpected: it is no row that is odd but the whole: there are more than `most`, and no sound one beside them.
    """
    if said.odd.total() > most and not said.sound:
        raise Unexpected(f"{where}: none of {said.odd.total():,} rows can be read: {said.why}")


def _fact(entry: Entry, row: Any, look: Look, said: Told) -> Said | None:
    """What a row says; None where that is not wanted, or not yet.

    Raises:
        Odd: it is left out.
    """
    if isinstance(row, Odd):
        raise row
    if isinstance(entry, IncidentRows):
        return incident(entry, row, look)
    if isinstance(entry, FeedbackRows):
        return feedback(entry, row, look)
    if isinstance(entry, TrainingRows):
        return enrolment(entry, row, look)
    at = look.now if entry.at == NOW else cells.at(entry, row, entry.at)
    if isinstance(entry, UsageRows):
        usage = _usage(entry, row, cells.has_been(at, look), look)
        return usage if at >= look.start else None
    end = at if entry.at == NOW or entry.stamp == "end" else at + entry.width
    cells.has_been(end - entry.width, look)
    count = _count(entry, row, end, look)
    over = entry.at == NOW or end <= look.now - look.delay
    said.pending = said.pending or not over
    return count if over and end >= look.start else None


def _count(entry: SliRows, row: Any, end: datetime, look: Look) -> SliCount:
    values = {part: getattr(entry, part) for part in ("good", "bad", "total")}
    parts = {part: cells.much(row, value) for part, value in values.items() if value is not None}
    total = parts.get("total", parts.get("good", 0.0) + parts.get("bad", 0.0))
    good = parts["good"] if "good" in parts else total - parts["bad"]
    bad = parts["bad"] if "bad" in parts else total - parts["good"]
    if min(good, bad) < 0:
        raise Odd("a part is larger than the total", "contradiction")
    sli = cells.named(row, entry.by, f"{entry.id}/") if entry.by else entry.id
    place = _slot(end, entry.width) if entry.at == NOW else _seconds(end)
    return SliCount(
        key="/".join(("sli", sli, place, *cells.key(entry, row, None, look))),
        at=end,
        about=Ref(system=SYSTEM, kind=KIND, id=sli),
        sli=sli,
        good=round(good, _DIGITS),
        bad=round(bad, _DIGITS),
        width=entry.width,
    )


def _usage(entry: UsageRows, row: Any, at: datetime, look: Look) -> Usage:
    id_ = cells.named(row, entry.by, entry.prefix)
    subject = "" if entry.subject is None else name(cells.value(row, entry.subject))
    actor = "" if entry.actor is None else look.hashed(name(cells.value(row, entry.actor)))
    told = cells.digest(id_, subject, actor, at.isoformat())
    key = cells.key(entry, row, entry.actor, look) or [by_person(told) if actor else told]
    return Usage(
        key="/".join((entry.stream, *key)),
        at=at,
        about=Ref(system=entry.system, kind=entry.kind, id=id_),
        action=entry.action,
        amount=cells.much(row, entry.amount),
        subject=subject,
        actor=actor,
    )


def _seconds(at: datetime) -> str:
    return str(int((at - _EPOCH).total_seconds()))


def _slot(at: datetime, width: timedelta) -> str:
    """One for all polls of a slice: of them one is counted."""
    return str((at - _EPOCH) // width)
