"""Incidents: when each began and ended, how bad it was, which records it names (GET /api/v2/incidents)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import MOST_MENTIONS, Incident, Severity, named_in
from platform_meter.model.source import Answer, Page
from platform_meter.model.typed import decode
from platform_meter.sources.datadog.config import SYSTEM
from platform_meter.sources.datadog.rows import Field, IncidentRow, Incidents
from platform_meter.sources.kit.incidents import severity_of
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.pushed import service_ref
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk

PATH = "/api/v2/incidents"
PER_PAGE = 100
"""The most that Datadog gives at once."""
RESOLVED = "resolved"
_NONE = Field()


class _Open(Struct):
    """What is remembered of one that had not ended, so that it can be taken back when it is gone."""

    at: datetime
    modified: datetime
    kind: str
    id: str
    labels: list[tuple[str, str]] = []

    def gone(self, key: str) -> Incident:
        """That it is none: nobody will ever say that it has ended. It is told as newer than what was seen last."""
        about = Ref(system=SYSTEM, kind=self.kind, id=self.id, labels=tuple(self.labels))
        updated = self.modified.astimezone(UTC) + timedelta(milliseconds=1)
        return Incident(key=key, at=self.at.astimezone(UTC), about=about, updated=updated, valid=False)


class _State(Struct):
    """The checkpoint."""

    at: datetime
    """When the last whole look began."""
    open: dict[str, _Open] = {}


def read(
    outside: Sieve,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
    *,
    overlap: timedelta,
    pages: str,
    severities: Mapping[str, Severity],
) -> Iterator[Page]:
    """Those that changed since the last poll; at the first also those that are open, since whenever. The list has no order
    that is promised, so all of it is looked through.

    One that was open and is listed no more is asked for by its id: where it is gone it is taken back.
    """
    held = decode(checkpoint, _State) if checkpoint else None
    told = since if held is None else held.at - overlap
    state, listed, offset = _State(at=now), set[str](), 0
    walk = Walk(PATH)
    while True:
        params = {"page[size]": PER_PAGE, "page[offset]": offset}
        answer = walk.page(_ids, partial(outside.get, PATH, Incidents, params=params), of=int(offset > 0))
        body = answer.body or Incidents()
        facts = []
        for row in body.data:
            one = incident(row, pages, severities)
            listed.add(row.id)
            is_open = row.attributes.state != RESOLVED
            if is_open:
                about, modified = one.about, row.attributes.modified
                state.open[row.id] = _Open(
                    at=one.at, modified=modified, kind=about.kind, id=about.id, labels=[*about.labels]
                )
            if row.attributes.modified >= told or (held is None and is_open):
                facts.append(one)
        yield Page(facts=facts)
        got = len(body.data) + answer.odd
        if body.next_offset is None or not got:
            break
        offset += got
    gone = list[Incident]()
    for id_, was in (held.open if held else {}).items():
        if id_ in listed:
            continue
        if unless_gone(partial(outside.get, f"{PATH}/{id_}", msgspec.Raw)) is None:
            gone.append(was.gone(f"incident/{id_}"))
        else:
            state.open[id_] = was
    yield Page(facts=gone, checkpoint=msgspec.json.encode(state))


def _ids(answer: Answer[Incidents]) -> tuple[str, ...]:
    return tuple(row.id for row in answer.body.data) if answer.body else ()


def incident(row: IncidentRow, pages: str, severities: Mapping[str, Severity]) -> Incident:
    """An incident as it stands: it began when customers felt it first, else when it was declared.

    One that stands resolved at a time that nobody recorded is not counted: any moment would be made up. Nor is a test.
    """
    found = row.attributes
    fields = found.fields or {}
    ended = found.state == RESOLVED
    number = None if found.public_id is None else f"{found.public_id}"
    url = "" if number is None else f"{pages}/incidents/{number}"
    name = "" if number is None else f"IR-{number}"
    ids = tuple(filter(None, (row.id, name, url)))
    mentions = {*named_in(found.title, found.customer_impact_scope)} - {*ids}
    words = [found.severity] if found.severity else [*fields.get("severity", _NONE).values]
    return Incident(
        key=f"incident/{row.id}",
        at=(found.customer_impact_start or found.created).astimezone(UTC),
        about=_about(row, fields),
        updated=found.modified.astimezone(UTC),
        severity=severity_of(words, severities),
        detected=None if found.detected is None else found.detected.astimezone(UTC),
        resolved=found.resolved.astimezone(UTC) if ended and found.resolved else None,
        name=name,
        url=url,
        ids=ids,
        mentions=tuple(sorted(mentions)[:MOST_MENTIONS]),
        valid=not found.is_test and (not ended or found.resolved is not None),
    )


def _about(row: IncidentRow, fields: Mapping[str, Field]) -> Ref:
    """The service that it names first; the incident itself where it names none."""
    teams, services = fields.get("teams", _NONE).values, fields.get("services", _NONE).values
    labels = {"team": teams[0]} if len(teams) == 1 else {}
    if services:
        return service_ref(SYSTEM, services[0], labels=labels)
    return Ref(system=SYSTEM, kind="incident", id=row.id, labels=tuple(sorted(labels.items())))
