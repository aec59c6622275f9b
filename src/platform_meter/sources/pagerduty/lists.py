"""PagerDuty's lists: incidents of a range and open ones, the log of one, its first alert.

A list goes no further than its ten thousandth row, and one page of it is a hundred.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from platform_meter.model.source import Answer, Forbidden, Gap
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk
from platform_meter.sources.kit.windows import Windows
from platform_meter.sources.pagerduty.facts import texts_in
from platform_meter.sources.pagerduty.rows import SECOND, Alerts, IncidentRow, Incidents, LogEntries, LogEntry

PER_PAGE = 100
CAP = 10_000
"""`offset` and `limit` together are at most this."""
WEEK = 7 * 24 * 3600
"""Seconds of one window: a range of more than six months is refused."""
ORDER = "created_at:asc"
"""What is made while a list is read comes behind it."""

Filters = Mapping[str, Sequence[str]]


class Lists:
    def __init__(self, outside: Sieve, filters: Filters) -> None:
        self._outside, self._filters = outside, filters

    def open(self, now: datetime) -> Iterator[list[IncidentRow]]:
        """Pages of all that have not ended, however old they are."""
        params = {"statuses[]": ["triggered", "acknowledged"], "date_range": "all"}
        last: IncidentRow | None = None
        for rows, more in self._pages(params):
            yield rows
            last = rows[-1] if rows else last
            if more is None:
                start = last.created_at if last else now
                text = f"more than {CAP} incidents are open at once; name `services` or `teams` in several sources"
                self._outside.gap(Gap(start=start, end=now, reason="result_cap", text=text, what="open incidents"))

    def made(self, start: datetime, end: datetime) -> Iterator[tuple[list[IncidentRow], datetime | None]]:
        """Pages of those made in a range, and with each up to when all of them have been given, where that is more now."""
        windows = Windows(range(_seconds(start), _seconds(end) + 1), most=WEEK)
        for window in windows:
            upper = _moment(window[-1]) + SECOND
            reached = window[0]
            for rows, more in self._pages({"since": _text(_moment(window[0])), "until": _text(upper)}):
                reached = max([reached, *(_seconds(row.created_at) for row in rows)])
                if more:
                    yield rows, None
                elif more is False:
                    windows.whole()
                    yield rows, min(upper, end)
                elif windows.goes_on(reached):
                    yield rows, _moment(reached)
                else:
                    at = _moment(reached)
                    text = f"more than {CAP} incidents were made in one second"
                    self._outside.gap(Gap(start=at, end=at + SECOND, reason="result_cap", text=text))
                    windows.skip()
                    yield rows, at + SECOND

    def _pages(self, params: Mapping[str, Any]) -> Iterator[tuple[list[IncidentRow], bool | None]]:
        """Pages of one list, and whether more follow; None where they can't be asked for."""
        walk, offset = Walk("/incidents"), 0
        while True:
            asked = {**params, **self._filters, "sort_by": ORDER, "limit": PER_PAGE, "offset": offset}
            ask = partial(self._outside.get, "/incidents", Incidents, params=asked)
            answer = walk.page(_ids, ask, of=int(offset > 0))
            body = answer.body or Incidents()
            got = len(body.incidents) + answer.odd
            offset += got
            if not body.more or not got:
                yield body.incidents, False
                return
            if offset + PER_PAGE > CAP:
                yield body.incidents, None
                return
            yield body.incidents, True

    def log(self, row: IncidentRow) -> list[LogEntry]:
        """All steps of an incident, the newest first; a gap where they may not be read."""
        path, found = f"/incidents/{row.id}/log_entries", list[LogEntry]()
        walk, offset = Walk(path), 0
        while True:
            asked = {"is_overview": "false", "limit": PER_PAGE, "offset": offset}
            ask = partial(self._outside.get, path, LogEntries, params=asked)
            try:
                answer = unless_gone(partial(walk.page, _entries, ask, of=int(offset > 0)))
            except Forbidden as error:
                text = f"incident {row.id}: its log: {error}"
                self._outside.gap(Gap(start=row.created_at, end=row.changed, reason="forbidden", text=text))
                return found
            body = (answer.body if answer else None) or LogEntries()
            found += body.log_entries
            got = len(body.log_entries) + (answer.odd if answer else 0)
            offset += got
            if not body.more or not got or offset + PER_PAGE > CAP:
                return found

    def details(self, row: IncidentRow) -> list[str]:
        """Texts of the incident's first alert; none where it has none, or they may not be read."""
        path = f"/incidents/{row.id}/alerts"
        asked = {"limit": 1, "sort_by": ORDER}
        try:
            answer = unless_gone(partial(self._outside.get, path, Alerts, params=asked))
        except Forbidden as error:
            text = f"incident {row.id}: its alerts: {error}"
            self._outside.gap(Gap(start=row.created_at, end=row.changed, reason="forbidden", text=text))
            return []
        alerts = answer.body.alerts if answer and answer.body else []
        bodies = [alert.body for alert in alerts if alert.body is not None]
        return [text for body in bodies for part in (body.details, body.contexts) for text in texts_in(part)]


def _ids(answer: Answer[Incidents]) -> tuple[str, ...]:
    return tuple(row.id for row in answer.body.incidents) if answer.body else ()


def _entries(answer: Answer[LogEntries]) -> tuple[str, ...]:
    return tuple(entry.id for entry in answer.body.log_entries) if answer.body else ()


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
