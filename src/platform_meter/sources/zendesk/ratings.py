"""Satisfaction ratings of tickets: who was asked, and whether it was good.

A rating is offered, and given some time later; the list has it by when it was made, so what was made of late is read
again. Comments and reasons are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.source import Answer, Page
from platform_meter.model.typed import decode
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.rows import Row, Sieve
from platform_meter.sources.zendesk.lists import Lists, paged
from platform_meter.sources.zendesk.rows import SYSTEM, Paged, User, utc

PATH = "/api/v2/satisfaction_ratings"
SURVEY = "csat"
SCORES: Mapping[str, float] = {"good": 1.0, "bad": 0.0}
OFFERED = "offered"
LATE = timedelta(days=28)
"""How long after it was offered a rating is waited for: a ticket is closed by then, and takes none."""
EVERY = timedelta(hours=1)
NOBODY = "none"
"""Stands for the organization of who has none."""


class Rating(Row):
    becomes: ClassVar[str] = "SurveyResponse"
    id: int
    created_at: datetime
    updated_at: datetime
    score: str = ""
    ticket_id: int | None = None
    requester_id: int | None = None

    @property
    def told(self) -> bool:
        """Whether somebody was asked; one that was not offered is none yet."""
        known = self.score == OFFERED or self.score in SCORES
        return known and self.ticket_id is not None and self.requester_id is not None


class Ratings(Paged):
    satisfaction_ratings: list[Rating] = msgspec.field(default_factory=list)


def rating_pages(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    state = decode(checkpoint, Cursor) if checkpoint else Cursor()
    if state.began is None:
        state.begin(now, state.next_start(since, LATE))
    lists, users = Lists(outside), dict[int, User]()
    start = int((state.start or since).timestamp())
    for page in paged(outside, PATH, Ratings, {"start_time": start}, _ids):
        asked = [row for row in page.satisfaction_ratings if row.told]
        users |= lists.users({row.requester_id for row in asked if row.requester_id} - users.keys())
        yield Page(facts=[fact for row in asked for fact in _facts(row, users, outside)])
    state.end(LATE)
    yield Page(checkpoint=msgspec.json.encode(state))


def _ids(answer: Answer[Ratings]) -> tuple[int, ...]:
    return tuple(row.id for row in answer.body.satisfaction_ratings) if answer.body else ()


def _facts(row: Rating, users: Mapping[int, User], outside: Sieve) -> Iterator[Event]:
    """Who gave a rating was asked for it."""
    user = users.get(row.requester_id or 0)
    organization = user.organization_id if user else None
    about = Ref(system=SYSTEM, kind="organization", id=f"organizations/{organization or NOBODY}")
    who = outside.hashed(user.names_it if user else str(row.requester_id))
    yield Invitation(
        key=f"rating/{row.id}/offered",
        at=utc(row.created_at),
        about=about,
        survey=SURVEY,
        respondent=who,
        subject=str(row.ticket_id),
    )
    if row.score in SCORES:
        yield SurveyResponse(
            key=f"rating/{row.id}",
            at=utc(row.updated_at),
            updated=utc(row.updated_at),
            about=about,
            survey=SURVEY,
            respondent=who,
            answers=(("score", SCORES[row.score]),),
            subject=str(row.ticket_id),
        )
