"""Ratings of requests of Jira Service Management: one to five stars, as who asked gave them.

They are asked for by when they were given, which is no change of an issue to every Jira. The list is in order of when
issues were made, which never changes: a rating that comes meanwhile moves others further down, never past the page being
read, and is newer than the poll, so that the next one has it. Comments of ratings are not in the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.source import Gap, Outside, Page, Stream
from platform_meter.model.surveying import CSAT
from platform_meter.model.typed import converted, decode
from platform_meter.sources.jira.facts import Conventions, reporter_of
from platform_meter.sources.jira.fields import RATED_AT, RATING, field_of, found_field, words
from platform_meter.sources.jira.lists import Lists, wall
from platform_meter.sources.jira.rows import SYSTEM, Fields, Issue, Planned, moment
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.rows import Sieve

SETTING = "ratings"
BEST = 5
EVERY = timedelta(hours=1)
NOBODY = "none"
"""Stands for the group of who has none."""
_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose ratings are read."""

    query: str
    """JQL that an issue must meet; empty for all."""
    asking: str = ""
    """Name or id of the field with the group that asks."""
    bots: frozenset[str] = frozenset()


class _State(Cursor, omit_defaults=True):
    asked: str = ""
    """What was asked for; something else starts anew."""


class Stars:
    """The fields of one Jira that hold them.

    Raises:
        NoField: one of them is not there.
    """

    def __init__(self, jira: Lists, asking: str) -> None:
        self.rating = field_of(SETTING, RATING, jira.fields)
        self.at = field_of(SETTING, RATED_AT, jira.fields)
        self.asking = found_field("asking_field", asking, jira.fields) if asking else None

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(field.id for field in (self.rating, self.at, self.asking) if field)

    def clause(self, start: datetime, zone: str) -> str:
        """JQL: rated since then. The number of a made field is what it is called in every language."""
        return f'cf[{self.at.id.removeprefix("customfield_")}] >= "{wall(start, zone, late=False)}"'

    def told(self, one: Planned, people: Conventions) -> SurveyResponse | None:
        """What an issue's rating says; None of one that can't be read, or that nobody knows the time of."""
        held = one.fields.get(self.rating.id)
        score = held.get("rating") if isinstance(held, Mapping) else None
        at = moment(one.fields.get(self.at.id))
        if at is None or type(score) is not int or not 1 <= score <= BEST:
            return None
        issue = Issue(id=one.id, key=one.key, fields=converted(dict(one.fields), Fields))
        group = min(words(one.fields.get(self.asking.id)), default="") if self.asking else ""
        place = f"{self.asking.name if self.asking else 'organizations'}/{group or NOBODY}"
        return SurveyResponse(
            key=f"{one.id}/rating",
            at=at,
            updated=at,
            about=Ref(system=SYSTEM, kind="organization", id=place),
            survey=CSAT,
            respondent=people.person(reporter_of(issue)) or f"{one.id}/rating",
            answers=(("score", float(score)),),
            subject=one.id,
        )


def stream(asked: Asked, every: timedelta, overlap: timedelta, outside: Outside) -> Stream:
    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: _pages(asked, overlap, sieve, checkpoint, since, now))

    return Stream(name=SETTING, read=read, gives=frozenset({SurveyResponse}), every=max(EVERY, every))


def _pages(
    asked: Asked, overlap: timedelta, outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime
) -> Iterator[Page]:
    wanted = f"{asked.query}|{asked.asking}"
    state = decode(checkpoint, _State) if checkpoint else _State(asked=wanted)
    if state.asked != wanted:
        state = _State(asked=wanted)
    start = state.next_start(since, overlap)
    state.begin(now, start)
    jira = Lists(outside)
    stars, people = Stars(jira, asked.asking), Conventions(bots=asked.bots, hashed=outside.hashed)
    seen: set[str] = set()
    jql = " AND ".join([*([asked.query] if asked.query else []), stars.clause(start, jira.zone)])
    for issues in jira.planned(f"{jql} ORDER BY created DESC", _PAGE, ("reporter", "creator", *stars.ids)):
        facts = []
        for one in (one for one in issues if one.id not in seen):  # some pages begin with the end of the one before
            seen.add(one.id)
            try:
                told = stars.told(one, people)
            except msgspec.ValidationError:
                told = None
            if told is None:
                outside.reject(SurveyResponse)
            elif told.at >= start:
                facts.append(told)
        yield Page(facts=facts)
    if jira.lacking:
        outside.gap(Gap(start=start, end=now, reason="unreadable", text=jira.lacking))
    state.end(overlap)
    yield Page(checkpoint=msgspec.json.encode(state))
