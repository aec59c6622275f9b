"""Fields that people, or Service Management, made in a Jira: how bad a ticket is, which group asks, and for what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.model.typed import converted
from platform_meter.sources.jira.facts import Conventions, reporter_of
from platform_meter.sources.jira.fields import REQUEST_TYPE, field_of, found_field, words
from platform_meter.sources.jira.lists import Lists
from platform_meter.sources.jira.rows import SYSTEM, Fields, History, Issue, Item, Planned, moment


class Made:
    """Of one poll; without the settings nothing more is asked for."""

    def __init__(self, jira: Lists, *, severity: str = "", asking: str = "", request_types: bool = False) -> None:
        self._jira = jira
        self._severity = found_field("severity_field", severity, jira.fields) if severity else None
        self._asking = found_field("asking_field", asking, jira.fields) if asking else None
        self._type = field_of("request_types", REQUEST_TYPE, jira.fields) if request_types else None
        self._held: dict[str, Mapping[str, Any]] = {}

    def search(self, jql: str, size: int, fields: Sequence[str]) -> Iterator[list[Issue]]:
        """As `Lists.search`; what is in the made fields is remembered of the page that came last."""
        ids = [field.id for field in (self._severity, self._asking, self._type) if field]
        if not ids:
            yield from self._jira.search(jql, size, fields)
            return
        for page in self._jira.planned(jql, size, (*fields, *ids)):
            self._held = {one.id: one.fields for one in page}
            yield [issue for one in page if (issue := self._issue(one)) is not None]

    def _issue(self, one: Planned) -> Issue | None:
        """None of an odd one, which is counted."""
        try:
            fields = converted(dict(one.fields), Fields)
        except msgspec.ValidationError:
            self._jira.outside.reject(TicketEvent)
            return None
        return Issue(id=one.id, key=one.key, fields=fields, changelog=one.changelog)

    def tell(
        self, issue: Issue, histories: Iterable[History], events: Sequence[TicketEvent], conventions: Conventions
    ) -> list[TicketEvent]:
        """An issue's events with what its made fields say, today and in its history."""
        held = self._held.get(issue.id, {})
        told, created = list(events), next((e for e in events if e.change is TicketChange.CREATED), None)
        if created is None:
            return told
        born = created
        if self._asking is not None:
            group = min(words(held.get(self._asking.id)), default="")
            born = replace(born, asking=f"{SYSTEM}:{self._asking.name}/{group}" if group else "")
        if self._type is not None:
            born = replace(born, request_type=_request_type(held.get(self._type.id)))
        if self._severity is not None:
            steps = [*self._steps(issue, histories, created, conventions)]
            first = steps[0][1].from_string if steps else min(words(held.get(self._severity.id)), default="")
            born = replace(born, severity=first or "")
            told += [step for step, _ in steps]
        return sorted((born if e is created else e for e in told), key=lambda e: e.at)

    def _steps(
        self, issue: Issue, histories: Iterable[History], created: TicketEvent, conventions: Conventions
    ) -> Iterator[tuple[TicketEvent, Item]]:
        """Each change of the severity, oldest first."""
        changes = [(at, history) for history in histories if (at := moment(history.created))]
        for at, history in sorted(changes, key=lambda change: (change[0], len(change[1].id), change[1].id)):
            for number, item in enumerate(history.items or ()):
                if self._severity is not None and item.what in {self._severity.id.lower(), self._severity.name.lower()}:
                    step = TicketEvent(
                        key=f"{issue.id}/{history.id}/{number}",
                        at=at,
                        about=created.about,
                        queue=created.queue,
                        ticket=issue.id,
                        change=TicketChange.PRIORITY,
                        role=conventions.role(history.author, reporter_of(issue)),
                        actor=conventions.person(history.author),
                        severity=item.to_string or "",
                    )
                    yield step, item


def _request_type(value: Any) -> str | None:
    """What a request was made as; None of what is no request."""
    made = value.get("requestType") if isinstance(value, Mapping) else None
    return next(iter(words(made)), None)
