"""A second, simple count of recorded Jira answers, which shares no code with the exporter's, says the same numbers.

It reads the raw rows, by ids alone, around the clock: first response from creation to the first comment of another
person, or to the closing; resolution from creation to the closing, time while closed left out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from tests.contracts.calls import recorded
from tests.support.tickets import ALWAYS, ticketing

from platform_meter.measures.support.folding import fold
from platform_meter.measures.support.names import Names as FileNames
from platform_meter.measures.support.rules import Rules
from platform_meter.sources.jira import facts, names, rows

Counted = dict[str, tuple[bool, float, float]]
"""By issue: whether it is open, and seconds of first response and resolution."""
END = datetime(2024, 1, 1, tzinfo=UTC)


def _issues() -> list[Any]:
    return [row["data"] for row in recorded("jira/api_issues.devlake.json")]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _done() -> dict[str, str]:
    """Ids and today's names of all recorded statuses that are done."""
    found = {row["data"]["id"]: row["data"] for row in recorded("jira/api_status.devlake.json")}
    found |= {issue["fields"]["status"]["id"]: issue["fields"]["status"] for issue in _issues()}
    return {id_: status["name"] for id_, status in found.items() if status["statusCategory"]["key"] == "done"}


def _closings(issue: Any, done: dict[str, str]) -> list[tuple[datetime, bool]]:
    """Moments at which it was closed (True) or open again, oldest first."""
    changes = [
        (_at(history["created"]), item["field"], item["to"])
        for history in sorted(issue["changelog"]["histories"], key=lambda history: _at(history["created"]))
        for item in history["items"]
        if item["field"] in {"status", "resolution"}
    ]
    moments = [(at, to in done if field == "status" else to is not None) for at, field, to in changes]
    if (resolved := issue["fields"]["resolutiondate"]) and all(field != "resolution" for _, field, _ in changes):
        moments.append((_at(resolved), True))
    return sorted(moments)


def counted(done: dict[str, str]) -> Counted:
    found: Counted = {}
    for issue in _issues():
        fields = issue["fields"]
        created, closed, worked, since = _at(fields["created"]), False, timedelta(0), _at(fields["created"])
        first_closed = END
        for at, closes in _closings(issue, done):
            if closes and not closed:
                worked += at - since
                first_closed, closed = min(first_closed, at), True
            elif not closes and closed and at > first_closed:
                since, closed = at, False
        if not closed:
            worked += END - since
        reporter = (fields["reporter"] or fields["creator"])["accountId"]
        answers = [_at(c["created"]) for c in fields["comment"]["comments"] if c["author"]["accountId"] != reporter]
        response = min([*answers, first_closed])
        found[issue["key"]] = (not closed, (response - created).total_seconds(), worked.total_seconds())
    return found


def measured(done: dict[str, str]) -> Counted:
    """The exporter's own way, from rows to cycles."""
    rules = Rules.of(ticketing(ALWAYS, source={"type": "jira"}, status={"done": sorted(set(done.values()))}))
    found: Counted = {}
    for raw in _issues():
        issue = msgspec.convert(raw, rows.Issue)
        histories = issue.changelog.histories if issue.changelog else []
        known = names.Names(lambda field: done if field == "status" else {})
        told = facts.ticket_events(issue, histories, issue.inlined.comments, facts.Conventions(names=known))
        aliases = [alias for event in told.events for alias in event.aliases]
        ticket = fold(told.events, rules, END, FileNames(aliases))
        assert ticket is not None
        cycles = {c.sla: c.elapsed for c in ticket.at(END, rules).cycles}
        found[issue.key] = (ticket.open, cycles["first_response"], cycles["resolution"])
    return found


def test_recorded_issues_have_the_same_numbers_by_a_simple_count() -> None:
    """Eleven real issues, most of them closed, with statuses whose changelog and field have different names."""
    done = _done()
    simple = counted(done)
    assert len(simple) == 11
    assert measured(done) == simple
